from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.kernel import clock
from domains.kernel.clock import FixedClock

NEW_YEAR_IN_SHANGHAI = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)


def test_the_system_clock_tells_the_present_in_utc() -> None:
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    assert clock.now().utcoffset() == timedelta(0)


def test_a_fixed_clock_stands_still_until_it_is_moved() -> None:
    with clock.use(FixedClock(NEW_YEAR_IN_SHANGHAI - timedelta(seconds=1))) as fixed:
        assert clock.today() == date(2026, 12, 31)
        fixed.advance(timedelta(seconds=1))
        assert clock.now() == NEW_YEAR_IN_SHANGHAI
        assert clock.today() == date(2027, 1, 1)


def test_the_clock_before_comes_back_also_after_a_failure() -> None:
    with clock.use(FixedClock(NEW_YEAR_IN_SHANGHAI)):
        with pytest.raises(KeyError), clock.use(FixedClock(NEW_YEAR_IN_SHANGHAI + timedelta(days=9))):
            raise KeyError
        assert clock.now() == NEW_YEAR_IN_SHANGHAI
    assert clock.now() != NEW_YEAR_IN_SHANGHAI


async def test_a_task_keeps_the_clock_that_it_was_started_with() -> None:
    async def tell() -> datetime:
        await asyncio.sleep(0)
        return clock.now()

    with clock.use(FixedClock(NEW_YEAR_IN_SHANGHAI)):
        within = asyncio.create_task(tell())
    assert await within == NEW_YEAR_IN_SHANGHAI
    assert await tell() != NEW_YEAR_IN_SHANGHAI


def test_a_naive_time_is_refused() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001  # the naive one is what is tested
    with pytest.raises(ValueError):
        FixedClock(naive)
    with pytest.raises(ValueError):
        clock.business_date(naive)


def test_a_business_day_starts_at_midnight_in_shanghai() -> None:
    start, end = clock.business_day_bounds(date(2027, 1, 1))
    assert (start, end) == (NEW_YEAR_IN_SHANGHAI, NEW_YEAR_IN_SHANGHAI + timedelta(days=1))
    assert start.utcoffset() == timedelta(0)


def test_the_summer_times_of_1986_to_1991_are_known() -> None:
    start, end = clock.business_day_bounds(date(1988, 4, 17))
    assert end - start == timedelta(hours=23)


@given(st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # bounds are naive by contract
def test_every_instant_lies_within_the_bounds_of_its_date(at: datetime) -> None:
    start, end = clock.business_day_bounds(clock.business_date(at))
    assert start <= at < end
