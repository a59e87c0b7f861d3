"""The fast spelling of backtest ids against the slow, obvious one."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import asdict
from datetime import date

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from quantrail.domain.enums import EngineMode
from quantrail.domain.identity import ReproductionKey, backtest_id
from quantrail.domain.ids import ContentHash, DataVersion, StrategyId, UniverseVersion
from quantrail.errors import InvalidInput

DAYS = st.dates(min_value=date(1000, 1, 1))
NAMES = st.text(max_size=20).filter(lambda text: not any("\ud800" <= one <= "\udfff" for one in text))


def obvious(key: ReproductionKey) -> str:
    content = asdict(key)
    content["engine_mode"] = key.engine_mode.value
    content["period_start"] = key.period_start.isoformat()
    content["period_end"] = key.period_end.isoformat()
    value = int.from_bytes(hashlib.sha256(rfc8785.dumps(content)).digest()[:16], "big")
    value = value & ~(0xF << 76) | (0x8 << 76)
    return str(uuid.UUID(int=value & ~(0x3 << 62) | (0x2 << 62)))


@given(NAMES, NAMES, NAMES, DAYS, DAYS, st.sampled_from(EngineMode), st.integers(0, 2**53 - 1))
def test_a_backtest_id_is_the_uuid8_of_the_canonical_key(
    engine: str, interval: str, text: str, start: date, end: date, mode: EngineMode, seed: int
) -> None:
    key = ReproductionKey(
        StrategyId(text), mode, engine, DataVersion(text), UniverseVersion(text), start, end, interval,
        ContentHash(text), ContentHash("b" * 64), seed,
    )  # fmt: skip
    made = backtest_id(key)
    assert made == obvious(key)
    assert (uuid.UUID(made).version, uuid.UUID(made).variant) == (8, uuid.RFC_4122)


@pytest.mark.parametrize("seed", [2**53, -(2**53)])
def test_a_seed_that_json_cannot_carry_is_refused(seed: int) -> None:
    key = ReproductionKey(
        StrategyId("a"), EngineMode.A, "a1", DataVersion("d"), UniverseVersion("u"), date(2020, 1, 1),
        date(2021, 1, 1), "1d", ContentHash("c"), ContentHash("m"), seed,
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="53 bits"):
        backtest_id(key)
