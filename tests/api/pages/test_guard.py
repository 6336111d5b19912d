"""The guard's page in the browser: lists, search, one visitor, admitting once, walk-ins, scanning."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.applications import Starlette

from api.pages.texts import labels
from domains.access import permissions
from domains.access.service import digits, texts
from domains.devices import permissions as devices_permissions
from domains.kernel import clock
from schema.relay import encode
from schema.root import schema
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import HTMX, Visitor, seen, visiting
from tests.factories import access, alarms, devices, gates, guards, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
PAGE = "/staff/guard"
EVERYTHING = (*permissions.LABELS, *devices_permissions.LABELS)
PAGES = (PAGE, f"{PAGE}/scan", f"{PAGE}/walk-in", f"{PAGE}/alarms")
COMMANDS = ("admit", "refuse", "leave", "decide", "walk-in", "scan")


@dataclass(frozen=True, slots=True)
class Gate:
    """A scene with one gate, and a guard's browser before it."""

    scene: Scene
    door_id: UUID
    visitor: Visitor

    async def visit(self, **columns: Any) -> UUID:  # Any: columns
        """A pass for the scene's house."""
        columns = {"host_id": self.scene.owner.account_id, **columns}
        return await access.visitor_pass(self.scene.compound_id, self.scene.house_id, **columns)

    async def send(self, do: str, pass_id: UUID, **fields: str) -> str:
        """What is read after a form of the visitor's sheet."""
        given = {"visitor": encode("VisitorPass", pass_id), "next": PAGE, "key": str(uuid4()), **fields}
        return seen(await self.visitor.post(f"{PAGE}/{do}", given, **HTMX))


@pytest.fixture
async def scene() -> Scene:
    """Houses and people that no other test uses."""
    return await residents.scene()


@pytest.fixture
async def gate(app: Starlette, scene: Scene) -> AsyncIterator[Gate]:
    """A gate and a guard at it, who may do everything there."""
    door_id = await access.door(scene.compound_id)
    async with visiting(app) as opened:
        await opened.sign_in(await staff_of(scene, *EVERYTHING))
        await opened.get(PAGE)
        yield Gate(scene, door_id, opened)


def sheet_of(pass_id: UUID) -> str:
    """The address of a visitor's sheet."""
    return f"{PAGE}/visitor?pass={encode('VisitorPass', pass_id)}"


async def test_the_list_shows_who_waits_who_is_expected_and_who_is_inside(gate: Gate) -> None:
    await gate.visit(guest_name="李等待", state="requested", decided_at=None, host_id=None, origin="visitor")
    await gate.visit(guest_name="王预约", plate="粤B12345", is_car_refused=True, companions=2)
    await gate.visit(
        guest_name="赵在内", inside_since=clock.now(), last_used_at=clock.now(), uses=1, uses_allowed=2
    )
    text = seen(await gate.visitor.get(PAGE))
    assert text.index("等待确认") < text.index("李等待") < text.index("今天预约") < text.index("王预约")
    assert text.index("王预约") < text.index("在内访客") < text.index("赵在内")
    assert "同行 2 人" in text and "车位已满" in text and "1号楼1单元101" in text


async def test_search_is_posted_and_shows_only_what_was_meant(gate: Gate) -> None:
    await gate.visit(guest_name="王预约")
    await gate.visit(guest_name="钱别人", plate="粤B99999")
    part = await gate.visitor.post(PAGE, {"words": "99999"}, **HTMX)
    assert "钱别人" in seen(part) and "王预约" not in seen(part) and "<html" not in part.text
    whole = await gate.visitor.post(PAGE, {"words": "没有这人"})
    assert "今天没有这位访客" in seen(whole) and "<html" in whole.text
    assert "王预约" in seen(await gate.visitor.post(PAGE, {"words": " "}, **HTMX))


