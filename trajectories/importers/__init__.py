"""Problems from published file formats. One file a format; `read_problems` finds out which one it is.

Source documents of the formats are named in each format's file and in docs/reference/problem-format.md.
"""

from trajectories.importers.bounds import Bounds
from trajectories.importers.fault import Fault
from trajectories.importers.formats import FORMATS
from trajectories.importers.normalised import dump
from trajectories.importers.read import ImportReport, read_problems

__all__ = ["FORMATS", "Bounds", "Fault", "ImportReport", "dump", "read_problems"]
