"""What the database itself refuses, shown from plain SQL behind the store's back."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from quantrail.domain.enums import ConstraintOrigin
from quantrail.errors import InvalidInput, NotFound
from quantrail.testing import records as build
from quantrail.testing.knowledge.world import StoreHarness, fill

# What must not be possible, how somebody might try it, and which rule must say no.
FORBIDDEN = {
    "changing a spec": (
        "UPDATE strategies SET normalized_spec_json = '{}'",
        r"cannot be changed",
    ),
    "changing a strategy's hash": (
        "UPDATE strategies SET strategy_id = logic_hash",
        r"cannot be changed",
    ),
    "deleting a strategy": (
        "DELETE FROM strategies",
        r"cannot be deleted",
    ),
    "changing a metric": (
        "UPDATE metrics SET sharpe_net = 9",
        r"cannot be changed",
    ),
    "changing a score": (
        "UPDATE scores SET score_total = 1",
        r"cannot be changed",
    ),
    "changing a finished backtest": (
        "UPDATE backtests SET seed = 1",
        r"cannot be changed",
    ),
    "metrics that echo another contract": (
        "INSERT INTO metrics (backtest_pk, calc_contract_pk, schema_version) SELECT b.pk, "
        "b.calc_contract_pk + 1, '1' FROM backtests b WHERE b.pk NOT IN (SELECT backtest_pk FROM "
        "metrics)",
        r"FOREIGN KEY|fk_metrics_contract_echo",
    ),
    "metrics of no backtest": (
        "INSERT INTO metrics (backtest_pk, calc_contract_pk, schema_version) VALUES (999999, 1, '1')",
        r"FOREIGN KEY|fk_metrics",
    ),
    "a score without metrics": (
        "INSERT INTO scores (pk, policy_pk, backtest_pk, score_total, passed, engine_mode, "
        "strategy_pk, run_pk, template_pk, breakdown_json, fail_reasons_json, created_at) SELECT "
        "999999, 1, b.pk, 0.5, '1', c.engine_mode, b.strategy_pk, i.run_pk, s.template_pk, '{}', "
        "'[]', 0 FROM backtests b JOIN contexts c ON c.pk = b.context_pk JOIN iterations i ON i.pk "
        "= b.iteration_pk JOIN strategies s ON s.pk = b.strategy_pk WHERE b.pk NOT IN (SELECT "
        "backtest_pk FROM metrics)",
        r"FOREIGN KEY|fk_scores_metrics",
    ),
    "a score filed under another engine": (
        "INSERT INTO scores SELECT 999999, 2, backtest_pk, score_total, passed, CASE engine_mode "
        "WHEN 'A' THEN 'B' ELSE 'A' END, strategy_pk, run_pk, template_pk, breakdown_json, "
        "fail_reasons_json, created_at FROM scores WHERE pk = 1",
        r"engine, strategy, run and template",
    ),
    "a failure without evidence": (
        "INSERT INTO failures (pk, failure_id, backtest_pk, rule_pk, category, tags_json, "
        "severity, confidence, summary, state, created_at) SELECT 999999, s.strategy_id, "
        "f.backtest_pk, (SELECT max(pk) FROM failure_rules), f.category, f.tags_json, f.severity, "
        "0.5, 'x', 'OPEN', 0 FROM failures f JOIN strategies s ON s.pk = 1 WHERE f.pk = 1",
        r"evidence_there",
    ),
    "taking evidence away": (
        "UPDATE failures SET evidence_json = NULL",
        r"cannot be changed",
    ),
    "provenance to no failure": (
        "INSERT INTO constraint_provenance (pk, constraint_pk, failure_pk, mapping_rule, "
        "iteration_pk) VALUES (999999, 1, 999999, 'direct', 1)",
        r"FOREIGN KEY|foreign key",
    ),
    "provenance to no constraint": (
        "INSERT INTO constraint_provenance (pk, constraint_pk, failure_pk, mapping_rule, "
        "iteration_pk) VALUES (999999, 999999, 1, 'direct', 1)",
        r"FOREIGN KEY|foreign key",
    ),
    "deleting a failure that a constraint rests on": (
        "DELETE FROM failures WHERE pk IN (SELECT failure_pk FROM constraint_provenance)",
        r"cannot be deleted",
    ),
    "deleting a constraint that has provenance": (
        "DELETE FROM constraints WHERE pk IN (SELECT constraint_pk FROM constraint_provenance)",
        r"cannot be deleted",
    ),
    "deleting a constraint set in use": (
        "DELETE FROM constraint_sets",
        r"cannot be deleted",
    ),
    "deleting a backtest that metrics rest on": (
        "DELETE FROM backtests",
        r"cannot be deleted",
    ),
    "deleting metrics that a score rests on": (
        "DELETE FROM metrics",
        r"cannot be deleted",
    ),
    "deleting a run": (
        "DELETE FROM runs",
        r"cannot be deleted",
    ),
    "deleting an iteration": (
        "DELETE FROM iterations",
        r"cannot be deleted",
    ),
    "deleting a policy in use": (
        "DELETE FROM policies",
        r"cannot be deleted",
    ),
    "deleting a contract in use": (
        "DELETE FROM calc_contracts",
        r"cannot be deleted",
    ),
    "changing a text that specs share": (
        "UPDATE texts SET body = 'other'",
        r"cannot be changed",
    ),
    "deleting a text that specs share": (
        "DELETE FROM texts",
        r"cannot be deleted",
    ),
    "deleting the context of results": (
        "DELETE FROM contexts",
        r"cannot be deleted",
    ),
    "deleting the models of results": (
        "DELETE FROM model_version_sets",
        r"cannot be deleted",
    ),
    "an unknown run status": (
        "UPDATE runs SET status = 'HAPPY'",
        r"status_known",
    ),
    "a positive drawdown": (
        "INSERT INTO metrics (backtest_pk, calc_contract_pk, schema_version, max_drawdown_net) "
        "SELECT pk, calc_contract_pk, '1', 0.5 FROM backtests WHERE pk NOT IN (SELECT backtest_pk "
        "FROM metrics)",
        r"drawdown_sign",
    ),
    "a trial that ran but names no backtest": (
        "INSERT INTO trials SELECT 999999, s.logic_hash, t.iteration_pk, 999999, t.context_pk, "
        "t.strategy_pk, NULL, t.arm, 'evaluated', 0 FROM trials t JOIN strategies s ON s.pk = 1 "
        "WHERE t.pk = 1",
        r"backtest_there",
    ),
    "changing a frozen policy": (
        "UPDATE policies SET body_json = '{}'",
        r"cannot be changed",
    ),
    "changing a contract": (
        "UPDATE calc_contracts SET calc_contract_json = '{}'",
        r"cannot be changed",
    ),
}

# What keys refuse by themselves, should somebody have dropped the guard of a table.
RESTED_ON = {
    "failures": "DELETE FROM failures WHERE pk IN (SELECT failure_pk FROM constraint_provenance)",
    "constraints": "DELETE FROM constraints WHERE pk IN (SELECT constraint_pk FROM constraint_provenance)",
    **{name: f"DELETE FROM {name}" for name in (
        "constraint_sets", "backtests", "metrics", "runs", "iterations", "universes", "tags", "strategies",
        "policies", "contexts", "calc_contracts", "model_version_sets", "trial_contexts", "failure_rules",
    )},
}  # fmt: skip


def drop_trigger(harness: StoreHarness, table: str, suffix: str) -> None:
    on = "" if issubclass(harness.sql_error, sqlite3.Error) else f" ON {table}"
    harness.sql(f"DROP TRIGGER tr_{table}_{suffix}{on}")


class IntegrityRules:
    @pytest.mark.parametrize(("statement", "rule"), FORBIDDEN.values(), ids=FORBIDDEN.keys())
    def test_the_database_refuses(self, harness: StoreHarness, statement: str, rule: str) -> None:
        fill(harness.store)
        bare = build.strategy(700)
        with harness.store.unit() as unit:  # a backtest that has no metrics yet
            unit.upsert_strategy(bare)
            unit.insert_backtest(build.backtest(bare, 700))
            unit.commit()
        before = harness.store.counts()
        with pytest.raises(harness.sql_error, match=rule):
            harness.sql(statement)
        assert harness.store.counts() == before

    @pytest.mark.parametrize("table", RESTED_ON)
    def test_keys_alone_keep_what_others_rest_on(self, harness: StoreHarness, table: str) -> None:
        fill(harness.store)
        drop_trigger(harness, table, "kept")
        with pytest.raises(harness.sql_error, match=r"FOREIGN KEY|foreign key"):
            harness.sql(RESTED_ON[table])

    def test_the_same_rules_let_honest_plain_sql_pass(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        harness.sql("UPDATE failures SET state = 'CONFIRMED' WHERE pk = 1")
        harness.sql("UPDATE constraint_sets SET state = 'ARCHIVED'")
        assert harness.store.get_failure(world.failures[0].failure_id).state == "CONFIRMED"
        assert harness.store.latest_constraint_set() is None

    def test_tag_counts_follow_deletions_from_plain_sql(self, harness: StoreHarness) -> None:
        fill(harness.store)
        drop_trigger(harness, "failure_tags", "kept")
        before = {one.key: one.count for one in harness.store.repeated_failures(100)}
        (row,) = harness.sql("SELECT t.tag, x.tag_pk, x.failure_pk FROM failure_tags x JOIN tags t "
                             "ON t.pk = x.tag_pk ORDER BY x.failure_pk DESC LIMIT 1")  # fmt: skip
        harness.sql(f"DELETE FROM failure_tags WHERE tag_pk = {row[1]} AND failure_pk = {row[2]}")
        after = {one.key: one.count for one in harness.store.repeated_failures(100)}
        assert after.get(row[0], 0) == before[row[0]] - 1

    def test_every_foreign_key_of_a_filled_store_leads_somewhere(self, harness: StoreHarness) -> None:
        fill(harness.store)
        orphans = harness.sql(
            "SELECT count(*) FROM scores sc LEFT JOIN metrics m ON m.backtest_pk = sc.backtest_pk "
            "WHERE m.backtest_pk IS NULL"
        )
        assert orphans[0][0] == 0

    def test_metrics_must_echo_the_contract_through_the_api_too(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        other = build.metrics(world.backtests[0].backtest_id, calc_contract_hash=build.hash_of("other"))
        with pytest.raises(InvalidInput, match="echo"), harness.store.unit() as unit:
            unit.save_metrics([other])

    def test_a_failure_without_evidence_is_refused(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        bare = build.failure(world.backtests[0].backtest_id, 3, evidence=None)
        with pytest.raises(InvalidInput, match="neither evidence"), harness.store.unit() as unit:
            unit.save_failures([bare])

    def test_a_score_before_its_metrics_is_refused(self, harness: StoreHarness) -> None:
        fill(harness.store)
        fresh = build.strategy(600)
        with pytest.raises(NotFound), harness.store.unit() as unit:
            unit.upsert_strategy(fresh)
            backtest_id = unit.insert_backtest(build.backtest(fresh, 600))
            unit.save_scores([build.score(backtest_id)])
            unit.commit()

    def test_a_constraint_from_failures_needs_provenance(self, harness: StoreHarness) -> None:
        fill(harness.store)
        unproven = build.constraint_set(build.constraint(7))
        with pytest.raises(InvalidInput, match="no provenance"), harness.store.unit() as unit:
            unit.save_constraint_set(build.run_id(), 1, unproven, [])

    def test_a_user_constraint_needs_none_and_an_inherited_one_keeps_its_own(
        self, harness: StoreHarness
    ) -> None:
        world = fill(harness.store)
        by_hand = replace(build.constraint(8), derived_from_type=ConstraintOrigin.USER)
        larger = build.constraint_set(*world.constraint_set.members, by_hand, base=world.constraint_set)
        with harness.store.unit() as unit:
            unit.save_constraint_set(build.run_id(), 2, larger, [])
            unit.commit()
        latest = harness.store.latest_constraint_set()
        assert latest is not None
        assert latest.set == larger
        assert harness.store.provenance_of(world.constraint_set.members[0].constraint_id) != []