async def test_a_double_tap_admits_once(gate: Gate) -> None:
    pass_id = await gate.visit(uses_allowed=2)
    sheet = (await gate.visitor.get(sheet_of(pass_id))).text
    key = re.search(r'name="key" value="([^"]+)"', sheet)
    assert key is not None
    for _ in range(2):
        text = await gate.send("admit", pass_id, key=key[1], checked="on", companions="1")
        assert "已放行" in text and "王来访" in text
    kept = await guards.visit(pass_id)
    assert kept.uses == 1 and kept.document_checked_at is not None
    assert [row["result"] for row in await guards.recorded(pass_id)] == ["opened"]


async def test_who_may_not_come_in_is_told_in_large_words(gate: Gate) -> None:
    now = clock.now()
    past = await gate.visit(starts_at=now - timedelta(hours=3), ends_at=now - timedelta(hours=1))
    used = await gate.visit(state="used_up", uses=1, ended_at=now)
    assert "已过期" in await gate.send("admit", past)
    response = await gate.visitor.post(
        f"{PAGE}/admit", {"visitor": encode("VisitorPass", used), "next": PAGE, "key": str(uuid4())}, **HTMX
    )
    assert 'data-verdict="no"' in response.text and "次数已用完" in seen(response)
    assert (await guards.visit(past)).uses == 0


async def test_a_field_that_is_wrong_leaves_the_form(gate: Gate) -> None:
    pass_id = await gate.visit()
    given = {
        "visitor": encode("VisitorPass", pass_id),
        "next": PAGE,
        "key": str(uuid4()),
        "plate": "不是车牌",
    }
    answer = await gate.visitor.post(f"{PAGE}/admit", given, **HTMX)
    assert answer.headers["hx-retarget"] == "#notices"
    assert (await guards.visit(pass_id)).uses == 0 and await guards.recorded(pass_id) == []


async def test_who_reads_the_reason_is_said_where_it_is_written(gate: Gate) -> None:
    asked = await gate.visit(state="requested", decided_at=None, host_id=None, origin="visitor")
    shown = seen(await gate.visitor.get(sheet_of(asked)))
    assert "拒绝原因（访客会看到）" in shown and "住户会看到" not in shown
    shown = seen(await gate.visitor.get(sheet_of(await gate.visit())))
    assert "拒绝原因（住户会看到）" in shown and "访客会看到" not in shown


async def test_refusing_needs_a_reason_and_keeps_the_pass(gate: Gate) -> None:
    pass_id = await gate.visit()
    before = await guards.left_behind()
    assert "已拒绝" not in await gate.send("refuse", pass_id)
    assert await guards.left_behind() == before
    text = await gate.send("refuse", pass_id, chosen="refusal:DOCUMENT", words="名字<不>同")
    assert "已拒绝" in text
    rows = await guards.recorded(pass_id)
    assert [(row["result"], row["note"]) for row in rows] == [("refused", "证件不符：名字<不>同")]
    assert (await guards.visit(pass_id)).state == "active"


async def test_leaving_is_on_record(gate: Gate) -> None:
    pass_id = await gate.visit(uses_allowed=3)
    await gate.send("admit", pass_id)
    assert "离开" in seen(await gate.visitor.get(sheet_of(pass_id)))
    assert "已登记离开" in await gate.send("leave", pass_id)
    assert (await guards.visit(pass_id)).inside_since is None
    assert "没有在内的记录" in await gate.send("leave", pass_id)


@pytest.mark.parametrize(("decision", "state"), [("approve", "active"), ("reject", "rejected")])
async def test_a_request_is_decided(gate: Gate, decision: str, state: str) -> None:
    pass_id = await gate.visit(state="requested", decided_at=None, host_id=None, origin="visitor")
    assert "同意来访" in seen(await gate.visitor.get(sheet_of(pass_id)))
    await gate.send("decide", pass_id, decision=decision, chosen="refusal:NOT_WANTED", here=PAGE)
    assert (await guards.visit(pass_id)).state == state


