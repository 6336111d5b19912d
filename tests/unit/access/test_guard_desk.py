"""What a guard has on the screen: today's visitors, who is inside, and whose a code is."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domains.access import sealed
from domains.access.queries import guard
from domains.access.service import admitting, digits, looking, resident_codes, texts
from domains.access.service.looking import Look
from domains.kernel import clock
from domains.kernel.errors import Invalid, NotFound
from domains.residents.models import Occupancy
from tests.factories import access, guards, residents
from tests.factories.guards import Post, left_behind, recorded, visit

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def post() -> Post:
    return await guards.post()


async def test_requests_come_first_and_what_is_over_or_of_another_day_is_left_out(post: Post) -> None:
    now, tomorrow = clock.now(), clock.business_day_bounds(clock.today())[1]
    active = await post.visitor(guest_name="乙")
    waiting = await post.visitor(
        guest_name="甲", state="requested", decided_at=None, ends_at=now + timedelta(hours=1)
    )
    long = await post.visitor(
        guest_name="丙", starts_at=now - timedelta(days=30), ends_at=now + timedelta(days=30)
    )
    await post.visitor(starts_at=tomorrow, ends_at=tomorrow + timedelta(hours=1))
    await post.visitor(starts_at=now - timedelta(hours=2), ends_at=now - timedelta(minutes=2))
    for state in ("used_up", "expired", "revoked", "rejected"):
        await post.visitor(state=state, ended_at=now)
    desk = await guard.guard_desk(post.guard, post.scene.compound_id)
    assert [each.id for each in desk.expected] == [waiting, long, active]
    assert (desk.counts.waiting, desk.counts.expected, desk.counts.inside) == (1, 2, 0)


async def test_who_was_admitted_is_inside_until_they_leave_or_a_day_has_passed(post: Post) -> None:
    first, second = await post.visitor(uses_allowed=3), await post.visitor()
    now = clock.now()
    await post.visitor(inside_since=now - timedelta(hours=25), last_used_at=now - timedelta(hours=25))
    for pass_id in (first, second):
        await post.admit(pass_id)
    await admitting.leave_visitor(post.guard, pass_id=second, door_id=post.door_id)
    desk = await guard.guard_desk(post.guard, post.scene.compound_id)
    assert [each.id for each in desk.inside] == [first]
    assert (desk.counts.inside, desk.counts.admitted, desk.counts.refused) == (1, 2, 0)
    assert first not in [each.id for each in desk.expected]


async def test_a_desk_is_read_on_record(post: Post) -> None:
    await guard.guard_desk(post.guard, post.scene.compound_id)
    [row] = await residents.audited("guard.desk", post.scene.compound_id)
    assert (row["outcome"], row["actor_id"]) == ("done", post.guard.id)


async def test_visitors_are_found_by_name_phone_and_plate(post: Post) -> None:
    phone = sealed.phone_columns("13800010001")
    wanted = await post.visitor(guest_name="欧阳来访", plate="浙A12345", **phone)
    await post.visitor(guest_name="李来访", plate="浙B99999", **sealed.phone_columns("13900010002"))
    for words in ("欧阳", "0001", "13800010001", "138 0001 0001", "a·123", "浙A12345"):
        found = await guard.guard_search(post.guard, post.scene.compound_id, words)
        assert [each.id for each in found] == [wanted], words
    assert found[0].phone == "138****0001"
    for words in ("没有", "%", "1380001", "_"):
        assert not await guard.guard_search(post.guard, post.scene.compound_id, words), words
    with pytest.raises(Invalid, match="SEARCH_EMPTY"):
        await guard.guard_search(post.guard, post.scene.compound_id, "  ")


async def look(post: Post, shown: str, **more: Any) -> Look:  # Any: arguments
    said = {"compound_id": post.scene.compound_id, "door_id": post.door_id} | more
    return await looking.look(post.guard, shown=shown, **said)


async def test_a_code_tells_whose_it_is_and_is_not_used(post: Post) -> None:
    secret = secrets.token_urlsafe(16)
    pass_id = await post.visitor(**sealed.link_columns(secret))
    text, number = await texts.text_of(pass_id), await digits.digits_of(pass_id)
    assert text
    assert number
    for shown in (text, number, secret, f"https://linli.example/v/{secret}", f" {text} "):
        seen = await look(post, shown)
        assert (seen.reason, seen.visitor and seen.visitor.id) == ("OK", pass_id), shown
    assert (await visit(pass_id)).uses == 0
    assert not await recorded(pass_id)
    await post.admit(pass_id)
    assert (await look(post, text)).reason == "USED_UP"
    audited = await residents.audited("visitor.look", post.scene.compound_id)
    assert {row["subject_id"] for row in audited} == {pass_id}


async def test_a_residents_code_tells_the_name_while_they_live_there(post: Post) -> None:
    scene = post.scene
    owner = await residents.resident(scene.owner.account_id)
    code = await resident_codes.issue_resident_code(owner, house_id=scene.house_id)
    assert await look(post, code.text) == Look("OK", resident="张建国", house_number="1号楼1单元101")
    far = await access.door(scene.compound_id, "2号楼", scene.other_building_id)
    assert (await look(post, code.text, door_id=far)).reason == "OTHER_GATE"


async def test_a_guard_of_another_building_learns_of_a_resident_that_the_code_counts(post: Post) -> None:
    scene = post.scene
    owner = await residents.resident(scene.owner.account_id)
    code = await resident_codes.issue_resident_code(owner, house_id=scene.house_id)
    for building_id, known in ((scene.other_building_id, None), (scene.building_id, "张建国")):
        narrow = residents.staff(*guards.ACCESS, compound_id=scene.compound_id, building_id=building_id)
        seen = await look(replace(post, guard=narrow), code.text)
        assert (seen.reason, seen.resident, bool(seen.house_number)) == ("OK", known, bool(known))
    await Occupancy.filter(pk=scene.owner.occupancy_id).update(ended_at=clock.now(), end_reason="搬走")
    assert await look(post, code.text) == Look("NOT_RESIDENT")


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        ("000000", "CODE_WRONG"), ("你好", "NOT_A_PASS"), ("RC1:" + "A" * 40, "MALFORMED"), ("RC9:ABC", "NOT_A_PASS"),
        ("https://linli.example/v/" + "A" * 22, "NOT_A_PASS"), ("x" * 2000, "NOT_A_PASS"),
    ],
)  # fmt: skip
async def test_what_is_no_code_is_told_so(post: Post, shown: str, reason: str) -> None:
    seen = await look(post, shown)
    assert (seen.reason, seen.visitor, seen.resident) == (reason, None, None)


async def test_a_code_of_another_compound_tells_nothing(post: Post) -> None:
    other = await guards.post()
    secret = secrets.token_urlsafe(16)
    pass_id = await other.visitor(**sealed.link_columns(secret))
    text = await texts.text_of(pass_id)
    assert text
    for shown in (text, secret):
        seen = await look(post, shown)
        assert (seen.reason, seen.visitor) == ("OTHER_COMMUNITY", None)
    before = await left_behind()
    with pytest.raises(NotFound, match="DOOR_NOT_FOUND"):
        await look(post, await own_link(post), door_id=other.door_id)
    with pytest.raises(Invalid):
        await look(post, "")
    assert (await left_behind())[1:] == before[1:]


async def own_link(post: Post) -> str:
    secret = secrets.token_urlsafe(16)
    await post.visitor(**sealed.link_columns(secret))
    return secret
