"""A process that writes batches and says so after each commit: arguments URL, first batch, batches, size.

With a fifth argument it also writes that many strategies that all writers share.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from quantrail.knowledge import open_store
from quantrail.testing import records as build
from quantrail.testing.knowledge.world import save_results


def main() -> None:
    url, first, batches, size = sys.argv[1], *map(int, sys.argv[2:5])
    shared = int(sys.argv[5]) if len(sys.argv) > 5 else 0
    store = open_store(url, lambda: datetime.now(UTC))
    for batch in range(first, first + batches):
        numbers = range(batch * size, (batch + 1) * size)
        with store.unit() as unit:
            save_results(unit, [build.strategy(number) for number in numbers], batch * size)
            unit.commit()
        print(batch, flush=True)  # noqa: T201
    if shared:
        with store.unit() as unit:
            save_results(unit, [build.strategy(10**7 + number) for number in range(shared)], 0)
            unit.commit()
    store.close()


if __name__ == "__main__":
    main()
