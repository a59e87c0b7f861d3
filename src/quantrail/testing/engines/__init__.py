"""Material for testing engines: hard markets, specs of every shape, and an oracle loop.

``reference_run`` says in the plainest Python what the light contract means; both engines are held to it.
"""

from quantrail.testing.engines.markets import bars_of, constant_bars, hard_market, with_made_up_records
from quantrail.testing.engines.random_specs import random_orders, random_spec
from quantrail.testing.engines.reference_loop import ReferenceRun
from quantrail.testing.engines.reference_orders import reference_run
from quantrail.testing.engines.specs import compare_with, feature, spec_of, with_orders

__all__ = [
    "ReferenceRun",
    "bars_of",
    "compare_with",
    "constant_bars",
    "feature",
    "hard_market",
    "random_orders",
    "random_spec",
    "reference_run",
    "spec_of",
    "with_made_up_records",
    "with_orders",
]
