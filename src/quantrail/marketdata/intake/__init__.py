"""The way in: opening files and frames, naming their columns, typing and judging their rows.

Nothing is guessed where two readings fit, and nothing is dropped without a finding.
"""

from quantrail.marketdata.intake.columns import propose
from quantrail.marketdata.intake.sources import RawRows, read_source
from quantrail.marketdata.intake.strict import CleanRows, clean

__all__ = ["CleanRows", "RawRows", "clean", "propose", "read_source"]
