"""The search for cycles pauses, and goes on as it was."""

from __future__ import annotations

import gc

import pytest

from quantrail.services.loop.uncollected import uncollected


def test_the_search_goes_on_after_an_error_too() -> None:
    assert gc.isenabled()
    with pytest.raises(KeyError):
        _fail_uncollected()
    assert gc.isenabled()


def _fail_uncollected() -> None:
    with uncollected():
        assert not gc.isenabled()
        raise KeyError


def test_where_it_was_off_it_stays_off() -> None:
    gc.disable()
    try:
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
