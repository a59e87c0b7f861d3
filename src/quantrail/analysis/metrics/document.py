"""The metrics page, written from the registry: ``python -m quantrail.analysis.metrics.document``."""

from __future__ import annotations

import sys

from quantrail.analysis.metrics.definitions import METRICS, MetricDefinition, Source

_TITLES: dict[Source, str] = {
    "curve": "From the equity curve",
    "activity": "From what was traded and held",
    "trades": "From closed round trips",
}
_TABLE = "| name | definition | unit | sign | undefined when |\n|---|---|---|---|---|\n"
_HEAD = """# Metrics

Generated from the registry (`python -m quantrail.analysis.metrics.document > docs/metrics.md`); do not edit.

`V_t` is equity at the close of bar t, `V_0` the initial capital, `r` the simple net return per bar
over all `n` sessions of the period (the first is 0: the account starts flat), `q` the contract's
annualisation factor, `rf` the risk-free rate per bar, `(1 + annual)^(1/q) - 1`, `b` the benchmark's
return per bar. An undefined metric is stored as NULL with its reason, never as NaN, 0 or infinity.
Returns whose standard deviation is below 1e-13 count as not varying: that is the rounding of `1 +
r`. After ruin (equity at or below 0) a return is -1 once, then 0.

A slice (`is_train`, `is_validation`, a year, any mask of sessions) compounds its own returns from
the initial capital; a trade belongs to the slice that holds its exit. Inside a slice the split
metrics are undefined.

"""


def metrics_page() -> str:
    """The page as Markdown."""
    parts = [_HEAD]
    for source, title in _TITLES.items():
        parts.append(
            f"## {title}\n\n| name | definition | unit | sign | undefined when |\n|---|---|---|---|---|\n"
        )
        parts.append("".join(_row(metric) for metric in METRICS if metric.source == source) + "\n")
    return "".join(parts).rstrip("\n") + "\n"


def _row(metric: MetricDefinition) -> str:
    cells = (f"`{metric.name}`", metric.definition, metric.unit, metric.sign, metric.undefined)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    sys.stdout.write(metrics_page())
