"""When a visit may be, and on which days it repeats: decisions without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.access import visits
from domains.access.visits import Weekly
from domains.kernel.clock import SHANGHAI, business_date
from domains.kernel.errors import Conflict, Invalid

NOW = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
"""Saturday, 10:30 in Shanghai."""
HOUR = timedelta(hours=1)


def test_a_visit_is_now_and_for_two_hours_unless_told() -> None:
    window = visits.window(None, None, NOW, 72)
    assert (window.starts_at, window.ends_at) == (NOW, NOW + 2 * HOUR)


def test_a_beginning_that_passed_while_typing_is_now() -> None:
    window = visits.window(NOW - timedelta(minutes=4), NOW + HOUR, NOW, 72)
    assert window.starts_at == NOW


@pytest.mark.parametrize(
    ("starts", "ends", "code"),
    [
        (NOW - timedelta(minutes=6), None, "VISIT_IN_PAST"),
        (NOW + timedelta(days=31), None, "VISIT_TOO_FAR"),
        (datetime.max.replace(tzinfo=UTC), None, "VISIT_TOO_FAR"),
        (datetime.min.replace(tzinfo=UTC), None, "VISIT_IN_PAST"),
        (NOW + HOUR, NOW + HOUR, "VISIT_ENDS_EARLY"),
        (NOW - timedelta(minutes=3), NOW - timedelta(minutes=1), "VISIT_ENDS_EARLY"),
        (NOW, NOW + 72 * HOUR + timedelta(seconds=1), "VISIT_TOO_LONG"),
        (NOW, datetime.max.replace(tzinfo=UTC), "VISIT_TOO_LONG"),
    ],
)
def test_other_times_are_refused(starts: datetime, ends: datetime | None, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        visits.window(starts, ends, NOW, 72)
    assert refused.value.code == code


def test_a_visitor_asks_for_today_and_twelve_hours() -> None:
    late = visits.requested_window(NOW + 13 * HOUR, None, NOW, 72)
    assert business_date(late.ends_at) > business_date(late.starts_at), (
        "begun today, it may end after midnight"
    )
    with pytest.raises(Invalid, match="VISIT_NOT_TODAY"):
        visits.requested_window(NOW + 14 * HOUR, None, NOW, 72)
    with pytest.raises(Invalid, match="VISIT_TOO_LONG"):
        visits.requested_window(None, NOW + 13 * HOUR, NOW, 72)


@pytest.mark.parametrize(("uses", "most"), [(0, 20), (-1, 20), (21, 20), (1000, 1000)])
def test_uses_are_bounded_by_the_compound_and_by_the_code(uses: int, most: int) -> None:
    with pytest.raises(Invalid, match="VISIT_USES_RANGE"):
        visits.check_uses(uses, most)


def test_a_house_lets_out_so_many_a_day() -> None:
    visits.check_daily(19, 20)
    with pytest.raises(Conflict, match="VISITS_TOO_MANY"):
        visits.check_daily(20, 20)


def test_tuesdays_nine_to_eleven() -> None:
    weekly = Weekly(visits.weekday_bits([2]), 9 * 60, 11 * 60, date(2026, 12, 2))
    found = list(weekly.occasions(NOW, timedelta(days=30)))
    assert [each.starts_at for each in found] == [
        datetime(2026, 11, 24, 1, tzinfo=UTC), datetime(2026, 12, 1, 1, tzinfo=UTC),
    ]  # fmt: skip
    assert {each.ends_at - each.starts_at for each in found} == {2 * HOUR}


def test_a_visit_that_lasts_counts_and_one_that_is_over_does_not() -> None:
    saturday = visits.weekday_bits([6])
    assert len(list(Weekly(saturday, 600, 660, date(2026, 11, 21)).occasions(NOW, HOUR))) == 1
    assert not list(Weekly(saturday, 600, 630, date(2026, 11, 21)).occasions(NOW, HOUR))
    assert not list(Weekly(saturday, 600, 660, date(2026, 11, 20)).occasions(NOW, HOUR))


@given(
    st.sets(st.integers(1, 7), min_size=1),
    st.integers(0, 1439),
    st.integers(1, 1440),
    st.integers(0, 365 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes)),
)
def test_occasions_are_of_their_days_and_in_order(
    days: set[int], first: int, last: int, now: datetime
) -> None:
    weekly = Weekly(visits.weekday_bits(days), min(first, last - 1), last, date(2028, 1, 1))
    found = list(weekly.occasions(now, timedelta(days=14)))
    assert len(found) in range(2 * len(days) - 1, 2 * len(days) + 2)
    assert found == sorted(found, key=lambda each: each.starts_at)
    assert {each.starts_at.astimezone(SHANGHAI).isoweekday() for each in found} == days
    assert all(each.ends_at > now for each in found)


@pytest.mark.parametrize(
    ("weekly", "code"),
    [
        (Weekly(1, 600, 600, date(2026, 12, 1)), "TEMPLATE_HOURS"),
        (Weekly(1, 600, 1441, date(2026, 12, 1)), "TEMPLATE_HOURS"),
        (Weekly(1, -1, 600, date(2026, 12, 1)), "TEMPLATE_HOURS"),
        (Weekly(0, 540, 600, date(2026, 12, 1)), "TEMPLATE_DAYS"),
        (Weekly(1, 540, 600, date(2026, 11, 20)), "TEMPLATE_DAYS"),
        (Weekly(1, 540, 600, date(2028, 11, 21)), "TEMPLATE_DAYS"),
        (Weekly(1, 0, 1440, date(2026, 12, 1)), "VISIT_TOO_LONG"),
    ],
)
def test_a_template_says_possible_hours(weekly: Weekly, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        weekly.check(business_date(NOW), 12)
    assert refused.value.code == code


@pytest.mark.parametrize("days", [[], [0], [8], [1, 9]])
def test_weekdays_are_monday_to_sunday(days: list[int]) -> None:
    with pytest.raises(Invalid, match="TEMPLATE_DAYS"):
        visits.weekday_bits(days)


def test_weekdays_come_back_in_order() -> None:
    assert visits.weekdays_of(visits.weekday_bits([7, 2, 2])) == [2, 7]
