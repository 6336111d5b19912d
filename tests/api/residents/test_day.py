"""A resident's way through the API: scan, register, wait, come home, invite, leave."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domains.estate.models import Compound
from domains.kernel import clock
from schema.relay import encode
from tests.api.identity.clients import Api, codes
from tests.factories import identity, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

HOUSES = """{ viewer { houses { capacity occupancyId compound { name } house {
    id number builtAreaM2 members { id name phone capacity isMe } vehicles { id plate plateColour flag } } } } }"""
REGISTRATION = "registration { id state place houseNumber reason facts { owners nameMatches } house { id } }"


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def ask(api: Api, token: str, query: str, **variables: object) -> Any:  # Any: JSON
    answer = await api.ask(query, variables, token)
    assert "errors" not in answer, answer
    return answer["data"]


async def staff_of(scene: Scene) -> str:
    """A token of staff with every permission over people and houses in the compound."""
    company = (await Compound.get(pk=scene.compound_id).select_related("company")).company.name
    granted = (*residents.EVERYTHING, "estate.read")
    return await identity.token(
        await identity.staff(company, granted, scope="compound", place_id=scene.compound_id)
    )


async def register(api: Api, scene: Scene, token: str) -> Any:  # Any: JSON
    return await api.run(
        "registerResident", "RegisterResidentInput", REGISTRATION, token, compoundCode=scene.code, building="1栋",
        unit="1", room="101室", name="李新民", capacity="OWNER",
        document={"kind": "RESIDENT_ID", "number": "330106199003078219"},
    )  # fmt: skip


async def test_scan_register_wait_and_come_home(api: Api, scene: Scene) -> None:
    me, staff = (
        await identity.token(await identity.resident(identity.new_phone(), "李新民")),
        await staff_of(scene),
    )
    query = "query($code: String!) { compoundByCode(code: $code) { name address buildings { name units } } }"
    shown = (await ask(api, me, query, code=scene.code))["compoundByCode"]
    assert shown["buildings"] == [
        {"name": "1号楼", "units": ["1单元"]},
        {"name": "2号楼", "units": ["1单元"]},
    ]
    assert codes(await api.ask(query, {"code": scene.code})) == ["UNAUTHENTICATED"]

    sent = (await register(api, scene, me))["registration"]
    assert (sent["state"], sent["place"]) == ("PENDING", "1栋 1 101室")
    assert (sent["houseNumber"], sent["facts"], sent["house"]) == (None, None, None)
    again = await api.run(
        "registerResident", "RegisterResidentInput", REGISTRATION, me, compoundCode=scene.code, building="1", unit="1",
        room="101", name="李新民", capacity="FAMILY",
    )  # fmt: skip
    assert (again["registration"], codes(again)) == (None, ["REGISTRATION_PENDING"])
    assert (await ask(api, me, HOUSES))["viewer"]["houses"] == []

    listed = await ask(
        api, staff,
        "query($compound: ID!) { registrations(compound: $compound, state: PENDING) { totalCount nodes { id name "
        "phone documentNumber houseNumber house { number } facts { owners nameMatches phoneMatches documentMatches "
        "linkedToAnotherAccount } } } }",
        compound=encode("Compound", scene.compound_id),
    )  # fmt: skip
    [waiting] = listed["registrations"]["nodes"]
    assert listed["registrations"]["totalCount"] == 1
    assert waiting["documentNumber"] == "3301********8219"
    assert waiting["phone"].startswith("139****")
    assert waiting["houseNumber"] == waiting["house"]["number"] == "1号楼1单元101"
    assert waiting["facts"] == {
        "owners": 1, "nameMatches": False, "phoneMatches": False, "documentMatches": False,
        "linkedToAnotherAccount": False,
    }  # fmt: skip

    decided = await api.run(
        "reviewRegistration",
        "ReviewRegistrationInput",
        REGISTRATION,
        staff,
        registration=sent["id"],
        decision="APPROVE",
    )
    assert decided["registration"]["state"] == "APPROVED"
    [home] = (await ask(api, me, HOUSES))["viewer"]["houses"]
    assert (home["capacity"], home["house"]["number"]) == ("OWNER", "1号楼1单元101")
    assert {member["name"] for member in home["house"]["members"]} == {"张建国", "李新民", "张小妹", "赵租客"}
    profile = (await ask(api, me, "{ viewer { profiles { name documentNumber compoundName } } }"))["viewer"][
        "profiles"
    ]
    assert profile[0]["documentNumber"] == "330106199003078219"


async def test_invite_accept_and_leave_with_the_same_token(api: Api, scene: Scene) -> None:
    owner = await identity.token(scene.owner.account_id)
    phone = identity.new_phone()
    guest = await identity.token(await identity.resident(phone, "张小弟"))
    until = (clock.today() + timedelta(days=90)).isoformat()
    sent = await api.run(
        "inviteToHouse", "InviteToHouseInput", "code invitation { id houseNumber phone state isMine }", owner,
        house=encode("House", scene.house_id), capacity="TENANT", name="张小弟", phone=phone, leaseUntilOn=until,
    )  # fmt: skip
    assert sent["invitation"]["state"] == "OPEN"
    refused = await api.run(
        "acceptInvitation", "AcceptInvitationInput", "occupancy { id }", await identity.token(scene.neighbour.account_id),
        code=sent["code"],
    )  # fmt: skip
    assert codes(refused) == ["INVITATION_NOT_FOUND"]
    taken = await api.run(
        "acceptInvitation", "AcceptInvitationInput",
        "occupancy { id capacity leaseUntilOn house { number members { name } } }", guest, code=sent["code"],
    )  # fmt: skip
    assert taken["occupancy"]["house"]["number"] == "1号楼1单元101"
    assert len(taken["occupancy"]["house"]["members"]) == 4
    query = "query($id: ID!) { node(id: $id) { ... on House { number builtAreaM2 } } viewer { houses { capacity } } }"
    house = encode("House", scene.house_id)
    assert (await ask(api, guest, query, id=house))["node"] is not None

    ended = await api.run(
        "endOccupancy",
        "EndOccupancyInput",
        "occupancy",
        owner,
        occupancy=taken["occupancy"]["id"],
        reason="提前退租",
    )
    assert ended["occupancy"] == taken["occupancy"]["id"]
    assert await ask(api, guest, query, id=house) == {"node": None, "viewer": {"houses": []}}


async def test_vehicles_and_the_pass(api: Api, scene: Scene) -> None:
    tenant, staff = await identity.token(scene.tenant.account_id), await staff_of(scene)
    house = encode("House", scene.house_id)
    made = await api.run(
        "registerVehicle", "RegisterVehicleInput", "vehicle { id plate plateColour kind house { number } }", tenant,
        house=house, kind="CAR", plate="浙ad·12345", brand="比亚迪",
    )  # fmt: skip
    assert (made["vehicle"]["plate"], made["vehicle"]["plateColour"]) == ("浙AD12345", "GREEN")
    bad = await api.run(
        "registerVehicle",
        "RegisterVehicleInput",
        "vehicle { id }",
        tenant,
        house=house,
        kind="CAR",
        plate="x",
    )
    assert (codes(bad), bad["errors"][0]["field"]) == (["PLATE_INVALID"], ["plate"])
    flagged = await api.run(
        "flagVehicle",
        "FlagVehicleInput",
        "vehicle { flag }",
        staff,
        vehicle=made["vehicle"]["id"],
        flag="STOLEN",
    )
    assert flagged["vehicle"]["flag"] == "STOLEN"
    query = 'query($c: ID!) { vehicles(compound: $c, plate: "ad12") { nodes { plate house { number } } } }'
    listed = await ask(api, staff, query, c=encode("Compound", scene.compound_id))
    assert listed["vehicles"]["nodes"] == [{"plate": "浙AD12345", "house": {"number": "1号楼1单元101"}}]

    query = "query($house: ID!) { viewer { residencePass(house: $house) { token expiresAt svg } } }"
    issued = (await ask(api, tenant, query, house=house))["viewer"]["residencePass"]
    assert issued["svg"].startswith("<svg")
    check = "query($pass: String!) { residencePassHolder(token: $pass) { name houseNumber capacity } }"
    holder = (await ask(api, staff, check, **{"pass": issued["token"]}))["residencePassHolder"]
    assert holder == {"name": "赵租客", "houseNumber": "1号楼1单元101", "capacity": "TENANT"}
    neighbour = await identity.token(scene.neighbour.account_id)
    assert codes(await api.ask(query, {"house": house}, neighbour)) == ["FORBIDDEN"]
    assert codes(await api.ask(check, {"pass": issued["token"]}, neighbour)) == ["FORBIDDEN"]
    removed = await api.run(
        "removeVehicle", "RemoveVehicleInput", "vehicle", tenant, vehicle=made["vehicle"]["id"]
    )
    assert removed["vehicle"] == made["vehicle"]["id"]


async def test_staff_read_and_correct_residents(api: Api, scene: Scene) -> None:
    staff = await staff_of(scene)
    query = """query($c: ID!, $f: ResidentFilter) { residents(compound: $c, filter: $f, first: 10) { totalCount nodes {
        id name phone documentNumber tags hasAccount occupancies { capacity house { number } } } } }"""
    compound = encode("Compound", scene.compound_id)
    found = (await ask(api, staff, query, c=compound, f={"phoneTail": scene.tenant.phone[-4:]}))["residents"][
        "nodes"
    ]
    person = next(each for each in found if each["name"] == "赵租客")
    assert person["occupancies"] == [{"capacity": "TENANT", "house": {"number": "1号楼1单元101"}}]
    assert scene.tenant.phone not in str(found)
    updated = await api.run(
        "updateResident", "UpdateResidentInput", "resident { name tags populationKind }", staff, resident=person["id"],
        tags=["合租"], populationKind="FLOATING", workUnit="某厂", sex=None,
    )  # fmt: skip
    assert updated["resident"] == {"name": "赵租客", "tags": ["合租"], "populationKind": "FLOATING"}
    revealed = await api.run(
        "revealResident",
        "RevealResidentInput",
        "details { phone workUnit }",
        staff,
        resident=person["id"],
        reason="快递联系",
    )
    assert revealed["details"] == {"phone": scene.tenant.phone, "workUnit": "某厂"}
    history = "query($id: ID!) { node(id: $id) { ... on House { number occupancies { name capacity verifiedBy } } } }"
    house = (await ask(api, staff, history, id=encode("House", scene.house_id)))["node"]
    assert [each["capacity"] for each in house["occupancies"]] == ["OWNER", "FAMILY", "TENANT"]
    bad = await api.ask(query, {"c": compound, "f": {"phone": "12"}}, staff)
    assert codes(bad) == ["PHONE_INVALID"]
    assert codes(await api.ask(query, {"c": encode("House", scene.house_id)}, staff)) == ["BAD_ID"]
