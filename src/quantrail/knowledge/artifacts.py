"""Artifact files: curves, trades, evidence, reports. Written whole or not at all, never overwritten."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from quantrail.domain.ids import ContentHash
from quantrail.domain.records import ArtifactFile, ArtifactRef
from quantrail.errors import BackendCorrupt, BackendError, Conflict, InvalidInput, NotFound
from quantrail.knowledge.keys import relative_path

# pyarrow takes a third of a second to import, and most commands of the store write no file.
if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


class ArtifactFolder:
    """Files below ``root``, named by relative paths; a ``file#row`` names one row of a Parquet file."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, ref: ArtifactRef | str) -> Path:
        return self.root / relative_path(ref.path if isinstance(ref, ArtifactRef) else ref)

    def write_parquet(
        self, path: str, columns: Mapping[str, NDArray[Any] | Sequence[Any]] | pa.Table
    ) -> ArtifactFile:
        """A column-wise table, zstd. Raises Conflict when the file is there with other bytes.

        Real numbers hardly repeat, so they are split by byte; everything else by dictionary.
        """
        current, _ = _layouts(columns)
        return self.write(path, current)

    def restore_parquet(
        self, path: str, columns: Mapping[str, NDArray[Any] | Sequence[Any]], sha256: ContentHash
    ) -> bool:
        """A lost file, written again if it comes out with just this hash; False and no file otherwise."""
        for layout in _layouts(columns):
            made = io.BytesIO()
            layout(made)
            if hashlib.sha256(made.getbuffer()).hexdigest() == sha256:
                self.write_bytes(path, made.getvalue())
                return True
        return False

    def write_json(self, path: str, document: Any) -> ArtifactFile:
        """Sorted, indented JSON; InvalidInput for NaN and infinities."""
        try:
            text = json.dumps(document, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=1)
            content = text.encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidInput(f"{path} has no JSON form: {error}") from error
        return self.write_bytes(path, content + b"\n")

    def write_json_lines(self, path: str, documents: Sequence[Any]) -> ArtifactFile:
        """One compact document per line; ``file#row`` counts from 0."""
        try:
            lines = [
                json.dumps(one, ensure_ascii=False, allow_nan=False, sort_keys=True) for one in documents
            ]
            content = "".join(f"{line}\n" for line in lines).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidInput(f"{path} has no JSON form: {error}") from error
        return self.write_bytes(path, content)

    def write_bytes(self, path: str, content: bytes) -> ArtifactFile:
        return self.write(path, lambda file: file.write(content))

    def write(self, path: str, fill: Callable[[IO[bytes]], object]) -> ArtifactFile:
        """Fill a temporary file, flush it to disk, give it its name.

        The same bytes under the same name are fine; other bytes raise Conflict. BackendError when the
        disk refuses.
        """
        target = self.path(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".new-", delete=False) as file:
                try:
                    fill(file)
                    file.flush()
                    os.fsync(file.fileno())
                    made = self._describe(path, Path(file.name))
                    self._place(Path(file.name), target, made)
                finally:
                    Path(file.name).unlink(missing_ok=True)
        except OSError as error:
            raise BackendError(f"cannot write {target}: {error.strerror or error}") from error
        return made

    def _place(self, temporary: Path, target: Path, made: ArtifactFile) -> None:
        try:
            os.link(temporary, target)  # fails when the name is taken, unlike a rename
        except FileExistsError:
            there = self.describe(made.path)
            if there.sha256 != made.sha256:
                raise Conflict(
                    f"{made.path} is there with hash {there.sha256}, now offered with {made.sha256}; "
                    "nothing was changed"
                ) from None
        with suppress(OSError):  # some file systems cannot flush a folder
            _flush_folder(target.parent)

    def describe(self, path: str) -> ArtifactFile:
        """Hash and size of a file that is there; NotFound when it is not, BackendError when it is no file
        that can be read."""
        return self._describe(path, self.path(path))

    def _describe(self, path: str, at: Path) -> ArtifactFile:
        try:
            with at.open("rb") as file:
                found = hashlib.file_digest(file, "sha256")
            return ArtifactFile(path, ContentHash(found.hexdigest()), at.stat().st_size)
        except FileNotFoundError as error:
            raise NotFound(f"the artifact {path} is not in {self.root}") from error
        except OSError as error:  # a folder of that name, or no permission
            raise BackendError(f"cannot read {at}: {error.strerror or error}") from error

    def read_parquet(self, ref: ArtifactRef | str) -> pa.Table:
        """The whole table, or the one row that ``ref`` names.

        NotFound when there is no such file or row, BackendCorrupt when the file is no Parquet file.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            # read_table would import datasets and pandas first, half a second for one file.
            with self._reading(ref), pq.ParquetFile(self.path(ref)) as file:
                table = file.read()
        except pa.ArrowException as error:
            raise _damaged(ref, error) from error
        row = _row_of(ref, len(table))
        return table if row is None else table.slice(row, 1)

    def read_json(self, ref: ArtifactRef | str) -> Any:
        """The document, or the line that ``ref`` names.

        NotFound when there is no such file or line, BackendCorrupt when it holds no JSON.
        """
        try:
            with self._reading(ref):
                text = self.path(ref).read_text("utf-8")
            lines = text.removesuffix("\n").split("\n")  # and not where other separators stand in a text
            row = _row_of(ref, len(lines))
            return json.loads(text if row is None else lines[row])
        except ValueError as error:  # bytes that are no UTF-8, or text that is no JSON
            raise _damaged(ref, error) from error

    @contextmanager
    def _reading(self, ref: ArtifactRef | str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise NotFound(f"the artifact {ref} is not in {self.root}") from error
        except OSError as error:
            raise BackendError(f"cannot read the artifact {ref}: {error.strerror or error}") from error


def _row_of(ref: ArtifactRef | str, count: int) -> int | None:
    """The row that ``ref`` names, of ``count``; None for the whole file."""
    row = ref.row if isinstance(ref, ArtifactRef) else None
    if row is not None and not 0 <= row < count:
        raise NotFound(f"the artifact {ref} is not there: the file's rows are 0 to {count - 1}")
    return row


def _damaged(ref: ArtifactRef | str, error: Exception) -> BackendCorrupt:
    return BackendCorrupt(f"the artifact {ref} is damaged: {error}; `quantrail db check` names such files")


def _layouts(
    columns: Mapping[str, NDArray[Any] | Sequence[Any]] | pa.Table,
) -> tuple[Callable[[IO[bytes]], None], Callable[[IO[bytes]], None]]:
    """Writers of a table: as files are laid out today, and as they were before."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        made = columns if isinstance(columns, pa.Table) else pa.table(dict(columns))
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InvalidInput(f"the columns are no table: {error}") from error
    real, rest = _by_kind(made)
    write = partial(pq.write_table, made, compression="zstd")
    return partial(write, use_dictionary=rest, use_byte_stream_split=real), write


def _by_kind(table: pa.Table) -> tuple[list[str], list[str]]:
    """Parquet's names of the columns of real numbers, in lists too, and of all the others."""
    import pyarrow as pa

    real: list[str] = []
    rest: list[str] = []
    for field in table.schema:
        listed = pa.types.is_list(field.type)
        kind = field.type.value_type if listed else field.type
        name = f"{field.name}.list.element" if listed else field.name
        (real if pa.types.is_floating(kind) else rest).append(name)
    return real, rest


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


__all__ = ["ArtifactFolder"]
