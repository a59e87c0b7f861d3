"""A dash where a file's name stands: the document comes from standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from quantrail.errors import InvalidInput


def document_of(file: Path) -> Path | str:
    """``file``, or for ``-`` the text of standard input. InvalidInput when that is no UTF-8 text."""
    if str(file) != "-":
        return file
    try:
        # The line end keeps a one-line document from being taken for the name of a file.
        return sys.stdin.buffer.read().decode("utf-8") + "\n"
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"standard input is not UTF-8 text: {error.reason} at byte {error.start}"
        ) from error
