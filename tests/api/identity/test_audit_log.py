"""Reading the audit: who may, how it is narrowed, and that the reading itself is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.audit import record
from schema.relay import encode
from tests.api.identity.clients import Api, Json, codes, count
from tests.factories.identity import Places, places, staff, token

pytestmark = pytest.mark.usefixtures("instance")

QUERY = """query($compound: ID, $first: Int!, $after: String, $filter: AuditFilter) {
  auditLog(compound: $compound, first: $first, after: $after, filter: $filter) {
    pageInfo { hasNextPage endCursor }
    nodes { id at actor actorKind actorName action outcome subjectType subject details { name value } ip requestId } } }"""


async def read(api: Api, mine: str | None, at: Places | None = None, first: int = 50, **more: object) -> Json:
    compound = encode("Compound", at.compound_id) if at else None
    return await api.ask(QUERY, {"compound": compound, "first": first, **more}, mine)


async def entries(there: Places, number: int) -> Actor:
    """Rows of a compound, one a minute, the last one now."""
    account = await staff(there, ["estate.read"])
    caller = Actor(kind="staff", account_id=account, name="钱师傅")
    for minutes in reversed(range(number)):
        with clock.use(clock.FixedClock(clock.now() - timedelta(minutes=minutes))):
            async with database.transaction():
                await record(
                    caller, "house.update", "House", there.building_id, compound_id=there.compound_id,
                    details={"minutes": minutes, "fields": ["use"]},
                )  # fmt: skip
    return caller


async def test_the_newest_come_first_by_pages_and_the_reading_is_kept(api: Api) -> None:
    there = await places()
    caller = await entries(there, 5)
    reader = await staff(there, ["audit.read"], scope="compound", place_id=there.compound_id)
    mine, only = await token(reader), {"action": "house.update"}
    first = (await read(api, mine, there, 3, filter=only))["data"]["auditLog"]
    rest = (await read(api, mine, there, 3, filter=only, after=first["pageInfo"]["endCursor"]))["data"][
        "auditLog"
    ]
    rows = first["nodes"] + rest["nodes"]
    assert [row["details"][1]["value"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert rows[0]["actor"] == encode("Staff", caller.id) and rows[0]["actorName"] == "钱师傅"
    assert rows[0]["subject"] == encode("House", there.building_id)
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    kept = "action = 'audit.read' AND actor_id = $1 AND compound_id = $2 AND outcome = 'done'"
    assert await count("audit_entry", kept, reader, there.compound_id) == 2


async def test_it_is_narrowed(api: Api) -> None:
    there = await places()
    caller = await entries(there, 3)
    mine = await token(await staff(there, ["audit.read"]))
    now = clock.now()
    narrowed = [
        ({"actor": encode("Staff", caller.id)}, 3),
        ({"subject": encode("House", there.building_id)}, 3),
        ({"subject": encode("House", there.compound_id), "action": "house.update"}, 0),
        ({"from": (now - timedelta(seconds=90)).isoformat(), "action": "house.update"}, 2),
        ({"to": (now - timedelta(seconds=90)).isoformat(), "action": "house.update"}, 1),
    ]
    for filter, expected in narrowed:
        answer = await read(api, mine, there, filter=filter)
        assert len(answer["data"]["auditLog"]["nodes"]) == expected, filter


async def test_what_concerns_no_compound_is_for_who_reads_the_whole_company(api: Api) -> None:
    there, other = await places(), await places()
    mine = await token(await staff(there, ["audit.read", "roles.write"]))
    await api.run("createRole", "CreateRoleInput", "__typename", mine, name="新角色", permissions=[])
    rows = (await read(api, mine))["data"]["auditLog"]["nodes"]
    assert "role.create" in [row["action"] for row in rows]
    outsider = await token(await staff(other, ["audit.read"]))
    assert "role.create" not in [
        row["action"] for row in (await read(api, outsider))["data"]["auditLog"]["nodes"]
    ]
    narrow = await token(await staff(there, ["audit.read"], scope="compound", place_id=there.compound_id))
    assert codes(await read(api, narrow)) == ["FORBIDDEN"]


async def test_part_of_a_compound_or_another_one_does_not_open_it(api: Api) -> None:
    there, other = await places(), await places()
    await entries(there, 1)
    building = await staff(there, ["audit.read"], scope="building", place_id=there.building_id)
    callers = {
        await token(building): "FORBIDDEN",
        await token(
            await staff(there, ["audit.read"], scope="compound", place_id=there.other_compound_id)
        ): "FORBIDDEN",
        await token(await staff(other, ["audit.read"])): "FORBIDDEN",
        await token(await staff(there, ["staff.read"])): "FORBIDDEN",
    }
    before = await count("audit_entry", "action = 'audit.read' AND outcome = 'done'")
    for mine, code in callers.items():
        assert codes(await read(api, mine, there)) == [code]
    assert codes(await read(api, None, there)) == ["UNAUTHENTICATED"]
    assert await count("audit_entry", "action = 'audit.read' AND outcome = 'done'") == before
    assert (
        await count(
            "audit_entry", "action = 'audit.read' AND outcome = 'refused' AND actor_id = $1", building
        )
        == 1
    )


async def test_bad_input_is_refused(api: Api) -> None:
    there = await places()
    mine = await token(await staff(there, ["audit.read"]))
    now = clock.now()
    wrong = {"from": now.isoformat(), "to": (now - timedelta(days=1)).isoformat()}
    assert codes(await read(api, mine, there, filter=wrong)) == ["PERIOD_REVERSED"]
    assert codes(await read(api, mine, there, filter={"actor": "nonsense"})) == ["BAD_ID"]
    assert codes(await read(api, mine, there, first=0)) == ["BAD_PAGE_SIZE"]
    assert codes(await read(api, mine, there, after="nonsense")) == ["BAD_CURSOR"]
    answer = await api.ask(QUERY, {"compound": encode("House", there.compound_id), "first": 1}, mine)
    assert codes(answer) == ["BAD_ID"]
