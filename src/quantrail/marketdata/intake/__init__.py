"""The way in: opening files and frames, naming their columns, typing and judging their rows.

Nothing is guessed where two readings fit, and nothing is dropped without a finding.
"""

from quantrail.marketdata.intake.columns import propose
from quantrail.marketdata.intake.dates import parse_timestamps
from quantrail.marketdata.intake.reading import Reading, columns_of, read
from quantrail.marketdata.intake.shapes import flatten
from quantrail.marketdata.intake.strict import CleanRows

__all__ = ["CleanRows", "Reading", "columns_of", "flatten", "parse_timestamps", "propose", "read"]
