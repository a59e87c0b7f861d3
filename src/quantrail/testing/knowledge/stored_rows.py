"""What was stored stays, table by table and column by column, tried from plain SQL."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from sqlalchemy import BigInteger, Boolean, Column, Double, LargeBinary, Table
from sqlalchemy.types import Text

from quantrail.domain import records as r
from quantrail.domain.enums import BacktestStatus, RunStatus
from quantrail.knowledge.schema import metadata, table_columns
from quantrail.knowledge.schema.guards import MUTABLE, ONCE, guarded
from quantrail.testing import records as build
from quantrail.testing.knowledge.every_table import fill_every_table
from quantrail.testing.knowledge.world import StoreHarness

TABLES = [metadata.tables[name] for name in guarded(table_columns())]
MENDED = (
    "status = 'DONE', result_hash = strategies.strategy_id, error_code = NULL FROM strategies "
    "WHERE strategies.pk = backtests.strategy_pk AND backtests.status = 'FAILED'"
)
# What mending must leave as it was.
OTHERS = (
    "strategy_pk = 1",
    "calc_contract_pk = backtests.calc_contract_pk + 1",
    "seed = 99",
    "context_pk = backtests.context_pk + 1",
    "pk = 99999",
    "backtest_id = strategies.strategy_id",
)


def _another(column: Column[object], harness: StoreHarness) -> str:
    """An expression that differs from what the column holds, in its type."""
    kind, name = column.type, column.name
    if name == "tags_json":
        return """'["other"]'"""
    if isinstance(kind, Boolean):
        return f"NOT {name}"
    if isinstance(kind, LargeBinary):
        return f"CAST('other' AS {'BLOB' if _is_sqlite(harness) else 'BYTEA'})"
    if isinstance(kind, Text):
        return f"coalesce({name}, '') || 'x'"
    assert isinstance(kind, BigInteger | Double), kind
    return f"coalesce({name}, 0) + {'1000003' if isinstance(kind, BigInteger) else '0.5'}"


def _is_sqlite(harness: StoreHarness) -> bool:
    return issubclass(harness.sql_error, sqlite3.Error)


def _refused(harness: StoreHarness, statement: str) -> str | None:
    """The database's own words, None when it did as it was told."""
    try:
        harness.sql(statement)
    except harness.sql_error as error:
        return str(error)
    return None


def _fixed(table: Table) -> list[Column[object]]:
    free = MUTABLE.get(table.name, ()) + ONCE.get(table.name, ())
    return [column for column in table.columns if column.name not in free]


