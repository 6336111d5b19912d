"""Moving in: a resident registers, staff approve, the home screen fills, family joins, a stranger sees nothing."""

from __future__ import annotations

from typing import Any

from tests.journeys.client import Client
from tests.journeys.first_day import PASSWORD, compound_of
from tests.journeys.instance import Instance
from tests.journeys.phone import phone_of
from tests.journeys.steps import Steps

OWNER, OWNER_PHONE = "华桂珍", "19900000001"  # 1号楼1单元101 of the register
DAUGHTER, DAUGHTER_PHONE = "华小雨", "19900009901"
STRANGER_PHONE = "19900009902"
CODE = "JGYJGY22"

COMPOUND_BY_CODE = "query Scan($code: String!) { compoundByCode(code: $code) { name } }"
REGISTER = """
mutation Register($input: RegisterResidentInput!) { registerResident(input: $input) {
  registration { id state } errors { code message field } } }
"""
HOME = """
query Home { viewer { home { greeting { name } cards { __typename key }
  houses { capacity compound { name }
           house { id number builtAreaM2 members { id name capacity } vehicles { plate } } }
  registrations { id state house { id } } invitations { id } } } }
"""
PENDING = """
query Pending($compound: ID!) { registrations(compound: $compound, state: PENDING) {
  nodes { id name place phone facts { owners nameMatches phoneMatches } } } }
"""
REVIEW = """
mutation Review($input: ReviewRegistrationInput!) { reviewRegistration(input: $input) {
  registration { state } errors { code message } } }
"""
INVITE = """
mutation Invite($input: InviteToHouseInput!) { inviteToHouse(input: $input) {
  code invitation { id } errors { code message } } }
"""
ACCEPT = """
mutation Accept($input: AcceptInvitationInput!) { acceptInvitation(input: $input) {
  occupancy { capacity } errors { code message } } }
"""
END = """
mutation End($input: EndOccupancyInput!) { endOccupancy(input: $input) { errors { code message } } }
"""
NODE = "query Node($id: ID!) { node(id: $id) { __typename ... on House { number builtAreaM2 members { name } } } }"
AUDIT = """
query Audit($compound: ID!) { auditLog(compound: $compound, first: 100) {
  nodes { action outcome actorName subjectType } } }
"""


def home(client: Client) -> Any:
    """The home screen, one query."""
    return client.ask(HOME)["viewer"]["home"]


def play(instance: Instance, steps: Steps) -> None:
    """The steps in order; each asserts what it claims."""
    staff = Client(instance.url)
    staff.sign_in_staff("manager", PASSWORD)
    compound = compound_of(staff)
    owner, daughter, stranger = (phone_of(instance.url, instance.platform_url) for _ in range(3))

    with steps.step("业主微信登录,扫小区码登记 the owner signs in with WeChat, scans the code and registers"):
        owner.sign_in_with_wechat("hua-guizhen", OWNER_PHONE)
        assert owner.ask(COMPOUND_BY_CODE, code=CODE)["compoundByCode"]["name"] == "金桂苑"
        wanted = {"compoundCode": CODE, "building": "1号楼", "unit": "1单元", "room": "101室"}
        asked = owner.ask(REGISTER, input=wanted | {"name": OWNER, "capacity": "OWNER"})["registerResident"]
        assert asked["errors"] == [] and asked["registration"]["state"] == "PENDING", asked
    with steps.step("审核前看不到房屋 nothing of the house is visible before the review"):
        waiting = home(owner)
        assert waiting["houses"] == [] and waiting["registrations"][0]["house"] is None, waiting
        assert "RegistrationPendingCard" in {card["__typename"] for card in waiting["cards"]}
    with steps.step("前台审核通过 staff review with the register's facts and approve"):
        (pending,) = staff.ask(PENDING, compound=compound)["registrations"]["nodes"]
        assert pending["facts"] == {"owners": 1, "nameMatches": True, "phoneMatches": True}, pending
        assert OWNER_PHONE not in pending["phone"]
        done = staff.ask(REVIEW, input={"registration": pending["id"], "decision": "APPROVE"})[
            "reviewRegistration"
        ]
        assert done["errors"] == [] and done["registration"]["state"] == "APPROVED", done
    with steps.step("首页一次查询 the home screen in one query"):
        (mine,) = home(owner)["houses"]
        house = mine["house"]
        assert (mine["capacity"], house["number"]) == ("OWNER", "1号楼1单元101"), mine
        assert [member["name"] for member in house["members"]] == [OWNER]
    with steps.step("邀请家人,只有本人手机号能接受 the owner invites family; only that phone can accept"):
        code = _invite(owner, house["id"])
        stranger.sign_in_with_sms(STRANGER_PHONE)
        refused = stranger.ask(ACCEPT, input={"code": code})["acceptInvitation"]
        assert refused["occupancy"] is None and refused["errors"], refused
        daughter.sign_in_with_sms(DAUGHTER_PHONE)
        accepted = daughter.ask(ACCEPT, input={"code": code})["acceptInvitation"]
        assert accepted["errors"] == [] and accepted["occupancy"]["capacity"] == "FAMILY", accepted
        assert home(daughter)["houses"][0]["house"]["number"] == "1号楼1单元101"
    with steps.step("外人什么也看不到 a stranger sees nothing"):
        assert home(stranger)["houses"] == []
        assert stranger.ask(NODE, id=house["id"])["node"] is None
        assert Client(instance.url).ask(NODE, id=house["id"])["node"] is None
        assert stranger.codes(PENDING, compound=compound) == ["FORBIDDEN"]
    with steps.step("业主移除家人,下一次请求就生效 the owner ends it; it counts from the next request"):
        member = next(m for m in home(owner)["houses"][0]["house"]["members"] if m["name"] == DAUGHTER)
        ended = owner.ask(END, input={"occupancy": member["id"], "reason": "搬走了"})["endOccupancy"]
        assert ended["errors"] == [], ended
        assert home(daughter)["houses"] == []
        assert daughter.ask(NODE, id=house["id"])["node"] is None
    with steps.step("审计里都有 the audit shows it all"):
        rows = staff.ask(AUDIT, compound=compound)["auditLog"]["nodes"]
        assert {"register.apply", "registration.review"} <= {row["action"] for row in rows}, rows
        assert any(row["outcome"] == "REFUSED" for row in rows)


def _invite(owner: Client, house: str) -> str:
    wanted = {"house": house, "capacity": "FAMILY", "name": DAUGHTER, "phone": DAUGHTER_PHONE}
    invited = owner.ask(INVITE, input=wanted)["inviteToHouse"]
    assert invited["errors"] == [], invited
    return str(invited["code"])
