"""What ends passes, whom it is told to, what is forgotten, and who sees the visitors of those who lived there before."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from api.wiring import KINDS
from domains.access import jobs, notices, sealed, visits
from domains.access.community import rules_of
from domains.access.events import PassOverused
from domains.access.models import AccessRules, KeypadCode, PassTemplate, VisitorPass
from domains.access.queries import passes as queries
from domains.access.queries import templates as template_queries
from domains.access.service import digits, ending, passes, templates, texts, visitor_page
from domains.access.service.issuing import Guest
from domains.access.service.retention import delete_old_records
from domains.kernel import clock, database
from domains.kernel.actor import ANONYMOUS
from domains.kernel.errors import Invalid, NotFound
from domains.residents import permissions
from domains.residents.service import people
from tests.factories import access, residents
from tests.factories import visits as short
from tests.factories.relaying import data_of, deliver, deliver_again, record, told
from tests.factories.residents import Scene
from tests.unit.access import door_scenes

pytestmark = pytest.mark.usefixtures("instance")

HOUR = timedelta(hours=1)


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def cleaner(scene: Scene) -> UUID:
    """A template of the owner's for every day; the id."""
    return await templates.create_pass_template(
        await residents.resident(scene.owner.account_id), house_id=scene.house_id, guest=short.GUEST,
        weekdays=list(range(1, 8)), from_minute=0, until_minute=1440, until_on=clock.today() + timedelta(days=30),
        idempotency_key=uuid4(),
    )  # fmt: skip


def test_every_notice_about_visitors_is_known() -> None:
    assert all(kind in KINDS for kind in notices.KINDS)


async def test_the_host_is_told_of_a_pass_that_was_used_too_often(scene: Scene) -> None:
    pass_id = await access.visitor_pass(
        scene.compound_id, scene.house_id, scene.owner.account_id, uses=3, uses_allowed=2, state="used_up",
        ended_at=clock.now(),
    )  # fmt: skip
    await record(PassOverused(pass_id, scene.compound_id, scene.house_id, 3))
    await deliver()
    await deliver_again()
    assert await told(scene.owner.account_id) == ["visitor.overused"]
    assert await told(scene.family.account_id) == []
    said = await data_of(scene.owner.account_id, "visitor.overused")
    assert (said["name"], said["uses"], said["allowed"]) == ("王来访", 3, 2)
    await record(PassOverused(pass_id, scene.compound_id, scene.house_id, 4))
    await deliver()
    assert await told(scene.owner.account_id) == ["visitor.overused"] * 2, "once for each more"


async def test_an_account_that_is_loosened_hosts_nobody(scene: Scene) -> None:
    owner = await residents.resident(scene.owner.account_id)
    pass_id, template_id = await short.create(owner, scene.house_id), await cleaner(scene)
    others = await short.create(await residents.resident(scene.family.account_id), scene.house_id)
    await people.unlink_account(
        scene.staff(permissions.WRITE), person_id=scene.owner.person_id, reason="绑错了人"
    )
    await deliver()
    made = await VisitorPass.filter(template_id=template_id).values_list("state", flat=True)
    assert made
    assert {await short.state_of(pass_id), *made} == {"revoked"}
    assert (await PassTemplate.get(pk=template_id)).ended_at
    assert await short.state_of(others) == "active"


async def test_who_is_loosened_from_one_person_and_lives_there_as_another_keeps_hosting(scene: Scene) -> None:
    owner = await residents.resident(scene.owner.account_id)
    pass_id = await short.create(owner, scene.house_id)
    await people.unlink_account(
        scene.staff(permissions.WRITE), person_id=scene.owner.person_id, reason="重复建档"
    )
    await database.execute(
        "UPDATE person SET account_id = $2 WHERE id = $1", scene.tenant.person_id, scene.owner.account_id
    )
    await deliver()
    assert await short.state_of(pass_id) == "active"


async def test_a_host_who_leaves_and_a_guard_who_revokes_do_not_wait_for_each_other(scene: Scene) -> None:
    owner = await residents.resident(scene.owner.account_id)
    for _ in range(3):
        await cleaner(scene)
        for _ in range(6):
            await short.create(owner, scene.house_id)
        await database.execute(
            "UPDATE occupancy SET ended_at = now(), end_reason = '' WHERE id = $1", scene.owner.occupancy_id
        )
        made = [each.id for each in await VisitorPass.filter(house_id=scene.house_id, state="active")]
        guard = scene.staff(*short.EVERYTHING)

        async def leave() -> None:
            async with database.transaction():
                await ending.end_hosting(scene.owner.account_id, scene.house_id)

        ends = await asyncio.gather(
            leave(),
            *(passes.revoke_visitor_pass(guard, visitor_pass_id=id) for id in made),
            return_exceptions=True,
        )
        assert not [each for each in ends if isinstance(each, asyncpg.PostgresError)]
        assert not await VisitorPass.filter(house_id=scene.house_id, state="active").exists()
        await database.execute(
            "UPDATE occupancy SET ended_at = NULL, end_reason = NULL WHERE id = $1", scene.owner.occupancy_id
        )