async def test_every_form_works_without_a_script(gate: Gate) -> None:
    pass_id = await gate.visit()
    given = {"visitor": encode("VisitorPass", pass_id), "next": PAGE, "key": str(uuid4())}
    done = await gate.visitor.post(f"{PAGE}/admit", given)
    assert (done.status_code, done.headers["location"]) == (303, PAGE)
    assert "已放行" in seen(await gate.visitor.get(PAGE))
    away = await gate.visitor.post(f"{PAGE}/admit", {**given, "next": "https://evil.test"})
    assert away.headers["location"] == "/staff"


WALK_IN = {
    "place": "1-1-101",
    "name": "孙快递",
    "purpose": "DELIVERY",
    "companions": "1",
    "document": "RESIDENT_ID",
}


async def test_a_walk_in_is_registered_once(gate: Gate) -> None:
    key = str(uuid4())
    for _ in range(2):
        done = await gate.visitor.post(f"{PAGE}/walk-in", {**WALK_IN, "key": key})
        assert done.headers["location"] == PAGE
    text = seen(await gate.visitor.get(PAGE))
    assert "孙快递 已登记并放行" in text and text.count("快递外卖") == 1 and "在内访客" in text


async def test_a_walk_in_that_is_refused_keeps_what_was_typed(gate: Gate) -> None:
    before = await guards.left_behind()
    shown = await gate.visitor.post(f"{PAGE}/walk-in", {**WALK_IN, "place": "9-9-999", "key": str(uuid4())})
    assert "没有找到" in seen(shown) and 'value="孙快递"' in shown.text and 'value="9-9-999"' in shown.text
    assert await guards.left_behind() == before


async def test_a_code_is_looked_at_and_not_used(gate: Gate) -> None:
    pass_id = await gate.visit()
    shown = await texts.text_of(pass_id)
    assert shown is not None
    answer = await gate.visitor.post(f"{PAGE}/scan", {"text": shown}, **HTMX)
    assert 'data-verdict="yes"' in answer.text and "王来访" in seen(answer) and "放行" in seen(answer)
    assert (await guards.visit(pass_id)).uses == 0
    whole = await gate.visitor.post(f"{PAGE}/scan", {"text": shown})
    assert "<html" in whole.text and "王来访" in seen(whole)


@pytest.mark.parametrize(
    "text", ["000000", "RC1:不是", "https://example.com/", "RC1:" + "A" * 3000, "<b>", " "]
)
async def test_what_is_no_code_is_said_so(gate: Gate, text: str) -> None:
    answer = await gate.visitor.post(f"{PAGE}/scan", {"text": text}, **HTMX)
    assert answer.status_code == 200 and "王来访" not in seen(answer)
    assert 'data-verdict="no"' in answer.text or answer.headers["hx-retarget"] == "#notices"


async def test_digits_and_a_residents_code(gate: Gate) -> None:
    pass_id = await gate.visit()
    wanted = await digits.digits_of(pass_id)
    answer = await gate.visitor.post(f"{PAGE}/scan", {"text": wanted or ""}, **HTMX)
    assert "王来访" in seen(answer)
    code = await gates.code(gate.scene.owner, gate.scene.house_id)
    answer = await gate.visitor.post(f"{PAGE}/scan", {"text": code}, **HTMX)
    assert "住户 张建国 · 1号楼1单元101" in seen(answer) and 'data-back="' in answer.text
    whole = await gate.visitor.post(f"{PAGE}/scan", {"text": code})
    assert "住户 张建国 · 1号楼1单元101" in seen(whole)


async def test_the_gate_is_chosen_once(gate: Gate) -> None:
    other = await access.door(gate.scene.compound_id, "北门")
    text = seen(await gate.visitor.get(PAGE))
    assert "请先选择您所在的门岗" in text
    pass_id = await gate.visit()
    assert "请先选择您所在的门岗" in await gate.send("admit", pass_id)
    assert (await guards.visit(pass_id)).uses == 0
    await gate.visitor.post(f"{PAGE}/gate", {"door": encode("Door", uuid4()), "next": PAGE})
    assert gate.visitor.cookie("door") is None
    await gate.visitor.post(f"{PAGE}/gate", {"door": encode("Door", other), "next": PAGE})
    assert "北门" in seen(await gate.visitor.get(f"{PAGE}/scan"))
    assert "已放行" in await gate.send("admit", pass_id)
    assert [row["door_id"] for row in await guards.recorded(pass_id)] == [other]


