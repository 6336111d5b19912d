"""Dunning, arrears and promises over the API."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from domains.billing import permissions
from domains.kernel import clock
from schema.relay import encode
from tests.api.identity.clients import Api, codes, count
from tests.factories import bills, guards, identity, relaying, residents
from tests.factories import dunning as days
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

ARREARS = """query($c: ID!, $filter: ArrearsFilter, $sort: ArrearsSort = AGE, $first: Int = 20, $after: String) {
    arrears(compound: $c, filter: $filter, sort: $sort, first: $first, after: $after) {
        totalCount pageInfo { hasNextPage endCursor }
        nodes { houseNumber buildingName bills principalFen lateFeeFen totalFen oldestDueOn ageDays remindedOn
            ages { fromDays untilDays bills principalFen } people { capacity name phone }
            promise { id state } house } } }"""
SUMMARY = """query($c: ID!) { arrearsSummary(compound: $c) { building buildingName houses bills principalFen
    ages { fromDays principalFen } } }"""
LETTERS = """query($c: ID!, $printed: Boolean) { dunningLetters(compound: $c, isPrinted: $printed) { totalCount
    nodes { id number madeOn owedFen bills isOwed printedAt printedByName houseNumber house { number } } } }"""
PROMISES = """query($c: ID!, $state: PromiseState) { promises(compound: $c, state: $state) { totalCount
    nodes { id houseNumber promisedOn amountFen note state paidFen recordedByName house { number } } } }"""
STEPS = "query($c: ID!) { dunningSteps(compound: $c) { days form } }"
ALL = (permissions.BILLS_READ, permissions.DUNNING_WRITE, "estate.read")


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def keeper(scene: Scene, *granted: str) -> str:
    actor = await guards.guard(scene, *(granted or ALL))
    return await identity.token(actor.id)


def long_ago(days_: int) -> date:
    return clock.today() - timedelta(days=days_)


async def overdue(house_id: UUID, fen: int, days_: int) -> UUID:
    return await bills.bill(house_id, fen, month=date(2024, 1, 1), due_on=long_ago(days_))


async def test_from_steps_to_a_printed_letter(api: Api, scene: Scene) -> None:
    token, compound = await keeper(scene), encode("Compound", scene.compound_id)
    wanted = [{"days": 30, "form": "LETTER"}, {"days": 1, "form": "MESSAGE"}]
    done = await api.run(
        "setDunningSteps",
        "SetDunningStepsInput",
        "steps { days form }",
        token,
        compound=compound,
        steps=wanted,
    )
    assert done["steps"] == wanted[::-1]
    assert (await api.ask(STEPS, {"c": compound}, token))["data"]["dunningSteps"] == wanted[::-1]
    bill_id = await overdue(scene.house_id, 100_00, 45)
    await days.remind(clock.today())
    (letter,) = (await api.ask(LETTERS, {"c": compound, "printed": False}, token))["data"]["dunningLetters"][
        "nodes"
    ]
    assert letter["number"] == f"CJH-{clock.today().year}-0001"
    assert (letter["owedFen"], letter["bills"], letter["isOwed"], letter["printedAt"]) == (
        100_00,
        1,
        True,
        None,
    )
    assert letter["houseNumber"] == letter["house"]["number"] == "1号楼1单元101"
    fields = "letter { printedAt printedByName } document { number kind amountFen address }"
    printed = await api.run(
        "printDunningLetter", "PrintDunningLetterInput", fields, token, letter=letter["id"]
    )
    assert printed["letter"]["printedAt"] is not None and printed["letter"]["printedByName"] == "王师傅"
    assert printed["document"]["number"] == letter["number"] and printed["document"]["amountFen"] == 100_00
    file = await api.http.get(printed["document"]["address"], headers={"authorization": f"Bearer {token}"})
    assert file.status_code == 200 and file.content.startswith(b"%PDF")
    again = await api.run("printDunningLetter", "PrintDunningLetterInput", fields, token, letter=letter["id"])
    assert again["letter"] == printed["letter"]
    node = await api.ask(
        "query($id: ID!) { node(id: $id) { ... on DunningLetter { number } } }", {"id": letter["id"]}, token
    )
    assert node["data"]["node"] == {"number": letter["number"]}
    await bills.pay(bill_id, 100_00)
    left = await api.ask(LETTERS, {"c": compound, "printed": False}, token)
    assert left["data"]["dunningLetters"]["totalCount"] == 0


async def test_a_letter_that_was_settled_is_not_printed(api: Api, scene: Scene) -> None:
    token, compound = await keeper(scene), encode("Compound", scene.compound_id)
    await days.steps(scene, (30, "letter"))
    bill_id = await overdue(scene.house_id, 100_00, 45)
    await days.remind(clock.today())
    (letter,) = (await api.ask(LETTERS, {"c": compound}, token))["data"]["dunningLetters"]["nodes"]
    await bills.pay(bill_id, 100_00)
    await relaying.deliver()
    refused = await api.run(
        "printDunningLetter", "PrintDunningLetterInput", "letter { id }", token, letter=letter["id"]
    )
    assert codes(refused) == ["LETTER_SETTLED"]
    assert await count("document_issue", "subject_id IN (SELECT id FROM dunning_letter WHERE compound_id = $1)",
                       scene.compound_id) == 0  # fmt: skip


async def test_arrears_and_their_promise(api: Api, scene: Scene) -> None:
    token, compound = await keeper(scene), encode("Compound", scene.compound_id)
    first, second = await overdue(scene.house_id, 100_00, 45), await overdue(scene.next_door_id, 300_00, 5)
    day = str(long_ago(-7))
    made = await api.run(
        "recordPromise", "RecordPromiseInput", "promise { id state amountFen houseNumber }", token,
        house=encode("House", scene.house_id), promisedOn=day, amountFen=50_00, note="发工资后缴",
    )  # fmt: skip
    assert (made["promise"]["state"], made["promise"]["amountFen"]) == ("OPEN", 50_00)
    page = (await api.ask(ARREARS, {"c": compound, "first": 1}, token))["data"]["arrears"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (2, True)
    (row,) = page["nodes"]
    assert row["bills"] == [encode("Bill", first)] and row["house"] == encode("House", scene.house_id)
    assert (row["principalFen"], row["totalFen"], row["ageDays"], row["remindedOn"]) == (
        100_00,
        100_00,
        45,
        None,
    )
    assert row["promise"] == {"id": made["promise"]["id"], "state": "OPEN"}
    assert row["people"][0]["name"] == "张建国" and "****" in row["people"][0]["phone"]
    rest = await api.ask(ARREARS, {"c": compound, "after": page["pageInfo"]["endCursor"]}, token)
    assert [node["bills"] for node in rest["data"]["arrears"]["nodes"]] == [[encode("Bill", second)]]
    most = await api.ask(ARREARS, {"c": compound, "sort": "AMOUNT", "filter": {"fenAtLeast": 100_00}}, token)
    assert [node["principalFen"] for node in most["data"]["arrears"]["nodes"]] == [300_00, 100_00]
    # A cursor of one order is none of the other.
    wrong = {"c": compound, "sort": "AMOUNT", "after": page["pageInfo"]["endCursor"]}
    assert codes(await api.ask(ARREARS, wrong, token)) == ["BAD_CURSOR"]
    summary = (await api.ask(SUMMARY, {"c": compound}, token))["data"]["arrearsSummary"]
    assert [(each["building"], each["principalFen"]) for each in summary] == [
        (None, 400_00), (encode("Building", scene.building_id), 400_00),
    ]  # fmt: skip
    listed = (await api.ask(PROMISES, {"c": compound, "state": "OPEN"}, token))["data"]["promises"]
    assert (listed["totalCount"], listed["nodes"][0]["note"]) == (1, "发工资后缴")
    back = await api.run(
        "withdrawPromise", "WithdrawPromiseInput", "promise { state }", token, promise=made["promise"]["id"]
    )
    assert back["promise"]["state"] == "WITHDRAWN"
    reminded = await api.run(
        "remindNow", "RemindNowInput", "house", token, house=encode("House", scene.house_id)
    )
    assert reminded["house"] == encode("House", scene.house_id)
    again = await api.run(
        "remindNow", "RemindNowInput", "house", token, house=encode("House", scene.house_id)
    )
    assert codes(again) == ["REMINDED_TODAY"]
    file = await api.run(
        "exportArrears", "ExportArrearsInput", "file { rows address }", token, compound=compound, format="CSV"
    )
    assert file["file"]["rows"] == 2


async def test_a_cashier_who_reads_bills_alone_has_the_houses_id(api: Api, scene: Scene) -> None:
    """Enough to open its account and to remind it; the house itself stays closed."""
    token = await keeper(scene, permissions.BILLS_READ, permissions.DUNNING_WRITE)
    await overdue(scene.house_id, 100_00, 45)
    house = encode("House", scene.house_id)
    (row,) = (await api.ask(ARREARS, {"c": encode("Compound", scene.compound_id)}, token))["data"]["arrears"][
        "nodes"
    ]
    assert (row["house"], row["houseNumber"]) == (house, "1号楼1单元101")
    node = await api.ask("query($id: ID!) { node(id: $id) { id } }", {"id": house}, token)
    assert node["data"]["node"] is None
    account = await api.ask("query($h: ID!) { houseAccount(house: $h) { houseNumber } }", {"h": house}, token)
    assert account["data"]["houseAccount"] == {"houseNumber": "1号楼1单元101"}
    assert (await api.run("remindNow", "RemindNowInput", "house", token, house=house))["house"] == house


@pytest.mark.parametrize(
    ("steps", "code", "field"),
    [
        ([{"days": 0, "form": "LETTER"}], "DUNNING_STEPS_INVALID", ["steps", "0", "days"]),
        ([{"days": 1, "form": "MESSAGE"}] * 2, "DUNNING_STEPS_INVALID", ["steps"]),
    ],
)  # fmt: skip
async def test_nonsense_is_told(
    api: Api, scene: Scene, steps: list[dict[str, object]], code: str, field: list[str]
) -> None:
    compound = encode("Compound", scene.compound_id)
    refused = await api.run(
        "setDunningSteps",
        "SetDunningStepsInput",
        "steps { days }",
        await keeper(scene),
        compound=compound,
        steps=steps,
    )
    assert refused["errors"] == [{"code": code, "field": field}]


async def test_only_staff_with_the_permission(api: Api, scene: Scene) -> None:
    await overdue(scene.house_id, 100_00, 45)
    compound = {"c": encode("Compound", scene.compound_id)}
    owner, without = await identity.token(scene.owner.account_id), await keeper(scene, "estate.read")
    for query in (ARREARS, SUMMARY, LETTERS, PROMISES, STEPS):
        assert codes(await api.ask(query, compound)) == ["UNAUTHENTICATED"]
        assert codes(await api.ask(query, compound, owner)) == ["FORBIDDEN"]
        assert codes(await api.ask(query, compound, without)) == ["FORBIDDEN"]
    house = encode("House", scene.house_id)
    for token, code in ((None, "UNAUTHENTICATED"), (owner, "FORBIDDEN"), (without, "FORBIDDEN")):
        answer = await api.attempt("remindNow", "RemindNowInput", "house", token, house=house)
        assert codes(answer) == [code]
    assert await days.reminders(scene.compound_id) == 0
