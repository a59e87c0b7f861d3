"""Words that go with numbers."""

from __future__ import annotations


def counted(number: int, one: str, many: str | None = None) -> str:
    """``1 bar``, ``2 bars``, ``1,200 bars``; ``many`` where an s is not enough.

    >>> counted(1, "stay"), counted(0, "entry", "entries")
    ('1 stay', '0 entries')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
