"""Reviewing registrations in the browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from starlette.applications import Starlette

from domains.kernel.actor import Capacity
from domains.residents import permissions
from domains.residents.models import Occupancy, Registration
from domains.residents.service.registration import register_resident
from tests.api.pages.visitors import HTMX, Visitor, seen, visiting
from tests.factories import identity, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
PAGE = "/staff/registrations"
REVIEW = f"{PAGE}/review"


@pytest.fixture
async def scene() -> Scene:
    """Houses and people that no other test uses."""
    return await residents.scene()


@pytest.fixture
async def reviewer(app: Starlette, scene: Scene) -> AsyncIterator[Visitor]:
    """Staff of the compound who may review, signed in."""
    async with visiting(app) as opened:
        await opened.sign_in(await staff_of(scene, permissions.REVIEW))
        yield opened


async def staff_of(scene: Scene, *granted: str) -> str:
    """The login of staff of the scene's first compound."""
    from domains.estate.models import Compound

    compound = await Compound.get(pk=scene.compound_id).select_related("company")
    account = await identity.staff(
        compound.company.name, granted, scope="compound", place_id=scene.compound_id
    )
    return await identity.login_of(account)


async def registered(
    scene: Scene, name: str = "李新民", room: str = "101", *, note: str = "", capacity: Capacity = "owner"
) -> UUID:
    """A registration that waits."""
    return await register_resident(
        await residents.newcomer(name), compound_code=scene.code, building="1号楼", unit="1单元", room=room,
        name=name, capacity=capacity, note=note,
    )  # fmt: skip


def id_on(page: str) -> str:
    """The id of the first registration that can be decided."""
    found = re.search(r'name="registration" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def test_what_waits_is_shown_with_what_the_register_says(reviewer: Visitor, scene: Scene) -> None:
    await registered(scene, note="刚买的房子")
    shown = await reviewer.get(PAGE)
    text = seen(shown)
    for expected in (
        "李新民",
        "业主",
        "1号楼1单元101",
        "刚买的房子",
        "台账中没有这个姓名",
        "手机号与台账不符",
        "登记业主 1 人",
    ):
        assert expected in text
    assert re.search(r"139\*{4}\d{4}", text) and not re.search(r"139\d{8}", text)


async def test_approving_binds_and_the_card_says_so(reviewer: Visitor, scene: Scene) -> None:
    id = await registered(scene)
    chosen = id_on((await reviewer.get(PAGE)).text)
    done = await reviewer.post(REVIEW, {"registration": chosen, "decision": "APPROVE"}, **HTMX)
    assert done.status_code == 200 and "已通过" in seen(done) and "确认驳回" not in done.text
    assert (await Registration.get(pk=id)).state == "approved"
    assert await Occupancy.filter(house_id=scene.house_id, verified_by="staff", ended_at=None).count() == 1
    assert "没有需要处理的登记" in seen(await reviewer.get(PAGE))
    assert "李新民" in seen(await reviewer.get(f"{PAGE}?state=APPROVED"))


async def test_rejecting_needs_a_reason(reviewer: Visitor, scene: Scene) -> None:
    id = await registered(scene)
    chosen = id_on((await reviewer.get(PAGE)).text)
    bare = await reviewer.post(REVIEW, {"registration": chosen, "decision": "REJECT", "reason": " "}, **HTMX)
    assert bare.headers["hx-retarget"] == "#notices"
    assert (await Registration.get(pk=id)).state == "pending"
    given = {"registration": chosen, "decision": "REJECT", "reason": "请上传<b>房产证</b>"}
    done = await reviewer.post(REVIEW, given, **HTMX)
    assert "已驳回" in seen(done) and "请上传&lt;b&gt;房产证&lt;/b&gt;" in done.text
    assert (await Registration.get(pk=id)).reason == "请上传<b>房产证</b>"


async def test_without_a_script_the_page_comes_back_with_a_message(reviewer: Visitor, scene: Scene) -> None:
    await registered(scene)
    chosen = id_on((await reviewer.get(PAGE)).text)
    done = await reviewer.post(REVIEW, {"registration": chosen, "decision": "APPROVE"})
    assert (done.status_code, done.headers["location"]) == (303, PAGE)
    assert "审核完成" in seen(await reviewer.get(PAGE))
    again = await reviewer.post(REVIEW, {"registration": chosen, "decision": "APPROVE"})
    assert again.status_code == 303
    assert "alert-danger" in (await reviewer.get(PAGE)).text


@pytest.mark.parametrize(
    "fields",
    [
        {"registration": "", "decision": "APPROVE"},
        {"registration": "UmVnaXN0cmF0aW9uOng=", "decision": "APPROVE"},
        {"registration": "SG91c2U6MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAw", "decision": "APPROVE"},
        {"registration": "x" * 3000, "decision": "APPROVE"},
        {"registration": "UmVn", "decision": "MAYBE"},
        {},
    ],
)
async def test_bad_input_is_refused_in_words(reviewer: Visitor, fields: dict[str, str]) -> None:
    await reviewer.get(PAGE)
    refused = await reviewer.post(REVIEW, fields, **HTMX)
    assert (refused.status_code, refused.headers["hx-retarget"]) == (200, "#notices")
    assert "alert-danger" in refused.text


@pytest.mark.parametrize(
    "query", ["state=NONE", "building=x", "after=x", "state=%00", "building=" + "x" * 3000]
)
async def test_bad_filters_are_refused_or_ignored(reviewer: Visitor, query: str) -> None:
    assert (await reviewer.get(f"{PAGE}?{query}")).status_code in (200, 400)


async def test_staff_of_another_compound_can_neither_see_nor_decide(app: Starlette, scene: Scene) -> None:
    id = await registered(scene)
    elsewhere = await residents.scene()
    async with visiting(app) as here, visiting(app) as other:
        await here.sign_in(await staff_of(scene, permissions.REVIEW))
        await other.sign_in(await staff_of(elsewhere, permissions.REVIEW))
        chosen = id_on((await here.get(PAGE)).text)
        assert "李新民" not in seen(await other.get(PAGE))
        refused = await other.post(REVIEW, {"registration": chosen, "decision": "APPROVE"}, **HTMX)
        assert refused.headers["hx-retarget"] == "#notices"
    assert (await Registration.get(pk=id)).state == "pending"


async def test_more_is_loaded_by_key(app: Starlette, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.pages.staff import registrations

    monkeypatch.setattr(registrations, "ROWS", 2)
    for name in ("李一", "李二", "李三"):
        await registered(scene, name)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.REVIEW))
        first = await visitor.get(PAGE)
        assert "李二" in seen(first) and "李三" not in seen(first)
        more = re.search(r'hx-get="(/staff/registrations\?[^"]*after=[^"]*)"', first.text)
        assert more is not None
        rest = await visitor.get(more[1].replace("&amp;", "&"), **HTMX)
    assert "李三" in seen(rest) and "李一" not in seen(rest) and "<html" not in rest.text
