"""Meters over the API: entered, read, reviewed, seen by the house."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from domains.kernel import database
from schema.relay import encode
from tests.api.identity.clients import Api, codes
from tests.factories import identity, meters, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

METER = """meter { id kind number digits multiplier dailyMost houseNumber buildingName installedOn removedOn lastValue
    waiting replaces house { number } consumption { month units } }"""
READING = "reading { id value units state problem source readBy note previousValue photo { contentType } }"
LIST = """query($c: ID!, $f: MeterFilter, $after: String) { meters(compound: $c, filter: $f, first: 2, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } nodes { id number houseNumber lastValue waiting house { number }
    consumption(months: 2) { units } } } }"""
WAITING = """query($c: ID!) { readingsToReview(compound: $c) { totalCount
    nodes { id number houseNumber value units problem } } }"""
OWN = "{ viewer { meters { id kind number lastValue consumption { month units } } } }"
HISTORY = "query($m: ID!) { meterReadings(meter: $m, first: 5) { nodes { value units state source } } }"


@pytest.fixture
async def at() -> Scene:
    return await residents.scene()


async def staff(at: Scene) -> str:
    company = await database.fetchval(
        "SELECT y.name FROM compound c JOIN company y ON y.id = c.company_id WHERE c.id = $1", at.compound_id
    )
    granted = ("meters.read", "meters.write", "estate.read")
    account = await identity.staff(company, granted, scope="compound", place_id=at.compound_id)
    return await identity.token(account)


async def test_a_meter_from_its_installation_to_its_successor(at: Scene, api: Api) -> None:
    token, compound = await staff(at), encode("Compound", at.compound_id)
    made = await api.run(
        "registerMeter", "RegisterMeterInput", METER, token, compound=compound, kind="WATER",
        house=encode("House", at.house_id), number="W-1", digits=5, installedOn="2026-01-01", firstValue="100",
    )  # fmt: skip
    meter = made["meter"]
    assert made["errors"] == [] and meter["house"]["number"] == meter["houseNumber"]
    assert (meter["kind"], meter["lastValue"], meter["dailyMost"]) == ("WATER", "100.0000", None)
    taken = await api.run(
        "registerMeter", "RegisterMeterInput", METER, token, compound=compound, kind="WATER", number="W-1", digits=5,
        installedOn="2026-01-01",
    )  # fmt: skip
    assert codes(taken) == ["METER_NUMBER_TAKEN"] and taken["errors"][0]["field"] == ["number"]
    changed = await api.run(
        "updateMeter", "UpdateMeterInput", METER, token, meter=meter["id"], dailyMost="2.5", number=None
    )
    assert (changed["meter"]["dailyMost"], changed["meter"]["number"]) == ("2.5000", "W-1")
    answers = await api.run(
        "recordReadings", "RecordReadingsInput", "answers { result reading problem code message }", token,
        compound=compound, idempotencyKey=str(uuid4()), readings=[
            {"meter": meter["id"], "value": "120", "readAt": "2026-01-20T12:00:00+08:00"},
            {"meter": meter["id"], "value": "20", "readAt": "2026-02-20T12:00:00+08:00"},
            {"meter": meter["id"], "value": "999999"},
        ],
    )  # fmt: skip
    assert [each["result"] for each in answers["answers"]] == ["ACCEPTED", "HELD", "REFUSED"]
    assert [each["code"] for each in answers["answers"]] == [None, None, "READING_OUT_OF_RANGE"]
    new = await api.run(
        "replaceMeter", "ReplaceMeterInput", METER, token, meter=meter["id"], finalValue="150", number="W-2", digits=6,
        installedOn="2026-03-01",
    )  # fmt: skip
    assert new["meter"]["replaces"] == meter["id"] and new["meter"]["houseNumber"] == meter["houseNumber"]
    gone = await api.run(
        "removeMeter",
        "RemoveMeterInput",
        METER,
        token,
        meter=new["meter"]["id"],
        onDay="2026-03-02",
        finalValue="1",
    )
    assert gone["meter"]["removedOn"] == "2026-03-02"
    found = await api.ask(
        "query($id: ID!) { node(id: $id) { ... on Meter { number } } }", {"id": meter["id"]}, token
    )
    assert found["data"]["node"] == {"number": "W-1"}


async def test_lists_cost_the_same_however_long(at: Scene, api: Api) -> None:
    token, compound = await staff(at), encode("Compound", at.compound_id)
    for number in range(3):
        await meters.meter(at.compound_id, at.house_id, number=f"N-{number}")
    async with database.counted() as cost:
        first = (await api.ask(LIST, {"c": compound}, token))["data"]["meters"]
    assert cost.count <= 9, cost.texts
    assert first["totalCount"] == 3 and first["pageInfo"]["hasNextPage"]
    rest = await api.ask(LIST, {"c": compound, "after": first["pageInfo"]["endCursor"]}, token)
    assert [node["number"] for node in rest["data"]["meters"]["nodes"]] == ["N-2"]
    narrowed = await api.ask(LIST, {"c": compound, "f": {"kind": "GAS", "unreadSince": "2026-02-01"}}, token)
    assert narrowed["data"]["meters"]["totalCount"] == 0
    assert codes(await api.ask(LIST, {"c": compound, "after": "x"}, token)) == ["BAD_CURSOR"]
    assert codes(await api.ask(LIST, {"c": compound})) == ["UNAUTHENTICATED"]
    used = await api.ask(
        """query($c: ID!) { consumption(compound: $c, fromMonth: "2026-01-01", untilMonth: "2026-01-31", kind: WATER) {
        buildingName isShared month units meters unread } }""", {"c": compound}, token,
    )  # fmt: skip
    assert used["data"]["consumption"] == [
        {
            "buildingName": "1号楼",
            "isShared": False,
            "month": "2026-01-01",
            "units": "0.0000",
            "meters": 3,
            "unread": 0,
        }
    ]


async def test_a_resident_reads_and_staff_review(at: Scene, api: Api) -> None:
    meter = encode("Meter", await meters.meter(at.compound_id, at.house_id, number="W-1"))
    owner, token = await identity.token(at.owner.account_id), await staff(at)
    [own] = (await api.ask(OWN, token=owner))["data"]["viewer"]["meters"]
    assert (own["id"], own["lastValue"]) == (meter, "100.0000")
    async with database.counted() as cost:
        await api.ask(OWN, token=owner)
    assert cost.count <= 5, cost.texts
    sent = await submit(api, owner, meter, "40")
    reading = sent["data"]["submitMeterReading"]["reading"]
    assert (reading["state"], reading["problem"], reading["source"]) == ("HELD", "BACKWARDS", "RESIDENT")
    assert reading["photo"] == {"contentType": "image/png"}
    waiting = await api.ask(WAITING, {"c": encode("Compound", at.compound_id)}, token)
    [row] = waiting["data"]["readingsToReview"]["nodes"]
    assert (row["id"], row["units"], row["value"]) == (reading["id"], "99940.0000", "40.0000")
    refused = await api.run(
        "reviewReading", "ReviewReadingInput", READING, token, reading=reading["id"], accept=False
    )
    assert codes(refused) == ["REASON_REQUIRED"] and refused["reading"] is None
    done = await api.run(
        "reviewReading", "ReviewReadingInput", READING, token, reading=reading["id"], accept=True, value="104"
    )
    assert (done["reading"]["state"], done["reading"]["units"], done["reading"]["note"]) == (
        "ACCEPTED", "4.0000", "原读数 40",
    )  # fmt: skip
    history = (await api.ask(HISTORY, {"m": meter}, owner))["data"]["meterReadings"]["nodes"]
    assert [each["value"] for each in history] == ["104.0000"]
    neighbour = await identity.token(at.neighbour.account_id)
    assert (await api.ask(HISTORY, {"m": meter}, neighbour))["data"]["meterReadings"]["nodes"] == []
    assert codes(await submit(api, neighbour, meter, "110")) == ["FORBIDDEN"]
    assert codes(await submit(api, None, meter, "110")) == ["UNAUTHENTICATED"]


async def test_a_file_is_imported(at: Scene, api: Api) -> None:
    token, compound = await staff(at), encode("Compound", at.compound_id)
    meter: UUID = await meters.meter(at.compound_id, at.house_id, number="W-1")
    query = """mutation($input: ImportMetersInput!) { importMeterReadings(input: $input) { rows imported held known
        problemCount problems { row column code } errors { code } } }"""

    async def bring(text: str) -> Any:  # Any: JSON
        answer = await multipart(
            api,
            token,
            query,
            {"compound": compound, "file": None},
            "file",
            ("抄表.csv", text.encode(), "text/csv"),
        )
        return answer["data"]["importMeterReadings"]

    assert (await bring("表号,读数,日期\nW-1,120,2026-02-01"))["imported"] == 1
    wrong = await bring("表号,读数,日期\nW-9,120,2026-02-01")
    assert wrong["problems"] == [{"row": 2, "column": "表号", "code": "METER_NOT_FOUND"}]
    assert wrong["imported"] == 0
    assert codes(await bring("表号,读数,日期")) == ["SHEET_EMPTY"]
    assert len(await meters.totals(meter)) == 2


async def submit(api: Api, token: str | None, meter: str, value: str) -> Any:  # Any: JSON
    query = f"""mutation($input: SubmitMeterReadingInput!) {{
        submitMeterReading(input: $input) {{ {READING} errors {{ code }} }} }}"""
    picture = ("表.png", b"\x89PNG\r\n\x1a\n" + b"0" * 64, "image/png")
    input = {"meter": meter, "value": value, "idempotencyKey": str(uuid4()), "photo": None}
    return await multipart(api, token, query, input, "photo", picture)


async def multipart(
    api: Api,
    token: str | None,
    query: str,
    input: dict[str, Any],
    place: str,
    file: tuple[str, bytes, str],
) -> Any:  # Any: JSON
    fields = {
        "operations": json.dumps({"query": query, "variables": {"input": input}}),
        "map": json.dumps({"0": [f"variables.input.{place}"]}),
    }
    headers = {"x-requested-with": "linli"} | ({"authorization": f"Bearer {token}"} if token else {})
    return (await api.http.post("/graphql", data=fields, files={"0": file}, headers=headers)).json()