class StoredRows:
    def test_no_column_that_is_fixed_can_be_changed(self, harness: StoreHarness) -> None:
        fill_every_table(harness.store)
        said = {
            f"{table.name}.{column.name}": _refused(
                harness, f"UPDATE {table.name} SET {column.name} = {_another(column, harness)}"
            )
            or "changed"
            for table in TABLES
            for column in _fixed(table)
        }
        assert {name: words for name, words in said.items() if "cannot be changed" not in words} == {}

    def test_no_row_can_be_deleted(self, harness: StoreHarness) -> None:
        fill_every_table(harness.store)
        counted = harness.store.counts()
        assert [table.name for table in TABLES if counted[table.name] == 0] == []
        said = {table.name: _refused(harness, f"DELETE FROM {table.name}") for table in TABLES}
        assert [
            name for name, words in said.items() if words is None or "cannot be deleted" not in words
        ] == []
        assert harness.store.counts() == counted

    def test_what_may_change_still_does(self, harness: StoreHarness) -> None:
        fill_every_table(harness.store)
        for table, columns in MUTABLE.items():
            for name in columns:
                harness.sql(f"UPDATE {table} SET {name} = {name}")
        with harness.store.unit() as unit:
            unit.set_run_status(build.run_id(), RunStatus.DONE)
            unit.finish_iteration(build.run_id(), 2, {"evaluated": 3})
            unit.save_templates([replace(build.templates()[0], name="another name", confidence=0.9)])
            unit.save_atoms([replace(build.atoms()[0], status="retired")])
            unit.commit()
        assert harness.store.get_run(build.run_id()).status is RunStatus.DONE
        assert harness.sql("SELECT count(*) FROM v_templates WHERE name = 'another name'")[0][0] == 1
        assert harness.sql("SELECT count(*) FROM v_atoms WHERE status = 'retired'")[0][0] == 1

    def test_what_is_filled_in_later_then_stays(self, harness: StoreHarness) -> None:
        fill_every_table(harness.store)
        file = r.ArtifactFile("artifacts/batch.parquet", build.hash_of("file"), 10)
        for expected in (1, 0):
            with harness.store.unit() as unit:
                assert unit.save_files([file]).new == expected
                unit.commit()
        harness.sql("UPDATE reports SET doc_store_id = 'd1'")
        for statement in (
            "UPDATE files SET size_bytes = 11",
            "UPDATE files SET sha256 = NULL",
            "UPDATE reports SET doc_store_id = 'd2'",
            "UPDATE iterations SET constraint_set_pk = NULL",
        ):
            assert "cannot be changed" in (_refused(harness, statement) or "")

    def test_a_failed_backtest_is_mended_and_nothing_else(self, harness: StoreHarness) -> None:
        fill_every_table(harness.store)
        bare = build.strategy(800)
        failed = replace(
            build.backtest(bare, 800), status=BacktestStatus.FAILED, result_hash=None, error_code="TIMEOUT"
        )
        with harness.store.unit() as unit:
            unit.upsert_strategy(bare)
            unit.insert_backtest(failed)
            unit.commit()
        for statement in (
            "UPDATE backtests SET error_code = 'OTHER' WHERE status = 'FAILED'",
            *(f"UPDATE backtests SET {other}, {MENDED}" for other in OTHERS),
        ):
            assert "cannot be changed" in (_refused(harness, statement) or ""), statement
        assert harness.store.get_backtest(failed.backtest_id).status is BacktestStatus.FAILED
        harness.sql(f"UPDATE backtests SET {MENDED}")
        assert harness.store.get_backtest(failed.backtest_id).status is BacktestStatus.DONE

    def test_a_scored_backtest_is_mended_within_its_run(self, harness: StoreHarness) -> None:
        fill_every_table(harness.store)
        bare = build.strategy(800)
        failed = replace(
            build.backtest(bare, 800), status=BacktestStatus.FAILED, result_hash=None, error_code="TIMEOUT"
        )
        with harness.store.unit() as unit:
            unit.insert_run(build.run(1))
            unit.insert_iteration(r.Iteration(build.run_id(1), 1))
            unit.upsert_strategy(bare)
            unit.insert_backtest(failed)
            unit.commit()
        # A score of a failed backtest, as plain SQL may have left it.
        harness.sql(
            "INSERT INTO metrics (backtest_pk, calc_contract_pk, schema_version) "
            "SELECT pk, calc_contract_pk, '1' FROM backtests WHERE status = 'FAILED'"
        )
        harness.sql(
            "INSERT INTO scores SELECT 999999, 1, b.pk, 0.5, o.passed, 'A', b.strategy_pk, o.run_pk, "
            "s.template_pk, '{}', '[]', 0 FROM backtests b JOIN strategies s ON s.pk = b.strategy_pk "
            "JOIN scores o ON o.pk = 1 WHERE b.status = 'FAILED'"
        )
        to_run = "iteration_pk = (SELECT max(pk) FROM iterations WHERE run_pk = {run}), "
        assert "stays with the run" in (
            _refused(harness, f"UPDATE backtests SET {to_run.format(run=2)}{MENDED}") or ""
        )
        harness.sql(f"UPDATE backtests SET {to_run.format(run=1)}{MENDED}")


__all__ = ["StoredRows"]
