"""Bills through the API: who reads which, what they say, and what lists cost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from domains.billing import permissions
from domains.billing.service.corrections import decide_correction, request_waiver
from domains.billing.service.deductions import deduct
from domains.kernel import clock, database
from domains.residents.models import Occupancy
from schema.relay import encode
from tests.api.identity.clients import Api, Json, codes
from tests.factories import bills, identity, ledger, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

TODAY = datetime(2026, 3, 25, 4, tzinfo=UTC)
BILL = """id compound number houseNumber payer month issuedOn dueOn state isOverdue isBeingPaid issuedFen principalDueFen
    principalSettledFen principalOutstandingFen lateFeeFen lateFeeSettledFen lateFeeOutstandingFen outstandingFen
    lateFeeExplanation house { number } lines { id kind feeItem feeItemName category periodFrom periodUntil amountFen
    explanation }
    payments { paidOn principalFen lateFeeFen means } corrections { kind concerns effectFen reason }"""
OWN = f"""query($s: [BillState!], $h: [ID!], $n: Int, $a: String) {{ viewer {{ bills(states: $s, houses: $h, first: $n,
    after: $a) {{ nodes {{ {BILL} }} pageInfo {{ hasNextPage endCursor }} }} }} }}"""
ONE = f"query($id: ID!) {{ bill(id: $id) {{ {BILL} }} node(id: $id) {{ id }} }}"
LIST = f"""query($c: ID!, $m: Date, $s: [BillState!], $h: String, $o: Boolean! = false, $n: Int, $a: String) {{
    bills(compound: $c, month: $m, states: $s, house: $h, overdue: $o, first: $n, after: $a) {{ totalCount
    nodes {{ {BILL} }} pageInfo {{ hasNextPage endCursor }} }} }}"""
CARDS = "query { viewer { home { cards { __typename key ... on BillsDueCard { count totalFen dueOn } } } } }"


@pytest.fixture
async def scene() -> Scene:
    """People who have lived there long enough to owe the bills of these tests."""
    made = await residents.scene()
    await Occupancy.filter(compound_id=made.compound_id).update(since_on=date(2020, 1, 1))
    return made


async def data(api: Api, query: str, variables: Mapping[str, object], token: str | None) -> Json:
    answer = await api.ask(query, variables, token)
    assert "errors" not in answer, answer
    return answer["data"]


async def refused(api: Api, query: str, variables: Mapping[str, object], token: str | None) -> str:
    return codes(await api.ask(query, variables, token))[0]


async def staff_token(scene: Scene, *granted: str) -> str:
    company = await database.fetchval(
        "SELECT o.name FROM compound c JOIN company o ON o.id = c.company_id WHERE c.id = $1",
        scene.compound_id,
    )
    return await identity.token(
        await identity.staff(company, granted, scope="compound", place_id=scene.compound_id)
    )


async def own(api: Api, account_id: UUID, **variables: object) -> list[Json]:
    token = await identity.token(account_id)
    nodes: list[Json] = (await data(api, OWN, variables, token))["viewer"]["bills"]["nodes"]
    return nodes


def ids(nodes: list[Json]) -> set[str]:
    return {node["id"] for node in nodes}


async def test_a_bill_says_all_of_itself(api: Api, scene: Scene) -> None:
    rule = await bills.late_fee_rule(scene.compound_id)
    with clock.use(clock.FixedClock(TODAY)):
        one = await bills.bill(scene.house_id, 10_000, late_fee_rule_id=rule)
        await bills.pay(one, 4_000, date(2026, 3, 20))
        asked = await request_waiver(
            scene.staff(permissions.CORRECTIONS_REQUEST), bill_id=one, concern="principal", amount_fen=1_000,
            reason="漏水影响居住",
        )  # fmt: skip
        decides = scene.staff(permissions.CORRECTIONS_DECIDE)
        await decide_correction(decides, correction_id=asked, approve=True)
        [shown] = await own(api, scene.owner.account_id)
    assert (shown["state"], shown["isOverdue"], shown["isBeingPaid"]) == ("PARTLY_PAID", True, False)
    amounts = [shown[f"{each}Fen"] for each in
               ("issued", "principalDue", "principalSettled", "principalOutstanding", "lateFee", "outstanding")]  # fmt: skip
    # Five days on 9,000 and five on 5,000, a tenth of a percent each.
    assert amounts == [10_000, 9_000, 4_000, 5_000, 70, 5_070]
    assert shown["lateFeeExplanation"].startswith("2026-03-16 至 2026-03-20 未缴本金 ¥90.00 × 5 天；")
    [line] = shown["lines"]
    assert (line["amountFen"], line["explanation"]) == (10_000, "2026年3月1日至3月31日,1 户 × 100.00 元/月")
    assert shown["payments"] == [
        {"paidOn": "2026-03-20", "principalFen": 4_000, "lateFeeFen": 0, "means": "期初余额"}
    ]
    assert shown["corrections"] == [
        {"kind": "WAIVER", "concerns": "PRINCIPAL", "effectFen": -1_000, "reason": "漏水影响居住"}
    ]
    assert shown["house"]["number"] == shown["houseNumber"]
    assert shown["compound"] == encode("Compound", scene.compound_id)


async def test_each_reads_what_is_theirs_to_pay(api: Api, scene: Scene) -> None:
    owners = await bills.bill(scene.house_id, 100)
    tenants = await bills.bill(scene.house_id, 100, payer="tenant", due_on=clock.today())
    developers = await bills.bill(scene.house_id, 100, payer="developer")
    named = await bills.bill(scene.house_id, 100, payer="developer", person_id=scene.neighbour.person_id)
    seen = {
        who: ids(await own(api, getattr(scene, who).account_id))
        for who in ("owner", "family", "tenant", "neighbour")
    }
    bill_id = {one: encode("Bill", one) for one in (owners, tenants, developers, named)}
    assert seen == {
        "owner": {bill_id[owners]}, "family": {bill_id[owners]}, "tenant": {bill_id[tenants]},
        "neighbour": {bill_id[named]},
    }  # fmt: skip
    for who, readable in seen.items():
        token = await identity.token(getattr(scene, who).account_id)
        for each in bill_id.values():
            found = await data(api, ONE, {"id": each}, token)
            assert (found["bill"] is not None) == (found["node"] is not None) == (each in readable)


async def test_not_of_the_time_before_they_came_nor_after_they_left(api: Api, scene: Scene) -> None:
    await Occupancy.filter(pk=scene.owner.occupancy_id).update(since_on=date(2026, 3, 10))
    before = await bills.bill(scene.house_id, 100, month=date(2026, 2, 1))
    within = await bills.bill(scene.house_id, 100, month=date(2026, 3, 1))
    assert ids(await own(api, scene.owner.account_id)) == {encode("Bill", within)}
    assert ids(await own(api, scene.family.account_id)) == {encode("Bill", within)}
    left_at = datetime(2026, 5, 10, 4, tzinfo=UTC)
    await Occupancy.filter(pk=scene.owner.occupancy_id).update(ended_at=left_at, end_reason="搬走")
    after = await bills.bill(scene.house_id, 100, month=date(2026, 6, 1))
    named = await bills.bill(scene.house_id, 100, month=date(2026, 7, 1), person_id=scene.owner.person_id)
    assert ids(await own(api, scene.owner.account_id)) == {encode("Bill", each) for each in (within, named)}
    assert await own(api, scene.family.account_id) == []
    for each in (before, after):
        token = await identity.token(scene.owner.account_id)
        assert (await data(api, ONE, {"id": encode("Bill", each)}, token))["bill"] is None


async def test_filters_and_pages(api: Api, scene: Scene) -> None:
    made = [await bills.bill(scene.house_id, 100, month=date(2025, month, 1)) for month in range(1, 8)]
    await ledger.prepay(scene.compound_id, scene.house_id, 200)
    await deduct(scene.house_id)
    token, after, seen = await identity.token(scene.owner.account_id), None, list[str]()
    while True:
        page = (await data(api, OWN, {"n": 3, "a": after}, token))["viewer"]["bills"]
        seen += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert seen == [encode("Bill", each) for each in reversed(made)]
    paid = await own(api, scene.owner.account_id, s=["PAID"], h=[encode("House", scene.house_id)])
    assert ids(paid) == {encode("Bill", each) for each in made[:2]}
    assert [each["payments"][0]["means"] for each in paid] == ["预存抵扣"] * 2
    assert await own(api, scene.owner.account_id, h=[encode("House", scene.next_door_id)]) == []


async def test_the_cost_of_a_page_does_not_depend_on_its_rows(api: Api, scene: Scene) -> None:
    token, costs = await identity.token(scene.owner.account_id), list[int]()
    for count in (1, 9):
        for month in range(1, count + 1):
            await bills.bill(scene.house_id, 100, month=date(2024 + count, month, 1))
        async with database.counted() as cost:
            await data(api, OWN, {"n": 50}, token)
        costs.append(cost.count)
    assert costs[0] == costs[1]


class TestStaff:
    async def test_lists_are_narrowed(self, api: Api, scene: Scene) -> None:
        token, compound = (
            await staff_token(scene, permissions.BILLS_READ),
            encode("Compound", scene.compound_id),
        )
        old = await bills.bill(scene.house_id, 100, month=date(2025, 1, 1))
        new = await bills.bill(scene.next_door_id, 100, month=date(2098, 1, 1))
        far = await bills.bill(scene.far_house_id, 100, month=date(2098, 1, 1), payer="developer")

        async def found(**variables: object) -> set[str]:
            page = (await data(api, LIST, {"c": compound, **variables}, token))["bills"]
            assert page["totalCount"] == len(page["nodes"])
            return ids(page["nodes"])

        assert await found() == {encode("Bill", each) for each in (old, new, far)}
        assert await found(m="2098-01-01") == {encode("Bill", each) for each in (new, far)}
        assert await found(h="102") == {encode("Bill", new)}
        assert await found(h="102", o=True) == set()
        assert await found(o=True) == await found(h="101", o=True) == {encode("Bill", old)}
        assert await found(s=["PAID", "VOID"]) == set()
        page = (await data(api, LIST, {"c": compound, "n": 1}, token))["bills"]
        rest = (await data(api, LIST, {"c": compound, "n": 5, "a": page["pageInfo"]["endCursor"]}, token))[
            "bills"
        ]
        assert ids(page["nodes"]) | ids(rest["nodes"]) == await found()
        assert len(rest["nodes"]) == 2

    async def test_reading_leaves_its_trace(self, api: Api, scene: Scene) -> None:
        token = await staff_token(scene, permissions.BILLS_READ)
        one = await bills.bill(scene.house_id, 100)
        assert (await data(api, ONE, {"id": encode("Bill", one)}, token))["bill"] is not None
        await data(api, LIST, {"c": encode("Compound", scene.compound_id)}, token)
        for action, count in (("bill.read", 2), ("bill.list", 1)):
            assert len(await residents.audited(action, scene.compound_id)) == count

    async def test_others_are_refused(self, api: Api, scene: Scene) -> None:
        others = [each for each in permissions.LABELS if each != permissions.BILLS_READ]
        one = encode("Bill", await bills.bill(scene.house_id, 100))
        compound = encode("Compound", scene.compound_id)
        tokens = [await staff_token(scene, *others), await identity.token(scene.owner.account_id)]
        for token in tokens:
            assert await refused(api, LIST, {"c": compound}, token) == "FORBIDDEN"
        assert await refused(api, LIST, {"c": compound}, None) == "UNAUTHENTICATED"
        assert (await data(api, ONE, {"id": one}, tokens[0]))["bill"] is None
        assert await refused(api, ONE, {"id": one}, None) == "UNAUTHENTICATED"
        assert await refused(api, OWN, {}, tokens[0]) == "FORBIDDEN"


async def test_the_home_screen_says_what_is_to_be_paid(api: Api, scene: Scene) -> None:
    rule = await bills.late_fee_rule(scene.compound_id)
    token = await identity.token(scene.owner.account_id)
    with clock.use(clock.FixedClock(clock.now())):
        due_on = clock.today() - timedelta(days=10)
        issued = due_on - timedelta(days=10)
        await bills.bill(scene.house_id, 10_000, month=issued.replace(day=1), issued_on=issued, due_on=due_on,
                         late_fee_rule_id=rule)  # fmt: skip
        await bills.bill(scene.house_id, 500, month=date(2098, 1, 1))
        await bills.bill(scene.house_id, 900, payer="tenant", due_on=due_on)
        await bills.bill(scene.next_door_id, 900)
        cards = (await data(api, CARDS, {}, token))["viewer"]["home"]["cards"]
    assert cards == [
        {"__typename": "BillsDueCard", "key": "bills", "count": 2, "totalFen": 10_600, "dueOn": str(due_on)}
    ]
    await ledger.prepay(scene.compound_id, scene.house_id, 11_500)
    assert await deduct(scene.house_id) == 2
    assert (await data(api, CARDS, {}, token))["viewer"]["home"]["cards"] == []
