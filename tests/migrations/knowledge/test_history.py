"""The schema's history: any released revision reaches today's schema, with its data, on both backends.

``revision_0001.*`` were written by the first revision, filled by ``quantrail.testing.knowledge.fill``.
"""

from __future__ import annotations

import gzip
import json
import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql, sqlite

from quantrail.domain.answers import LeaderboardFilter, LeaderboardOrder
from quantrail.domain.enums import EngineMode, Tier
from quantrail.domain.ledger import Promotion
from quantrail.domain.records import Metrics
from quantrail.errors import BackendError, InvalidInput, SchemaOutdated
from quantrail.knowledge import Backend, check_store, copy_store, open_store, upgrade, upgrade_command
from quantrail.knowledge.migrations import FOLDER, HEAD, REVISIONS
from quantrail.knowledge.schema import statements
from quantrail.testing import records as build
from quantrail.testing.knowledge import fill

HERE = Path(__file__).parent


def old_sqlite(folder: Path) -> Path:
    path = folder / "old.db"
    path.write_bytes(gzip.decompress((HERE / "revision_0001.sqlite.gz").read_bytes()))
    return path


def sqlite_schema(path: Path) -> set[tuple[str, str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        found = rows.fetchall()
    return {(kind, name, " ".join(sql.split())) for kind, name, sql in found if name != "schema_migrations"}


def assert_whole(url: str | Path) -> None:
    """The migrated store holds what ``fill`` stores today, and takes new work."""
    store = open_store(url, build.SteadyClock())
    strategies = [build.strategy(i) for i in range(12)]
    assert store.known_strategies([one.strategy_id for one in strategies]) == {
        one.strategy_id for one in strategies
    }
    first = store.get_backtest(build.backtest(strategies[0]).backtest_id)
    assert first.metrics == build.metrics(first.backtest_id, 0)
    assert first.failures == (build.failure(first.backtest_id, 0),)
    with store.unit() as unit:
        assert unit.upsert_strategies([strategies[0], build.strategy(99)]).is_new == (False, True)
        unit.commit()
    assert check_store(store.backend) == []
    store.close()


def test_the_history_is_one_line_from_the_first_revision_to_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [HEAD]
    assert tuple(one.revision for one in script.walk_revisions())[::-1] == REVISIONS


def test_a_database_of_the_first_revision_upgrades_with_its_data(tmp_path: Path) -> None:
    path = old_sqlite(tmp_path)
    assert upgrade(path) == "0001"
    assert_whole(path)


def first_metrics(more: dict[str, float | None]) -> Metrics:
    """The first backtest's metrics and ``more`` of them, with a reason for each that is undefined."""
    before = build.metrics(build.backtest(build.strategy(0)).backtest_id, 0)
    return replace(
        before,
        values={**before.values, **more},
        undefined={**before.undefined, **{name: "why" for name, value in more.items() if value is None}},
    )


def offered_again(url: str | Path, more: dict[str, float | None]) -> None:
    """Metrics of the first backtest, as they were stored before the upgrade, are known."""
    store = open_store(url, build.SteadyClock())
    asked = first_metrics(more)
    with store.unit() as unit:
        assert unit.save_metrics(asked).is_new == (False,)
    stored = store.get_backtest(asked.backtest_id).metrics
    assert stored is not None
    assert {name: stored.values[name] for name in more if more[name] is not None} == {
        name: value for name, value in more.items() if value is not None
    }
    store.close()


MORE: dict[str, float | None] = {"alpha": -0.1234567890123456, "is_sharpe_net": None, "tail": 1e-300}
OLDER = "UPDATE metrics SET more_json = '{}', quality_warnings_json = '{}' WHERE backtest_pk = 1"


def older_metrics() -> str:
    """What the first revision held of ``MORE`` and of the builder's own ``trades``."""
    asked = first_metrics(MORE)
    values = {**MORE, "trades": 30}
    notes = {"undefined": dict(asked.undefined), "warnings": list(asked.warnings)}
    return OLDER.format(*(json.dumps(one, sort_keys=True, separators=(",", ":")) for one in (values, notes)))


def test_metrics_kept_as_json_move_into_their_columns(tmp_path: Path) -> None:
    path = old_sqlite(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        frozen = connection.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'tr_metrics_frozen'"
        ).fetchone()
        connection.execute("DROP TRIGGER tr_metrics_frozen")
        connection.execute(older_metrics())
        connection.execute(frozen[0])
        connection.commit()
    upgrade(path)
    offered_again(path, MORE)
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute("SELECT alpha, more_json FROM metrics WHERE backtest_pk = 1").fetchone()
        assert row == (MORE["alpha"], '{"tail":1e-300,"trades":30}')
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


BEFORE_0004 = (
    "INSERT INTO fingerprints (pk, strategy_pk, algorithm, data_version, value, created_at) "
    "VALUES (1, 1, 'minhash128/x', {data}, {near}, 0), (2, 2, 'minhash128/x', {data}, {also}, 0), "
    "(3, 3, 'simhash', {data}, {near}, 0)",
    "INSERT INTO strategy_tiers (strategy_pk, tier) VALUES (5, 'T2')",
)
MARKS = {"data": bytes.fromhex(build.DATA), "near": b"\x01" * 264, "also": b"\x01" * 254 + b"\x02" * 10}


def assert_found_without_reading_all(url: str | Path) -> None:
    """Marks and tiers of before revision 0004 are met through its tables."""
    store = open_store(url, build.SteadyClock())
    first, second = (build.strategy(i).strategy_id for i in (0, 1))
    (own,) = store.fingerprints_of(first)
    assert [one.strategy_id for one in store.fingerprints_meeting(own)] == [first, second]
    listed = store.leaderboard(LeaderboardFilter(tier=Tier.T2))
    assert {one.strategy_id for one in listed} == {build.strategy(4).strategy_id}
    assert check_store(store.backend) == []
    store.close()


def test_marks_and_tiers_of_before_are_found_by_the_short_way(tmp_path: Path) -> None:
    path = old_sqlite(tmp_path)
    upgrade(path, "0003")
    quoted = {name: f"x'{value.hex()}'" for name, value in MARKS.items()}
    with closing(sqlite3.connect(path)) as connection:
        for statement in BEFORE_0004:
            connection.execute(statement.format(**quoted))
        connection.commit()
    assert upgrade(path) == "0003"
    assert_found_without_reading_all(path)


# Results of strategy 1 as revision 0004 kept them: every metric as float32, and no blocks of scores.
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 19000)"
SEALED_BY_0004 = (
    f"{NUMBERS} INSERT INTO backtests (pk, backtest_id, strategy_pk, context_pk, calc_contract_pk, seed, "
    "iteration_pk, status, result_hash, created_at) "
    "SELECT i, {unique}, 1, 1, 1, i, 1, 'DONE', {unique}, 0 FROM n",
    f"{NUMBERS} INSERT INTO metrics (backtest_pk, calc_contract_pk, cagr_net, schema_version) "
    "SELECT i, 1, 0.9 + 0.00000000001 * (i * 7 % 18001), '1' FROM n",
    f"{NUMBERS} INSERT INTO scores (pk, policy_pk, backtest_pk, score_total, passed, engine_mode, "
    "strategy_pk, run_pk, template_pk, breakdown_json, fail_reasons_json, created_at) "
    "SELECT i, 1, i, 0.5, {no}, 'A', 1, 1, (SELECT template_pk FROM strategies WHERE pk = 1), "
    "'{{}}', '[]', 0 FROM n",
    "INSERT INTO metric_blocks (first_pk, metric, floats) "
    "VALUES (0, '', {nothing}), (0, 'cagr_net', {floats})",
)


def assert_ordered_exactly(url: str | Path) -> None:
    """Orders that float32 cannot tell apart are those of the stored values."""
    store = open_store(url, build.SteadyClock())
    with store.backend.reading() as session:
        wanted = session.rows(
            "SELECT cagr_net FROM metrics WHERE backtest_pk >= 1000 ORDER BY 1 DESC LIMIT 50"
        )
        (blocks,) = session.rows("SELECT count(*) FROM score_blocks WHERE part = 'score'")[0]
    where = LeaderboardFilter(engine_mode=EngineMode.A)
    listed = store.leaderboard(where, LeaderboardOrder.CAGR, 50)
    assert [one.metrics["cagr_net"] for one in listed] == [value for (value,) in wanted]
    assert blocks == 2
    assert check_store(store.backend) == []
    store.close()


def test_blocks_of_before_are_sealed_anew(tmp_path: Path) -> None:
    path = old_sqlite(tmp_path)
    upgrade(path, "0004")
    words = {
        "unique": "CAST(printf('%016d', i) AS BLOB)",
        "no": "0",
        "nothing": "x''",
        "floats": "zeroblob(65536)",
    }
    with closing(sqlite3.connect(path)) as connection:
        for statement in SEALED_BY_0004:
            connection.execute(statement.format(**words))
        connection.commit()
    assert upgrade(path) == "0004"
    assert_ordered_exactly(path)


def test_a_migrated_database_equals_a_fresh_one_down_to_the_last_trigger(tmp_path: Path) -> None:
    path = old_sqlite(tmp_path)
    upgrade(path)
    upgrade(tmp_path / "fresh.db")
    described = tmp_path / "described.db"
    with closing(sqlite3.connect(described)) as connection:
        for statement in statements(sqlite.dialect()):
            connection.execute(statement)
        connection.commit()
    assert sqlite_schema(path) == sqlite_schema(tmp_path / "fresh.db") == sqlite_schema(described)


def test_every_table_is_strict(tmp_path: Path) -> None:
    upgrade(tmp_path / "fresh.db")
    loose = [
        name
        for kind, name, sql in sqlite_schema(tmp_path / "fresh.db")
        if kind == "table" and not sql.endswith("STRICT")
    ]
    assert loose == []


def test_an_outdated_database_names_the_command_that_mends_it(tmp_path: Path) -> None:
    """The very command: run by a shell, with whatever name the file has, it mends that database."""
    odd = tmp_path / "it's a home"
    odd.mkdir()
    for path in (odd / "quantrail.db", odd / "mine.db"):
        shutil.copy(old_sqlite(tmp_path), path)
        with pytest.raises(SchemaOutdated) as caught:
            open_store(path, build.SteadyClock())
        command = caught.value.context["command"]
        assert caught.value.message.endswith(f"is at schema 0001, this program needs {HEAD}; run: {command}")
        called = command.replace("quantrail db", f"{sys.executable} -m quantrail db")
        subprocess.run(called, shell=True, check=True, cwd=tmp_path, capture_output=True)
        assert_whole(path)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("postgresql://me:secret@server:5433/research", "postgresql://me:***@server:5433/research"),
        ("postgresql://server/research?password=secret", "postgresql://server/research?password=***"),
    ],
)
def test_a_server_s_command_masks_the_password(given: str, shown: str) -> None:
    backend = Backend(given)
    command = upgrade_command(backend.url)
    assert shlex.split(command) == [f"QUANTRAIL_DATABASE_URL={shown}", "quantrail", "db", "upgrade"]
    assert "secret" not in backend.shown
    backend.close()


