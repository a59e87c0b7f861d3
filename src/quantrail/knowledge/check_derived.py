"""Do the tables that repeat others still say the same?"""

from __future__ import annotations

from collections.abc import Iterator

from quantrail.knowledge import blocks
from quantrail.knowledge.bands import BLOCK, keys_of
from quantrail.knowledge.beside_blocks import ALSO
from quantrail.knowledge.metric_blocks import METRICS
from quantrail.knowledge.score_blocks import SCORES
from quantrail.knowledge.session import Session

_COLUMNS = (
    "policy_pk",
    "backtest_pk",
    "score_total",
    "passed",
    "engine_mode",
    "strategy_pk",
    "run_pk",
    "template_pk",
)
_TIER_SCORES = f"""SELECT sc.pk, st.tier, {", ".join(f"sc.{name}" for name in _COLUMNS)}
FROM strategy_tiers st JOIN backtests b ON b.strategy_pk = st.strategy_pk
JOIN scores sc ON sc.backtest_pk = b.pk"""


def drifted(session: Session) -> Iterator[tuple[str, str]]:
    """Table and what is wrong with it, for each that differs from what it is made of."""
    yield from _tier_scores(session)
    yield from _bands(session)
    yield from _blocks(session)


def _tier_scores(session: Session) -> Iterator[tuple[str, str]]:
    kept = set(session.rows(f"SELECT score_pk, tier, {', '.join(_COLUMNS)} FROM tier_scores"))
    wrong = len(kept ^ set(session.rows(_TIER_SCORES)))
    if wrong:
        yield "tier_scores", f"{wrong} rows are missing, wrong or too many"


def _bands(session: Session) -> Iterator[tuple[str, str]]:
    (last,) = session.rows("SELECT max(pk) FROM fingerprints")[0]
    wrong = 0
    for block in range(0 if last is None else last // BLOCK + 1):
        marks = session.rows(
            "SELECT pk, algorithm, data_version, value FROM fingerprints WHERE pk >= ? AND pk < ?",
            [block * BLOCK, (block + 1) * BLOCK],
        )
        keys = keys_of([(row[1], bytes(row[2]).hex(), bytes(row[3])) for row in marks])
        made = {(key, row[0]) for row, own in zip(marks, keys, strict=True) for key in own}
        kept = session.rows("SELECT band, fingerprint_pk FROM fingerprint_bands WHERE block = ?", [block])
        wrong += len(made ^ set(kept))
    if wrong:
        yield "fingerprint_bands", f"{wrong} rows are missing or too many"


def _blocks(session: Session) -> Iterator[tuple[str, str]]:
    for kind in (METRICS, ALSO, SCORES):
        for first in blocks.drifted(session, kind):
            yield (
                kind.table,
                f"the block from {kind.counter[:-1]} key {first} on differs from the {kind.source}",
            )
