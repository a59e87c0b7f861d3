CREATE VIEW v_policies AS SELECT p.policy_version, p.kind, p.body_json, strftime('%Y-%m-%dT%H:%M:%S', p.created_at / 1000000, 'unixepoch')||printf('.%06dZ', p.created_at % 1000000) AS created_at FROM policies p
-- next statement
CREATE VIEW v_universes AS SELECT nullif(lower(hex(u.universe_version)), '') AS universe_version, u.name, u.market, u.synthetic,
u.symbols_json, strftime('%Y-%m-%dT%H:%M:%S', u.created_at / 1000000, 'unixepoch')||printf('.%06dZ', u.created_at % 1000000) AS created_at FROM universes u
-- next statement
CREATE VIEW v_snapshots AS SELECT nullif(lower(hex(sn.data_version)), '') AS data_version, sn.source, sn.symbols, sn.rows,
sn.period_start, sn.period_end, sn.manifest_path, strftime('%Y-%m-%dT%H:%M:%S', sn.created_at / 1000000, 'unixepoch')||printf('.%06dZ', sn.created_at % 1000000) AS created_at FROM snapshots sn
-- next statement
CREATE VIEW v_data_findings AS SELECT nullif(lower(hex(sn.data_version)), '') AS data_version, df.symbol, df.date, df.kind,
df.severity, df.detail, df.quarantined, strftime('%Y-%m-%dT%H:%M:%S', df.created_at / 1000000, 'unixepoch')||printf('.%06dZ', df.created_at % 1000000) AS created_at
FROM data_findings df JOIN snapshots sn ON sn.pk = df.snapshot_pk
-- next statement
CREATE VIEW v_stage_events AS SELECT substr(nullif(lower(hex(r.run_id)), ''),1,8)||'-'||substr(lower(hex(r.run_id)),9,4)||'-'||substr(lower(hex(r.run_id)),13,4)||'-'||substr(lower(hex(r.run_id)),17,4)||'-'||substr(lower(hex(r.run_id)),21) AS run_id, e.iteration_id, e.stage, e.event, e.status,
e.attempt, e.error_code, e.reason, e.payload_json, strftime('%Y-%m-%dT%H:%M:%S', e.created_at / 1000000, 'unixepoch')||printf('.%06dZ', e.created_at % 1000000) AS created_at
FROM stage_events e JOIN runs r ON r.pk = e.run_pk
-- next statement
CREATE VIEW v_failure_events AS SELECT nullif(lower(hex(fl.failure_id)), '') AS failure_id, e.state, e.reason, e.requested_by,
strftime('%Y-%m-%dT%H:%M:%S', e.created_at / 1000000, 'unixepoch')||printf('.%06dZ', e.created_at % 1000000) AS created_at FROM failure_events e JOIN failures fl ON fl.pk = e.failure_pk
-- next statement
CREATE VIEW v_constraint_events AS SELECT nullif(lower(hex(e.constraint_id)), '') AS constraint_id, e.status, e.reason,
e.requested_by, strftime('%Y-%m-%dT%H:%M:%S', e.created_at / 1000000, 'unixepoch')||printf('.%06dZ', e.created_at % 1000000) AS created_at FROM constraint_events e
-- next statement
CREATE VIEW v_fingerprints AS SELECT nullif(lower(hex(s.strategy_id)), '') AS strategy_id, fp.algorithm,
nullif(lower(hex(fp.data_version)), '') AS data_version, nullif(lower(hex(fp.value)), '') AS value, strftime('%Y-%m-%dT%H:%M:%S', fp.created_at / 1000000, 'unixepoch')||printf('.%06dZ', fp.created_at % 1000000) AS created_at
FROM fingerprints fp JOIN strategies s ON s.pk = fp.strategy_pk
-- next statement
CREATE VIEW v_holdout_reads AS SELECT nullif(lower(hex(s.strategy_id)), '') AS strategy_id, hr.purpose, hr.period_start,
hr.period_end, hr.requested_by, strftime('%Y-%m-%dT%H:%M:%S', hr.created_at / 1000000, 'unixepoch')||printf('.%06dZ', hr.created_at % 1000000) AS created_at
FROM holdout_reads hr JOIN strategies s ON s.pk = hr.strategy_pk
-- next statement
CREATE VIEW v_reproductions AS SELECT substr(nullif(lower(hex(b.backtest_id)), ''),1,8)||'-'||substr(lower(hex(b.backtest_id)),9,4)||'-'||substr(lower(hex(b.backtest_id)),13,4)||'-'||substr(lower(hex(b.backtest_id)),17,4)||'-'||substr(lower(hex(b.backtest_id)),21) AS backtest_id, rp.equal, rp.cause,
nullif(lower(hex(rp.result_hash_stored)), '') AS result_hash_stored, nullif(lower(hex(rp.result_hash_found)), '') AS result_hash_found,
rp.code_version, rp.detail, strftime('%Y-%m-%dT%H:%M:%S', rp.created_at / 1000000, 'unixepoch')||printf('.%06dZ', rp.created_at % 1000000) AS created_at
FROM reproductions rp JOIN backtests b ON b.pk = rp.backtest_pk
-- next statement
CREATE VIEW v_recalls AS SELECT rc.kind, rc.target, rc.reason, rc.outcome_json, strftime('%Y-%m-%dT%H:%M:%S', rc.created_at / 1000000, 'unixepoch')||printf('.%06dZ', rc.created_at % 1000000) AS created_at
FROM recalls rc
-- next statement
CREATE VIEW v_live_trades AS SELECT lt.live_trade_id, nullif(lower(hex(s.strategy_id)), '') AS strategy_id,
substr(nullif(lower(hex(b.backtest_id)), ''),1,8)||'-'||substr(lower(hex(b.backtest_id)),9,4)||'-'||substr(lower(hex(b.backtest_id)),13,4)||'-'||substr(lower(hex(b.backtest_id)),17,4)||'-'||substr(lower(hex(b.backtest_id)),21) AS backtest_id, lt.account, lt.symbol, lt.quantity, lt.price, lt.costs_total,
strftime('%Y-%m-%dT%H:%M:%S', lt.executed_at / 1000000, 'unixepoch')||printf('.%06dZ', lt.executed_at % 1000000) AS executed_at, strftime('%Y-%m-%dT%H:%M:%S', lt.created_at / 1000000, 'unixepoch')||printf('.%06dZ', lt.created_at % 1000000) AS created_at
FROM live_trades lt JOIN strategies s ON s.pk = lt.strategy_pk LEFT JOIN backtests b ON b.pk =
lt.backtest_pk
-- next statement
CREATE VIEW v_replays AS SELECT x.replay_id, nullif(lower(hex(s.strategy_id)), '') AS strategy_id,
substr(nullif(lower(hex(b.backtest_id)), ''),1,8)||'-'||substr(lower(hex(b.backtest_id)),9,4)||'-'||substr(lower(hex(b.backtest_id)),13,4)||'-'||substr(lower(hex(b.backtest_id)),17,4)||'-'||substr(lower(hex(b.backtest_id)),21) AS backtest_id, x.period_start, x.period_end, x.agree, x.difference_json,
strftime('%Y-%m-%dT%H:%M:%S', x.created_at / 1000000, 'unixepoch')||printf('.%06dZ', x.created_at % 1000000) AS created_at FROM replays x JOIN strategies s ON s.pk = x.strategy_pk
JOIN backtests b ON b.pk = x.backtest_pk
