"""One tree for everything quantrail raises.

::

    QuantrailError
    ├── InvalidInput            what was handed in is wrong; nothing was changed
    │   ├── ConfigInvalid
    │   ├── SpecInvalid         carries every problem found, not just the first
    │   ├── DataInvalid
    │   └── LookaheadViolation
    ├── NotFound
    ├── Conflict                same key, other content; nothing was changed
    │   └── SchemaOutdated
    ├── BackendError            the medium failed: disk, database, worker
    │   ├── BackendBusy
    │   └── BackendCorrupt
    └── Unsupported             a valid wish that this installation cannot fulfil

A message says what was wrong, with the value, and what to do. A strategy that performs
badly is data, never an exception.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar


class Retry(StrEnum):
    """What a caller may do after an error."""

    TRANSIENT = "TRANSIENT"
    PERMANENT = "PERMANENT"
    CRITICAL = "CRITICAL"


class QuantrailError(Exception):
    """Root of the tree: a sentence for people and ``context`` for machines."""

    code: ClassVar[str] = "INTERNAL"
    retry: ClassVar[Retry] = Retry.PERMANENT

    def __init__(self, message: str, **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.context = context

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions with keyword arguments do not survive pickling by default,
        # and these cross process borders.
        return (_rebuild, (type(self), self.message, self.context))


def _rebuild(kind: type[QuantrailError], message: str, context: dict[str, Any]) -> QuantrailError:
    return kind(message, **context)


class InvalidInput(QuantrailError):
    code = "INVALID_INPUT"


class ConfigInvalid(InvalidInput):
    code = "INVALID_CONFIG"


class SpecInvalid(InvalidInput):
    """``context['problems']`` lists every problem as a mapping with path, code, value, hint."""

    code = "SPEC_INVALID"


class DataInvalid(InvalidInput):
    code = "DATA_INVALID"


class LookaheadViolation(InvalidInput):
    code = "LOOKAHEAD_POLICY_VIOLATION"
    retry = Retry.CRITICAL


class NotFound(QuantrailError):
    code = "NOT_FOUND"


class Conflict(QuantrailError):
    code = "CONFLICT"


class SchemaOutdated(Conflict):
    code = "SCHEMA_MISMATCH"


class BackendError(QuantrailError):
    code = "BACKEND_ERROR"


class BackendBusy(BackendError):
    code = "DB_LOCKED"
    retry = Retry.TRANSIENT


class BackendCorrupt(BackendError):
    code = "BACKEND_CORRUPT"
    retry = Retry.CRITICAL


class Unsupported(QuantrailError):
    code = "UNSUPPORTED"
