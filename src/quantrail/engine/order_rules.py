"""What the light contract makes of a spec's order section (execution model ``next_open_v2``).

A limit and a stop stand at the decision's close, no basis points off it; the volume cap is a share of the
mean volume of the ``ADV_BARS`` bars before the fill's; the spread it checks is the cost model's, both
sides of it. These are fixed parts of the model's version: a spec cannot set them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

ADV_BARS = 20
KINDS = ("MKT", "LMT", "STP")

# One record per strategy as the kernels read it; 0 where a rule is not set.
ORDERS = np.dtype(
    [("kind", "i8"), ("good_till", "i8"), ("share", "f8"), ("too_wide", "i8"), ("halt_after", "i8")],
    align=True,
)


@dataclass(frozen=True, slots=True)
class OrderRules:
    """``kind`` MKT, LMT or STP; ``share`` of the mean volume one bar may fill, per symbol.

    ``too_wide``: the modelled spread is beyond the limit, so every entry is rejected. ``halt_after``:
    rejected entries after which trading ends.
    """

    kind: str
    good_till_cancelled: bool
    share: float | None
    too_wide: bool
    halt_after: int | None

    def row(self) -> tuple[Any, ...]:
        """One record of dtype ORDERS."""
        good_till, wide = int(self.good_till_cancelled), int(self.too_wide)
        return (KINDS.index(self.kind), good_till, self.share or 0.0, wide, self.halt_after or 0)


def order_rules(spec: Mapping[str, Any], half_spread: float) -> OrderRules | None:
    """Rules of ``spec``; None where plain market orders come to the same.

    ``half_spread``: the spread cost of one side, a fraction of traded value.
    """
    order = spec["execution"]["order"]
    kind, share, limit = order["type"], order["max_adv_participation"], order["reject_if_spread_bps_gt"]
    halt_after = spec["risk"]["portfolio_risk"]["halt_on_n_exec_failures"]
    too_wide = limit is not None and 2.0e4 * half_spread > limit
    if kind == "MKT" and not (share or too_wide or halt_after):
        return None
    return OrderRules(kind, order["time_in_force"] == "GTC", share, too_wide, halt_after)
