"""On which bar splits and dividends count, and for how many shares."""

from __future__ import annotations

from datetime import date

import numpy as np

from quantrail.engine import CorporateActions
from quantrail.testing.engines import bars_of

BAR = (100, 100, 100, 100)
# Wednesday 1 January 2020 and the five weekdays after it; A has no bar on the 6th, B none from the 7th on.
BARS = bars_of({"A": [BAR, BAR, BAR, None, BAR, BAR], "B": [BAR, BAR, BAR, BAR, None, None]})
FRIDAY, SATURDAY, SUNDAY, MONDAY, TUESDAY = (date(2020, 1, day) for day in range(3, 8))


def test_an_ex_date_counts_on_its_own_bar() -> None:
    actions = CorporateActions({("A", FRIDAY): 2.0}, {("B", FRIDAY): 0.5})
    np.testing.assert_array_equal(actions.split_table(BARS), [[1, 1, 2, 1, 1, 1], [1, 1, 1, 1, 1, 1]])
    np.testing.assert_array_equal(actions.dividend_table(BARS), [[0] * 6, [0, 0, 0.5, 0, 0, 0]])


def test_actions_of_one_session_add_up_and_multiply() -> None:
    actions = CorporateActions(
        {("B", SATURDAY): 2.0, ("B", MONDAY): 3.0}, {("B", SATURDAY): 0.25, ("B", SUNDAY): 0.5}
    )
    assert actions.split_table(BARS)[1].tolist() == [1, 1, 1, 6, 1, 1]
    # On Sunday each share of Friday is two.
    assert actions.dividend_table(BARS)[1].tolist() == [0, 0, 0, 0.25 + 2 * 0.5, 0, 0]


def test_a_missing_bar_hands_its_actions_to_the_next() -> None:
    actions = CorporateActions({("A", MONDAY): 2.0}, {("A", MONDAY): 1.0, ("A", TUESDAY): 0.5})
    assert actions.split_table(BARS)[0].tolist() == [1, 1, 1, 1, 2, 1]
    # A dividend of the split's own day is paid on the old shares.
    assert actions.dividend_table(BARS)[0].tolist() == [0, 0, 0, 0, 1.0 + 2 * 0.5, 0]


def test_a_symbol_without_a_later_bar_is_never_served() -> None:
    actions = CorporateActions({("B", TUESDAY): 2.0}, {("B", TUESDAY): 1.0, ("A", date(2020, 2, 1)): 1.0})
    assert (actions.split_table(BARS) == 1.0).all()
    assert (actions.dividend_table(BARS) == 0.0).all()
