"""Fees through the API: an item with its prices, what holds for a house, and what a list costs."""

from __future__ import annotations

import pytest

from domains.billing import permissions
from domains.kernel import database
from schema.relay import encode
from tests.api.identity.clients import Api, Json, codes
from tests.factories import billing, identity, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

ITEM = """id name category method cycleMonths timing anchor anchorOn priceMonths payer vacancyPercent billsUnsold
    bearsLateFee meterKind tierSpan pooledBy uses buildings startsOn endsOn
    currentPrice { fromOn priceFen formula tiers { above priceFen } } prices { fromOn priceFen }
    advanceDiscounts { months percent }"""
LIST = f"query($c: ID!, $a: Boolean) {{ feeItems(compound: $c, active: $a) {{ {ITEM} }} }}"


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def staff_token(scene: Scene, *granted: str) -> str:
    company = await database.fetchval(
        "SELECT o.name FROM compound c JOIN company o ON o.id = c.company_id WHERE c.id = $1",
        scene.compound_id,
    )
    return await identity.token(
        await identity.staff(company, granted, scope="compound", place_id=scene.compound_id)
    )


async def make(api: Api, scene: Scene, token: str, **more: object) -> Json:
    input = {
        "compound": encode("Compound", scene.compound_id), "name": "物业费", "category": "PROPERTY",
        "method": "BUILT_AREA", "startsOn": "2026-01-01", "anchorOn": "2026-01-01", "cycleMonths": 3, **more,
    }  # fmt: skip
    return await api.run("setFeeItem", "SetFeeItemInput", f"feeItem {{ {ITEM} }}", token, **input)


async def test_an_item_and_its_prices(api: Api, scene: Scene) -> None:
    token = await staff_token(scene, permissions.FEES_WRITE)
    building = encode("Building", scene.building_id)
    made = (await make(api, scene, token, uses=["RESIDENTIAL"], buildings=[building]))["feeItem"]
    assert (made["method"], made["uses"], made["buildings"]) == ("BUILT_AREA", ["RESIDENTIAL"], [building])
    assert (made["currentPrice"], made["vacancyPercent"]) == (None, "100.00")
    for day, fen in (("2026-01-01", "280"), ("2099-01-01", "300.5")):
        priced = await api.run(
            "setFeePrice", "SetFeePriceInput", f"feeItem {{ {ITEM} }}", token, feeItem=made["id"], fromOn=day, priceFen=fen
        )  # fmt: skip
        assert priced["errors"] == []
    found = priced["feeItem"]
    assert found["currentPrice"]["priceFen"] == "280.000000"
    assert [price["fromOn"] for price in found["prices"]] == ["2099-01-01", "2026-01-01"]
    answer = await api.ask(
        "query($i: ID!) { node(id: $i) { ... on FeeItem { name } } }", {"i": made["id"]}, token
    )
    assert answer["data"]["node"] == {"name": "物业费"}
    changed = await make(api, scene, token, feeItem=made["id"], name="高层物业费")
    assert changed["feeItem"]["name"] == "高层物业费"


async def test_refusals_are_data_with_their_fields(api: Api, scene: Scene) -> None:
    token = await staff_token(scene, permissions.FEES_WRITE)
    assert (await make(api, scene, token, anchorOn=None))["errors"] == [
        {"code": "FEE_ITEM_INVALID", "field": ["anchorOn"]}
    ]
    odd = (await make(api, scene, token, name="公式", method="FORMULA"))["feeItem"]
    refused = await api.run(
        "setFeePrice", "SetFeePriceInput", "feeItem { id }", token, feeItem=odd["id"], fromOn="2026-01-01",
        formula="area; DROP TABLE house",
    )  # fmt: skip
    assert refused["errors"] == [{"code": "FORMULA_INVALID", "field": ["formula"]}]


async def test_a_formula_is_tried_on_a_house(api: Api, scene: Scene) -> None:
    token = await staff_token(scene, permissions.FEES_READ)
    query = "query($f: String!, $h: ID!) { formulaPrice(formula: $f, house: $h) }"
    house = encode("House", scene.house_id)
    answer = await api.ask(query, {"f": "area * 2 + people", "h": house}, token)
    assert answer["data"]["formulaPrice"] == "182.000000"
    assert (await api.ask(query, {"f": "inner_area", "h": house}, token))["data"]["formulaPrice"] is None
    assert codes(await api.ask(query, {"f": "area +", "h": house}, token)) == ["FORMULA_INVALID"]


async def test_a_list_costs_the_same_however_long(api: Api, scene: Scene) -> None:
    token = await staff_token(scene, permissions.FEES_READ)
    variables = {"c": encode("Compound", scene.compound_id), "a": None}
    costs = []
    for count in (1, 9):
        for _ in range(count):
            await billing.fee_item(scene.compound_id)
        async with database.counted() as cost:
            answer = await api.ask(LIST, variables, token)
        costs.append((cost.count, len(answer["data"]["feeItems"])))
    assert [length for _, length in costs] == [1, 10]
    assert costs[0][0] == costs[1][0]


