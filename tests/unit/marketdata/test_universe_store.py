"""Universes in and out of files, and what the commands say of them."""

import json
from datetime import date
from pathlib import Path

import pytest

from quantrail.apps.cli import data
from quantrail.errors import BackendCorrupt, DataInvalid, InvalidInput, NotFound
from quantrail.marketdata import Membership, Universe, UniverseStore

LEAVERS = "symbol,from,to\nAAA,2015-01-01,2016-06-30\nBBB,,\nAAA,2018-01-01,\nCCC,2017-01-03,\n"


@pytest.fixture
def universes(tmp_path: Path) -> UniverseStore:
    return UniverseStore(tmp_path / "universes")


def written(folder: Path, text: str, name: str = "index.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_file_comes_back_as_the_stays_it_lists(universes: UniverseStore, tmp_path: Path) -> None:
    report = universes.import_file(written(tmp_path, LEAVERS))
    assert report.replaced is None
    assert universes.get("index") == Universe(
        "index",
        (
            Membership("AAA", date(2015, 1, 1), date(2016, 6, 30)),
            Membership("AAA", date(2018, 1, 1)),
            Membership("BBB"),
            Membership("CCC", date(2017, 1, 3)),
        ),
    )


def test_the_order_of_lines_and_the_delimiter_make_no_version(
    universes: UniverseStore, tmp_path: Path
) -> None:
    first = universes.import_file(written(tmp_path, LEAVERS)).universe.version
    head, *rows = LEAVERS.strip().splitlines()
    turned = "\n".join([head.title(), *reversed(rows)]).replace(",", ";")
    again = universes.import_file(written(tmp_path, "\ufeff" + turned))
    assert (again.universe.version, again.replaced) == (first, first)


def test_a_new_list_takes_the_name_and_the_former_stays_under_its_version(
    universes: UniverseStore, tmp_path: Path
) -> None:
    old = universes.import_file(written(tmp_path, LEAVERS)).universe
    new = universes.import_file(written(tmp_path, LEAVERS + "DDD,2019-01-02,\n"))
    assert new.replaced == old.version
    assert "DDD" in universes.get("index").symbols
    assert universes.get(old.version[:10]).members == old.members
    assert [u.name for u in universes.all()] == ["index"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("AAA,01/02/2015,\n", "line 2: not a date: '01/02/2015'"),
        ("AAA,,\nBBB,2015-02-30,\n", "line 3: not a date: '2015-02-30'"),
        ("AAA,2016-01-01,2015-01-01\n", "line 2: AAA leaves the universe .* before it joins"),
        (",2016-01-01,\n", "line 2: the row has no symbol"),
        ("AAA,,2016-01-01\nBBB,,\nAAA,2016-01-01,\n", "line 4: this stay of AAA overlaps that of line 2"),
        ("AAA,,\nAAA,,\n", "line 3: this stay of AAA overlaps that of line 2"),
        ("AAA,,,x\n", "line 2 has too many fields"),
        ("AAA,2015,\n,,x\n", "line 2: not a date.*; line 3: the row has no symbol"),
        ("", "names no symbol"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_by_line_and_nothing_is_stored(
    universes: UniverseStore, tmp_path: Path, rows: str, message: str
) -> None:
    with pytest.raises(DataInvalid, match=message):
        universes.import_file(written(tmp_path, "symbol,from,to\n" + rows))
    assert universes.all() == []


@pytest.mark.parametrize("header", ["symbol,von,bis", "from,to", "symbol,ticker,from"])
def test_other_columns_are_refused(universes: UniverseStore, tmp_path: Path, header: str) -> None:
    with pytest.raises(DataInvalid, match=r"line 1: .*symbol"):
        universes.import_file(written(tmp_path, header + "\nAAA,BBB,\n"))


def test_members_are_those_of_the_day_and_who_joins_later_is_told(
    universes: UniverseStore, tmp_path: Path
) -> None:
    universes.import_file(written(tmp_path, LEAVERS))
    found = universes.members("index", date(2016, 6, 30))
    assert found.symbols == ("AAA", "BBB")
    assert found.version == universes.get("index").version
    assert found.advice == ("1 symbols join universe 'index' after 2016-06-30 and are left out: CCC",)
    universes.put(Universe("today", (Membership("AAA", date(2015, 1, 1)),)))
    assert "no leavers" in universes.members("today", date(2015, 1, 1)).advice[0]
    with pytest.raises(InvalidInput, match="no member on 2014-12-31"):
        universes.members("today", date(2014, 12, 31))


def test_unknown_names_changed_files_and_paths_for_names_are_told(
    universes: UniverseStore, tmp_path: Path
) -> None:
    version = universes.import_file(written(tmp_path, LEAVERS)).universe.version
    with pytest.raises(NotFound, match="no universe 'indes'; there is index"):
        universes.get("indes")
    with pytest.raises(InvalidInput, match="no name for a universe"):
        universes.put(Universe("../x", (Membership("AAA"),)))
    path = tmp_path / "universes" / "versions" / f"{version}.json"
    path.write_text(path.read_text().replace("BBB", "BBC"))
    with pytest.raises(BackendCorrupt, match="not what was stored"):
        universes.get("index")


def test_the_commands_store_show_and_warn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def say(*words: str) -> tuple[str, str]:
        capsys.readouterr()
        data.app(["universe", *words, "--home", str(tmp_path / "home")], standalone_mode=False)
        return tuple(capsys.readouterr())  # type: ignore[return-value]

    assert "no universes yet" in say("list")[0]
    told, warned = say("import", str(written(tmp_path, LEAVERS)))
    assert "universe index: 3 symbols, 4 stays, 1 of them ended" in told
    assert warned == ""
    told, warned = say("import", str(written(tmp_path, "symbol\nAAA\nBBB\n")), "--name", "today")
    assert told.rstrip().endswith("new")
    assert "no leavers" in warned
    assert say("show", "index", "--at", "2016-06-30")[0].split() == ["AAA", "BBB"]
    shown = json.loads(say("show", "index", "--json")[0])
    assert shown["members"][0] == {"symbol": "AAA", "from": "2015-01-01", "to": "2016-06-30"}
    rows = json.loads(say("list", "--json")[0])["rows"]
    assert [(row["name"], row["leavers"], row["warning"] is None) for row in rows] == [
        ("index", 1, True),
        ("today", 0, False),
    ]
    with pytest.raises(InvalidInput, match="is no day"):
        say("show", "index", "--at", "june")


def test_a_home_without_a_universe_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="data universe import"):
        UniverseStore(tmp_path).members("sp500", date(2020, 1, 2))
