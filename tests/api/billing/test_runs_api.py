"""Runs through the API: preview, start, approve, follow, cancel, and bills made at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

import pytest

from domains.billing import permissions
from domains.billing.models import Bill, BillingRun
from domains.billing.service import posting
from domains.kernel import database
from domains.kernel.actor import SYSTEM
from domains.residents.models import Occupancy
from schema.relay import encode
from tests.api.identity.clients import Api, Json, codes
from tests.factories import charges, identity, residents, runs
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

NOV = date(2026, 11, 1)
PREVIEW = """query($c: ID!, $m: Date!, $i: [ID!]) { previewBillingRun(compound: $c, month: $m, feeItems: $i) { houses lines
    totalFen items { feeItem name lines fen previousLines previousFen differenceFen } problems { code count }
    samples { house houseNumber feeItem feeItemName periodFrom code } } }"""
RUN = """id month fromMonth issuedOn state isScheduled expectedFen houses housesDone progress billCount lineCount postedFen
    exceptionCount createdByName approvedByName endedAt items { name fen } problems { code count }"""
ONE = f"""query($id: ID!, $n: Int, $a: String) {{ node(id: $id) {{ id }} billingRun(run: $id) {{ {RUN}
    exceptions(first: $n) {{ nodes {{ houseNumber feeItemName periodFrom code }} }}
    held: exceptions(code: READING_HELD) {{ nodes {{ code }} }}
    bills(first: $n, after: $a) {{ nodes {{ number issuedFen lines {{ explanation }} }}
        pageInfo {{ hasNextPage endCursor }} }}
    }} }}"""
LIST = f"""query($c: ID!, $n: Int, $a: String) {{ billingRuns(compound: $c, first: $n, after: $a) {{ nodes {{ {RUN} }}
    pageInfo {{ hasNextPage endCursor }} }} }}"""


@pytest.fixture
async def scene() -> Scene:
    """Three houses whose people have lived there for long."""
    made = await residents.scene()
    await Occupancy.filter(compound_id=made.compound_id).update(since_on=date(2020, 1, 1))
    return made


async def staff(scene: Scene, *granted: str) -> str:
    statement = "SELECT o.name FROM compound c JOIN company o ON o.id = c.company_id WHERE c.id = $1"
    company = await database.fetchval(statement, scene.compound_id)
    account = await identity.staff(company, granted, scope="compound", place_id=scene.compound_id)
    return await identity.token(account)


async def data(api: Api, query: str, variables: Mapping[str, object], token: str) -> Json:
    answer = await api.ask(query, variables, token)
    assert "errors" not in answer, answer
    return answer["data"]


async def test_from_the_preview_to_the_bills(api: Api, scene: Scene) -> None:
    token = await staff(scene, permissions.RUNS_START, permissions.RUNS_APPROVE, permissions.BILLS_READ)
    item = await charges.item(scene.compound_id, name="物业费")
    await charges.item(scene.compound_id, None, name="没有标准")
    compound = encode("Compound", scene.compound_id)
    found = (await data(api, PREVIEW, {"c": compound, "m": "2026-11-01"}, token))["previewBillingRun"]
    assert (found["houses"], found["lines"], found["totalFen"]) == (3, 3, 75180)
    assert found["items"] == [
        {"feeItem": encode("FeeItem", item), "name": "物业费", "lines": 3, "fen": 75180, "previousLines": 0,
         "previousFen": 0, "differenceFen": 75180},
    ]  # fmt: skip
    assert found["problems"] == [{"code": "NO_PRICE", "count": 3}]
    assert {each["code"] for each in found["samples"]} == {"NO_PRICE"}
    started = await api.run(
        "startBillingRun", "StartBillingRunInput", f"billingRun {{ {RUN} }}", token, compound=compound, month="2026-11-01"
    )  # fmt: skip
    run = started["billingRun"]
    assert (run["state"], run["expectedFen"], run["progress"]) == ("DRAFT", 75180, 0)
    refused = await api.run(
        "approveBillingRun", "ApproveBillingRunInput", "billingRun { id }", token, run=run["id"], expectedFen=1
    )  # fmt: skip
    assert [each["code"] for each in refused["errors"]] == ["PREVIEW_CHANGED"]
    approved = await api.run(
        "approveBillingRun", "ApproveBillingRunInput", f"billingRun {{ {RUN} }}", token, run=run["id"], expectedFen=75180
    )  # fmt: skip
    assert approved["billingRun"]["state"] == "APPROVED"
    await posting.post(SYSTEM, (await BillingRun.get(compound_id=scene.compound_id)).id)
    done = await data(api, ONE, {"id": run["id"], "n": 2}, token)
    shown = done["billingRun"]
    assert (shown["state"], shown["progress"], shown["billCount"], shown["exceptionCount"]) == (
        "POSTED",
        1,
        3,
        3,
    )
    assert shown["createdByName"] == shown["approvedByName"] == "王师傅"
    assert done["node"]["id"] == run["id"]
    assert [each["number"] for each in shown["bills"]["nodes"]] == [1, 2]
    assert (
        shown["bills"]["nodes"][0]["lines"][0]["explanation"]
        == "2026年11月1日至11月30日,89.5 m² × 2.80 元/月"
    )
    assert len(shown["exceptions"]["nodes"]) == 2
    assert shown["held"]["nodes"] == []
    after = {"id": run["id"], "n": 2, "a": shown["bills"]["pageInfo"]["endCursor"]}
    rest = (await data(api, ONE, after, token))["billingRun"]["bills"]
    assert ([each["number"] for each in rest["nodes"]], rest["pageInfo"]["hasNextPage"]) == ([3], False)


async def test_runs_are_paged_and_cancelled(api: Api, scene: Scene) -> None:
    token = await staff(scene, permissions.RUNS_START)
    compound = encode("Compound", scene.compound_id)
    ids = []
    for _ in range(3):
        made = await api.run(
            "startBillingRun", "StartBillingRunInput", "billingRun { id }", token, compound=compound, month="2026-11-01"
        )  # fmt: skip
        ids.append(made["billingRun"]["id"])
    cancelled = await api.run(
        "cancelBillingRun", "CancelBillingRunInput", "billingRun { state }", token, run=ids[0]
    )
    assert cancelled["billingRun"]["state"] == "CANCELLED"
    first = (await data(api, LIST, {"c": compound, "n": 2}, token))["billingRuns"]
    rest = (await data(api, LIST, {"c": compound, "n": 2, "a": first["pageInfo"]["endCursor"]}, token))[
        "billingRuns"
    ]
    assert [each["id"] for each in (*first["nodes"], *rest["nodes"])] == ids[::-1]


async def test_a_list_of_runs_with_what_hangs_on_them_costs_the_same(api: Api, scene: Scene) -> None:
    token = await staff(scene, permissions.RUNS_START, permissions.BILLS_READ)
    await charges.item(scene.compound_id, None, name="没有标准")
    await charges.item(scene.compound_id)
    query = """query($c: ID!) { billingRuns(compound: $c) { nodes { state dueOn returnedAt
        exceptions(first: 2) { nodes { houseNumber } pageInfo { hasNextPage } }
        bills(first: 2) { nodes { number } pageInfo { hasNextPage } } } } }"""
    counts = []
    for month in (NOV, date(2026, 12, 1), date(2027, 1, 1)):
        await runs.posted(scene.compound_id, month)
        async with database.counted() as cost:
            found = await data(api, query, {"c": encode("Compound", scene.compound_id)}, token)
        counts.append(cost.count)
    assert len(set(counts)) == 1
    nodes = found["billingRuns"]["nodes"]
    assert [[each["number"] for each in run["bills"]["nodes"]] for run in nodes] == [[7, 8], [4, 5], [1, 2]]
    for run in nodes:
        assert len(run["exceptions"]["nodes"]) == 2
        assert run["exceptions"]["pageInfo"]["hasNextPage"] and run["bills"]["pageInfo"]["hasNextPage"]


async def test_bills_of_a_run_need_their_own_permission(api: Api, scene: Scene) -> None:
    await charges.item(scene.compound_id)
    token = await staff(scene, permissions.RUNS_START)
    made = await api.run(
        "startBillingRun", "StartBillingRunInput", "billingRun { id }", token,
        compound=encode("Compound", scene.compound_id), month="2026-11-01",
    )  # fmt: skip
    answer = await api.ask(ONE, {"id": made["billingRun"]["id"]}, token)
    assert codes(answer) == ["FORBIDDEN"]
    assert answer["data"]["billingRun"]["bills"] is None


async def test_months_paid_ahead_and_a_charge_billed_at_once(api: Api, scene: Scene) -> None:
    item = await charges.item(scene.compound_id)
    owner = await identity.token(scene.owner.account_id)
    paid = await api.run(
        "payAhead", "PayAheadInput", "bills { number issuedFen lines { periodFrom explanation } }", owner,
        house=encode("House", scene.house_id), feeItem=encode("FeeItem", item), months=2,
    )  # fmt: skip
    (bill,) = paid["bills"]
    assert (bill["issuedFen"], len(bill["lines"])) == (2 * 25060, 2)
    one_off = await charges.item(scene.compound_id, None, method="one_off", cycle_months=None)
    charge = await charges.one_off(scene.house_id, one_off, NOV, 5_000)
    token = await staff(scene, permissions.RUNS_APPROVE, permissions.BILLS_READ)
    billed = await api.run(
        "billOneOff", "BillOneOffInput", "bills { number issuedFen }", token, charge=encode("OneOffCharge", charge)
    )  # fmt: skip
    assert billed["bills"] == [{"number": 2, "issuedFen": 5_000}]


CALLERS: dict[str, tuple[str, ...] | None] = {
    "staff without": (permissions.FEES_WRITE, permissions.CORRECTIONS_DECIDE), "owner": None, "nobody": None,
}  # fmt: skip


@pytest.mark.parametrize("caller", CALLERS)
async def test_nobody_else(api: Api, scene: Scene, caller: str) -> None:
    await charges.item(scene.compound_id)
    token = await _token(scene, caller)
    compound, code = (
        encode("Compound", scene.compound_id),
        "UNAUTHENTICATED" if caller == "nobody" else "FORBIDDEN",
    )
    for query in (PREVIEW, LIST):
        answer = await api.ask(
            query, {"c": compound, "m": "2026-11-01"} if query is PREVIEW else {"c": compound}, token
        )
        assert codes(answer) == [code]
    answer = await api.attempt(
        "startBillingRun", "StartBillingRunInput", "billingRun { id }", token, compound=compound, month="2026-11-01"
    )  # fmt: skip
    assert code in str(answer)
    assert await BillingRun.filter(compound_id=scene.compound_id).count() == 0
    assert await Bill.filter(compound_id=scene.compound_id).count() == 0


async def _token(scene: Scene, caller: str) -> str | None:
    granted = CALLERS[caller]
    if granted is not None:
        return await staff(scene, *granted)
    account: UUID = scene.owner.account_id
    return await identity.token(account) if caller == "owner" else None
