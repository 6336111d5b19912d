"""Visits that repeat: their passes are made ahead, once each, while the host lives there."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from domains.access import jobs, sealed
from domains.access.models import PassTemplate, VisitorPass
from domains.access.queries import templates as queries
from domains.access.queries.visitor_page import linked
from domains.access.service import ending, passes, templates
from domains.access.service.issuing import Guest
from domains.kernel import clock, sealing
from domains.kernel.actor import Actor
from domains.kernel.errors import DomainError
from domains.residents.service.occupancy import end_occupancy
from tests.factories import residents, visits
from tests.factories.relaying import deliver
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

NOW = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
"""Saturday, 10:30 in Shanghai."""
CLEANER = Guest(name="陈阿姨", phone="13911112222", purpose="service")


@pytest.fixture
async def scene() -> Scene:
    """Templates of other tests make no passes in this one."""
    await PassTemplate.filter(ended_at=None).update(ended_at=NOW)
    return await residents.scene()


async def create(actor: Actor, scene: Scene, **more: Any) -> UUID:  # Any: arguments
    usual: dict[str, Any] = {
        "guest": CLEANER, "weekdays": [1, 7], "from_minute": 9 * 60, "until_minute": 11 * 60,
        "until_on": date(2026, 12, 31), "idempotency_key": uuid4(),
    }  # fmt: skip
    return await templates.create_pass_template(actor, house_id=scene.house_id, **usual | more)


async def code_of(awaited: object) -> str:
    with pytest.raises(DomainError) as refused:
        await awaited  # type: ignore[misc]  # whatever is awaited
    return refused.value.code


async def starts(id: UUID) -> list[datetime]:
    found = await VisitorPass.filter(template_id=id).order_by("starts_at").values_list("starts_at", flat=True)
    return cast("list[datetime]", list(found))


async def test_passes_are_made_two_days_ahead_and_once(scene: Scene) -> None:
    sunday, monday = datetime(2026, 11, 22, 1, tzinfo=UTC), datetime(2026, 11, 23, 1, tzinfo=UTC)
    with clock.use(clock.FixedClock(NOW)) as time:
        id = await create(await visits.caller(scene, "tenant"), scene, uses=2)
        assert await starts(id) == [sunday, monday]
        for _ in range(2):
            assert await jobs.make_template_passes(None) == {"made": 0}
        time.advance(timedelta(days=6))
        assert await jobs.make_template_passes(None) == {"made": 1}
        assert await starts(id) == [sunday, monday, sunday + timedelta(days=7)]
    made = await VisitorPass.filter(template_id=id).first()
    assert made is not None
    assert (made.state, made.origin, made.uses_allowed, made.guest_name) == (
        "active",
        "template",
        2,
        "陈阿姨",
    )
    assert sealing.unseal_optional(made.phone_sealed, sealed.PHONE) == "13911112222"
    assert len(await residents.events("VisitorPassIssued", made.id)) == 1


async def test_two_jobs_at_once_make_each_pass_once(scene: Scene) -> None:
    with clock.use(clock.FixedClock(NOW)) as time:
        id = await create(await visits.owner(scene), scene, weekdays=list(range(1, 8)))
        before = len(await starts(id))
        time.advance(timedelta(days=2))
        made = await asyncio.gather(*(templates.make_due() for _ in range(4)))
        assert sum(made) == len(await starts(id)) - before == 2


async def test_template_passes_do_not_count_for_the_day(scene: Scene) -> None:
    await visits.set_rules(scene.compound_id, daily_passes_per_house=1)
    with clock.use(clock.FixedClock(NOW)):
        owner = await visits.owner(scene)
        await create(owner, scene)
        await visits.create(owner, scene.house_id)
        assert await code_of(visits.create(owner, scene.house_id)) == "VISITS_TOO_MANY"


async def test_a_house_has_twenty_at_most(scene: Scene) -> None:
    with clock.use(clock.FixedClock(NOW)):
        owner = await visits.owner(scene)
        ids = [await create(owner, scene) for _ in range(20)]
        assert await code_of(create(owner, scene)) == "PASS_TEMPLATES_TOO_MANY"
        await templates.end_pass_template(owner, template_id=ids[0])
        await create(owner, scene)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"weekdays": []}, "TEMPLATE_DAYS"),
        ({"weekdays": [8]}, "TEMPLATE_DAYS"),
        ({"until_on": date(2026, 11, 20)}, "TEMPLATE_DAYS"),
        ({"until_minute": 540}, "TEMPLATE_HOURS"),
        ({"from_minute": -1}, "TEMPLATE_HOURS"),
        ({"uses": 21}, "VISIT_USES_RANGE"),
        ({"guest": Guest(name="")}, "NAME_LENGTH"),
    ],
)
async def test_bad_input_makes_nothing(scene: Scene, more: dict[str, object], code: str) -> None:
    with clock.use(clock.FixedClock(NOW)):
        actor, before = await visits.owner(scene), await visits.fingerprint()
        assert await code_of(create(actor, scene, **more)) == code
    after = await visits.fingerprint()
    assert (after[:2], after[4:]) == (before[:2], before[4:])


async def test_stricter_rules_hold_for_what_is_not_made_yet(scene: Scene) -> None:
    with clock.use(clock.FixedClock(NOW)) as time:
        id = await create(await visits.owner(scene), scene, uses=10)
        await visits.set_rules(scene.compound_id, most_uses=3)
        time.advance(timedelta(days=6))
        assert await templates.make_due() == 1
        last = await VisitorPass.filter(template_id=id).order_by("-starts_at").first()
        assert last is not None
        assert last.uses_allowed == 3
        await visits.set_rules(scene.compound_id, longest_window_h=1)
        time.advance(timedelta(days=7))
        assert await templates.make_due() == 0


async def test_one_link_shows_the_visit_that_is_now_or_next(scene: Scene) -> None:
    with clock.use(clock.FixedClock(NOW)) as time:
        owner = await visits.owner(scene)
        id = await create(owner, scene)
        link = (await queries.by_id(owner, [id]))[id].link
        assert link is not None

        async def begin() -> tuple[datetime, bool]:
            page = await linked(link)
            assert page is not None
            return page.starts_at, page.pass_id is not None

        assert await begin() == (datetime(2026, 11, 22, 1, tzinfo=UTC), True)
        time.advance(timedelta(days=1))
        assert await begin() == (datetime(2026, 11, 22, 1, tzinfo=UTC), True), "while it lasts"
        time.advance(timedelta(hours=1))
        assert await begin() == (datetime(2026, 11, 23, 1, tzinfo=UTC), True)
        time.advance(timedelta(days=1))
        assert await begin() == (datetime(2026, 11, 29, 1, tzinfo=UTC), False), "not made yet"
        await templates.end_pass_template(owner, template_id=id)
        page = await linked(link)
        assert page is not None
        assert page.ends_at < clock.now(), "the last one"


async def test_ending_takes_the_passes_back(scene: Scene) -> None:
    with clock.use(clock.FixedClock(NOW)):
        tenant = await visits.caller(scene, "tenant")
        id = await create(tenant, scene)
        assert await code_of(
            templates.end_pass_template(await visits.caller(scene, "family"), template_id=id)
        ) == "FORBIDDEN"  # fmt: skip
        await templates.end_pass_template(await visits.owner(scene), template_id=id)
        assert await code_of(templates.end_pass_template(tenant, template_id=id)) == "TEMPLATE_ENDED"
        assert await code_of(templates.end_pass_template(tenant, template_id=uuid4())) == "TEMPLATE_NOT_FOUND"
        assert await VisitorPass.filter(template_id=id, state="revoked").count() == 2
        assert await templates.make_due() == 0


async def test_a_visit_that_was_taken_back_is_not_made_again(scene: Scene) -> None:
    with clock.use(clock.FixedClock(NOW)):
        owner = await visits.owner(scene)
        id = await create(owner, scene)
        one = await VisitorPass.filter(template_id=id).order_by("starts_at").first()
        assert one is not None
        await passes.revoke_visitor_pass(owner, visitor_pass_id=one.id)
        assert await templates.make_due() == 0
        assert (await PassTemplate.get(pk=id)).ended_at is None


async def test_who_moves_out_expects_nobody_any_more(scene: Scene) -> None:
    with clock.use(clock.FixedClock(NOW)) as time:
        id = await create(await visits.caller(scene, "tenant"), scene)
        await end_occupancy(await visits.owner(scene), occupancy_id=scene.tenant.occupancy_id, reason="退租")
        time.advance(timedelta(days=6))
        assert await templates.make_due() == 0, "before the event is delivered"
        template = await PassTemplate.get(pk=id)
        assert template.ended_at is not None
        await deliver()
        assert not await VisitorPass.filter(template_id=id, state="active", ends_at__gt=clock.now()).exists()


async def test_half_a_year_later_nobody_knows_who_came(scene: Scene) -> None:
    with clock.use(clock.FixedClock(NOW)) as time:
        owner = await visits.owner(scene)
        template = await create(owner, scene, until_on=date(2026, 11, 23))
        once = await visits.create(
            owner,
            scene.house_id,
            Guest(name="王来访", phone="13812345678", plate="浙A12345", message="来吃饭"),
        )
        time.advance(timedelta(days=181))
        await ending.expire()
        kept = await visits.create(await visits.owner(scene), scene.house_id)
        await jobs.forget_visitors(None)
        assert (await PassTemplate.get(pk=template)).phone_sealed is not None, "its last day was later"
        time.advance(timedelta(days=5))
        await jobs.forget_visitors(None)
        assert await jobs.forget_visitors(None) == {"passes": 0, "templates": 0}
    made = await VisitorPass.get(pk=once)
    assert (made.guest_name, made.plate, made.message, made.phone_sealed, made.phone_tail_index) == (
        "访客", "", "", None, None,
    )  # fmt: skip
    assert made.state == "expired"
    assert (await VisitorPass.get(pk=kept)).guest_name == "王来访"
    assert (await PassTemplate.get(pk=template)).phone_sealed is None
