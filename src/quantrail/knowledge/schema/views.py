"""Views under the specification's table and column names, ids as text: what people query.

``v_backtests`` shows the interned contract, versions and period beside each backtest; ``v_scores``
every policy's score, ``v_latest_scores`` the newest one.
"""

from __future__ import annotations

from quantrail.knowledge.schema.results import METRIC_COLUMNS

# A spec as it was handed in: what it shares with others at its beginning and end is stored once.
WHOLE_SPEC = "coalesce(sh.body, '') || s.normalized_spec_json || coalesce(se.body, '')"
SPEC_TEXTS = "LEFT JOIN texts sh ON sh.pk = s.head_text_pk LEFT JOIN texts se ON se.pk = s.tail_text_pk"

# Fragments that differ: hex text of bytes, UUID text of bytes, ISO text of microseconds.
_SQLITE = {
    "hex": "nullif(lower(hex({x})), '')",
    "uuid": "substr(nullif(lower(hex({x})), ''),1,8)||'-'"
    "||substr(lower(hex({x})),9,4)||'-'||substr(lower(hex({x})),13,4)"
    "||'-'||substr(lower(hex({x})),17,4)||'-'||substr(lower(hex({x})),21)",
    "time": "strftime('%Y-%m-%dT%H:%M:%S', {x} / 1000000, 'unixepoch')||printf('.%06dZ', {x} % 1000000)",
}
_POSTGRES = {
    "hex": "encode({x}, 'hex')",
    "uuid": "encode({x}, 'hex')::uuid::text",
    "time": "to_char(to_timestamp({x} / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS')"
    "||'.'||lpad(({x} % 1000000)::text, 6, '0')||'Z'",
}


