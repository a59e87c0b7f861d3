"""Universes on disk: a name points to its newest list of stays, older lists stay under their versions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

from quantrail.domain.ids import UniverseVersion
from quantrail.domain.market import Members
from quantrail.errors import BackendCorrupt, DataInvalid, InvalidInput, NotFound
from quantrail.marketdata import durable
from quantrail.marketdata.intake.text import read_text
from quantrail.marketdata.universes import Membership, Universe

_COLUMNS = {
    "symbol": "symbol",
    "ticker": "symbol",
    "from": "start",
    "start": "start",
    "to": "end",
    "end": "end",
}
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
_WAIT_SECONDS = 60.0
# Problems of a file that are told at once.
_TOLD = 5


@dataclass(frozen=True, slots=True)
class UniverseReport:
    """``replaced``: the version that the name stood for before; None: the name is new."""

    universe: Universe
    replaced: UniverseVersion | None


class UniverseStore:
    """Universes under ``root``. Each change makes a new version; old ones stay readable."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def import_file(self, path: Path, name: str | None = None) -> UniverseReport:
        """Store the universe of a CSV file under ``name`` (default: the file's). Again: nothing changes.

        Raises DataInvalid, which names the lines, NotFound (file), BackendBusy.
        """
        return self.put(read_universe(path, name or path.stem))

    def put(self, universe: Universe) -> UniverseReport:
        """Let the name stand for these stays. InvalidInput for a name that is none, BackendBusy."""
        if not re.fullmatch(_NAME, universe.name):
            raise InvalidInput(
                f"{universe.name!r} is no name for a universe; use letters, digits, '_', '-' and '.'"
            )
        held = self._version_of(universe.name)
        if held != universe.version:
            stays = [[m.symbol, _text(m.start), _text(m.end)] for m in universe.members]
            with durable.writer_lock(self._root, _WAIT_SECONDS):
                # The list before the name, so that a name never points to nothing.
                durable.write_bytes(self._root, self._list(universe.version), json.dumps(stays).encode())
                durable.write_bytes(self._root, self._named(universe.name), universe.version.encode())
        return UniverseReport(universe, held)

    def all(self) -> list[Universe]:
        """Every universe as its name stands now, by name."""
        return [self.get(path.name) for path in sorted((self._root / "names").glob("*"))]

    def get(self, name: str) -> Universe:
        """A universe by its name, or a former list by its version or eight digits and more of it.

        Raises NotFound, InvalidInput (several versions begin so), BackendCorrupt (the file was changed).
        """
        version = self._version_of(name) or self._beginning(name)
        stays = json.loads(self._list(version).read_text(encoding="utf-8"))
        found = Universe.of(name, ({"symbol": s, "start": start, "end": end} for s, start, end in stays))
        if found.version != version:
            raise BackendCorrupt(f"universe {name!r} is not what was stored; import its file again")
        return found

    def members(self, name: str, day: date) -> Members:
        """Who belongs to a universe on ``day``, with what to bear in mind. Raises as ``get``.

        InvalidInput when nobody does. Who joins later is left out: on ``day`` nobody knew.
        """
        universe = self.get(name)
        symbols = universe.on(day)
        if not symbols:
            raise InvalidInput(f"universe {name!r} has no member on {day}; choose a later first day")
        later = sorted({m.symbol for m in universe.members if m.start and m.start > day} - set(symbols))
        advice = [universe.survivorship()]
        if later:
            advice.append(
                f"{len(later)} symbols join universe {name!r} after {day} and are left out: "
                + ", ".join(later[:5])
                + (" …" if len(later) > 5 else "")
            )
        return Members(name, universe.version, day, symbols, tuple(text for text in advice if text))

    def _list(self, version: UniverseVersion) -> Path:
        return self._root / "versions" / f"{version}.json"

    def _named(self, name: str) -> Path:
        return self._root / "names" / name

    def _version_of(self, name: str) -> UniverseVersion | None:
        path = self._named(name)
        if not re.fullmatch(_NAME, name) or not path.exists():
            return None
        return UniverseVersion(path.read_text(encoding="utf-8"))

    def _beginning(self, text: str) -> UniverseVersion:
        versions = sorted(path.stem for path in (self._root / "versions").glob("*.json"))
        found = [v for v in versions if len(text) >= 8 and v.startswith(text)]
        if len(found) > 1:
            raise InvalidInput(f"{text!r} begins {len(found)} versions of universes; give more of it")
        if not found:
            names = ", ".join(path.name for path in sorted((self._root / "names").glob("*"))[:10])
            raise NotFound(
                f"no universe {text!r}; there is {names or 'none yet'}; `quantrail data universe import` "
                "brings one"
            )
        return UniverseVersion(found[0])


def read_universe(path: Path, name: str) -> Universe:
    """A universe from delimited text: symbol, and from and to where known (2020-01-31, both included).

    An empty from: a member since before anybody looked; an empty to: a member still. DataInvalid names the
    lines that are wrong, among them stays of one symbol that overlap.
    """
    if not path.exists():
        raise NotFound(f"no file {path}")
    text = read_text(path, lone=True)
    names = {
        theirs: _COLUMNS.get(theirs.strip().lower()) for theirs in text.table.columns if theirs != "line"
    }
    if None in names.values() or sorted(set(names.values())) != sorted(names.values()):  # type: ignore[type-var]
        raise DataInvalid(f"{path.name}, line 1: the columns are {', '.join(names)}; use symbol, from, to")
    if "symbol" not in names.values():
        raise DataInvalid(f"{path.name}, line 1: no symbol column among {', '.join(names)}")
    rows = text.table.rename({theirs: ours for theirs, ours in names.items() if ours}).rows(named=True)
    problems = [f"line {line} has too many fields" for line in text.broken["line"]]
    stays: dict[int, Membership] = {}
    for row in rows:
        try:
            stays[row["line"]] = _stay(row)
        except InvalidInput as error:
            problems.append(f"line {row['line']}: {error.message}")
    problems += _overlaps(stays)
    if problems:
        more = f"; and {len(problems) - _TOLD} more" if len(problems) > _TOLD else ""
        raise DataInvalid(f"{path.name}: {'; '.join(problems[:_TOLD])}{more}")
    if not stays:
        raise DataInvalid(f"{path.name} names no symbol below its header")
    return Universe(name, tuple(sorted(stays.values(), key=_order)))


def _stay(row: Mapping[str, str | None]) -> Membership:
    cells = {key: (row.get(key) or "").strip() for key in ("symbol", "start", "end")}
    if not cells["symbol"]:
        raise InvalidInput("the row has no symbol")
    given: dict[str, str | date | None] = {key: text or None for key, text in cells.items()}
    return Universe.of("", [given]).members[0]


def _overlaps(stays: Mapping[int, Membership]) -> list[str]:
    ordered = sorted(stays.items(), key=lambda item: _order(item[1]))
    found = []
    for (line, one), (next_line, two) in pairwise(ordered):
        if one.symbol == two.symbol and (one.end is None or two.start is None or two.start <= one.end):
            found.append(f"line {next_line}: this stay of {two.symbol} overlaps that of line {line}")
    return found


def _order(stay: Membership) -> tuple[str, date]:
    return stay.symbol, stay.start or date.min


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
