CREATE TRIGGER tr_failure_rules_frozen BEFORE UPDATE ON failure_rules FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('failure_rules: stored rows cannot be changed')
-- next statement
DROP TRIGGER tr_failures_frozen ON failures
-- next statement
CREATE TRIGGER tr_failures_frozen BEFORE UPDATE ON failures FOR EACH ROW WHEN (OLD.pk IS DISTINCT FROM NEW.pk OR OLD.failure_id IS DISTINCT FROM NEW.failure_id OR OLD.backtest_pk IS DISTINCT FROM NEW.backtest_pk OR OLD.rule_pk IS DISTINCT FROM NEW.rule_pk OR OLD.category IS DISTINCT FROM NEW.category OR OLD.tags_json IS DISTINCT FROM NEW.tags_json OR OLD.severity IS DISTINCT FROM NEW.severity OR OLD.confidence IS DISTINCT FROM NEW.confidence OR OLD.summary IS DISTINCT FROM NEW.summary OR OLD.evidence_file_pk IS DISTINCT FROM NEW.evidence_file_pk OR OLD.evidence_row IS DISTINCT FROM NEW.evidence_row OR OLD.evidence_json IS DISTINCT FROM NEW.evidence_json OR OLD.created_at IS DISTINCT FROM NEW.created_at)
 EXECUTE FUNCTION quantrail_refuse('failures: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_tags_frozen BEFORE UPDATE ON tags FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('tags: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_failure_tags_frozen BEFORE UPDATE ON failure_tags FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('failure_tags: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_failure_events_frozen BEFORE UPDATE ON failure_events FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('failure_events: stored rows cannot be changed')
-- next statement
DROP TRIGGER tr_constraint_sets_frozen ON constraint_sets
-- next statement
CREATE TRIGGER tr_constraint_sets_frozen BEFORE UPDATE ON constraint_sets FOR EACH ROW WHEN (OLD.pk IS DISTINCT FROM NEW.pk OR OLD.constraint_set_id IS DISTINCT FROM NEW.constraint_set_id OR OLD.iteration_pk IS DISTINCT FROM NEW.iteration_pk OR OLD.base_pk IS DISTINCT FROM NEW.base_pk OR OLD.constraints_json IS DISTINCT FROM NEW.constraints_json OR OLD.policy_pk IS DISTINCT FROM NEW.policy_pk OR OLD.created_at IS DISTINCT FROM NEW.created_at)
 EXECUTE FUNCTION quantrail_refuse('constraint_sets: stored rows cannot be changed')
-- next statement
DROP TRIGGER tr_constraints_frozen ON constraints
-- next statement
CREATE TRIGGER tr_constraints_frozen BEFORE UPDATE ON constraints FOR EACH ROW WHEN (OLD.pk IS DISTINCT FROM NEW.pk OR OLD.set_pk IS DISTINCT FROM NEW.set_pk OR OLD.constraint_id IS DISTINCT FROM NEW.constraint_id OR OLD.scope IS DISTINCT FROM NEW.scope OR OLD.type IS DISTINCT FROM NEW.type OR OLD.params_json IS DISTINCT FROM NEW.params_json OR OLD.applies_to_json IS DISTINCT FROM NEW.applies_to_json OR OLD.priority IS DISTINCT FROM NEW.priority OR OLD.severity IS DISTINCT FROM NEW.severity OR OLD.derived_from_type IS DISTINCT FROM NEW.derived_from_type OR OLD.statistics_json IS DISTINCT FROM NEW.statistics_json)
 EXECUTE FUNCTION quantrail_refuse('constraints: stored rows cannot be changed')
-- next statement
DROP TRIGGER tr_constraint_provenance_frozen ON constraint_provenance
-- next statement
CREATE TRIGGER tr_constraint_provenance_frozen BEFORE UPDATE ON constraint_provenance FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('constraint_provenance: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_constraint_events_frozen BEFORE UPDATE ON constraint_events FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('constraint_events: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_trial_constraints_frozen BEFORE UPDATE ON trial_constraints FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('trial_constraints: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_templates_frozen BEFORE UPDATE ON templates FOR EACH ROW WHEN (OLD.pk IS DISTINCT FROM NEW.pk OR OLD.template_id IS DISTINCT FROM NEW.template_id OR OLD.created_at IS DISTINCT FROM NEW.created_at)
 EXECUTE FUNCTION quantrail_refuse('templates: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_atoms_frozen BEFORE UPDATE ON atoms FOR EACH ROW WHEN (OLD.pk IS DISTINCT FROM NEW.pk OR OLD.atom_id IS DISTINCT FROM NEW.atom_id OR OLD.created_at IS DISTINCT FROM NEW.created_at)
 EXECUTE FUNCTION quantrail_refuse('atoms: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_robustness_cases_frozen BEFORE UPDATE ON robustness_cases FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('robustness_cases: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_reports_frozen BEFORE UPDATE ON reports FOR EACH ROW WHEN (OLD.pk IS DISTINCT FROM NEW.pk OR OLD.report_id IS DISTINCT FROM NEW.report_id OR OLD.run_pk IS DISTINCT FROM NEW.run_pk OR OLD.backtest_pk IS DISTINCT FROM NEW.backtest_pk OR OLD.tearsheet_html_path IS DISTINCT FROM NEW.tearsheet_html_path OR OLD.tearsheet_pdf_path IS DISTINCT FROM NEW.tearsheet_pdf_path OR OLD.summary_json_path IS DISTINCT FROM NEW.summary_json_path OR OLD.created_at IS DISTINCT FROM NEW.created_at
OR OLD.doc_store_id IS NOT NULL AND OLD.doc_store_id IS DISTINCT FROM NEW.doc_store_id)
 EXECUTE FUNCTION quantrail_refuse('reports: stored rows cannot be changed')
-- next statement
DROP TRIGGER tr_promotion_records_frozen ON promotion_records
-- next statement
CREATE TRIGGER tr_promotion_records_frozen BEFORE UPDATE ON promotion_records FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('promotion_records: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_live_trades_frozen BEFORE UPDATE ON live_trades FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('live_trades: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_replays_frozen BEFORE UPDATE ON replays FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('replays: stored rows cannot be changed')
-- next statement
DROP TRIGGER tr_holdout_reads_frozen ON holdout_reads
-- next statement
CREATE TRIGGER tr_holdout_reads_frozen BEFORE UPDATE ON holdout_reads FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('holdout_reads: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_reproductions_frozen BEFORE UPDATE ON reproductions FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('reproductions: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_recalls_frozen BEFORE UPDATE ON recalls FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('recalls: stored rows cannot be changed')
-- next statement
DROP TRIGGER tr_strategies_frozen ON strategies
-- next statement
CREATE TRIGGER tr_strategies_frozen BEFORE UPDATE ON strategies FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('strategies: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_strategy_atoms_frozen BEFORE UPDATE ON strategy_atoms FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('strategy_atoms: stored rows cannot be changed')
-- next statement
DROP TRIGGER tr_backtests_frozen ON backtests
-- next statement
CREATE TRIGGER tr_backtests_frozen BEFORE UPDATE ON backtests FOR EACH ROW WHEN (OLD.status = 'DONE' OR NEW.status <> 'DONE'
OR OLD.pk IS DISTINCT FROM NEW.pk OR OLD.backtest_id IS DISTINCT FROM NEW.backtest_id OR OLD.strategy_pk IS DISTINCT FROM NEW.strategy_pk OR OLD.context_pk IS DISTINCT FROM NEW.context_pk OR OLD.calc_contract_pk IS DISTINCT FROM NEW.calc_contract_pk OR OLD.seed IS DISTINCT FROM NEW.seed)
 EXECUTE FUNCTION quantrail_refuse('backtests: a stored backtest cannot be changed, except from FAILED to DONE')
-- next statement
DROP TRIGGER tr_metrics_frozen ON metrics
-- next statement
CREATE TRIGGER tr_metrics_frozen BEFORE UPDATE ON metrics FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('metrics: stored rows cannot be changed')
-- next statement
DROP TRIGGER tr_scores_frozen ON scores
-- next statement
CREATE TRIGGER tr_scores_frozen BEFORE UPDATE ON scores FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('scores: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_engine_comparisons_frozen BEFORE UPDATE ON engine_comparisons FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('engine_comparisons: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_trials_frozen BEFORE UPDATE ON trials FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('trials: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_fingerprints_frozen BEFORE UPDATE ON fingerprints FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('fingerprints: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_files_frozen BEFORE UPDATE ON files FOR EACH ROW WHEN (OLD.pk IS DISTINCT FROM NEW.pk OR OLD.path IS DISTINCT FROM NEW.path OR OLD.created_at IS DISTINCT FROM NEW.created_at
OR OLD.sha256 IS NOT NULL AND OLD.sha256 IS DISTINCT FROM NEW.sha256
OR OLD.size_bytes IS NOT NULL AND OLD.size_bytes IS DISTINCT FROM NEW.size_bytes)
 EXECUTE FUNCTION quantrail_refuse('files: stored rows cannot be changed')
-- next statement
DROP TRIGGER tr_policies_frozen ON policies
-- next statement
CREATE TRIGGER tr_policies_frozen BEFORE UPDATE ON policies FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('policies: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_runs_frozen BEFORE UPDATE ON runs FOR EACH ROW WHEN (OLD.pk IS DISTINCT FROM NEW.pk OR OLD.run_id IS DISTINCT FROM NEW.run_id OR OLD.created_at IS DISTINCT FROM NEW.created_at OR OLD.project_version IS DISTINCT FROM NEW.project_version OR OLD.code_version IS DISTINCT FROM NEW.code_version OR OLD.door IS DISTINCT FROM NEW.door OR OLD.config_json IS DISTINCT FROM NEW.config_json OR OLD.requested_by IS DISTINCT FROM NEW.requested_by)
 EXECUTE FUNCTION quantrail_refuse('runs: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_iterations_frozen BEFORE UPDATE ON iterations FOR EACH ROW WHEN (OLD.pk IS DISTINCT FROM NEW.pk OR OLD.run_pk IS DISTINCT FROM NEW.run_pk OR OLD.iteration_id IS DISTINCT FROM NEW.iteration_id OR OLD.started_at IS DISTINCT FROM NEW.started_at
OR OLD.constraint_set_pk IS NOT NULL AND OLD.constraint_set_pk IS DISTINCT FROM NEW.constraint_set_pk)
 EXECUTE FUNCTION quantrail_refuse('iterations: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_stage_events_frozen BEFORE UPDATE ON stage_events FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('stage_events: stored rows cannot be changed')
-- next statement
DROP TRIGGER tr_texts_frozen ON texts
-- next statement
CREATE TRIGGER tr_texts_frozen BEFORE UPDATE ON texts FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('texts: stored rows cannot be changed')
-- next statement
DROP TRIGGER tr_calc_contracts_frozen ON calc_contracts
-- next statement
CREATE TRIGGER tr_calc_contracts_frozen BEFORE UPDATE ON calc_contracts FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('calc_contracts: stored rows cannot be changed')
-- next statement
DROP TRIGGER tr_model_version_sets_frozen ON model_version_sets
-- next statement
CREATE TRIGGER tr_model_version_sets_frozen BEFORE UPDATE ON model_version_sets FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('model_version_sets: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_universes_frozen BEFORE UPDATE ON universes FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('universes: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_snapshots_frozen BEFORE UPDATE ON snapshots FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('snapshots: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_data_findings_frozen BEFORE UPDATE ON data_findings FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('data_findings: stored rows cannot be changed')
-- next statement
DROP TRIGGER tr_contexts_frozen ON contexts
-- next statement
CREATE TRIGGER tr_contexts_frozen BEFORE UPDATE ON contexts FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('contexts: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_trial_contexts_frozen BEFORE UPDATE ON trial_contexts FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('trial_contexts: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_failure_rules_kept BEFORE DELETE ON failure_rules FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('failure_rules: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_failures_kept BEFORE DELETE ON failures FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('failures: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_tags_kept BEFORE DELETE ON tags FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('tags: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_failure_tags_kept BEFORE DELETE ON failure_tags FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('failure_tags: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_failure_events_kept BEFORE DELETE ON failure_events FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('failure_events: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_constraint_sets_kept BEFORE DELETE ON constraint_sets FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('constraint_sets: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_constraints_kept BEFORE DELETE ON constraints FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('constraints: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_constraint_provenance_kept BEFORE DELETE ON constraint_provenance FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('constraint_provenance: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_constraint_events_kept BEFORE DELETE ON constraint_events FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('constraint_events: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_trial_constraints_kept BEFORE DELETE ON trial_constraints FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('trial_constraints: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_templates_kept BEFORE DELETE ON templates FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('templates: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_atoms_kept BEFORE DELETE ON atoms FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('atoms: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_robustness_cases_kept BEFORE DELETE ON robustness_cases FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('robustness_cases: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_reports_kept BEFORE DELETE ON reports FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('reports: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_live_trades_kept BEFORE DELETE ON live_trades FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('live_trades: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_replays_kept BEFORE DELETE ON replays FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('replays: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_reproductions_kept BEFORE DELETE ON reproductions FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('reproductions: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_recalls_kept BEFORE DELETE ON recalls FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('recalls: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_strategy_atoms_kept BEFORE DELETE ON strategy_atoms FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('strategy_atoms: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_backtests_kept BEFORE DELETE ON backtests FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('backtests: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_metrics_kept BEFORE DELETE ON metrics FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('metrics: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_scores_kept BEFORE DELETE ON scores FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('scores: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_engine_comparisons_kept BEFORE DELETE ON engine_comparisons FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('engine_comparisons: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_trials_kept BEFORE DELETE ON trials FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('trials: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_fingerprints_kept BEFORE DELETE ON fingerprints FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('fingerprints: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_files_kept BEFORE DELETE ON files FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('files: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_runs_kept BEFORE DELETE ON runs FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('runs: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_iterations_kept BEFORE DELETE ON iterations FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('iterations: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_stage_events_kept BEFORE DELETE ON stage_events FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('stage_events: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_universes_kept BEFORE DELETE ON universes FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('universes: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_snapshots_kept BEFORE DELETE ON snapshots FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('snapshots: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_data_findings_kept BEFORE DELETE ON data_findings FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('data_findings: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_trial_contexts_kept BEFORE DELETE ON trial_contexts FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('trial_contexts: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_failure_rules_whole BEFORE TRUNCATE ON failure_rules FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('failure_rules: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_failures_whole BEFORE TRUNCATE ON failures FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('failures: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_tags_whole BEFORE TRUNCATE ON tags FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('tags: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_failure_tags_whole BEFORE TRUNCATE ON failure_tags FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('failure_tags: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_failure_events_whole BEFORE TRUNCATE ON failure_events FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('failure_events: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_constraint_sets_whole BEFORE TRUNCATE ON constraint_sets FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('constraint_sets: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_constraints_whole BEFORE TRUNCATE ON constraints FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('constraints: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_constraint_provenance_whole BEFORE TRUNCATE ON constraint_provenance FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('constraint_provenance: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_constraint_events_whole BEFORE TRUNCATE ON constraint_events FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('constraint_events: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_trial_constraints_whole BEFORE TRUNCATE ON trial_constraints FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('trial_constraints: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_templates_whole BEFORE TRUNCATE ON templates FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('templates: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_atoms_whole BEFORE TRUNCATE ON atoms FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('atoms: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_robustness_cases_whole BEFORE TRUNCATE ON robustness_cases FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('robustness_cases: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_reports_whole BEFORE TRUNCATE ON reports FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('reports: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_promotion_records_whole BEFORE TRUNCATE ON promotion_records FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('promotion_records: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_live_trades_whole BEFORE TRUNCATE ON live_trades FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('live_trades: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_replays_whole BEFORE TRUNCATE ON replays FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('replays: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_holdout_reads_whole BEFORE TRUNCATE ON holdout_reads FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('holdout_reads: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_reproductions_whole BEFORE TRUNCATE ON reproductions FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('reproductions: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_recalls_whole BEFORE TRUNCATE ON recalls FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('recalls: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_strategies_whole BEFORE TRUNCATE ON strategies FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('strategies: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_strategy_atoms_whole BEFORE TRUNCATE ON strategy_atoms FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('strategy_atoms: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_backtests_whole BEFORE TRUNCATE ON backtests FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('backtests: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_metrics_whole BEFORE TRUNCATE ON metrics FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('metrics: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_scores_whole BEFORE TRUNCATE ON scores FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('scores: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_engine_comparisons_whole BEFORE TRUNCATE ON engine_comparisons FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('engine_comparisons: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_trials_whole BEFORE TRUNCATE ON trials FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('trials: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_fingerprints_whole BEFORE TRUNCATE ON fingerprints FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('fingerprints: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_files_whole BEFORE TRUNCATE ON files FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('files: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_policies_whole BEFORE TRUNCATE ON policies FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('policies: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_runs_whole BEFORE TRUNCATE ON runs FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('runs: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_iterations_whole BEFORE TRUNCATE ON iterations FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('iterations: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_stage_events_whole BEFORE TRUNCATE ON stage_events FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('stage_events: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_texts_whole BEFORE TRUNCATE ON texts FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('texts: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_calc_contracts_whole BEFORE TRUNCATE ON calc_contracts FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('calc_contracts: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_model_version_sets_whole BEFORE TRUNCATE ON model_version_sets FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('model_version_sets: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_universes_whole BEFORE TRUNCATE ON universes FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('universes: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_snapshots_whole BEFORE TRUNCATE ON snapshots FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('snapshots: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_data_findings_whole BEFORE TRUNCATE ON data_findings FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('data_findings: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_contexts_whole BEFORE TRUNCATE ON contexts FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('contexts: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_trial_contexts_whole BEFORE TRUNCATE ON trial_contexts FOR EACH STATEMENT EXECUTE FUNCTION quantrail_refuse('trial_contexts: stored rows cannot be deleted')
-- next statement
CREATE FUNCTION quantrail_backtests_echo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
IF EXISTS (SELECT 1 FROM scores sc JOIN iterations i ON i.pk = NEW.iteration_pk
  WHERE sc.backtest_pk = NEW.pk AND sc.run_pk <> i.run_pk)
THEN RAISE EXCEPTION 'backtests: a scored backtest stays with the run its scores name' USING ERRCODE = 'integrity_constraint_violation'; END IF;
RETURN NEW;
END $$
-- next statement
CREATE TRIGGER tr_backtests_echo BEFORE UPDATE OF iteration_pk ON backtests FOR EACH ROW
EXECUTE FUNCTION quantrail_backtests_echo()
-- next statement
CREATE FUNCTION quantrail_earned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
IF NEW.tier_from <> coalesce(
  (SELECT tier FROM strategy_tiers WHERE strategy_pk = NEW.strategy_pk), 'T0') THEN
  RAISE EXCEPTION 'promotion_records: tier_from is not the tier the strategy stands on' USING ERRCODE = 'integrity_constraint_violation'; END IF;
IF NEW.decision = 'PROMOTE' AND NEW.tier_to < NEW.tier_from THEN
  RAISE EXCEPTION 'promotion_records: PROMOTE lowers no tier' USING ERRCODE = 'integrity_constraint_violation'; END IF;
IF NEW.decision <> 'PROMOTE' AND NEW.tier_to > NEW.tier_from THEN
  RAISE EXCEPTION 'promotion_records: only PROMOTE raises a tier' USING ERRCODE = 'integrity_constraint_violation'; END IF;
IF NEW.tier_to <> NEW.tier_from AND NEW.tier_to >= 'T3' AND coalesce(NEW.approver, '') = '' THEN
  RAISE EXCEPTION 'promotion_records: T3, T4 and T5 need an approver' USING ERRCODE = 'integrity_constraint_violation'; END IF;
RETURN NEW;
END $$
-- next statement
CREATE TRIGGER tr_promotion_records_earned BEFORE INSERT ON promotion_records FOR EACH ROW
EXECUTE FUNCTION quantrail_earned()
