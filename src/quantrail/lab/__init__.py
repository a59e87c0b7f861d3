"""The Python door: a project's home as one object, its results as rich objects of a notebook."""

from quantrail.lab.project import Lab, open_lab
from quantrail.lab.result import Result, Results
from quantrail.lab.run import Run

__all__ = ["Lab", "Result", "Results", "Run", "open_lab"]
