"""Agreements: what is agreed later takes the days of what was agreed before, and no other."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domains.billing import permissions
from domains.billing.models import FeeAgreement
from domains.billing.queries.agreements import agreements
from domains.billing.service.agreements import end_fee_agreement, set_fee_agreement
from domains.kernel.errors import Invalid, NotFound
from tests.factories import billing, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

JANUARY = date(2026, 1, 1)


def day(month: int) -> date:
    return date(2026, month, 1)


@pytest.fixture(scope="module")
async def scene(instance: object) -> Scene:
    return await residents.scene()


async def put(scene: Scene, item: UUID, percent: int, *days: date | None, **more: Any) -> UUID:  # Any: terms
    from_on, until_on = (*days, None)[:2]
    assert from_on is not None
    return await set_fee_agreement(
        scene.staff(permissions.FEES_WRITE), house_id=scene.house_id, fee_item_id=item, from_on=from_on,
        until_on=until_on, percent=Decimal(percent), **more,
    )  # fmt: skip


async def spans(item: UUID) -> list[tuple[int, date, date | None]]:
    rows = await FeeAgreement.filter(fee_item_id=item).order_by("from_on")
    return [(int(row.percent), row.from_on, row.until_on) for row in rows]


async def test_a_later_word_takes_its_days(scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id)
    await put(scene, item, 90, day(1))
    await put(scene, item, 50, day(4), day(7))
    assert await spans(item) == [(90, day(1), day(4)), (50, day(4), day(7)), (90, day(7), None)]
    await put(scene, item, 0, day(3), day(8))
    assert await spans(item) == [(90, day(1), day(3)), (0, day(3), day(8)), (90, day(8), None)]
    await put(scene, item, 80, day(1))
    assert await spans(item) == [(80, day(1), None)]


async def test_ended_earlier_or_taken_back(scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id)
    actor = scene.staff(permissions.FEES_WRITE)
    id = await put(scene, item, 90, day(1), day(7))
    for late in (day(7), day(8), date(2025, 12, 31)):
        with pytest.raises(Invalid, match="SPAN_INVALID"):
            await end_fee_agreement(actor, agreement_id=id, until_on=late)
    await end_fee_agreement(actor, agreement_id=id, until_on=day(3))
    assert await spans(item) == [(90, day(1), day(3))]
    await end_fee_agreement(actor, agreement_id=id, until_on=day(1))
    assert await spans(item) == []
    with pytest.raises(NotFound, match="AGREEMENT_NOT_FOUND"):
        await end_fee_agreement(actor, agreement_id=id, until_on=day(1))


OF_DAYS = st.lists(
    st.tuples(st.integers(0, 30), st.none() | st.integers(1, 20), st.integers(0, 200)), min_size=1, max_size=6
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(OF_DAYS)
async def test_every_day_has_the_last_word_that_was_said_of_it(
    scene: Scene, said: list[tuple[int, int | None, int]]
) -> None:
    item = await billing.fee_item(scene.compound_id)
    expected: dict[date, int] = {}
    for start, length, percent in said:
        from_on = JANUARY + timedelta(start)
        until_on = None if length is None else from_on + timedelta(length)
        await put(scene, item, percent, from_on, until_on)
        expected |= {
            each: percent for n in range(60)
            if from_on <= (each := JANUARY + timedelta(n)) < (until_on or date.max)
        }  # fmt: skip
    kept = await spans(item)
    for n in range(60):
        each = JANUARY + timedelta(n)
        holding = [percent for percent, start, end in kept if start <= each < (end or date.max)]
        assert holding == ([expected[each]] if each in expected else [])


async def test_words_at_the_same_moment_never_overlap(scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id)
    await asyncio.gather(*(put(scene, item, n, day(n), day(n + 3)) for n in range(1, 7)))
    kept = await spans(item)
    assert all(first[2] is not None and first[2] <= then[1] for first, then in pairwise(kept))
    assert (kept[0][1], kept[-1][2]) == (day(1), day(9))


@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("AGREEMENT_INVALID", {"percent": Decimal(-1)}),
        ("AGREEMENT_INVALID", {"percent": Decimal("1000.01")}),
        ("AGREEMENT_INVALID", {"percent": Decimal("33.333")}),
        ("AGREEMENT_INVALID", {"coefficient": Decimal("0.00001")}),
        ("SPAN_INVALID", {"until_on": JANUARY}),
        ("SPAN_INVALID", {"from_on": date(1999, 1, 1)}),
        ("TEXT_TOO_LONG", {"note": "长" * 201}),
        ("FEE_ITEM_NOT_FOUND", {"fee_item_id": uuid4()}),
        ("HOUSE_NOT_FOUND", {"house_id": uuid4()}),
    ],
)
async def test_bad_words(scene: Scene, code: str, more: dict[str, Any]) -> None:
    item = await billing.fee_item(scene.compound_id)
    values: dict[str, Any] = {"house_id": scene.house_id, "fee_item_id": item, "from_on": JANUARY} | more
    with pytest.raises((Invalid, NotFound)) as refused:
        await set_fee_agreement(scene.staff(permissions.FEES_WRITE), **values)
    assert refused.value.code == code
    assert await spans(item) == []


async def test_read_by_house(scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id)
    await put(scene, item, 85, day(1), coefficient=Decimal("1.5"), note="困难家庭")
    rows = await agreements(scene.staff(permissions.FEES_READ), scene.house_id)
    [mine] = [row for row in rows if row.fee_item_id == item]
    assert (mine.percent, mine.coefficient, mine.note) == (Decimal(85), Decimal("1.5"), "困难家庭")
