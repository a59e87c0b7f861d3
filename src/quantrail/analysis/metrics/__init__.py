"""Metrics: one definition, unit, sign and undefined-case rule per name, for one result or a batch.

``METRICS`` is the registry the documentation is generated from. The batch form and the single form
run the same compiled formulas, so a strategy has the same figures from either.
"""

from quantrail.analysis.metrics.batch import (
    Activity,
    MetricTable,
    RoundTrips,
    batch_metrics,
    first_validation_bar,
    rate_per_bar,
)
from quantrail.analysis.metrics.by_symbol import symbol_metrics
from quantrail.analysis.metrics.compiled import load_kernels
from quantrail.analysis.metrics.compute import (
    Metrics,
    compute_metrics,
    slice_mask,
    sliced,
    standard_slices,
    year_slices,
)
from quantrail.analysis.metrics.definitions import (
    EXPLANATION,
    METRIC_NAMES,
    METRICS,
    MVP_NAMES,
    MetricDefinition,
    Undefined,
)
from quantrail.analysis.metrics.market_slices import market_index, market_slices

__all__ = [
    "EXPLANATION",
    "METRICS",
    "METRIC_NAMES",
    "MVP_NAMES",
    "Activity",
    "MetricDefinition",
    "MetricTable",
    "Metrics",
    "RoundTrips",
    "Undefined",
    "batch_metrics",
    "compute_metrics",
    "first_validation_bar",
    "load_kernels",
    "market_index",
    "market_slices",
    "rate_per_bar",
    "slice_mask",
    "sliced",
    "standard_slices",
    "symbol_metrics",
    "year_slices",
]
