"""Ctrl-C that stops a run at its next step instead of wherever Python happens to be.

An exception raised from the signal itself could land inside a database driver, or in a callback of the
garbage collector, where it is printed and lost. The first Ctrl-C is therefore remembered and told at the
next event; a second one does not wait.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from quantrail.apps.cli.output import err
from quantrail.domain.enums import RunStatus
from quantrail.services.loop.state import Services
from quantrail.services.progress import Listener, Progress


@contextmanager
def going_on(services: Services, command: str) -> Iterator[None]:
    """Says after Ctrl-C which run it stopped, and the ``command`` that goes on from what it left."""
    before = {run.run_id for run in services.store.list_runs(limit=1)}
    try:
        yield
    except KeyboardInterrupt:
        for run in services.store.list_runs(limit=1):
            if run.run_id not in before and run.status is RunStatus.STOPPED:
                err().print(f"run {run.run_id} stopped; to go on: {command}", soft_wrap=True)
                err().print("that starts a new run; what is known already is not worked out again")
        raise


@contextmanager
def interruptible(listener: Listener) -> Iterator[Listener]:
    """A listener that raises KeyboardInterrupt at the first event after Ctrl-C, or at the end."""
    pressed = False

    def remember(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    def told(moment: Progress) -> None:
        if pressed:
            raise KeyboardInterrupt
        listener(moment)

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield told
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt
