"""Visitors, doors and alarms: devices with keys, guests with and without a network, the guard, a fire."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from typing import Any

from tests.journeys.applicant import INBOX, eventually
from tests.journeys.client import Client
from tests.journeys.devices import GateComputer, gate_computer
from tests.journeys.first_day import PASSWORD
from tests.journeys.guests import ask_to_come_in
from tests.journeys.instance import Instance
from tests.journeys.moving_in import ACCEPT, CODE, END, INVITE, OWNER_PHONE, home
from tests.journeys.phone import Phone, phone_of
from tests.journeys.site import RECORDS, Site, set_up
from tests.journeys.steps import Steps

SON, SON_PHONE = "华小山", "19900009921"
CHINA = timezone(timedelta(hours=8))

DECIDE = """
mutation Decide($input: DecideVisitorPassInput!) { decideVisitorPass(input: $input) {
  visitorPass { id state } errors { code message } } }
"""
REVOKE = """
mutation Revoke($input: RevokeVisitorPassInput!) { revokeVisitorPass(input: $input) {
  visitorPass { state } errors { code message } } }
"""
PASSES = """
query Passes($states: [VisitorPassState!]) { viewer { visitorPasses(states: $states) {
  nodes { id guestName uses usesLeft } } } }
"""
SEARCH = """
query Search($compound: ID!, $words: String!) { guardSearch(compound: $compound, words: $words) {
  id guestName phone houseNumber } }
"""
ADMIT = """
mutation Admit($input: AdmitVisitorInput!) { admitVisitor(input: $input) {
  visitor { documentCheckedAt insideSince } record { id } errors { code message } } }
"""
REFUSE = """
mutation Refuse($input: RefuseVisitorInput!) { refuseVisitor(input: $input) {
  record { result reason } errors { code message } } }
"""
DOORS = "query Doors { viewer { doors { id name mode isReleased } } }"
OPEN = """
mutation Open($input: OpenDoorInput!) { openDoor(input: $input) {
  command { id state reason } errors { code message } } }
"""
HOLD = """
mutation Hold($input: SetDoorModeInput!) { setDoorMode(input: $input) { errors { code message } } }
"""
OWN_CODE = "query Code($house: ID!) { residentCode(house: $house) { text expiresAt } }"
ALARMS = """
query Alarms($compound: ID!, $kind: AlarmKind) { alarms(compound: $compound, kind: $kind) {
  nodes { id kind level state reports flaps calmSince } } }
"""
ACKNOWLEDGE = """
mutation Take($input: AcknowledgeAlarmInput!) { acknowledgeAlarm(input: $input) {
  alarm { state acknowledgedBy } errors { code message } } }
"""
CLEAR = """
mutation Clear($input: ClearAlarmInput!) { clearAlarm(input: $input) { alarm { state } errors { code message } } }
"""
STATISTICS = """
query Statistics($compound: ID!, $from: Date!, $until: Date!) {
  accessStatistics(compound: $compound, from: $from, until: $until) {
    total { attempts opened refused } byMethod { method tally { opened } } } }
