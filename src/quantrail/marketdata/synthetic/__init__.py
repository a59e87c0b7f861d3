"""Markets made up from a seed, to know what a search should find in them.

Markets without any edge (random walk, GARCH, regimes, bootstrapped real bars), one with an edge of a given
Sharpe ratio, and traps: bait for look-ahead, a universe of survivors, an edge that costs eat. Same seed,
same bits.
"""

from quantrail.marketdata.synthetic.bars import SyntheticMarket
from quantrail.marketdata.synthetic.bootstrap import block_bootstrap
from quantrail.marketdata.synthetic.edges import planted_edge
from quantrail.marketdata.synthetic.noise import garch, random_walk, regime_switching
from quantrail.marketdata.synthetic.traps import cost_cliff, lookahead_bait, survivorship

__all__ = [
    "SyntheticMarket",
    "block_bootstrap",
    "cost_cliff",
    "garch",
    "lookahead_bait",
    "planted_edge",
    "random_walk",
    "regime_switching",
    "survivorship",
]
