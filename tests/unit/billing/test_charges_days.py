"""The statement and a computation day by day agree to the fen, whatever is thrown at them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domains.estate.models import House
from domains.kernel import clock, database
from domains.residents.models import Occupancy, Vehicle
from tests.factories import charges, estate, residents
from tests.factories.identity import Places, places, unique
from tests.unit.billing.day_by_day import Case, Owed, Span, owed

pytestmark = pytest.mark.usefixtures("instance")

FROM, TO = date(2026, 9, 1), date(2027, 2, 1)
FIRST_DAYS = st.dates(date(2023, 10, 1), date(2024, 12, 31))
DAYS = st.dates(date(2026, 6, 1), date(2027, 4, 30))
PERCENTS = st.decimals(0, 100, places=2)


@st.composite
def spans(draw: st.DrawFn, most: int = 3, *, open_end: bool = True) -> tuple[Span, ...]:
    """Stretches of days that do not overlap, the last of them perhaps for ever."""
    days = sorted(draw(st.lists(DAYS, unique=True, max_size=2 * most)))
    found: list[Span] = list(zip(days[::2], days[1::2], strict=False))
    if open_end and len(days) % 2:
        found.append((days[-1], None))
    return tuple(found)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any fee item and any house."""
    anchor = draw(FIRST_DAYS | st.sampled_from([date(2024, 2, 29), date(2023, 10, 31), date(2024, 1, 1)]))
    starts_on = draw(st.just(anchor) | DAYS)
    price_days = sorted(draw(st.lists(DAYS, unique=True, max_size=2)))
    first_price = draw(st.sampled_from([anchor, anchor, anchor, date(2026, 10, 9)]))
    prices = tuple((day, draw(st.decimals(0, 5000, places=4))) for day in sorted({first_price, *price_days}))
    payers = st.sampled_from(["owner", "tenant", "developer"])
    return Case(
        method=draw(st.sampled_from(["built_area", "inner_area", "fixed", "vehicle"])),
        cycle=draw(st.sampled_from([1, 1, 2, 3, 12, 7])), timing=draw(st.sampled_from(["advance", "arrears"])),
        anchor=anchor, starts_on=starts_on, ends_on=draw(st.none() | DAYS.filter(lambda day: day > starts_on)),
        price_months=draw(st.sampled_from([1, 3, 12])), prices=prices, area=draw(st.decimals(61, 400, places=2)),
        inner_area=draw(st.none() | st.decimals(1, 60, places=2)), item_payer=draw(st.sampled_from(["owner", "tenant"])),
        bills_unsold=draw(st.booleans()), handed_over_on=draw(st.none() | DAYS | FIRST_DAYS),
        anchored_to_hand_over=draw(st.booleans()), vacancy_percent=draw(PERCENTS | st.just(Decimal(100))),
        discount=draw(st.just(Decimal(0)) | st.decimals(0, 50, places=2)),
        liabilities=tuple(
            (draw(payers), own, span) for own in (True, False) for span in draw(spans(2))
        ),
        vacancies=tuple((a, b) for a, b in draw(spans(2, open_end=False)) if b is not None),
        agreements=tuple((draw(st.decimals(0, 150, places=2)), span) for span in draw(spans(2))),
        tenancies=draw(spans(2)), cars=tuple(span for _ in range(draw(st.integers(0, 2))) for span in draw(spans(1))),
    )  # fmt: skip


def noon(day: date) -> datetime:
    return datetime.combine(day, time(0, 30), clock.SHANGHAI)


async def settle_in(at: Places, case: Case, room: int) -> UUID:
    """The house of the case, with its fee item and all that is recorded of it."""
    house = await estate.house(at.building_id, str(room), area=str(case.area))
    await House.filter(pk=house).update(
        inner_area_m2=case.inner_area, handed_over_on=case.handed_over_on, floor=room
    )
    item = await charges.item(
        at.compound_id, None, method=case.method, cycle_months=case.cycle, timing=case.timing, starts_on=case.starts_on,
        anchor="hand_over" if case.anchored_to_hand_over else "calendar", ends_on=case.ends_on,
        anchor_on=None if case.anchored_to_hand_over else case.anchor, price_months=case.price_months,
        payer=case.item_payer, bills_unsold=case.bills_unsold, vacancy_percent=case.vacancy_percent,
    )  # fmt: skip
    for from_on, fen in case.prices:
        await charges.set_price(item, str(fen), from_on)
    for payer, own, (since, until) in case.liabilities:
        await charges.liable(house, payer, since, until, fee_item_id=item if own else None)
    for start, end in case.vacancies:
        await charges.vacant(house, start, end)
    for percent, (since, until) in case.agreements:
        await charges.agreed(house, item, str(percent), since, until)
    await people_and_cars(at, house, case)
    return item


async def people_and_cars(at: Places, house: UUID, case: Case) -> None:
    common: dict[str, Any] = {"compound_id": at.compound_id, "house_id": house}  # Any: columns
    for since, until in case.tenancies:
        await Occupancy.create(
            person_id=await residents.person(at.compound_id, "租客"), capacity="tenant", since_on=since,
            verified_by="staff", recorded_at=clock.now(), ended_at=until and noon(until),
            end_reason=until and "搬离", **common,
        )  # fmt: skip
    for since, until in case.cars:
        await Vehicle.create(
            kind="car", plate=unique("浙A")[:9], source="staff", recorded_at=noon(since), removed_at=until and noon(until),
            **common,
        )  # fmt: skip


async def charged(at: Places, item: UUID, discount: Decimal, first: date, last: date) -> list[Owed]:
    rows = await charges.charged(at.compound_id, last, first, discount_percent=discount, fee_item_ids=(item,))
    return [
        Owed(
            row["period_from"],
            row["part"],
            "" if row["problem"] else row["payer"],
            row["amount_fen"],
            row["problem"],
        )
        for row in rows
    ]


@settings(
    max_examples=60, deadline=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(cases(), st.integers(0, 3))
async def test_every_line_is_what_its_days_come_to(case: Case, months: int) -> None:
    at, last = await places(), date(2026, 10 + months, 1) if months < 3 else TO
    item = await settle_in(at, case, 1)
    # The house next door has neither hand-over nor anything recorded: it is charged the fast way beside this one.
    plain = replace(
        case, area=Decimal("77.7"), inner_area=Decimal("61.3"), handed_over_on=None, liabilities=(), vacancies=(),
        agreements=(), tenancies=(), cars=(),
    )  # fmt: skip
    await estate.house(at.building_id, "2", area="77.7")
    await House.filter(compound_id=at.compound_id, room="2").update(inner_area_m2=Decimal("61.3"))
    expected = [*owed(case, FROM, last), *owed(plain, FROM, last)]
    assert await charged(at, item, case.discount, FROM, last) == expected, case
    assert await database.fetchval("SELECT count(*) FROM bill_line WHERE fee_item_id = $1", item) == 0
    assert last - FROM < timedelta(days=366)
