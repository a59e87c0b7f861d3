"""Which symbols a study is about, and since when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from quantrail.domain.identity import content_hash
from quantrail.domain.ids import UniverseVersion
from quantrail.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Membership:
    """One stay of a symbol; both dates included, None: open on that side."""

    symbol: str
    start: date | None = None
    end: date | None = None

    def __post_init__(self) -> None:
        if self.start and self.end and self.end < self.start:
            raise InvalidInput(
                f"{self.symbol} leaves the universe ({self.end}) before it joins ({self.start})"
            )


@dataclass(frozen=True, slots=True)
class Universe:
    """A named list of stays. Universes with the same stays have the same version, whatever the name."""

    name: str
    members: tuple[Membership, ...]

    @classmethod
    def of(cls, name: str, rows: Iterable[Mapping[str, str | date | None]]) -> Universe:
        """From rows with symbol and, where known, start and end (dates or ISO text)."""
        return cls(
            name, tuple(Membership(str(r["symbol"]), _day(r.get("start")), _day(r.get("end"))) for r in rows)
        )

    @property
    def symbols(self) -> tuple[str, ...]:
        """Whoever was ever a member, sorted."""
        return tuple(sorted({member.symbol for member in self.members}))

    @property
    def version(self) -> UniverseVersion:
        stays = sorted([m.symbol, _text(m.start), _text(m.end)] for m in set(self.members))
        return UniverseVersion(content_hash({"members": [[s, a or None, b or None] for s, a, b in stays]}))

    def on(self, day: date) -> tuple[str, ...]:
        """Members on ``day``, sorted."""
        return tuple(
            sorted(
                {
                    m.symbol
                    for m in self.members
                    if (not m.start or m.start <= day) and (not m.end or day <= m.end)
                }
            )
        )

    def survivorship(self) -> str | None:
        """A warning when nobody ever leaves: then the list is of today's survivors. None if some do."""
        if any(member.end is not None for member in self.members):
            return None
        return (
            f"universe {self.name!r} has {len(self.symbols)} members and no leavers: it lists survivors, so "
            "whatever failed before is missing and results on it are flattered"
        )


def _day(value: str | date | None) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        # Python alone would also take 20200131.
        return date.fromisoformat(value if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) else "")
    except ValueError:
        raise InvalidInput(f"not a date: {value!r}; write it as 2020-01-31") from None


def _text(day: date | None) -> str:
    return day.isoformat() if day else ""
