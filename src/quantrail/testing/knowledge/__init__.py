"""The contract every knowledge store must keep, as a test class for adapters to inherit.

An adapter's test class inherits :class:`KnowledgeStoreContract` and offers one fixture, ``harness``.
No contract test may be overridden: what an adapter cannot do it must declare, not skip.
"""

from __future__ import annotations

from quantrail.testing.knowledge.hostile_values import HostileValues
from quantrail.testing.knowledge.identity_rules import IdentityRules
from quantrail.testing.knowledge.integrity_rules import IntegrityRules
from quantrail.testing.knowledge.ledger_records import LedgerRecords
from quantrail.testing.knowledge.queries import Queries
from quantrail.testing.knowledge.transactions import Transactions
from quantrail.testing.knowledge.world import StoreHarness, World, fill


class KnowledgeStoreContract(
    IdentityRules, IntegrityRules, HostileValues, Queries, LedgerRecords, Transactions
):
    """All contract tests; see the parents."""

    def __init_subclass__(cls) -> None:
        theirs = [
            name
            for name in vars(cls)
            if name.startswith("test_") and any(hasattr(parent, name) for parent in cls.__mro__[1:])
        ]
        if theirs:
            raise TypeError(f"{cls.__name__} overrides contract tests: {', '.join(theirs)}")


__all__ = ["KnowledgeStoreContract", "StoreHarness", "World", "fill"]
