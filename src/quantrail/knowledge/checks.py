"""Does the store still hold together? Keys, rules, hashes, counts, and the files it points to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from quantrail.errors import BackendCorrupt
from quantrail.knowledge.artifacts import ArtifactFolder
from quantrail.knowledge.backend import Backend, damage_in_short
from quantrail.knowledge.check_derived import drifted
from quantrail.knowledge.check_files import Finding, check_files
from quantrail.knowledge.check_rules import broken_rules
from quantrail.knowledge.migrations import HEAD
from quantrail.knowledge.schema import SPEC_TEXTS, WHOLE_SPEC, metadata
from quantrail.knowledge.session import Session
from quantrail.knowledge.upgrade import require_head

_CHUNK = 5_000


def check_store(backend: Backend, artifacts: ArtifactFolder | None = None) -> list[Finding]:
    """Everything wrong, in a steady order; an empty list when all is well.

    Reads every row and, when ``artifacts`` is given, every artifact file. A damaged database is a finding;
    nothing else is looked at then, since what it says cannot be believed. Raises SchemaOutdated for a
    database that is not at this program's schema.
    """
    try:
        require_head(backend)
        with backend.reading() as session:
            return list(_damage(session)) or _all_but_damage(backend, session, artifacts)
    except BackendCorrupt as error:
        return [_damaged(error.message)]


def _all_but_damage(backend: Backend, session: Session, artifacts: ArtifactFolder | None) -> list[Finding]:
    return [
        *_rules(backend),
        *_broken_keys(session),
        *_wrong_echoes(session),
        *_changed_specs(session),
        *_drifted_counts(session),
        *_drifted_tables(session),
        *(() if artifacts is None else check_files(session, artifacts)),
    ]


def _damage(session: Session) -> Iterator[Finding]:
    if session.dialect != "sqlite":
        return
    for (text,) in session.rows("PRAGMA integrity_check(20)"):
        if text != "ok":
            yield _damaged(damage_in_short(text))


def _damaged(detail: str) -> Finding:
    return Finding(
        "damage", "database file", detail,
        "put the newest backup in its place; without one, sqlite3's .recover saves what can be read",
    )  # fmt: skip


def _rules(backend: Backend) -> Iterator[Finding]:
    """Tables, keys, checks, indexes, triggers, functions and views that somebody dropped or changed."""
    for what, name, detail in broken_rules(backend):
        yield Finding(
            f"{what} rule", name, f"{detail} (schema {HEAD})",
            "copy the store into a fresh database: quantrail db copy --to URL",
        )  # fmt: skip


def _broken_keys(session: Session) -> Iterator[Finding]:
    for table in metadata.sorted_tables:
        for key in sorted(table.foreign_key_constraints, key=lambda key: str(key.name)):
            target = key.referred_table.name
            pairs = [(one.parent.name, one.column.name) for one in key.elements]
            joined = " AND ".join(f"p.{theirs} = c.{ours}" for ours, theirs in pairs)
            there = " AND ".join(f"c.{ours} IS NOT NULL" for ours, _ in pairs)
            (count,) = session.rows(
                f"SELECT count(*) FROM {table.name} c WHERE {there} "
                f"AND NOT EXISTS (SELECT 1 FROM {target} p WHERE {joined})"
            )[0]
            if count:
                yield Finding(
                    "broken key", f"{table.name}.{key.name}", f"{count} rows lead to no row of {target}",
                    "restore the newest backup; rows were deleted with foreign keys switched off",
                )  # fmt: skip


def _wrong_echoes(session: Session) -> Iterator[Finding]:
    """Scores filed elsewhere than their backtest; that metrics echo its contract is a key."""
    (count,) = session.rows(
        "SELECT count(*) FROM scores sc JOIN backtests b ON b.pk = sc.backtest_pk "
        "JOIN contexts c ON c.pk = b.context_pk JOIN iterations i ON i.pk = b.iteration_pk "
        "JOIN strategies s ON s.pk = b.strategy_pk WHERE c.engine_mode <> sc.engine_mode "
        "OR b.strategy_pk <> sc.strategy_pk OR i.run_pk <> sc.run_pk "
        "OR coalesce(s.template_pk, -1) <> coalesce(sc.template_pk, -1)"
    )[0]
    if count:
        yield Finding(
            "wrong echo", "scores",
            f"{count} rows name another engine, strategy, run or template than their backtest",
            "restore the newest backup; rows were changed with the triggers dropped",
        )  # fmt: skip


def _changed_specs(session: Session) -> Iterator[Finding]:
    after = 0
    while True:
        rows = session.rows(
            f"SELECT s.pk, s.strategy_id, {WHOLE_SPEC} FROM strategies s {SPEC_TEXTS} "
            "WHERE s.pk > ? ORDER BY s.pk LIMIT ?",
            [after, _CHUNK],
        )
        for _, raw, spec in rows:
            if hashlib.sha256(spec.encode()).digest() != raw:
                yield Finding(
                    "changed spec", raw.hex(), "the stored spec does not hash to its id",
                    "restore the newest backup; a spec is never changed",
                )  # fmt: skip
        if len(rows) < _CHUNK:
            return
        after = rows[-1][0]


def _drifted_counts(session: Session) -> Iterator[Finding]:
    rows = session.rows(
        "SELECT t.tag, coalesce(c.failures, 0), coalesce(g.n, 0) FROM tags t "
        "LEFT JOIN tag_counts c ON c.tag_pk = t.pk "
        "LEFT JOIN (SELECT tag_pk, count(*) AS n FROM failure_tags GROUP BY tag_pk) g ON g.tag_pk = t.pk "
        "WHERE coalesce(c.failures, 0) <> coalesce(g.n, 0) ORDER BY t.tag"
    )
    for tag, kept, counted in rows:
        yield Finding(
            "drifted count", tag, f"kept as {kept}, counted as {counted}",
            "copy the store into a fresh database, which counts anew: quantrail db copy --to URL",
        )  # fmt: skip


def _drifted_tables(session: Session) -> Iterator[Finding]:
    for table, detail in drifted(session):
        yield Finding(
            "drifted table", table, detail,
            "copy the store into a fresh database, which works it out anew: quantrail db copy --to URL",
        )  # fmt: skip