async def test_what_holds_for_a_house(api: Api, scene: Scene) -> None:
    token = await staff_token(scene, permissions.FEES_WRITE)
    house, item = (
        encode("House", scene.house_id),
        encode("FeeItem", await billing.fee_item(scene.compound_id)),
    )
    agreed = await api.run(
        "setFeeAgreement", "SetFeeAgreementInput", "agreements { agreement feeItem fromOn untilOn percent coefficient }",
        token, house=house, feeItem=item, fromOn="2026-01-01", percent="85.5",
    )  # fmt: skip
    [row] = agreed["agreements"]
    assert (row["feeItem"], row["percent"], row["untilOn"]) == (item, "85.50", None)
    ended = await api.run(
        "endFeeAgreement", "EndFeeAgreementInput", "agreements { untilOn }", token, agreement=row["agreement"],
        untilOn="2026-06-01",
    )  # fmt: skip
    assert ended["agreements"] == [{"untilOn": "2026-06-01"}]
    paid = await api.run(
        "setLiability", "SetLiabilityInput", "liabilities { liability payer personName followsOccupancy }", token,
        house=house, payer="TENANT", fromOn="2026-01-01", person=encode("Person", scene.tenant.person_id),
    )  # fmt: skip
    [row] = paid["liabilities"]
    assert (row["payer"], row["personName"], row["followsOccupancy"]) == ("TENANT", scene.tenant.name, False)
    taken = await api.run(
        "endLiability", "EndLiabilityInput", "liabilities { payer }", token, liability=row["liability"], untilOn="2026-01-01"
    )  # fmt: skip
    assert taken["liabilities"] == []


SHARES = """query($c: ID!, $n: Int!, $a: String) { pooledCost(pooledCost: $c) { shares(first: $n, after: $a) {
    nodes { house houseNumber weight amountFen } pageInfo { hasNextPage endCursor } } } }"""


async def _shares_by_house(api: Api, token: str, cost: str) -> None:
    found, after = [], None
    for more in (True, False):
        answer = await api.ask(SHARES, {"c": cost, "n": 2, "a": after}, token)
        page = answer["data"]["pooledCost"]["shares"]
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        assert page["pageInfo"]["hasNextPage"] == more
    assert sum(each["amountFen"] for each in found) == 12345
    assert len({each["house"] for each in found}) == 3
    assert codes(await api.ask(SHARES, {"c": cost, "n": 101}, token)) == ["BAD_PAGE_SIZE"]
    stranger = await staff_token(await residents.scene(), permissions.FEES_READ)
    assert (await api.ask(SHARES, {"c": cost, "n": 2}, stranger))["data"]["pooledCost"] is None


async def test_the_shares_of_many_costs_are_one_statement(api: Api, scene: Scene) -> None:
    token = await staff_token(scene, permissions.FEES_WRITE, permissions.FEES_READ)
    pooled = encode("FeeItem", await billing.fee_item(scene.compound_id, "pooled"))
    query = (
        "query($i: ID!) { pooledCosts(feeItem: $i) { nodes { shares(first: 2) { nodes { amountFen } } } } }"
    )
    counts = []
    for month in ("2026-01-01", "2026-02-01", "2026-03-01"):
        await api.run(
            "recordPooledCost", "RecordPooledCostInput", "pooledCost { pooledCost }", token, feeItem=pooled,
            periodFrom=month, totalFen=9,
        )  # fmt: skip
        async with database.counted() as cost:
            answer = await api.ask(query, {"i": pooled}, token)
        counts.append(cost.count)
    assert [len(each["shares"]["nodes"]) for each in answer["data"]["pooledCosts"]["nodes"]] == [2, 2, 2]
    assert len(set(counts)) == 1


async def test_a_price_is_taken_back(api: Api, scene: Scene) -> None:
    token = await staff_token(scene, permissions.FEES_WRITE, permissions.FEES_READ)
    item = encode("FeeItem", await billing.fee_item(scene.compound_id))
    given = {"feeItem": item, "fromOn": "2026-07-01"}
    made = await api.run(
        "setFeePrice", "SetFeePriceInput", "feeItem { prices { fromOn isBilled } }", token, **given, priceFen="300"
    )  # fmt: skip
    assert made["feeItem"]["prices"][0] == {"fromOn": "2026-07-01", "isBilled": False}
    gone = await api.run(
        "removeFeePrice", "RemoveFeePriceInput", "feeItem { prices { fromOn } }", token, **given
    )
    assert [each["fromOn"] for each in gone["feeItem"]["prices"]] == ["2026-01-01"]
    again = await api.run("removeFeePrice", "RemoveFeePriceInput", "feeItem { id }", token, **given)
    assert [each["code"] for each in again["errors"]] == ["PRICE_NOT_FOUND"]


