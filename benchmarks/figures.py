"""Every benchmark reports in the lab's one shape; it lives in `trajectories.figures` because commands use it too."""

from trajectories.figures import Bar, machine, percentile, report

__all__ = ["Bar", "machine", "percentile", "report"]
