"""Are the artifact files there that rows point to, as they were, and no others? And what mends each."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from quantrail.domain.artifacts import REMADE
from quantrail.errors import BackendError, NotFound
from quantrail.knowledge import values as v
from quantrail.knowledge.artifacts import ArtifactFolder
from quantrail.knowledge.session import Session

_NO_COMMAND = (
    "copy it back from a backup of the artifacts folder; no command makes it again, and the numbers in the "
    "database do not rest on it"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and how to mend it."""

    kind: str
    subject: str
    detail: str
    mend: str


def check_files(session: Session, artifacts: ArtifactFolder) -> Iterator[Finding]:
    known = session.rows("SELECT path, sha256 FROM files ORDER BY path")
    for path, expected in known:
        yield from _file(session, artifacts, path, expected)
    yield from _orphans(artifacts, {posixpath.normpath(path) for path, _ in known})


def _orphans(artifacts: ArtifactFolder, registered: set[str]) -> Iterator[Finding]:
    listed = {posixpath.dirname(path) for path in registered}
    # A folder of which no single file is registered was handed over as a whole.
    whole = {path for path in registered - listed if (artifacts.root / path).is_dir()}
    for file in sorted(artifacts.root.rglob("*")) if artifacts.root.exists() else ():
        path = file.relative_to(artifacts.root).as_posix()
        inside = any(path.startswith(f"{folder}/") for folder in whole)
        if file.is_file() and path not in registered and not inside:
            yield Finding(
                "orphaned file", path, "no row points to it; a run that was stopped may have left it",
                "resume that run, or delete the file",
            )  # fmt: skip


def _file(
    session: Session, artifacts: ArtifactFolder, path: str, expected: bytes | None
) -> Iterator[Finding]:
    plain = posixpath.normpath(path)
    if expected is None and (artifacts.root / plain).exists():
        return
    try:
        found = artifacts.describe(plain)
    except NotFound:
        yield Finding("missing file", path, "a row points to it", _mend(session, path))
        return
    except BackendError as error:
        yield Finding("changed file", path, error.message, f"move it away, then: {_mend(session, path)}")
        return
    if expected is not None and found.sha256 != expected.hex():
        yield Finding(
            "changed file", path, f"stored with hash {expected.hex()[:12]}, now {found.sha256[:12]}",
            f"move it away, then: {_mend(session, path)}",
        )  # fmt: skip


def _mend(session: Session, path: str) -> str:
    """What brings a lost file back; it names a command only where that command does."""
    folder, name = posixpath.split(path)
    for asked in (path, folder) if name in REMADE else (path,):
        row = session.one(
            "SELECT b.backtest_id FROM backtests b JOIN files f ON f.pk = b.artifacts_file_pk "
            "JOIN contexts c ON c.pk = b.context_pk WHERE f.path = ? AND f.sha256 IS NULL "
            "AND c.engine_mode = 'B' AND b.artifacts_row IS NULL ORDER BY b.pk LIMIT 1",
            [asked],
        )
        if row is not None:
            return f"quantrail reproduce {v.uuid_text(row[0])} makes it again if the result is equal"
    if session.one("SELECT 1 FROM reports WHERE tearsheet_html_path = ? LIMIT 1", [path]):
        return (
            "copy it back from a backup of the artifacts folder; quantrail report writes the run's page "
            "anew, under another name"
        )
    return _NO_COMMAND