async def test_without_the_permission_to_admit_there_is_nothing_to_press(
    app: Starlette, scene: Scene
) -> None:
    await access.door(scene.compound_id)
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id, scene.owner.account_id)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.VISITORS_READ, permissions.DOORS_READ))
        listed, sheet = await visitor.get(PAGE), await visitor.get(sheet_of(pass_id))
        assert "王来访" in seen(listed) and 'href="/staff/guard/scan"' not in listed.text
        assert "王来访" in seen(sheet) and "放行" not in seen(sheet).replace("未放行", "")
        before = await guards.left_behind()
        for do in COMMANDS:
            given = {
                "visitor": encode("VisitorPass", pass_id),
                "key": str(uuid4()),
                "text": "123456",
                **WALK_IN,
            }
            answer = await visitor.post(f"{PAGE}/{do}", given, **HTMX)
            assert answer.headers["hx-retarget"] == "#notices", do
        assert await guards.left_behind() == before


async def test_who_may_see_no_visitors_is_refused(app: Starlette, scene: Scene) -> None:
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.DOORS_READ))
        assert (await visitor.get(PAGE)).status_code == 403


async def test_staff_elsewhere_find_nobody(app: Starlette, scene: Scene) -> None:
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id, scene.owner.account_id)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(await residents.scene(), *EVERYTHING))
        assert (await visitor.get(sheet_of(pass_id))).status_code == 404


async def test_alarms_are_shown_taken_on_and_cleared(gate: Gate) -> None:
    panel = await devices.device(gate.scene.compound_id, "fire_panel", name="消控主机", place="消控室")
    alarm = await alarms.raised(panel)
    for path in PAGES:
        assert "消控室" in seen(await gate.visitor.get(path)), path
    strip = await gate.visitor.get(f"{PAGE}/strip", **HTMX)
    assert f'data-critical="{encode("Alarm", alarm.id)}"' in strip.text and 'hx-swap-oob="true"' in strip.text
    given = {"alarm": encode("Alarm", alarm.id), "next": f"{PAGE}/alarms"}
    taken = await gate.visitor.post("/staff/alarms/acknowledge", given, **HTMX)
    assert "处理中" in seen(taken) and "我来处理" not in seen(taken)
    assert "解除…" in seen(taken)
    bare = await gate.visitor.post("/staff/alarms/clear", {**given, "note": ""}, **HTMX)
    assert bare.headers["hx-retarget"] == "#notices"
    done = await gate.visitor.post("/staff/alarms/clear", {**given, "note": "误触", "false": "on"})
    assert done.headers["location"] == f"{PAGE}/alarms"
    assert "没有未解除的告警" in seen(await gate.visitor.get(f"{PAGE}/alarms"))


async def test_it_speaks_english(gate: Gate) -> None:
    await gate.visit()
    english = {"accept-language": "en"}
    text = seen(await gate.visitor.get(PAGE, **english))
    for expected in ("Visitors", "Expected today", "Scan", "Walk-in"):
        assert expected in text
    answer = await gate.visitor.post(f"{PAGE}/scan", {"text": "RC1:X"}, **HTMX, **english)
    assert not re.search(r"[一-鿿]", seen(answer))


def test_values_of_the_guards_pages_have_labels() -> None:
    prefixed = {
        "VisitorPassState": "pass", "VisitPurpose": "purpose", "AccessMethod": "method", "AccessResult": "passage",
        "AccessDirection": "direction", "AlarmState": "alarm_state", "AlarmLevel": "alarm_level", "AlarmKind": "alarm",
        "DeviceKind": "device", "DeviceState": "device_state", "AssetEntryKind": "ledger",
    }  # fmt: skip
    for name, prefix in prefixed.items():
        values = schema._schema.type_map[name].values  # type: ignore[attr-defined]  # an enum type has values
        assert {f"{prefix}:{value}" for value in values} - set(labels()) == set(), name
