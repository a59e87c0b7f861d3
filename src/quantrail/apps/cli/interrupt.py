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

from quantrail.services.progress import Listener, Progress


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
