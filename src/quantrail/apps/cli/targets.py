"""Whether a file or a folder can be written, asked before the work whose result goes there."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryFile

from quantrail.errors import BackendError, InvalidInput


def writable_file(path: Path | None) -> None:
    """BackendError unless ``path`` (None: nothing is asked) can be written. Changes no file."""
    if path is None:
        return
    if path.is_dir():
        raise InvalidInput(f"{path} is a folder; name a file in it")
    try:
        if path.exists():
            path.open("ab").close()
        else:
            TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise BackendError(
            f"{path} cannot be written ({_reason(error)}); name another place", path=path
        ) from error


def writable_folder(path: Path | None, what: str, remedy: str = "name another place") -> None:
    """BackendError unless ``path``, or what is to be made on the way to it, can hold files."""
    if path is None:
        return
    nearest = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    try:
        TemporaryFile(dir=nearest).close()
    except OSError as error:
        raise BackendError(f"{what} cannot be written ({_reason(error)}); {remedy}", path=path) from error


def of_the_system(error: OSError) -> BackendError:
    """What the operating system refused, with the path it refused."""
    paths = [str(name) for name in (error.filename, error.filename2) if name]
    if not paths:
        return BackendError(f"the operating system refused: {error}")
    return BackendError(
        f"{' -> '.join(paths)} cannot be read or written ({_reason(error)}); check the path, its permissions "
        "and the room on the disk"
    )


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
