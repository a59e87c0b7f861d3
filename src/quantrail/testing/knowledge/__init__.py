"""The contract every knowledge store must keep, as a test class for adapters to inherit.

An adapter's test class inherits :class:`KnowledgeStoreContract` and offers one fixture, ``harness``.
No contract test may be overridden: what an adapter cannot do it must declare, not skip.
"""

from __future__ import annotations

from quantrail.testing.knowledge.earned_tiers import EarnedTiers
from quantrail.testing.knowledge.hostile_values import HostileValues
from quantrail.testing.knowledge.identity_rules import IdentityRules
from quantrail.testing.knowledge.integrity_rules import IntegrityRules
from quantrail.testing.knowledge.ledger_records import LedgerRecords
from quantrail.testing.knowledge.lists import Lists
from quantrail.testing.knowledge.misfits import Misfits
from quantrail.testing.knowledge.queries import Queries
from quantrail.testing.knowledge.round_trips import RoundTrips
from quantrail.testing.knowledge.same_key import SameKey
from quantrail.testing.knowledge.stored_rows import StoredRows
from quantrail.testing.knowledge.transactions import Transactions
from quantrail.testing.knowledge.world import StoreHarness, World, fill


class KnowledgeStoreContract(
    IdentityRules,
    SameKey,
    RoundTrips,
    IntegrityRules,
    StoredRows,
    EarnedTiers,
    HostileValues,
    Misfits,
    Queries,
    Lists,
    LedgerRecords,
    Transactions,
):
    """All contract tests; see the parents."""

    def __init_subclass__(cls) -> None:
        # What the class ends up with counts, whether it, a class mixed in or a later assignment brought it.
        theirs = [
            name
            for name in dir(KnowledgeStoreContract)
            if name.startswith("test_") and getattr(cls, name) is not getattr(KnowledgeStoreContract, name)
        ]
        if theirs:
            raise TypeError(f"{cls.__name__} overrides contract tests: {', '.join(theirs)}")


__all__ = ["KnowledgeStoreContract", "StoreHarness", "World", "fill"]