async def test_the_database_allows_no_more_uses_than_a_pass_can_say(scene: Scene) -> None:
    await rules_of(scene.compound_id)
    await AccessRules.filter(compound_id=scene.compound_id).update(most_uses=visits.MOST_USES)
    with pytest.raises(Exception, match="access_rules_bounds"):
        await AccessRules.filter(compound_id=scene.compound_id).update(most_uses=visits.MOST_USES + 1)


async def test_a_visitor_whom_nobody_named_is_forgotten_too(scene: Scene) -> None:
    over = clock.now() - visits.KEPT - HOUR
    kept: dict[str, Any] = {  # Any: columns
        "starts_at": over - HOUR,
        "ends_at": over,
        "state": "expired",
        "ended_at": over,
        "guest_name": "访客",
    }
    ids = [
        await access.visitor_pass(scene.compound_id, scene.house_id, **kept | more)
        for more in ({"plate": "浙A12345"}, {"message": "带身份证"}, {"reason": "认错了人"})
    ]
    await jobs.forget_visitors(None)
    rows = await VisitorPass.filter(id__in=ids).values_list("plate", "message", "reason")
    assert rows == [("", "", "")] * 3


async def test_a_template_of_nobody_named_is_forgotten_too(scene: Scene) -> None:
    id = await cleaner(scene)
    await PassTemplate.filter(pk=id).update(
        ended_at=clock.now() - visits.KEPT - HOUR, guest_name="访客", phone_sealed=None, plate="浙A12345"
    )
    await jobs.forget_visitors(None)
    assert (await PassTemplate.get(pk=id)).plate == ""


async def test_digits_of_days_that_are_over_are_forgotten(scene: Scene) -> None:
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id, ends_at=clock.now() + 72 * HOUR)
    kept = await digits.digits_of(pass_id)
    with clock.use(clock.FixedClock(clock.now() + 48 * HOUR)):
        await digits.digits_of(pass_id)
        await jobs.forget_visitors(None)
        assert await KeypadCode.all().values_list("on_day", flat=True) == [clock.today()]
    assert kept


async def test_orders_to_doors_are_kept_no_longer_than_records(instance: object) -> None:
    doors = await door_scenes.doors()
    command = await door_scenes.tap(await doors.resident(), doors.gate)
    later = clock.FixedClock(clock.now() + timedelta(days=181))
    with clock.use(later):
        assert await delete_old_records() == 1
    assert not await database.fetchval("SELECT count(*) FROM door_command WHERE id = $1", command.id)


async def test_an_order_whose_record_is_kept_is_kept(instance: object) -> None:
    doors = await door_scenes.doors()
    command = await door_scenes.tap(await doors.resident(), doors.gate)
    await rules_of(doors.at.compound_id)
    await AccessRules.filter(compound_id=doors.at.compound_id).update(records_kept_days=365)
    with clock.use(clock.FixedClock(clock.now() + timedelta(days=181))):
        assert await delete_old_records() == 0
    assert await database.fetchval("SELECT count(*) FROM door_command WHERE id = $1", command.id) == 1


async def test_a_new_tenant_sees_nothing_of_the_last_ones_visitors(scene: Scene) -> None:
    before = clock.now() - timedelta(days=400)
    old = await access.visitor_pass(
        scene.compound_id, scene.house_id, scene.family.account_id, requested_at=before, starts_at=before,
        ends_at=before + HOUR, ended_at=before + HOUR, state="expired", **sealed.phone_columns("13812345678"),
    )  # fmt: skip
    mine = await short.create(await residents.resident(scene.owner.account_id), scene.house_id)
    ended = await cleaner(scene)
    await PassTemplate.filter(pk=ended).update(created_at=before, ended_at=before + HOUR)
    tenant = await residents.resident(scene.tenant.account_id)
    listed = await queries.of_own_houses(tenant, None, states=None, after=None, limit=20)
    assert mine in [each.id for each in listed]
    assert old not in [each.id for each in listed]
    assert list(await queries.by_id(tenant, [old, mine])) == [mine]
    assert ended not in [each.id for each in await template_queries.own(tenant)]
    assert not await template_queries.by_id(tenant, [ended])
    with pytest.raises(NotFound):
        await passes.create_visitor_pass(
            tenant, house_id=scene.house_id, guest=Guest(name="王来访"), phone_of_id=old,
            idempotency_key=uuid4(),
        )  # fmt: skip


@pytest.mark.parametrize("secret", ["\ud800" * 22, "\x00" * 22, "", "访" * 5000])
async def test_a_link_of_rubbish_leads_nowhere(secret: str) -> None:
    with pytest.raises(NotFound):
        await visitor_page.visitor_page(ANONYMOUS, secret)


async def test_a_visit_of_less_than_a_second_is_none(scene: Scene) -> None:
    """What is signed begins and ends in whole seconds, and ends after it begins."""
    now = clock.now().replace(microsecond=100_000)
    owner = await residents.resident(scene.owner.account_id)
    with clock.use(clock.FixedClock(now)), pytest.raises(Invalid, match="VISIT_ENDS_EARLY"):
        await short.create(owner, scene.house_id, ends_at=now + timedelta(milliseconds=500))
    await access.door(scene.compound_id)
    with clock.use(clock.FixedClock(now)):
        assert await texts.text_of(
            await short.create(owner, scene.house_id, ends_at=now + timedelta(minutes=1))
        )
