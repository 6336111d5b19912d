"""The compound of the journey's visitors: its devices and doors, its guard, and who lives there."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from tests.journeys.applicant import INBOX, eventually
from tests.journeys.client import Client
from tests.journeys.devices import Device, Installer
from tests.journeys.first_day import compound_of
from tests.journeys.guests import Shown, opened
from tests.journeys.instance import Instance
from tests.journeys.moving_in import OWNER_PHONE, home
from tests.journeys.phone import Phone, phone_of

GUARD_PASSWORD = "Journey-2026-post"
GUARD_MAY = [
    "visitors.read", "visitors.admit", "doors.read", "alarms.read", "alarms.handle", "access_records.read",
    "doors.write",
]  # fmt: skip

PLACES = "query Places($id: ID!) { compound(id: $id) { buildings { id name units { id name } } } }"
CREATE_ROLE = """
mutation Role($input: CreateRoleInput!) { createRole(input: $input) { role { id } errors { code message } } }
"""
CREATE_STAFF = """
mutation Staff($input: CreateStaffInput!) { createStaff(input: $input) {
  temporaryPassword errors { code message } } }
"""
CHANGE_PASSWORD = """
mutation Own($input: ChangePasswordInput!) { changePassword(input: $input) { errors { code message } } }
"""
CREATE_PASS = """
mutation Invite($input: CreateVisitorPassInput!) { createVisitorPass(input: $input) {
  visitorPass { id link } errors { code message field } } }
"""
RECORDS = """
query Records($compound: ID!, $filter: AccessRecordFilter) { accessRecords(
  compound: $compound, filter: $filter, first: 100) { nodes { who method result reason note guardName } } }
"""


@dataclass(frozen=True, slots=True)
class Site:
    """The compound with its devices and doors, and who is on the scene."""

    url: str
    compound: str
    gate: str
    unit_door: str
    gate_device: Device
    panel: Device
    manhole: Device
    guard: Client
    host: Phone
    house: str

    def invite(self, name: str, **more: object) -> Any:
        """One mutation: a guest who may come from now on."""
        given = {"house": self.house, "name": name, "idempotencyKey": str(uuid.uuid4()), **more}
        done = self.host.ask(CREATE_PASS, input=given)["createVisitorPass"]
        assert done["errors"] == [], done
        return done["visitorPass"]

    def page(self, link: str) -> Shown:
        """What the guest sees."""
        return opened(self.url, link)

    def records(self, **narrowed: object) -> list[Any]:
        """What is on record, the last one first."""
        asked = self.guard.ask(RECORDS, compound=self.compound, filter=narrowed)
        found: list[Any] = asked["accessRecords"]["nodes"]
        return found

    def told(self, client: Client, kind: str) -> Any:
        """The newest message of a kind in somebody's inbox, once it is there."""

        def look() -> Any:
            nodes = client.ask(INBOX)["viewer"]["inbox"]["nodes"]
            return next((each for each in nodes if each["kind"] == kind), None)

        return eventually(look)


def set_up(instance: Instance, staff: Client) -> Site:
    """Devices, doors and a guard, by staff who may; the host is the owner who has moved in."""
    compound = compound_of(staff)
    installer = Installer(staff, compound)
    first = staff.ask(PLACES, id=compound)["compound"]["buildings"][0]
    building, unit = first["id"], first["units"][0]["id"]
    gate_device = installer.device("ZJ-001", "南门闸机", "GATE", maker="海山", place="南门岗亭")
    controller = installer.register("MJ-001", "1号楼1单元门禁", "DOOR", building=building)
    host = phone_of(instance.url, instance.platform_url)
    host.sign_in_with_wechat("hua-guizhen", OWNER_PHONE)
    return Site(
        instance.url, compound, gate_device=gate_device,
        gate=installer.door(gate_device.id, "南门", "GATE", methods=["QR", "CODE", "GUARD", "APP"]),
        unit_door=installer.door(controller, "1号楼1单元门", "UNIT_DOOR", building=building, unit=unit),
        panel=installer.keyless("XF-001", "1号楼消防主机", "FIRE_PANEL", building=building, place="消防控制室"),
        manhole=installer.device("JG-001", "雨水井盖", "MANHOLE", place="南门外草坪"),
        guard=_guard(instance, staff, compound), host=host, house=home(host)["houses"][0]["house"]["id"],
    )  # fmt: skip


def _guard(instance: Instance, staff: Client, compound: str) -> Client:
    """A guard whom the manager has hired, with a password of the guard's own."""
    role = staff.ask(CREATE_ROLE, input={"name": "门岗", "permissions": GUARD_MAY})["createRole"]
    over = {"role": role["role"]["id"], "scope": {"compound": compound}}
    made = staff.ask(CREATE_STAFF, input={"login": "guard", "name": "秦门岗", "roles": [over]})["createStaff"]
    assert made["errors"] == [], made
    guard = Client(instance.url)
    guard.sign_in_staff("guard", made["temporaryPassword"])
    given = {"password": made["temporaryPassword"], "newPassword": GUARD_PASSWORD}
    assert guard.ask(CHANGE_PASSWORD, input=given)["changePassword"]["errors"] == []
    return guard