def test_an_empty_place_names_the_same_command_and_is_left_empty(tmp_path: Path) -> None:
    with pytest.raises(SchemaOutdated, match=r"holds no store yet; run: .*nothing\.db quantrail db upgrade"):
        open_store(tmp_path / "nothing.db", build.SteadyClock())
    assert list(tmp_path.iterdir()) == []


def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE schema_migrations SET version_num = '9999'")
        connection.commit()
    for attempt in (lambda: open_store(path, build.SteadyClock()), lambda: upgrade(path)):
        with pytest.raises(SchemaOutdated, match="newer than this program"):
            attempt()


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    path = old_sqlite(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE VIEW v_replays AS SELECT 1 AS taken")  # a name 0002 wants
        connection.commit()
    before = sqlite_schema(path)
    with pytest.raises(BackendError, match="v_replays"):
        upgrade(path)
    assert sqlite_schema(path) == before
    with pytest.raises(SchemaOutdated, match="0001"):
        open_store(path, build.SteadyClock())


def test_upgrading_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    assert upgrade(path) is None
    store = open_store(path, build.SteadyClock())
    fill(store, 3)
    before = store.counts()
    assert upgrade(path) == HEAD
    assert store.counts() == before
    store.close()


CATALOG = (
    "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_attribute a "
    "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = 'public' AND a.attnum > 0 AND c.relkind IN ('r', 'v')",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace",
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'",
    "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
)


def postgres_schema(url: str) -> set[Any]:
    with psycopg.connect(url) as connection:
        rows = [row for query in CATALOG for row in connection.execute(query.encode()).fetchall()]
    return {row for row in rows if not str(row[0]).startswith("schema_migrations")}


@pytest.fixture
def old_postgres(postgres_url: str) -> str:
    dump = gzip.decompress((HERE / "revision_0001.postgres.sql.gz").read_bytes()).decode()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(_runnable(dump).encode())
    return postgres_url


def _runnable(dump: str) -> str:
    """Without psql's own commands and the search path pg_dump empties."""
    lines = [line for line in dump.splitlines() if not line.startswith("\\")]
    return "\n".join(line for line in lines if "set_config('search_path'" not in line)


# Verdicts that were taken before revision 0006: HOLD upwards, nobody answering for T4, a wrong tier_from.
UNEARNED = (
    "INSERT INTO promotion_records (pk, strategy_pk, decision, tier_from, tier_to, policy_pk, "
    "evidence_refs_json, reason, created_at) VALUES (1, 3, 'HOLD', 'T0', 'T4', 1, '[]', '', 0), "
    "(2, 4, 'PROMOTE', 'T2', 'T1', 1, '[]', '', 0)"
)


def assert_verdicts_stay(url: str | Path, copy: str | Path) -> None:
    """They are kept and copied as they stand, and what comes after them is judged."""
    store = open_store(url, build.SteadyClock())
    copy_store(store.backend, copy)
    for opened in (store, open_store(copy, build.SteadyClock())):
        third = build.strategy(2).strategy_id
        assert opened.get_strategy(third).tier is Tier.T4
        assert check_store(opened.backend) == []
        upwards = Promotion(third, "HOLD", Tier.T4, Tier.T5, build.POLICY, (), approver="kim")
        with pytest.raises(InvalidInput, match="only PROMOTE"), opened.unit() as unit:
            unit.save_promotions([upwards])
        opened.close()


def test_verdicts_of_before_are_kept_and_copied(tmp_path: Path) -> None:
    path = old_sqlite(tmp_path)
    upgrade(path, "0005")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(UNEARNED)
        connection.commit()
    assert upgrade(path) == "0005"
    assert_verdicts_stay(path, tmp_path / "copy.db")


@pytest.mark.parametrize("released", REVISIONS[1:-1])
def test_every_later_revision_upgrades_with_its_data(tmp_path: Path, released: str) -> None:
    path = old_sqlite(tmp_path)
    upgrade(path, released)
    assert upgrade(path) == released
    assert_whole(path)


@pytest.mark.postgres
def test_verdicts_of_before_are_kept_and_copied_on_postgres(
    old_postgres: str, postgres_server: Any, tmp_path: Path
) -> None:
    upgrade(old_postgres, "0005")
    with psycopg.connect(old_postgres, autocommit=True) as connection:
        connection.execute(UNEARNED.encode())
    assert upgrade(old_postgres) == "0005"
    name = postgres_server.create_database()
    assert_verdicts_stay(old_postgres, postgres_server.url(name))
    postgres_server.drop_database(name)


@pytest.mark.postgres
def test_every_later_revision_upgrades_with_its_data_on_postgres(old_postgres: str) -> None:
    for released in REVISIONS[1:-1]:
        upgrade(old_postgres, released)
    assert upgrade(old_postgres) == REVISIONS[-2]
    assert_whole(old_postgres)


@pytest.mark.postgres
def test_a_postgres_database_of_the_first_revision_upgrades_with_its_data(old_postgres: str) -> None:
    assert upgrade(old_postgres) == "0001"
    assert_whole(old_postgres)


@pytest.mark.postgres
def test_metrics_kept_as_json_move_into_their_columns_on_postgres(old_postgres: str) -> None:
    with psycopg.connect(old_postgres, autocommit=True) as connection:
        connection.execute("ALTER TABLE metrics DISABLE TRIGGER tr_metrics_frozen")
        connection.execute(older_metrics().encode())
        connection.execute("ALTER TABLE metrics ENABLE TRIGGER tr_metrics_frozen")
    upgrade(old_postgres)
    offered_again(old_postgres, MORE)
    with psycopg.connect(old_postgres) as connection:
        row = connection.execute("SELECT alpha, more_json FROM metrics WHERE backtest_pk = 1").fetchone()
    assert row == (MORE["alpha"], '{"tail":1e-300,"trades":30}')


@pytest.mark.postgres
def test_marks_and_tiers_of_before_are_found_by_the_short_way_on_postgres(old_postgres: str) -> None:
    upgrade(old_postgres, "0003")
    quoted = {name: f"'\\x{value.hex()}'" for name, value in MARKS.items()}
    with psycopg.connect(old_postgres, autocommit=True) as connection:
        for statement in BEFORE_0004:
            connection.execute(statement.format(**quoted).encode())
    assert upgrade(old_postgres) == "0003"
    assert_found_without_reading_all(old_postgres)


@pytest.mark.postgres
def test_blocks_of_before_are_sealed_anew_on_postgres(old_postgres: str) -> None:
    upgrade(old_postgres, "0004")
    words = {"unique": "convert_to(lpad(i::text, 16, '0'), 'UTF8')", "no": "false", "nothing": "''::bytea",
             "floats": "convert_to(repeat('x', 65536), 'UTF8')"}  # fmt: skip
    with psycopg.connect(old_postgres, autocommit=True) as connection:
        for statement in SEALED_BY_0004:
            connection.execute(statement.format(**words).encode())
    assert upgrade(old_postgres) == "0004"
    assert_ordered_exactly(old_postgres)


@pytest.mark.postgres
def test_a_migrated_postgres_database_equals_a_fresh_one(
    old_postgres: str, postgres_server: Any, postgres_url: str
) -> None:
    upgrade(old_postgres)
    fresh, described = postgres_server.create_database(), postgres_server.create_database()
    upgrade(postgres_server.url(fresh))
    with psycopg.connect(postgres_server.url(described), autocommit=True) as connection:
        for statement in statements(postgresql.dialect()):  # type: ignore[no-untyped-call]
            connection.execute(statement.encode())
    schemas = [postgres_schema(url) for url in map(postgres_server.url, (fresh, described))]
    postgres_server.drop_database(fresh)
    postgres_server.drop_database(described)
    assert postgres_schema(old_postgres) == schemas[0] == schemas[1]


@pytest.mark.postgres
def test_two_processes_may_upgrade_one_postgres_database_at_once(postgres_url: str) -> None:
    program = "import sys; from quantrail.knowledge import upgrade; upgrade(sys.argv[1])"
    started = [
        subprocess.Popen([sys.executable, "-c", program, postgres_url], stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    errors = [one.communicate()[1].decode() for one in started]
    assert [one.returncode for one in started] == [0, 0, 0], errors
    backend = Backend(postgres_url)
    assert check_store(backend) == []
    backend.close()
