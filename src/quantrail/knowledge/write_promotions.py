"""Writes of verdicts on the ladder: a tier is left from where the strategy stands, and it is earned."""

from __future__ import annotations

from collections.abc import Sequence

from quantrail.domain.enums import Tier
from quantrail.domain.ledger import Promotion
from quantrail.errors import InvalidInput
from quantrail.knowledge import values as v
from quantrail.knowledge.keys import Keys
from quantrail.knowledge.session import Row

_DECISIONS = ("PROMOTE", "HOLD", "REJECT")
_APPROVED = (Tier.T3, Tier.T4, Tier.T5)  # from paper trading on, somebody answers for it


def save_promotions(keys: Keys, promotions: Sequence[Promotion]) -> None:
    raws = [v.hash32(p.strategy_id, "strategy_id") for p in promotions]
    pks = keys.need_strategies(raws)
    standing = _standing(keys, list(pks.values()))
    # One row at a time: the rule in the database looks at the tier the row before has set.
    for p, raw in zip(promotions, raws, strict=True):
        pk = pks[raw]
        _require_earned(p, standing.get(pk, Tier.T0))
        standing[pk] = p.tier_to
        _insert(keys, pk, p)


def _standing(keys: Keys, pks: Sequence[int]) -> dict[int, Tier]:
    rows = keys.session.among("SELECT strategy_pk, tier FROM strategy_tiers", "strategy_pk", pks)
    return {pk: Tier(tier) for pk, tier in rows}


def _require_earned(p: Promotion, present: Tier) -> None:
    if p.decision not in _DECISIONS:
        raise InvalidInput(f"a decision is one of {', '.join(_DECISIONS)}, not {p.decision!r}")
    if p.tier_from != present:
        raise InvalidInput(
            f"strategy {p.strategy_id} stands on {present}, not on {p.tier_from}; judge it from there"
        )
    if p.tier_to < p.tier_from and p.decision == "PROMOTE":
        raise InvalidInput(
            f"PROMOTE cannot lead down from {p.tier_from} to {p.tier_to}; a strategy is lowered by REJECT"
        )
    if p.tier_to > p.tier_from and p.decision != "PROMOTE":
        raise InvalidInput(
            f"{p.decision} cannot lead up from {p.tier_from} to {p.tier_to}; only PROMOTE raises a tier"
        )
    if p.tier_to in _APPROVED and p.tier_to != p.tier_from and not p.approver:
        raise InvalidInput(f"{p.tier_to} needs an approver; name who answers for it")


def _insert(keys: Keys, strategy_pk: int, p: Promotion) -> None:
    backtest = None
    if p.backtest_id is not None:
        raw = v.uuid16(p.backtest_id, "backtest_id")
        backtest = keys.need_backtests([raw])[raw].pk
    row: Row = (
        keys.session.reserve("promotion_records", 1), strategy_pk, backtest, p.decision, p.tier_from.value,
        p.tier_to.value, keys.policy(p.policy_version), v.json_text(p.evidence_refs, "evidence_refs"),
        v.maybe_label(p.approver, "approver"), v.prose(p.reason, "reason"), keys.now(),
    )  # fmt: skip
    keys.session.insert("promotion_records", [row])


__all__ = ["save_promotions"]
