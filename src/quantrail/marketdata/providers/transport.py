"""JSON over HTTP, with patience: timeouts, backoff, a limit on size, and a quota before every try."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from quantrail.errors import BackendBusy, BackendError, InvalidInput, NotFound
from quantrail.marketdata.providers.quota import QuotaLedger

_LARGEST = 64 * 1024 * 1024
_RETRIED = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Transport:
    """``base_url`` without a trailing slash. ``attempts`` include the first; pauses double from ``pause``.

    ``sleep`` takes seconds. ``chance`` spreads the pauses, so that neighbours do not return in step.
    ``refused`` looks at an answer that came with status 200 and says why it is a refusal, or None.
    """

    base_url: str
    sleep: Callable[[float], None]
    chance: Random
    ledger: QuotaLedger | None = None
    attempts: int = 4
    pause_seconds: float = 1.0
    timeout_seconds: float = 20.0

    def __post_init__(self) -> None:
        # urllib would open files too.
        if not self.base_url.startswith(("http://", "https://")):
            raise InvalidInput(f"a vendor's address begins with http:// or https://, got {self.base_url!r}")

    def get(
        self, path: str, query: Mapping[str, str], refused: Callable[[Any], str | None] = lambda _: None
    ) -> Any:
        """The JSON answer. Every try is one request of the quota.

        Raises NotFound (404), BackendBusy (still throttled after all tries), BackendError (anything else).
        """
        url = f"{self.base_url}{path}?{urllib.parse.urlencode(query)}"
        last: BackendError | None = None
        for attempt in range(self.attempts):
            if self.ledger:
                self.ledger.spend()
            try:
                answer = self._once(url)
                reason = refused(answer)
                if reason is None:
                    return answer
                last = BackendBusy(f"{self.base_url} refuses for now: {reason}")
            except _Again as problem:
                last = problem.error
            if attempt + 1 < self.attempts:
                self.sleep(self._pause(attempt, last))
        raise last or BackendError(f"{self.base_url} was never asked")

    def _pause(self, attempt: int, problem: BackendError) -> float:
        asked = problem.context.get("retry_after_seconds")
        if asked is not None:
            return float(asked)
        return self.pause_seconds * float(2**attempt) * (1 + 0.25 * self.chance.random())

    def _once(self, url: str) -> Any:
        request = urllib.request.Request(
            url, headers={"User-Agent": "quantrail", "Accept": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_seconds) as response:
                body = response.read(_LARGEST + 1)
        except urllib.error.HTTPError as error:
            with error:
                raise self._status(error) from error
        except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
            raise _Again(BackendError(f"no answer from {self.base_url}: {error}")) from error
        if len(body) > _LARGEST:
            raise BackendError(f"{self.base_url} sent more than {_LARGEST} bytes")
        try:
            return json.loads(body)
        except ValueError as error:
            raise _Again(
                BackendError(f"{self.base_url} sent broken JSON ({len(body)} bytes): {error}")
            ) from error

    def _status(self, error: urllib.error.HTTPError) -> Exception:
        text = f"{self.base_url} answered {error.code} {error.reason}"
        if error.code == 404:
            return NotFound(text)
        if error.code not in _RETRIED:
            return BackendError(text)
        after = error.headers.get("Retry-After") if error.headers else None
        known = {"retry_after_seconds": float(after)} if after and after.isdigit() else {}
        return _Again(BackendBusy(text, **known) if error.code == 429 else BackendError(text, **known))


class _Again(Exception):
    """A problem that another try may not have."""

    def __init__(self, error: BackendError) -> None:
        super().__init__(str(error))
        self.error = error
