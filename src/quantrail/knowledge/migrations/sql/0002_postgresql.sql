CREATE VIEW v_policies AS SELECT p.policy_version, p.kind, p.body_json, to_char(to_timestamp(p.created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')||'.'||lpad((p.created_at % 1000000)::text, 6, '0')||'Z' AS created_at FROM policies p
-- next statement
CREATE VIEW v_universes AS SELECT encode(u.universe_version, 'hex') AS universe_version, u.name, u.market, u.synthetic,
u.symbols_json, to_char(to_timestamp(u.created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')||'.'||lpad((u.created_at % 1000000)::text, 6, '0')||'Z' AS created_at FROM universes u
-- next statement
CREATE VIEW v_snapshots AS SELECT encode(sn.data_version, 'hex') AS data_version, sn.source, sn.symbols, sn.rows,
sn.period_start, sn.period_end, sn.manifest_path, to_char(to_timestamp(sn.created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')||'.'||lpad((sn.created_at % 1000000)::text, 6, '0')||'Z' AS created_at FROM snapshots sn
-- next statement
CREATE VIEW v_data_findings AS SELECT encode(sn.data_version, 'hex') AS data_version, df.symbol, df.date, df.kind,
df.severity, df.detail, df.quarantined, to_char(to_timestamp(df.created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')||'.'||lpad((df.created_at % 1000000)::text, 6, '0')||'Z' AS created_at
FROM data_findings df JOIN snapshots sn ON sn.pk = df.snapshot_pk
-- next statement
CREATE VIEW v_stage_events AS SELECT encode(r.run_id, 'hex')::uuid::text AS run_id, e.iteration_id, e.stage, e.event, e.status,
e.attempt, e.error_code, e.reason, e.payload_json, to_char(to_timestamp(e.created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')||'.'||lpad((e.created_at % 1000000)::text, 6, '0')||'Z' AS created_at
FROM stage_events e JOIN runs r ON r.pk = e.run_pk
-- next statement
CREATE VIEW v_failure_events AS SELECT encode(fl.failure_id, 'hex') AS failure_id, e.state, e.reason, e.requested_by,
to_char(to_timestamp(e.created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')||'.'||lpad((e.created_at % 1000000)::text, 6, '0')||'Z' AS created_at FROM failure_events e JOIN failures fl ON fl.pk = e.failure_pk
-- next statement
CREATE VIEW v_constraint_events AS SELECT encode(e.constraint_id, 'hex') AS constraint_id, e.status, e.reason,
e.requested_by, to_char(to_timestamp(e.created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')||'.'||lpad((e.created_at % 1000000)::text, 6, '0')||'Z' AS created_at FROM constraint_events e
-- next statement
CREATE VIEW v_fingerprints AS SELECT encode(s.strategy_id, 'hex') AS strategy_id, fp.algorithm,
encode(fp.data_version, 'hex') AS data_version, encode(fp.value, 'hex') AS value, to_char(to_timestamp(fp.created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')||'.'||lpad((fp.created_at % 1000000)::text, 6, '0')||'Z' AS created_at
FROM fingerprints fp JOIN strategies s ON s.pk = fp.strategy_pk
-- next statement
CREATE VIEW v_holdout_reads AS SELECT encode(s.strategy_id, 'hex') AS strategy_id, hr.purpose, hr.period_start,
hr.period_end, hr.requested_by, to_char(to_timestamp(hr.created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')||'.'||lpad((hr.created_at % 1000000)::text, 6, '0')||'Z' AS created_at
FROM holdout_reads hr JOIN strategies s ON s.pk = hr.strategy_pk
-- next statement
CREATE VIEW v_reproductions AS SELECT encode(b.backtest_id, 'hex')::uuid::text AS backtest_id, rp.equal, rp.cause,
encode(rp.result_hash_stored, 'hex') AS result_hash_stored, encode(rp.result_hash_found, 'hex') AS result_hash_found,
rp.code_version, rp.detail, to_char(to_timestamp(rp.created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')||'.'||lpad((rp.created_at % 1000000)::text, 6, '0')||'Z' AS created_at
FROM reproductions rp JOIN backtests b ON b.pk = rp.backtest_pk
-- next statement
CREATE VIEW v_recalls AS SELECT rc.kind, rc.target, rc.reason, rc.outcome_json, to_char(to_timestamp(rc.created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')||'.'||lpad((rc.created_at % 1000000)::text, 6, '0')||'Z' AS created_at
FROM recalls rc
-- next statement
CREATE VIEW v_live_trades AS SELECT lt.live_trade_id, encode(s.strategy_id, 'hex') AS strategy_id,
encode(b.backtest_id, 'hex')::uuid::text AS backtest_id, lt.account, lt.symbol, lt.quantity, lt.price, lt.costs_total,
to_char(to_timestamp(lt.executed_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')||'.'||lpad((lt.executed_at % 1000000)::text, 6, '0')||'Z' AS executed_at, to_char(to_timestamp(lt.created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')||'.'||lpad((lt.created_at % 1000000)::text, 6, '0')||'Z' AS created_at
FROM live_trades lt JOIN strategies s ON s.pk = lt.strategy_pk LEFT JOIN backtests b ON b.pk =
lt.backtest_pk
-- next statement
CREATE VIEW v_replays AS SELECT x.replay_id, encode(s.strategy_id, 'hex') AS strategy_id,
encode(b.backtest_id, 'hex')::uuid::text AS backtest_id, x.period_start, x.period_end, x.agree, x.difference_json,
to_char(to_timestamp(x.created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')||'.'||lpad((x.created_at % 1000000)::text, 6, '0')||'Z' AS created_at FROM replays x JOIN strategies s ON s.pk = x.strategy_pk
JOIN backtests b ON b.pk = x.backtest_pk
