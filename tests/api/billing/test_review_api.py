"""What no form sends, over the API: days at the ends of the calendar, counts below zero, files with odd characters."""

from __future__ import annotations

import json

import pytest

from domains.kernel import database
from schema.relay import encode
from tests.api.identity.clients import Api, Json, codes
from tests.factories import charges, identity, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

BOOKS = "query($c: ID!, $m: Date!) { books(compound: $c, month: $m) { month } }"
OPEN = "query($c: ID!, $m: Date!) { openBooks(compound: $c, month: $m) { month } }"
SPENT = "query($c: ID!, $m: Date!) { expenses(compound: $c, month: $m) { nodes { id } } }"
USED = "query($c: ID!, $m: Date!) { consumption(compound: $c, fromMonth: $m, untilMonth: $m) { month } }"
PREVIEW = "query($c: ID!, $m: Date!) { previewBillingRun(compound: $c, month: $m) { houses } }"
ARREARS = "query($c: ID!, $f: ArrearsFilter) { arrears(compound: $c, filter: $f) { nodes { houseNumber } } }"
GRANTED = (
    "books.write", "books.publish", "bills.read", "meters.read", "meters.write", "billing.start", "billing.approve",
    "fees.read", "fees.write",
)  # fmt: skip
REFUSAL = {
    BOOKS: "MONTH_OUT_OF_RANGE",
    OPEN: "MONTH_OUT_OF_RANGE",
    SPENT: "MONTH_OUT_OF_RANGE",
    PREVIEW: "RUN_INVALID",
}
METERS = "表号,表类型,楼栋,单元,房号,位数,初始读数,安装日期,采集器编号\n"
READINGS = "表号,表类型,读数,抄表日期\n"


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def staff(scene: Scene) -> str:
    company = await database.fetchval(
        "SELECT o.name FROM compound c JOIN company o ON o.id = c.company_id WHERE c.id = $1",
        scene.compound_id,
    )
    account = await identity.staff(company, GRANTED, scope="compound", place_id=scene.compound_id)
    return await identity.token(account)


async def test_months_at_the_ends_of_the_calendar_are_refused(api: Api, scene: Scene) -> None:
    token, compound = await staff(scene), encode("Compound", scene.compound_id)
    for month in ("0001-01-01", "9999-12-01"):
        for query, code in REFUSAL.items():
            assert codes(await api.ask(query, {"c": compound, "m": month}, token)) == [code], (month, query)
        assert (await api.ask(USED, {"c": compound, "m": month}, token))["data"] == {"consumption": []}
        published = await api.run(
            "publishAccounts",
            "PublishAccountsInput",
            "accounts { month }",
            token,
            compound=compound,
            month=month,
        )
        assert codes(published) == ["MONTH_OUT_OF_RANGE"]
    assert await database.fetchval("SELECT count(*) FROM accounts_publication") == 0


async def test_charges_for_days_beyond_all_bills_are_refused(api: Api, scene: Scene) -> None:
    token, house = await staff(scene), encode("House", scene.house_id)
    pooled = await charges.item(
        scene.compound_id, None, method="pooled", pooled_by="household", timing="arrears"
    )
    once = await charges.item(scene.compound_id, None, method="one_off", cycle_months=None)
    shared = await api.run(
        "recordPooledCost", "RecordPooledCostInput", "pooledCost { totalFen }", token,
        feeItem=encode("FeeItem", pooled), periodFrom="9999-12-01", totalFen=100,
    )  # fmt: skip
    assert codes(shared) == ["PERIOD_INVALID"]
    charged = await api.run(
        "addOneOffCharges", "AddOneOffChargesInput", "charges { amountFen }", token,
        feeItem=encode("FeeItem", once), houses=[house], chargedOn="9999-12-30", amountFen=100,
    )  # fmt: skip
    assert codes(charged) == ["ONE_OFF_INVALID"]


async def test_arrears_of_any_number_of_days(api: Api, scene: Scene) -> None:
    token, compound = await staff(scene), encode("Compound", scene.compound_id)
    for days in (-(2**31), -4_000_000, 2**31 - 1):
        answer = await api.ask(ARREARS, {"c": compound, "f": {"ageAtLeast": days}}, token)
        assert answer["data"] == {"arrears": {"nodes": []}}, days


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("W\0 1,水表,,,,5,0,2026-01-01,", "TEXT_INVISIBLE_CHARACTER"),
        ("W1,水表,3\0,1,101,5,0,2026-01-01,", "HOUSE_UNKNOWN"),
        ("W1,水表,,,,5,0,2026-01-01,x\0", "DEVICE_NOT_FOUND"),
        ("W1,水表,,,,1e-9,0,2026-01-01,", "METER_DIGITS"),
        ("W1,水表,,,,5,sNaN,2026-01-01,", "CELL_NUMBER"),
        ("W1,水表,,,,5,1e999999,2026-01-01,", "CELL_NUMBER"),
        ("W1,水表,,,,5,0,0001-01-01,", "METER_DAY_OUT_OF_RANGE"),
    ],
)
async def test_a_file_of_meters_with_what_no_meter_has(api: Api, scene: Scene, row: str, code: str) -> None:
    answer = await bring(api, "importMeters", await staff(scene), scene, METERS + row)
    assert ([each["code"] for each in answer["problems"]], answer["imported"]) == ([code], 0)
    assert (
        await database.fetchval("SELECT count(*) FROM meter WHERE compound_id = $1", scene.compound_id) == 0
    )


async def test_a_file_of_readings_with_what_no_meter_has(api: Api, scene: Scene) -> None:
    answer = await bring(
        api, "importMeterReadings", await staff(scene), scene, READINGS + "W\0 1,,5,2026-01-01"
    )
    assert [each["code"] for each in answer["problems"]] == ["METER_NOT_FOUND"]


async def bring(api: Api, name: str, token: str, scene: Scene, sheet: str) -> Json:
    query = f"""mutation($i: ImportMetersInput!) {{ {name}(input: $i) {{
        imported problems {{ code }} errors {{ code }} }} }}"""
    variables = {"i": {"compound": encode("Compound", scene.compound_id), "file": None}}
    fields = {
        "operations": json.dumps({"query": query, "variables": variables}),
        "map": json.dumps({"0": ["variables.i.file"]}),
    }
    headers = {"x-requested-with": "linli", "authorization": f"Bearer {token}"}
    files = {"0": ("表.csv", sheet.encode(), "text/csv")}
    return (await api.http.post("/graphql", data=fields, files=files, headers=headers)).json()["data"][name]
