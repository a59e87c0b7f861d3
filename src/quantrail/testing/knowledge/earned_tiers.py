"""A tier is left from where a strategy stands, only PROMOTE leads up, live tiers name an approver."""

from __future__ import annotations

import pytest

from quantrail.domain.enums import Tier
from quantrail.domain.ledger import Promotion
from quantrail.errors import InvalidInput
from quantrail.testing import records as build
from quantrail.testing.knowledge.world import StoreHarness, fill

# decision, tier_from, tier_to, approver of a strategy on T1; what the store says, what the database says.
UNEARNED = {
    "holding upwards": ("HOLD", "T1", "T2", "kim", "only PROMOTE raises", "only PROMOTE raises"),
    "rejecting upwards": ("REJECT", "T1", "T5", "kim", "only PROMOTE raises", "only PROMOTE raises"),
    "promoting downwards": ("PROMOTE", "T1", "T0", "kim", "PROMOTE cannot lead down", "lowers no tier"),
    "from a lower tier": ("PROMOTE", "T0", "T2", "kim", "stands on T1", "not the tier"),
    "from a higher tier": ("REJECT", "T5", "T2", "kim", "stands on T1", "not the tier"),
    "to paper trading by nobody": ("PROMOTE", "T1", "T3", None, "needs an approver", "approver"),
    "to live by nobody": ("PROMOTE", "T1", "T4", None, "needs an approver", "approver"),
    "to the core by nobody": ("PROMOTE", "T1", "T5", None, "needs an approver", "need an approver"),
}


def _promotion(decision: str, tier_from: str, tier_to: str, approver: str | None = None) -> Promotion:
    first = build.strategy(0).strategy_id
    return Promotion(first, decision, Tier(tier_from), Tier(tier_to), build.POLICY, ("x",), approver=approver)


def _tier(harness: StoreHarness) -> Tier:
    return harness.store.get_strategy(build.strategy(0).strategy_id).tier


class EarnedTiers:
    @pytest.mark.parametrize("case", UNEARNED.values(), ids=UNEARNED.keys())
    def test_a_tier_that_was_not_earned_is_refused(
        self, harness: StoreHarness, case: tuple[str, str, str, str | None, str, str]
    ) -> None:
        decision, tier_from, tier_to, approver, says, refuses = case
        fill(harness.store)
        with harness.store.unit() as unit:
            unit.save_promotions([_promotion("PROMOTE", "T0", "T1")])
            unit.commit()
        with pytest.raises(InvalidInput, match=says), harness.store.unit() as unit:
            unit.save_promotions([_promotion(decision, tier_from, tier_to, approver)])
        named = "NULL" if approver is None else f"'{approver}'"
        with pytest.raises(harness.sql_error, match=refuses):
            harness.sql(
                "INSERT INTO promotion_records (pk, strategy_pk, decision, tier_from, tier_to, policy_pk, "
                "evidence_refs_json, approver, reason, created_at) "
                f"VALUES (99, 1, '{decision}', '{tier_from}', '{tier_to}', 1, '[]', {named}, '', 0)"
            )
        assert _tier(harness) is Tier.T1
        assert len(harness.store.list_promotions()) == 1

    def test_a_ladder_is_climbed_and_left_in_one_call(self, harness: StoreHarness) -> None:
        fill(harness.store)
        ladder = [
            _promotion("PROMOTE", "T0", "T1"),
            _promotion("HOLD", "T1", "T1"),
            _promotion("PROMOTE", "T1", "T3", "kim"),
            _promotion("HOLD", "T3", "T3"),
            _promotion("PROMOTE", "T3", "T4", "kim"),
            _promotion("REJECT", "T4", "T2"),
        ]
        with harness.store.unit() as unit:
            unit.save_promotions(ladder)
            unit.commit()
        assert _tier(harness) is Tier.T2
        assert [(one.tier_from, one.tier_to) for one in harness.store.list_promotions()] == [
            (one.tier_from, one.tier_to) for one in reversed(ladder)
        ]

    def test_a_decision_is_one_of_three_words(self, harness: StoreHarness) -> None:
        fill(harness.store)
        with pytest.raises(InvalidInput, match="not 'DEMOTE'"), harness.store.unit() as unit:
            unit.save_promotions([_promotion("DEMOTE", "T0", "T0")])
        assert _tier(harness) is Tier.T0


__all__ = ["EarnedTiers"]
