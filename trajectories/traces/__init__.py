"""Trajectories from published file formats, read into one shape. One file a format; `read_traces` finds which it is."""

from trajectories.traces.lab_run import LabRun
from trajectories.traces.read import FORMATS, TraceReport, read_traces
from trajectories.traces.trajectory import Message, StepKind, Tokens, TraceStep, Trajectory

__all__ = [
    "FORMATS",
    "LabRun",
    "Message",
    "StepKind",
    "Tokens",
    "TraceReport",
    "TraceStep",
    "Trajectory",
    "read_traces",
]