def views(dialect: str) -> list[str]:
    """CREATE VIEW statements, in an order that may be run."""
    parts = _SQLITE if dialect == "sqlite" else _POSTGRES

    def h(column: str, name: str) -> str:
        return f"{parts['hex'].format(x=column)} AS {name}"

    def u(column: str, name: str) -> str:
        return f"{parts['uuid'].format(x=column)} AS {name}"

    def t(column: str, name: str = "created_at") -> str:
        return f"{parts['time'].format(x=column)} AS {name}"

    def path(file: str, row: str, name: str) -> str:
        return f"{file}.path || coalesce('#' || {row}, '') AS {name}"

    metric_names = ", ".join(f"m.{name}" for name in METRIC_COLUMNS)
    bodies = {
        "runs": f"""SELECT {u("r.run_id", "run_id")}, {t("r.created_at")}, {t("r.ended_at", "ended_at")},
r.project_version, r.code_version, r.door, r.config_json, r.status, r.requested_by FROM runs r""",
        "iterations": f"""SELECT {u("r.run_id", "run_id")}, i.iteration_id, {t("i.started_at", "started_at")},
{t("i.ended_at", "ended_at")}, {h("cs.constraint_set_id", "constraint_set_id_applied")}, i.summary_json
FROM iterations i JOIN runs r ON r.pk = i.run_pk
LEFT JOIN constraint_sets cs ON cs.pk = i.constraint_set_pk""",
        "strategies": f"""SELECT {h("s.strategy_id", "strategy_id")},
{WHOLE_SPEC} AS normalized_spec_json, s.created_from,
{t("s.created_at")}, s.spec_hash_version, s.schema_version, {h("s.logic_hash", "logic_hash")}, s.kind,
s.name, t.template_id, s.params_json, {h("d.strategy_id", "derived_from")}, coalesce(st.tier, 'T0') AS tier
FROM strategies s {SPEC_TEXTS} LEFT JOIN templates t ON t.pk = s.template_pk
LEFT JOIN strategies d ON d.pk = s.derived_from_pk LEFT JOIN strategy_tiers st ON st.strategy_pk = s.pk""",
        "backtests": f"""SELECT {u("b.backtest_id", "backtest_id")}, {u("r.run_id", "run_id")},
i.iteration_id, {h("s.strategy_id", "strategy_id")}, c.engine_mode, c.engine_version,
{h("c.data_version", "data_version")},
{h("u.universe_version", "universe_version")}, c.period_start, c.period_end, c.bar_interval, b.seed,
mv.model_versions_json, {h("mv.model_versions_hash", "model_versions_hash")}, cc.calc_contract_json,
{h("cc.calc_contract_hash", "calc_contract_hash")}, b.status, b.error_code, b.error_message,
{h("b.result_hash", "result_hash")}, {path("f", "b.artifacts_row", "artifacts_dir")},
{h("sn.data_version", "snapshot_version")}, r.code_version, {t("b.created_at")}
FROM backtests b JOIN strategies s ON s.pk = b.strategy_pk JOIN contexts c ON c.pk = b.context_pk
JOIN universes u ON u.pk = c.universe_pk JOIN model_version_sets mv ON mv.pk = c.model_versions_pk
JOIN calc_contracts cc ON cc.pk = b.calc_contract_pk JOIN iterations i ON i.pk = b.iteration_pk
JOIN runs r ON r.pk = i.run_pk LEFT JOIN files f ON f.pk = b.artifacts_file_pk
LEFT JOIN snapshots sn ON sn.pk = b.snapshot_pk""",
        "metrics": f"""SELECT {u("b.backtest_id", "backtest_id")}, {metric_names}, m.more_json,
coalesce(m.quality_warnings_json, n.body) AS quality_warnings_json,
{path("f", "m.metrics_row", "metrics_json_path")},
{h("cc.calc_contract_hash", "calc_contract_hash")}, m.schema_version
FROM metrics m JOIN backtests b ON b.pk = m.backtest_pk
JOIN calc_contracts cc ON cc.pk = m.calc_contract_pk LEFT JOIN files f ON f.pk = m.metrics_file_pk
LEFT JOIN texts n ON n.pk = m.notes_text_pk""",
        "scores": f"""SELECT {u("b.backtest_id", "backtest_id")}, sc.score_total, sc.breakdown_json,
sc.passed, sc.fail_reasons_json, p.policy_version, sc.engine_mode, {t("sc.created_at")}
FROM scores sc JOIN backtests b ON b.pk = sc.backtest_pk JOIN policies p ON p.pk = sc.policy_pk""",
        "latest_scores": f"""SELECT {u("b.backtest_id", "backtest_id")}, sc.score_total, sc.breakdown_json,
sc.passed, sc.fail_reasons_json, p.policy_version, sc.engine_mode, {t("sc.created_at")}
FROM scores sc JOIN backtests b ON b.pk = sc.backtest_pk JOIN policies p ON p.pk = sc.policy_pk
WHERE NOT EXISTS (
SELECT 1 FROM scores later WHERE later.backtest_pk = sc.backtest_pk AND later.pk > sc.pk)""",
        "failures": f"""SELECT {h("fl.failure_id", "failure_id")}, {u("b.backtest_id", "backtest_id")},
fl.category, fl.tags_json, fl.severity, fl.confidence, fl.summary,
{path("f", "fl.evidence_row", "evidence_pack_path")}, fl.evidence_json, fl.state, fr.rule_id, fr.rule_version,
p.policy_version, {t("fl.created_at")}
FROM failures fl JOIN backtests b ON b.pk = fl.backtest_pk JOIN failure_rules fr ON fr.pk = fl.rule_pk
JOIN policies p ON p.pk = fr.policy_pk LEFT JOIN files f ON f.pk = fl.evidence_file_pk""",
        "failure_tags": f"""SELECT {h("fl.failure_id", "failure_id")}, t.tag
FROM failure_tags ft JOIN failures fl ON fl.pk = ft.failure_pk JOIN tags t ON t.pk = ft.tag_pk""",
        "constraint_sets": f"""SELECT {h("cs.constraint_set_id", "constraint_set_id")}, {t("cs.created_at")},
{h("base.constraint_set_id", "base_constraint_set_id")}, cs.constraints_json, p.policy_version, cs.state,
{u("r.run_id", "run_id")}, i.iteration_id
FROM constraint_sets cs JOIN policies p ON p.pk = cs.policy_pk JOIN iterations i ON i.pk = cs.iteration_pk
JOIN runs r ON r.pk = i.run_pk LEFT JOIN constraint_sets base ON base.pk = cs.base_pk""",
        "constraints": f"""SELECT {h("cs.constraint_set_id", "constraint_set_id")},
{h("k.constraint_id", "constraint_id")}, k.scope, k.type, k.params_json, k.applies_to_json, k.priority,
k.severity, k.derived_from_type, k.statistics_json, k.status
FROM constraints k JOIN constraint_sets cs ON cs.pk = k.set_pk""",
        "constraint_provenance": f"""SELECT cp.pk AS id, {h("cs.constraint_set_id", "constraint_set_id")},
{h("k.constraint_id", "constraint_id")}, {h("fl.failure_id", "failure_id")}, cp.mapping_rule,
i.iteration_id AS created_at_iteration, {u("r.run_id", "run_id")}
FROM constraint_provenance cp JOIN constraints k ON k.pk = cp.constraint_pk
JOIN constraint_sets cs ON cs.pk = k.set_pk JOIN failures fl ON fl.pk = cp.failure_pk
JOIN iterations i ON i.pk = cp.iteration_pk JOIN runs r ON r.pk = i.run_pk""",
        "trials": f"""SELECT {h("t.trial_id", "trial_id")}, {u("r.run_id", "run_id")}, i.iteration_id,
t.ordinal, tc.door, {h("s.strategy_id", "strategy_id")}, {u("b.backtest_id", "backtest_id")}, t.arm,
t.outcome, {h("u.universe_version", "universe_version")}, u.market, tc.period_start, tc.period_end,
tc.requested_by, {t("t.created_at")}
FROM trials t JOIN iterations i ON i.pk = t.iteration_pk JOIN runs r ON r.pk = i.run_pk
JOIN trial_contexts tc ON tc.pk = t.context_pk JOIN universes u ON u.pk = tc.universe_pk
JOIN strategies s ON s.pk = t.strategy_pk LEFT JOIN backtests b ON b.pk = t.backtest_pk""",
        "trial_constraints": f"""SELECT {h("t.trial_id", "trial_id")},
{h("cs.constraint_set_id", "constraint_set_id")}, {h("k.constraint_id", "constraint_id")}, x.arm
FROM trial_constraints x JOIN trials t ON t.pk = x.trial_pk JOIN constraints k ON k.pk = x.constraint_pk
JOIN constraint_sets cs ON cs.pk = k.set_pk""",
        "templates": f"""SELECT t.template_id, t.name, t.tier, t.status, t.confidence,
t.parameter_schema_json, t.rationale, t.reference, t.atoms_json, {t("t.created_at")},
(SELECT count(*) FROM strategies s WHERE s.template_pk = t.pk) AS usage_count FROM templates t""",
        "atoms": f"""SELECT a.atom_id, a.kind, a.tier, a.status, a.confidence, a.parameter_schema_json,
a.rationale, a.reference, {t("a.created_at")},
(SELECT count(*) FROM strategy_atoms x WHERE x.atom_pk = a.pk) AS usage_count FROM atoms a""",
        "robustness_cases": f"""SELECT {h("rc.case_id", "case_id")}, {u("b.backtest_id", "backtest_id")},
rc.type, rc.params_json, rc.metrics_json, {path("f", "rc.metrics_row", "metrics_ref")}, rc.passed,
p.policy_version, {t("rc.created_at")}
FROM robustness_cases rc JOIN backtests b ON b.pk = rc.backtest_pk JOIN policies p ON p.pk = rc.policy_pk
LEFT JOIN files f ON f.pk = rc.metrics_file_pk""",
        "reports": f"""SELECT {h("rp.report_id", "report_id")}, {u("r.run_id", "run_id")},
{u("b.backtest_id", "backtest_id")}, rp.tearsheet_html_path, rp.tearsheet_pdf_path, rp.summary_json_path,
rp.doc_store_id, {t("rp.created_at")}
FROM reports rp LEFT JOIN runs r ON r.pk = rp.run_pk LEFT JOIN backtests b ON b.pk = rp.backtest_pk""",
        "promotion_records": f"""SELECT {h("s.strategy_id", "strategy_id")},
{u("b.backtest_id", "backtest_id")}, pr.decision, pr.tier_from, pr.tier_to, p.policy_version,
pr.evidence_refs_json, pr.approver, pr.reason, {t("pr.created_at")}
FROM promotion_records pr JOIN strategies s ON s.pk = pr.strategy_pk JOIN policies p ON p.pk = pr.policy_pk
LEFT JOIN backtests b ON b.pk = pr.backtest_pk""",
        "engine_comparisons": f"""SELECT {u("a.backtest_id", "backtest_a")},
{u("b.backtest_id", "backtest_b")}, ec.agree, ec.max_abs_equity_diff, ec.pnl_effect, ec.reason,
ec.first_difference_json, {t("ec.created_at")}
FROM engine_comparisons ec JOIN backtests a ON a.pk = ec.backtest_a_pk
JOIN backtests b ON b.pk = ec.backtest_b_pk""",
        "policies": f"""SELECT p.policy_version, p.kind, p.body_json, {t("p.created_at")} FROM policies p""",
        "universes": f"""SELECT {h("u.universe_version", "universe_version")}, u.name, u.market, u.synthetic,
u.symbols_json, {t("u.created_at")} FROM universes u""",
        "snapshots": f"""SELECT {h("sn.data_version", "data_version")}, sn.source, sn.symbols, sn.rows,
sn.period_start, sn.period_end, sn.manifest_path, {t("sn.created_at")} FROM snapshots sn""",
        "data_findings": f"""SELECT {h("sn.data_version", "data_version")}, df.symbol, df.date, df.kind,
df.severity, df.detail, df.quarantined, {t("df.created_at")}
FROM data_findings df JOIN snapshots sn ON sn.pk = df.snapshot_pk""",
        "stage_events": f"""SELECT {u("r.run_id", "run_id")}, e.iteration_id, e.stage, e.event, e.status,
e.attempt, e.error_code, e.reason, e.payload_json, {t("e.created_at")}
FROM stage_events e JOIN runs r ON r.pk = e.run_pk""",
        "failure_events": f"""SELECT {h("fl.failure_id", "failure_id")}, e.state, e.reason, e.requested_by,
{t("e.created_at")} FROM failure_events e JOIN failures fl ON fl.pk = e.failure_pk""",
        "constraint_events": f"""SELECT {h("e.constraint_id", "constraint_id")}, e.status, e.reason,
e.requested_by, {t("e.created_at")} FROM constraint_events e""",
        "fingerprints": f"""SELECT {h("s.strategy_id", "strategy_id")}, fp.algorithm,
{h("fp.data_version", "data_version")}, {h("fp.value", "value")}, {t("fp.created_at")}
FROM fingerprints fp JOIN strategies s ON s.pk = fp.strategy_pk""",
        "holdout_reads": f"""SELECT {h("s.strategy_id", "strategy_id")}, hr.purpose, hr.period_start,
hr.period_end, hr.requested_by, {t("hr.created_at")}
FROM holdout_reads hr JOIN strategies s ON s.pk = hr.strategy_pk""",
        "reproductions": f"""SELECT {u("b.backtest_id", "backtest_id")}, rp.equal, rp.cause,
{h("rp.result_hash_stored", "result_hash_stored")}, {h("rp.result_hash_found", "result_hash_found")},
rp.code_version, rp.detail, {t("rp.created_at")}
FROM reproductions rp JOIN backtests b ON b.pk = rp.backtest_pk""",
        "recalls": f"""SELECT rc.kind, rc.target, rc.reason, rc.outcome_json, {t("rc.created_at")}
FROM recalls rc""",
        "live_trades": f"""SELECT lt.live_trade_id, {h("s.strategy_id", "strategy_id")},
{u("b.backtest_id", "backtest_id")}, lt.account, lt.symbol, lt.quantity, lt.price, lt.costs_total,
{t("lt.executed_at", "executed_at")}, {t("lt.created_at")}
FROM live_trades lt JOIN strategies s ON s.pk = lt.strategy_pk LEFT JOIN backtests b ON b.pk =
lt.backtest_pk""",
        "replays": f"""SELECT x.replay_id, {h("s.strategy_id", "strategy_id")},
{u("b.backtest_id", "backtest_id")}, x.period_start, x.period_end, x.agree, x.difference_json,
{t("x.created_at")} FROM replays x JOIN strategies s ON s.pk = x.strategy_pk
JOIN backtests b ON b.pk = x.backtest_pk""",
    }
    return [f"CREATE VIEW v_{name} AS {body}" for name, body in bodies.items()]