"""


def play(instance: Instance, steps: Steps) -> None:
    """The steps in order; each asserts what it claims."""
    staff = Client(instance.url)
    staff.sign_in_staff("manager", PASSWORD)
    with ExitStack() as stack:
        with steps.step(
            "员工登记设备、密钥与门,门岗上班 devices, keys and doors in the register, a guard at work"
        ):
            site = set_up(instance, staff)
            folder = instance.log.parent / "gates"
            computer = stack.enter_context(gate_computer(folder, site.gate_device))
        _inviting(steps, site, computer)
        _without_a_network(steps, site, computer)
        _asking(steps, site, computer)
        _guarding(steps, site)
        _opening(instance, steps, site, computer)
        _burning(instance, steps, site)
        _flapping(steps, site)
        _looking_back(instance, steps, site)


def _inviting(steps: Steps, site: Site, computer: GateComputer) -> None:
    with steps.step(
        "住户一步邀请访客,链接里有二维码和数字码 one mutation; the link shows QR code and digits"
    ):
        invited = site.invite("王来访", phone="13812345678", uses=2, message="到了打电话")
        page = site.page(invited["link"])
        assert page.screen == "active" and "到了打电话" in page.html and "华桂珍" not in page.html
        assert page.text.startswith("RC1:") and len(page.digits) == 6
    with steps.step("联网闸机:数字码、二维码各进一次,第三次拒绝 online: digits, then the code, then no more"):
        assert computer.scan(page.digits) == ("server", "OK")
        assert computer.scan(page.text) == ("server", "OK")
        assert computer.scan(page.text) == ("server", "USED_UP")
        assert "已使用 2 次" in site.page(invited["link"]).html
        arrived = site.told(site.host, "visitor.arrived")
        assert "王来访" in arrived["title"], arrived


def _without_a_network(steps: Steps, site: Site, computer: GateComputer) -> None:
    with steps.step("断网:指定闸机的单次通行证只开一次 no network: a bound single-use pass opens once"):
        bound = site.invite("李断网", offlineDoor=site.gate)
        text = site.page(bound["link"]).text
        computer.do("poll")
        computer.do("cut", is_cut=True)
        assert computer.scan(text) == ("gate", "OK")
        assert computer.scan(text) == ("gate", "USED_UP")
        assert site.page(bound["link"]).screen == "active"
    with steps.step("恢复后补传,传两遍也只记一次 told later, twice over, and on record once"):
        computer.do("cut", is_cut=False)
        computer.do("upload", forgets=True)
        assert computer.do("upload")["repeated"] == 2
        assert site.page(bound["link"]).screen == "used_up"
        written = [(each["result"], each["reason"]) for each in site.records(visitorPass=bound["id"])]
        assert written == [("REFUSED", "USED_UP"), ("OPENED", "")], written
        assert computer.scan(text) == ("server", "USED_UP")


def _asking(steps: Steps, site: Site, computer: GateComputer) -> None:
    with steps.step(
        "访客扫小区码申请,住户马上收到,同意后页面就变 a visitor asks, the house is told and agrees"
    ):
        where = {"building": "1号楼", "unit": "1单元", "room": "101"}
        link = ask_to_come_in(site.url, CODE, **where, name="赵快递", phone="13900001122")
        assert site.page(link).screen == "requested"
        assert "赵快递" in site.told(site.host, "visitor.requested")["title"]
        (asked,) = site.host.ask(PASSES, states=["REQUESTED"])["viewer"]["visitorPasses"]["nodes"]
        done = site.host.ask(DECIDE, input={"visitorPass": asked["id"], "approve": True})["decideVisitorPass"]
        assert (done["errors"], done["visitorPass"]["state"]) == ([], "ACTIVE"), done
        text = site.page(link).text
    with steps.step(
        "吊销几秒内到达闸机,断网也拒绝 a revocation reaches the waiting gate, which refuses by itself"
    ):
        known = computer.do("poll")["sequence"]
        computer.begin("poll", wait=20)
        taken = {"visitorPass": asked["id"], "reason": "不来了"}
        assert site.host.ask(REVOKE, input=taken)["revokeVisitorPass"]["errors"] == []
        assert computer.heard()["sequence"] == known + 1
        computer.do("cut", is_cut=True)
        assert computer.scan(text) == ("gate", "REVOKED")
        computer.do("cut", is_cut=False)
        assert site.page(link).screen == "revoked"


def _guarding(steps: Steps, site: Site) -> None:
    with steps.step(
        "门岗凭手机尾号找到访客,核对证件后放行 the guard finds by phone, checks and admits, once"
    ):
        site.invite("钱上门", phone="13700005566")
        (found,) = site.guard.ask(SEARCH, compound=site.compound, words="5566")["guardSearch"]
        assert found["guestName"] == "钱上门" and "13700005566" not in found["phone"], found
        given = {
            "visitorPass": found["id"], "door": site.gate, "documentChecked": True,
            "idempotencyKey": str(uuid.uuid4()),
        }  # fmt: skip
        first, again = (site.guard.ask(ADMIT, input=given)["admitVisitor"] for _ in range(2))
        assert first["errors"] == [] and first["visitor"]["documentCheckedAt"], first
        assert again["record"]["id"] == first["record"]["id"], again
    with steps.step("门岗拒绝并写明原因,住户知道 sent away with a reason, of which the house is told"):
        other = site.invite("孙推销")
        given = {
            "visitorPass": other["id"], "door": site.gate, "reason": "证件与姓名不符",
            "idempotencyKey": str(uuid.uuid4()),
        }  # fmt: skip
        refused = site.guard.ask(REFUSE, input=given)["refuseVisitor"]
        assert refused["record"] == {"result": "REFUSED", "reason": "GUARD_REFUSED"}, refused
        assert "证件与姓名不符" in site.told(site.host, "visitor.refused")["body"]


def _opening(instance: Instance, steps: Steps, site: Site, computer: GateComputer) -> None:
    son = phone_of(instance.url, instance.platform_url)
    with steps.step(
        "家人用手机开单元门,连点两下只开一次 family open the door by phone; a double tap opens once"
    ):
        _move_in(site, son)
        assert {"南门", "1号楼1单元门"} == {each["name"] for each in son.ask(DOORS)["viewer"]["doors"]}
        with ThreadPoolExecutor(2) as pool:
            taps = [each.result() for each in [pool.submit(_tap, instance, son, site) for _ in range(2)]]
        assert [each["command"]["state"] for each in taps] == ["OPENED", "OPENED"], taps
        assert len({each["command"]["id"] for each in taps}) == 1, taps
        assert [each["who"] for each in site.records(method="APP")] == [SON]
    with steps.step("住户码开闸机,每道门一次 a resident's own code opens each gate once"):
        text = son.ask(OWN_CODE, house=site.house)["residentCode"]["text"]
        assert computer.scan(text) == ("server", "OK")
        again = computer.scan(text)
        assert again == ("server", "CODE_USED"), again
        unused = son.ask(OWN_CODE, house=site.house)["residentCode"]["text"]
    with steps.step("居住关系一结束,手机和住户码都不再开门 when the occupancy ends neither opens any more"):
        member = next(
            each for each in home(site.host)["houses"][0]["house"]["members"] if each["name"] == SON
        )
        ended = site.host.ask(END, input={"occupancy": member["id"], "reason": "搬走了"})["endOccupancy"]
        assert ended["errors"] == [], ended
        tap = {"door": site.unit_door, "idempotencyKey": str(uuid.uuid4())}
        assert son.codes(OPEN, input=tap) == ["FORBIDDEN"]
        assert son.ask(DOORS)["viewer"]["doors"] == []
        assert computer.scan(unused) == ("server", "NOT_RESIDENT")


def _move_in(site: Site, son: Phone) -> None:
    wanted = {"house": site.house, "capacity": "FAMILY", "name": SON, "phone": SON_PHONE}
    code = site.host.ask(INVITE, input=wanted)["inviteToHouse"]["code"]
    son.sign_in_with_sms(SON_PHONE)
    accepted = son.ask(ACCEPT, input={"code": code})["acceptInvitation"]
    assert accepted["errors"] == [], accepted


def _tap(instance: Instance, son: Phone, site: Site) -> Any:
    """One tap, on a connection of its own."""
    given = {"door": site.unit_door, "house": site.house, "idempotencyKey": str(uuid.uuid4())}
    return Client(instance.url, son.token).ask(OPEN, input=given)["openDoor"]


def _burning(instance: Instance, steps: Steps, site: Site) -> None:
    with steps.step(
        "火警:单元门打开,楼里的人、短信和访客页都知道 a fire opens the doors and everybody is told"
    ):
        guest = site.invite("周在楼里")
        site.panel.report("fire", active=True, detail="3层烟感")
        eventually(lambda: _unit_door(site)["isReleased"])
        assert "撤离" in site.told(site.host, "fire.evacuate")["title"]
        assert site.told(site.guard, "alarm.critical")
        eventually(lambda: _texts(instance, OWNER_PHONE))
        assert 'class="fire"' in site.page(guest["link"]).html
    with steps.step("火警期间无人能锁门 nobody locks a door while it burns"):
        locking = {
            "door": site.unit_door, "mode": "CLOSED", "reason": "锁门", "idempotencyKey": str(uuid.uuid4()),
        }  # fmt: skip
        held = site.guard.ask(HOLD, input=locking)["setDoorMode"]["errors"]
        assert [each["code"] for each in held] == ["DOOR_FIRE_RELEASED"], held
    with steps.step("门岗确认,主机恢复,解除后门恢复正常 acknowledged, over, cleared: the door is as before"):
        (alarm,) = site.guard.ask(ALARMS, compound=site.compound, kind="FIRE")["alarms"]["nodes"]
        taken = site.guard.ask(ACKNOWLEDGE, input={"alarm": alarm["id"]})["acknowledgeAlarm"]["alarm"]
        assert taken == {"state": "ACKNOWLEDGED", "acknowledgedBy": "秦门岗"}, taken
        site.panel.report("fire", active=False)
        found = {"alarm": alarm["id"], "note": "3层厨房油烟,已通风", "isFalse": True}
        cleared = site.guard.ask(CLEAR, input=found)["clearAlarm"]
        assert (cleared["errors"], cleared["alarm"]["state"]) == ([], "CLEARED"), cleared
        door = eventually(lambda: None if _unit_door(site)["isReleased"] else _unit_door(site))
        assert door["mode"] == "NORMAL", door
        assert site.told(site.host, "fire.over")


def _unit_door(site: Site) -> Any:
    doors = site.host.ask(DOORS)["viewer"]["doors"]
    return next(each for each in doors if each["id"] == site.unit_door)


def _texts(instance: Instance, phone: str) -> list[Any]:
    """Short messages of the fire that this number has got."""
    asked = {"person": phone, "channel": "sms"}
    shown = Client(instance.url).http.get(f"{instance.platform_url}/open/messages", params=asked).json()
    return [each for each in shown["messages"] if "火" in each["text"]]


def _flapping(steps: Steps, site: Site) -> None:
    with steps.step("井盖告警反复五次,只有一条告警 a manhole that flaps five times is one alarm"):
        for _ in range(5):
            site.manhole.report("manhole", active=True, detail="倾斜 18°")
            site.manhole.report("manhole", active=False)
        (alarm,) = site.guard.ask(ALARMS, compound=site.compound, kind="MANHOLE")["alarms"]["nodes"]
        assert (alarm["state"], alarm["reports"], alarm["flaps"]) == ("OPEN", 5, 4), alarm
        assert alarm["calmSince"] is not None
        site.told(site.guard, "alarm.raised")
        nodes = site.guard.ask(INBOX)["viewer"]["inbox"]["nodes"]
        assert [each["kind"] for each in nodes].count("alarm.raised") == 1, nodes


def _looking_back(instance: Instance, steps: Steps, site: Site) -> None:
    with steps.step("通行记录与统计里都有 records and statistics hold all of it"):
        written = site.records()
        methods = {each["method"] for each in written}
        assert {"QR", "CODE", "APP", "GUARD", "FIRE"} <= methods, methods
        reasons = {each["reason"] for each in written}
        assert {"USED_UP", "REVOKED", "CODE_USED", "NOT_RESIDENT", "GUARD_REFUSED", "FORBIDDEN"} <= reasons
        (sent_away,) = site.records(name="孙推销")
        assert (sent_away["guardName"], sent_away["note"]) == ("秦门岗", "证件与姓名不符"), sent_away
        today = datetime.now(CHINA).date()
        # The day may have changed on the way.
        days = {"from": f"{today - timedelta(days=1)}", "until": f"{today}"}
        counted = site.guard.ask(STATISTICS, compound=site.compound, **days)["accessStatistics"]
        total = counted["total"]
        assert (total["attempts"], total["opened"] + total["refused"]) == (len(written), len(written)), total
        assert {each["method"] for each in counted["byMethod"]} == methods
    with steps.step("别的小区的员工一条也看不到 another compound's staff see none of it"):
        neighbour = Client(instance.url)
        neighbour.sign_in_staff("neighbour", PASSWORD)
        assert neighbour.codes(RECORDS, compound=site.compound) == ["FORBIDDEN"]
        assert neighbour.codes(ALARMS, compound=site.compound) == ["FORBIDDEN"]
