"""Visitors at the desk: searched, decided, taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from starlette.applications import Starlette

from domains.access import permissions
from domains.access.models import VisitorPass
from domains.kernel import clock
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import HTMX, Visitor, seen, visiting
from tests.factories import access, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
PAGE = "/staff/visitors"
BOTH = (permissions.VISITORS_READ, permissions.VISITORS_ADMIT)


@dataclass(frozen=True, slots=True)
class Desk:
    """A compound with three visitors, and a desk before it; ids are global."""

    scene: Scene
    waiting: str
    coming: str
    visitor: Visitor

    async def found(self, **wanted: str) -> str:
        """What a search shows."""
        part = await self.visitor.post(PAGE, wanted, **HTMX)
        assert part.status_code == 200 and "<html" not in part.text
        return seen(part)


@pytest.fixture
async def desk(app: Starlette) -> AsyncIterator[Desk]:
    """Staff who may read and decide, signed in."""
    scene, now = await residents.scene(), clock.now()
    place = scene.compound_id, scene.house_id
    coming = await access.visitor_pass(*place, scene.owner.account_id, guest_name="王预约", plate="粤B12345")
    waiting = await access.visitor_pass(
        *place, guest_name="李等待", state="requested", decided_at=None, origin="visitor"
    )
    await access.visitor_pass(
        *place, guest_name="赵以前", state="expired", starts_at=now - timedelta(days=9),
        ends_at=now - timedelta(days=8), ended_at=now - timedelta(days=8),
    )  # fmt: skip
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *BOTH))
        await visitor.get(PAGE)
        yield Desk(scene, encode("VisitorPass", waiting), encode("VisitorPass", coming), visitor)


async def test_every_filter_narrows(desk: Desk) -> None:
    today = seen(await desk.visitor.get(PAGE))
    assert "王预约" in today and "李等待" in today and "赵以前" not in today
    assert "赵以前" in await desk.found(q="1号楼1单元101")
    for wanted, expected in (
        ({"q": "预约"}, "王预约"), ({"q": "B123"}, "王预约"), ({"state": "REQUESTED"}, "李等待"),
        ({"state": "EXPIRED"}, "赵以前"), ({"day": str(clock.today() - timedelta(days=9))}, "赵以前"),
    ):  # fmt: skip
        text = await desk.found(**wanted)
        assert [name for name in ("王预约", "李等待", "赵以前") if name in text] == [expected], wanted
    assert "没有符合条件的访客" in await desk.found(q="1号楼1单元102")
    assert "日期不正确" in await desk.found(day="2026-02-30")


async def test_there_is_another_page(desk: Desk) -> None:
    for n in range(30):
        await access.visitor_pass(
            desk.scene.compound_id, desk.scene.house_id, guest_name=f"客人{n:02}",
            starts_at=clock.now() - timedelta(minutes=40 - n),
        )  # fmt: skip
    day = str(clock.today())
    first = await desk.visitor.post(PAGE, {"day": day, "q": "客人"}, **HTMX)
    everyone = await desk.visitor.post(PAGE, {}, **HTMX)
    assert 'name="after"' not in first.text
    after = everyone.text.split('name="after" value="')[1].split('"')[0]
    assert "赵以前" not in seen(everyone) and "赵以前" in await desk.found(after=after)


async def test_a_request_is_decided_and_a_pass_taken_back(desk: Desk) -> None:
    row = await desk.visitor.post(f"{PAGE}/decide", {"visitor": desk.waiting, "decision": "approve"}, **HTMX)
    assert row.text.lstrip().startswith("<tr>") and "有效" in seen(row) and "吊销" in seen(row)
    given = {"visitor": desk.waiting, "decision": "reject", "reason": "不来了"}
    again = seen(await desk.visitor.post(f"{PAGE}/decide", given, **HTMX))
    assert "李等待" not in again
    row = await desk.visitor.post(f"{PAGE}/revoke", {"visitor": desk.coming, "reason": "误发"}, **HTMX)
    assert "已撤销" in seen(row) and "误发" in seen(row)
    states = {each.guest_name: each.state for each in await VisitorPass.filter(house_id=desk.scene.house_id)}
    assert states == {"李等待": "active", "王预约": "revoked", "赵以前": "expired"}


async def test_a_refusal_needs_a_reason(desk: Desk) -> None:
    given = {"visitor": desk.waiting, "decision": "reject"}
    told = await desk.visitor.post(f"{PAGE}/decide", given, **HTMX)
    assert "请写明拒绝的原因" in seen(told) and told.headers["hx-retarget"] == "#notices"
    done = await desk.visitor.post(f"{PAGE}/decide", {**given, "reason": "不认识"})
    assert done.status_code == 303 and "已拒绝来访" in seen(await desk.visitor.get(PAGE))


async def test_without_the_permission_or_elsewhere_nothing_happens(app: Starlette, desk: Desk) -> None:
    acts = {
        "decide": {"visitor": desk.waiting, "decision": "approve"},
        "revoke": {"visitor": desk.coming, "reason": "试"},
    }
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(desk.scene, permissions.VISITORS_READ))
        assert "吊销" not in seen(await visitor.get(PAGE)).split("操作", 1)[1].split("查询访客")[0]
        for path, given in acts.items():
            assert (await visitor.post(f"{PAGE}/{path}", given)).status_code == 403
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(await residents.scene(), *BOTH))
        assert "王预约" not in seen(await visitor.get(PAGE))
        for path, given in acts.items():
            assert (await visitor.post(f"{PAGE}/{path}", given)).status_code == 403
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(desk.scene, permissions.DOORS_READ))
        assert (await visitor.get(PAGE)).status_code == 403
        assert "王预约" not in (await visitor.post(PAGE, {}, **HTMX)).text
    for path, given in acts.items():
        assert (await desk.visitor.post(f"{PAGE}/{path}", given, token="forged")).status_code == 403
    states = {each.guest_name: each.state for each in await VisitorPass.filter(house_id=desk.scene.house_id)}
    assert states["李等待"] == "requested" and states["王预约"] == "active"
