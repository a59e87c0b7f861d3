"""Tables that repeat what others say, in the order a look-up wants it. Each can be made anew."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index
from sqlalchemy import text as sql

from quantrail.domain.enums import EngineMode, Tier
from quantrail.knowledge.schema.columns import WHOLE, blob, flag, number, one_of, table, text, whole

BLOCK = 8_192  # consecutive keys whose rows make one block of arrays


def _of(name: str, target: str) -> Column[int]:
    """A key that is part of the primary key and goes with the row it points to."""
    return Column(name, WHOLE, ForeignKey(f"{target}.pk", ondelete="CASCADE"), primary_key=True,
                  autoincrement=False)  # fmt: skip


# By which near marks meet. Marks are taken in blocks of consecutive keys, so that a batch of new ones
# touches the pages of one block and not of the whole table.
fingerprint_bands = table(
    "fingerprint_bands",
    whole("block", primary_key=True, autoincrement=False),
    whole("band", primary_key=True, autoincrement=False),
    _of("fingerprint_pk", "fingerprints"),
    rowid=False,
)

# The scores of every strategy that has a row in strategy_tiers; kept by triggers there and on scores.
tier_scores = table(
    "tier_scores", _of("score_pk", "scores"), text("tier"), whole("policy_pk"), whole("backtest_pk"),
    number("score_total"), *flag("passed"), text("engine_mode"), whole("strategy_pk"), whole("run_pk"),
    whole("template_pk", null=True),
    one_of("tier", Tier), one_of("engine_mode", EngineMode),
    Index("ix_tier_scores_best", "tier", "policy_pk", "engine_mode", sql("score_total DESC"), "backtest_pk"),
    Index("ix_tier_scores_strategy_pk", "strategy_pk"),
)  # fmt: skip

# One metric of the backtests first_pk .. first_pk + BLOCK - 1 as little-endian float32, or as float64 where
# leaderboards are ordered by it; NaN where there is none. Under names that begin with an asterisk, what else
# is asked of a backtest (beside_blocks). A trigger drops the blocks into whose range another row of metrics
# is inserted.
metric_blocks = table(
    "metric_blocks",
    whole("first_pk", primary_key=True, autoincrement=False),
    text("metric", primary_key=True),
    blob("floats"),
)

# The scores first_pk .. first_pk + BLOCK - 1 in the same way: the score as float64, and as whole numbers
# what leads to the backtest and what is filtered by.
score_blocks = table(
    "score_blocks",
    whole("first_pk", primary_key=True, autoincrement=False),
    text("part", primary_key=True),
    blob("packed"),
)
