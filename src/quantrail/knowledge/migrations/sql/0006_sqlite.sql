CREATE TRIGGER tr_failure_rules_frozen BEFORE UPDATE ON failure_rules BEGIN SELECT RAISE(ABORT, 'failure_rules: stored rows cannot be changed'); END
-- next statement
DROP TRIGGER tr_failures_frozen
-- next statement
CREATE TRIGGER tr_failures_frozen BEFORE UPDATE ON failures
WHEN OLD.pk IS NOT NEW.pk OR OLD.failure_id IS NOT NEW.failure_id OR OLD.backtest_pk IS NOT NEW.backtest_pk OR OLD.rule_pk IS NOT NEW.rule_pk OR OLD.category IS NOT NEW.category OR OLD.tags_json IS NOT NEW.tags_json OR OLD.severity IS NOT NEW.severity OR OLD.confidence IS NOT NEW.confidence OR OLD.summary IS NOT NEW.summary OR OLD.evidence_file_pk IS NOT NEW.evidence_file_pk OR OLD.evidence_row IS NOT NEW.evidence_row OR OLD.evidence_json IS NOT NEW.evidence_json OR OLD.created_at IS NOT NEW.created_at
 BEGIN SELECT RAISE(ABORT, 'failures: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_tags_frozen BEFORE UPDATE ON tags BEGIN SELECT RAISE(ABORT, 'tags: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_failure_tags_frozen BEFORE UPDATE ON failure_tags BEGIN SELECT RAISE(ABORT, 'failure_tags: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_failure_events_frozen BEFORE UPDATE ON failure_events BEGIN SELECT RAISE(ABORT, 'failure_events: stored rows cannot be changed'); END
-- next statement
DROP TRIGGER tr_constraint_sets_frozen
-- next statement
CREATE TRIGGER tr_constraint_sets_frozen BEFORE UPDATE ON constraint_sets
WHEN OLD.pk IS NOT NEW.pk OR OLD.constraint_set_id IS NOT NEW.constraint_set_id OR OLD.iteration_pk IS NOT NEW.iteration_pk OR OLD.base_pk IS NOT NEW.base_pk OR OLD.constraints_json IS NOT NEW.constraints_json OR OLD.policy_pk IS NOT NEW.policy_pk OR OLD.created_at IS NOT NEW.created_at
 BEGIN SELECT RAISE(ABORT, 'constraint_sets: stored rows cannot be changed'); END
-- next statement
DROP TRIGGER tr_constraints_frozen
-- next statement
CREATE TRIGGER tr_constraints_frozen BEFORE UPDATE ON constraints
WHEN OLD.pk IS NOT NEW.pk OR OLD.set_pk IS NOT NEW.set_pk OR OLD.constraint_id IS NOT NEW.constraint_id OR OLD.scope IS NOT NEW.scope OR OLD.type IS NOT NEW.type OR OLD.params_json IS NOT NEW.params_json OR OLD.applies_to_json IS NOT NEW.applies_to_json OR OLD.priority IS NOT NEW.priority OR OLD.severity IS NOT NEW.severity OR OLD.derived_from_type IS NOT NEW.derived_from_type OR OLD.statistics_json IS NOT NEW.statistics_json
 BEGIN SELECT RAISE(ABORT, 'constraints: stored rows cannot be changed'); END
-- next statement
DROP TRIGGER tr_constraint_provenance_frozen
-- next statement
CREATE TRIGGER tr_constraint_provenance_frozen BEFORE UPDATE ON constraint_provenance BEGIN SELECT RAISE(ABORT, 'constraint_provenance: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_constraint_events_frozen BEFORE UPDATE ON constraint_events BEGIN SELECT RAISE(ABORT, 'constraint_events: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_trial_constraints_frozen BEFORE UPDATE ON trial_constraints BEGIN SELECT RAISE(ABORT, 'trial_constraints: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_templates_frozen BEFORE UPDATE ON templates
WHEN OLD.pk IS NOT NEW.pk OR OLD.template_id IS NOT NEW.template_id OR OLD.created_at IS NOT NEW.created_at
 BEGIN SELECT RAISE(ABORT, 'templates: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_atoms_frozen BEFORE UPDATE ON atoms
WHEN OLD.pk IS NOT NEW.pk OR OLD.atom_id IS NOT NEW.atom_id OR OLD.created_at IS NOT NEW.created_at
 BEGIN SELECT RAISE(ABORT, 'atoms: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_robustness_cases_frozen BEFORE UPDATE ON robustness_cases BEGIN SELECT RAISE(ABORT, 'robustness_cases: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_reports_frozen BEFORE UPDATE ON reports
WHEN OLD.pk IS NOT NEW.pk OR OLD.report_id IS NOT NEW.report_id OR OLD.run_pk IS NOT NEW.run_pk OR OLD.backtest_pk IS NOT NEW.backtest_pk OR OLD.tearsheet_html_path IS NOT NEW.tearsheet_html_path OR OLD.tearsheet_pdf_path IS NOT NEW.tearsheet_pdf_path OR OLD.summary_json_path IS NOT NEW.summary_json_path OR OLD.created_at IS NOT NEW.created_at
OR OLD.doc_store_id IS NOT NULL AND OLD.doc_store_id IS NOT NEW.doc_store_id
 BEGIN SELECT RAISE(ABORT, 'reports: stored rows cannot be changed'); END
-- next statement
DROP TRIGGER tr_promotion_records_frozen
-- next statement
CREATE TRIGGER tr_promotion_records_frozen BEFORE UPDATE ON promotion_records BEGIN SELECT RAISE(ABORT, 'promotion_records: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_live_trades_frozen BEFORE UPDATE ON live_trades BEGIN SELECT RAISE(ABORT, 'live_trades: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_replays_frozen BEFORE UPDATE ON replays BEGIN SELECT RAISE(ABORT, 'replays: stored rows cannot be changed'); END
-- next statement
DROP TRIGGER tr_holdout_reads_frozen
-- next statement
CREATE TRIGGER tr_holdout_reads_frozen BEFORE UPDATE ON holdout_reads BEGIN SELECT RAISE(ABORT, 'holdout_reads: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_reproductions_frozen BEFORE UPDATE ON reproductions BEGIN SELECT RAISE(ABORT, 'reproductions: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_recalls_frozen BEFORE UPDATE ON recalls BEGIN SELECT RAISE(ABORT, 'recalls: stored rows cannot be changed'); END
-- next statement
DROP TRIGGER tr_strategies_frozen
-- next statement
CREATE TRIGGER tr_strategies_frozen BEFORE UPDATE ON strategies BEGIN SELECT RAISE(ABORT, 'strategies: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_strategy_atoms_frozen BEFORE UPDATE ON strategy_atoms BEGIN SELECT RAISE(ABORT, 'strategy_atoms: stored rows cannot be changed'); END
-- next statement
DROP TRIGGER tr_backtests_frozen
-- next statement
CREATE TRIGGER tr_backtests_frozen BEFORE UPDATE ON backtests
WHEN OLD.status = 'DONE' OR NEW.status <> 'DONE'
OR OLD.pk IS NOT NEW.pk OR OLD.backtest_id IS NOT NEW.backtest_id OR OLD.strategy_pk IS NOT NEW.strategy_pk OR OLD.context_pk IS NOT NEW.context_pk OR OLD.calc_contract_pk IS NOT NEW.calc_contract_pk OR OLD.seed IS NOT NEW.seed
 BEGIN SELECT RAISE(ABORT, 'backtests: a stored backtest cannot be changed, except from FAILED to DONE'); END
-- next statement
DROP TRIGGER tr_metrics_frozen
-- next statement
CREATE TRIGGER tr_metrics_frozen BEFORE UPDATE ON metrics BEGIN SELECT RAISE(ABORT, 'metrics: stored rows cannot be changed'); END
-- next statement
DROP TRIGGER tr_scores_frozen
-- next statement
CREATE TRIGGER tr_scores_frozen BEFORE UPDATE ON scores BEGIN SELECT RAISE(ABORT, 'scores: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_engine_comparisons_frozen BEFORE UPDATE ON engine_comparisons BEGIN SELECT RAISE(ABORT, 'engine_comparisons: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_trials_frozen BEFORE UPDATE ON trials BEGIN SELECT RAISE(ABORT, 'trials: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_fingerprints_frozen BEFORE UPDATE ON fingerprints BEGIN SELECT RAISE(ABORT, 'fingerprints: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_files_frozen BEFORE UPDATE ON files
WHEN OLD.pk IS NOT NEW.pk OR OLD.path IS NOT NEW.path OR OLD.created_at IS NOT NEW.created_at
OR OLD.sha256 IS NOT NULL AND OLD.sha256 IS NOT NEW.sha256
OR OLD.size_bytes IS NOT NULL AND OLD.size_bytes IS NOT NEW.size_bytes
 BEGIN SELECT RAISE(ABORT, 'files: stored rows cannot be changed'); END
-- next statement
DROP TRIGGER tr_policies_frozen
-- next statement
CREATE TRIGGER tr_policies_frozen BEFORE UPDATE ON policies BEGIN SELECT RAISE(ABORT, 'policies: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_runs_frozen BEFORE UPDATE ON runs
WHEN OLD.pk IS NOT NEW.pk OR OLD.run_id IS NOT NEW.run_id OR OLD.created_at IS NOT NEW.created_at OR OLD.project_version IS NOT NEW.project_version OR OLD.code_version IS NOT NEW.code_version OR OLD.door IS NOT NEW.door OR OLD.config_json IS NOT NEW.config_json OR OLD.requested_by IS NOT NEW.requested_by
 BEGIN SELECT RAISE(ABORT, 'runs: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_iterations_frozen BEFORE UPDATE ON iterations
WHEN OLD.pk IS NOT NEW.pk OR OLD.run_pk IS NOT NEW.run_pk OR OLD.iteration_id IS NOT NEW.iteration_id OR OLD.started_at IS NOT NEW.started_at
OR OLD.constraint_set_pk IS NOT NULL AND OLD.constraint_set_pk IS NOT NEW.constraint_set_pk
 BEGIN SELECT RAISE(ABORT, 'iterations: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_stage_events_frozen BEFORE UPDATE ON stage_events BEGIN SELECT RAISE(ABORT, 'stage_events: stored rows cannot be changed'); END
-- next statement
DROP TRIGGER tr_texts_frozen
-- next statement
CREATE TRIGGER tr_texts_frozen BEFORE UPDATE ON texts BEGIN SELECT RAISE(ABORT, 'texts: stored rows cannot be changed'); END
-- next statement
DROP TRIGGER tr_calc_contracts_frozen
-- next statement
CREATE TRIGGER tr_calc_contracts_frozen BEFORE UPDATE ON calc_contracts BEGIN SELECT RAISE(ABORT, 'calc_contracts: stored rows cannot be changed'); END
-- next statement
DROP TRIGGER tr_model_version_sets_frozen
-- next statement
CREATE TRIGGER tr_model_version_sets_frozen BEFORE UPDATE ON model_version_sets BEGIN SELECT RAISE(ABORT, 'model_version_sets: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_universes_frozen BEFORE UPDATE ON universes BEGIN SELECT RAISE(ABORT, 'universes: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_snapshots_frozen BEFORE UPDATE ON snapshots BEGIN SELECT RAISE(ABORT, 'snapshots: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_data_findings_frozen BEFORE UPDATE ON data_findings BEGIN SELECT RAISE(ABORT, 'data_findings: stored rows cannot be changed'); END
-- next statement
DROP TRIGGER tr_contexts_frozen
-- next statement
CREATE TRIGGER tr_contexts_frozen BEFORE UPDATE ON contexts BEGIN SELECT RAISE(ABORT, 'contexts: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_trial_contexts_frozen BEFORE UPDATE ON trial_contexts BEGIN SELECT RAISE(ABORT, 'trial_contexts: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_failure_rules_kept BEFORE DELETE ON failure_rules BEGIN SELECT RAISE(ABORT, 'failure_rules: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_failures_kept BEFORE DELETE ON failures BEGIN SELECT RAISE(ABORT, 'failures: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_tags_kept BEFORE DELETE ON tags BEGIN SELECT RAISE(ABORT, 'tags: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_failure_tags_kept BEFORE DELETE ON failure_tags BEGIN SELECT RAISE(ABORT, 'failure_tags: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_failure_events_kept BEFORE DELETE ON failure_events BEGIN SELECT RAISE(ABORT, 'failure_events: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_constraint_sets_kept BEFORE DELETE ON constraint_sets BEGIN SELECT RAISE(ABORT, 'constraint_sets: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_constraints_kept BEFORE DELETE ON constraints BEGIN SELECT RAISE(ABORT, 'constraints: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_constraint_provenance_kept BEFORE DELETE ON constraint_provenance BEGIN SELECT RAISE(ABORT, 'constraint_provenance: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_constraint_events_kept BEFORE DELETE ON constraint_events BEGIN SELECT RAISE(ABORT, 'constraint_events: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_trial_constraints_kept BEFORE DELETE ON trial_constraints BEGIN SELECT RAISE(ABORT, 'trial_constraints: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_templates_kept BEFORE DELETE ON templates BEGIN SELECT RAISE(ABORT, 'templates: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_atoms_kept BEFORE DELETE ON atoms BEGIN SELECT RAISE(ABORT, 'atoms: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_robustness_cases_kept BEFORE DELETE ON robustness_cases BEGIN SELECT RAISE(ABORT, 'robustness_cases: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_reports_kept BEFORE DELETE ON reports BEGIN SELECT RAISE(ABORT, 'reports: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_live_trades_kept BEFORE DELETE ON live_trades BEGIN SELECT RAISE(ABORT, 'live_trades: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_replays_kept BEFORE DELETE ON replays BEGIN SELECT RAISE(ABORT, 'replays: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_reproductions_kept BEFORE DELETE ON reproductions BEGIN SELECT RAISE(ABORT, 'reproductions: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_recalls_kept BEFORE DELETE ON recalls BEGIN SELECT RAISE(ABORT, 'recalls: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_strategy_atoms_kept BEFORE DELETE ON strategy_atoms BEGIN SELECT RAISE(ABORT, 'strategy_atoms: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_backtests_kept BEFORE DELETE ON backtests BEGIN SELECT RAISE(ABORT, 'backtests: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_metrics_kept BEFORE DELETE ON metrics BEGIN SELECT RAISE(ABORT, 'metrics: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_scores_kept BEFORE DELETE ON scores BEGIN SELECT RAISE(ABORT, 'scores: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_engine_comparisons_kept BEFORE DELETE ON engine_comparisons BEGIN SELECT RAISE(ABORT, 'engine_comparisons: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_trials_kept BEFORE DELETE ON trials BEGIN SELECT RAISE(ABORT, 'trials: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_fingerprints_kept BEFORE DELETE ON fingerprints BEGIN SELECT RAISE(ABORT, 'fingerprints: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_files_kept BEFORE DELETE ON files BEGIN SELECT RAISE(ABORT, 'files: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_runs_kept BEFORE DELETE ON runs BEGIN SELECT RAISE(ABORT, 'runs: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_iterations_kept BEFORE DELETE ON iterations BEGIN SELECT RAISE(ABORT, 'iterations: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_stage_events_kept BEFORE DELETE ON stage_events BEGIN SELECT RAISE(ABORT, 'stage_events: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_universes_kept BEFORE DELETE ON universes BEGIN SELECT RAISE(ABORT, 'universes: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_snapshots_kept BEFORE DELETE ON snapshots BEGIN SELECT RAISE(ABORT, 'snapshots: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_data_findings_kept BEFORE DELETE ON data_findings BEGIN SELECT RAISE(ABORT, 'data_findings: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_trial_contexts_kept BEFORE DELETE ON trial_contexts BEGIN SELECT RAISE(ABORT, 'trial_contexts: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_runs_no_replace BEFORE INSERT ON runs
WHEN EXISTS (SELECT 1 FROM runs WHERE run_id = NEW.run_id)
OR EXISTS (SELECT 1 FROM runs WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'runs: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_iterations_no_replace BEFORE INSERT ON iterations
WHEN EXISTS (SELECT 1 FROM iterations WHERE run_pk = NEW.run_pk AND iteration_id = NEW.iteration_id)
OR EXISTS (SELECT 1 FROM iterations WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'iterations: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_universes_no_replace BEFORE INSERT ON universes
WHEN EXISTS (SELECT 1 FROM universes WHERE universe_version = NEW.universe_version)
OR EXISTS (SELECT 1 FROM universes WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'universes: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_snapshots_no_replace BEFORE INSERT ON snapshots
WHEN EXISTS (SELECT 1 FROM snapshots WHERE data_version = NEW.data_version)
OR EXISTS (SELECT 1 FROM snapshots WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'snapshots: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_data_findings_no_replace BEFORE INSERT ON data_findings
WHEN EXISTS (SELECT 1 FROM data_findings WHERE finding_id = NEW.finding_id)
OR EXISTS (SELECT 1 FROM data_findings WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'data_findings: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_files_no_replace BEFORE INSERT ON files
WHEN EXISTS (SELECT 1 FROM files WHERE path = NEW.path)
OR EXISTS (SELECT 1 FROM files WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'files: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_tags_no_replace BEFORE INSERT ON tags
WHEN EXISTS (SELECT 1 FROM tags WHERE tag = NEW.tag)
OR EXISTS (SELECT 1 FROM tags WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'tags: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_failure_rules_no_replace BEFORE INSERT ON failure_rules
WHEN EXISTS (SELECT 1 FROM failure_rules WHERE rule_id = NEW.rule_id AND rule_version = NEW.rule_version AND policy_pk = NEW.policy_pk)
OR EXISTS (SELECT 1 FROM failure_rules WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'failure_rules: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_trial_contexts_no_replace BEFORE INSERT ON trial_contexts
WHEN EXISTS (SELECT 1 FROM trial_contexts WHERE universe_pk = NEW.universe_pk AND period_start = NEW.period_start AND period_end = NEW.period_end AND door = NEW.door AND requested_by = NEW.requested_by)
OR EXISTS (SELECT 1 FROM trial_contexts WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'trial_contexts: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_templates_no_replace BEFORE INSERT ON templates
WHEN EXISTS (SELECT 1 FROM templates WHERE template_id = NEW.template_id)
OR EXISTS (SELECT 1 FROM templates WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'templates: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_atoms_no_replace BEFORE INSERT ON atoms
WHEN EXISTS (SELECT 1 FROM atoms WHERE atom_id = NEW.atom_id)
OR EXISTS (SELECT 1 FROM atoms WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'atoms: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_robustness_cases_no_replace BEFORE INSERT ON robustness_cases
WHEN EXISTS (SELECT 1 FROM robustness_cases WHERE case_id = NEW.case_id)
OR EXISTS (SELECT 1 FROM robustness_cases WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'robustness_cases: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_reports_no_replace BEFORE INSERT ON reports
WHEN EXISTS (SELECT 1 FROM reports WHERE report_id = NEW.report_id)
OR EXISTS (SELECT 1 FROM reports WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'reports: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_engine_comparisons_no_replace BEFORE INSERT ON engine_comparisons
WHEN EXISTS (SELECT 1 FROM engine_comparisons WHERE backtest_a_pk = NEW.backtest_a_pk AND backtest_b_pk = NEW.backtest_b_pk)
OR EXISTS (SELECT 1 FROM engine_comparisons WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'engine_comparisons: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_live_trades_no_replace BEFORE INSERT ON live_trades
WHEN EXISTS (SELECT 1 FROM live_trades WHERE live_trade_id = NEW.live_trade_id)
OR EXISTS (SELECT 1 FROM live_trades WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'live_trades: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_replays_no_replace BEFORE INSERT ON replays
WHEN EXISTS (SELECT 1 FROM replays WHERE replay_id = NEW.replay_id)
OR EXISTS (SELECT 1 FROM replays WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'replays: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_reproductions_no_replace BEFORE INSERT ON reproductions
WHEN EXISTS (SELECT 1 FROM reproductions WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'reproductions: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_recalls_no_replace BEFORE INSERT ON recalls
WHEN EXISTS (SELECT 1 FROM recalls WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'recalls: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_stage_events_no_replace BEFORE INSERT ON stage_events
WHEN EXISTS (SELECT 1 FROM stage_events WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'stage_events: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_failure_events_no_replace BEFORE INSERT ON failure_events
WHEN EXISTS (SELECT 1 FROM failure_events WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'failure_events: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_constraint_events_no_replace BEFORE INSERT ON constraint_events
WHEN EXISTS (SELECT 1 FROM constraint_events WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'constraint_events: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_backtests_echo BEFORE UPDATE OF iteration_pk ON backtests
WHEN EXISTS (SELECT 1 FROM scores sc JOIN iterations i ON i.pk = NEW.iteration_pk
  WHERE sc.backtest_pk = NEW.pk AND sc.run_pk <> i.run_pk)
BEGIN SELECT RAISE(ABORT, 'backtests: a scored backtest stays with the run its scores name'); END
-- next statement
CREATE TRIGGER tr_promotion_records_earned BEFORE INSERT ON promotion_records BEGIN
SELECT RAISE(ABORT, 'promotion_records: tier_from is not the tier the strategy stands on') WHERE NEW.tier_from <> coalesce(
  (SELECT tier FROM strategy_tiers WHERE strategy_pk = NEW.strategy_pk), 'T0');
SELECT RAISE(ABORT, 'promotion_records: PROMOTE lowers no tier') WHERE NEW.decision = 'PROMOTE' AND NEW.tier_to < NEW.tier_from;
SELECT RAISE(ABORT, 'promotion_records: only PROMOTE raises a tier') WHERE NEW.decision <> 'PROMOTE' AND NEW.tier_to > NEW.tier_from;
SELECT RAISE(ABORT, 'promotion_records: T3, T4 and T5 need an approver') WHERE NEW.tier_to <> NEW.tier_from AND NEW.tier_to >= 'T3' AND coalesce(NEW.approver, '') = '';
END