async def test_costs_and_charges(api: Api, scene: Scene) -> None:
    token = await staff_token(scene, permissions.FEES_WRITE, permissions.FEES_READ)
    pooled = encode("FeeItem", await billing.fee_item(scene.compound_id, "pooled"))
    made = await api.run(
        "recordPooledCost", "RecordPooledCostInput", "pooledCost { pooledCost totalFen weight periodFrom }", token,
        feeItem=pooled, periodFrom="2026-01-01", totalFen=12345,
    )  # fmt: skip
    assert made["pooledCost"]["totalFen"] == 12345
    listed = await api.ask(
        "query($i: ID!) { pooledCosts(feeItem: $i) { nodes { pooledCost } } }", {"i": pooled}, token
    )
    assert [node["pooledCost"] for node in listed["data"]["pooledCosts"]["nodes"]] == [
        made["pooledCost"]["pooledCost"]
    ]
    await _shares_by_house(api, token, made["pooledCost"]["pooledCost"])
    removed = await api.run(
        "removePooledCost", "RemovePooledCostInput", "feeItem { id }", token, pooledCost=made["pooledCost"]["pooledCost"]
    )  # fmt: skip
    assert removed["feeItem"]["id"] == pooled
    once = encode("FeeItem", await billing.fee_item(scene.compound_id, "one_off"))
    added = await api.run(
        "addOneOffCharges", "AddOneOffChargesInput", "charges { charge amountFen house }", token, feeItem=once,
        houses=[encode("House", scene.house_id)], chargedOn="2026-01-05", amountFen=500,
    )  # fmt: skip
    [charge] = added["charges"]
    cancelled = await api.run(
        "cancelOneOffCharge", "CancelOneOffChargeInput", "charges { cancelledAt isBilled }", token, charge=charge["charge"]
    )  # fmt: skip
    assert cancelled["charges"][0]["cancelledAt"] is not None
    answer = await api.ask(
        "query($c: ID!) { oneOffCharges(compound: $c) { nodes { charge } } }",
        {"c": encode("Compound", scene.compound_id)}, token,
    )  # fmt: skip
    assert [node["charge"] for node in answer["data"]["oneOffCharges"]["nodes"]] == [charge["charge"]]


async def test_rules_and_vacancies(api: Api, scene: Scene) -> None:
    token = await staff_token(scene, permissions.FEES_WRITE, permissions.FEES_READ)
    compound = encode("Compound", scene.compound_id)
    rules = "billingRules { compound billingDay dueDays lateFeeRules { dailyRate capPercent } }"
    await api.run("setBillingRules", "SetBillingRulesInput", rules, token, compound=compound, billingDay=5)
    put = await api.run(
        "setLateFeeRule", "SetLateFeeRuleInput", rules, token, compound=compound, fromOn="2026-01-01", dailyRate="0.0005"
    )  # fmt: skip
    assert put["billingRules"] == {
        "compound": compound, "billingDay": 5, "dueDays": 15,
        "lateFeeRules": [{"dailyRate": "0.0005000", "capPercent": None}],
    }  # fmt: skip
    mine = await identity.token(scene.owner.account_id)
    house = encode("House", scene.house_id)
    asked = await api.run(
        "requestVacancy", "VacancyInput", "vacancy { id state houseNumber }", mine, house=house, fromOn="2026-03-01",
        untilOn="2026-09-01",
    )  # fmt: skip
    id = asked["vacancy"]["id"]
    decided = await api.run(
        "decideVacancy", "DecideVacancyInput", "vacancy { state }", token, vacancy=id, approve=True
    )
    assert decided["vacancy"]["state"] == "APPROVED"
    own = await api.ask("{ viewer { vacancies { id state house { number } } } }", token=mine)
    assert [row["id"] for row in own["data"]["viewer"]["vacancies"]] == [id]
    listed = await api.ask(
        "query($c: ID!) { vacancies(compound: $c, state: APPROVED) { totalCount nodes { id } } }",
        {"c": compound},
        token,
    )
    assert listed["data"]["vacancies"] == {"totalCount": 1, "nodes": [{"id": id}]}


async def test_residents_do_not_set_fees(api: Api, scene: Scene) -> None:
    token = await identity.token(scene.owner.account_id)
    compound = encode("Compound", scene.compound_id)
    answer = await api.attempt(
        "setBillingRules",
        "SetBillingRulesInput",
        "billingRules { dueDays }",
        token,
        compound=compound,
        dueDays=1,
    )
    assert codes(answer) == ["FORBIDDEN"]
    assert codes(await api.ask(LIST, {"c": compound}, token)) == ["FORBIDDEN"]
