"""`node` and `nodes` of everything that billing has: seen by whom it is for, null for all others, and never a hint."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from domains.billing import permissions
from domains.billing.models import DunningLetter, MeterReading
from domains.billing.service.corrections import request_void
from domains.billing.service.promises import record_promise
from domains.billing.service.runs import start_billing_run
from domains.kernel import clock
from domains.residents.models import Occupancy
from schema.relay import encode
from tests.api.billing.test_bills import staff_token
from tests.api.identity.clients import Api, codes
from tests.factories import billing, bills, books, dunning, identity, meters, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

MARCH = date(2026, 3, 1)
NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
NODE = "query($id: ID!) { node(id: $id) { __typename id } }"

MONEY = {"Bill", "BillingRun", "Correction", "DunningLetter", "PaymentPromise"}
FEES, METERS, RUNS, BOOKS = {"FeeItem", "Vacancy"}, {"Meter", "MeterReading"}, {"BillingRun"}, {"Expense"}
STAFF = {
    permissions.FEES_READ: FEES, permissions.FEES_WRITE: FEES, permissions.METERS_READ: METERS,
    permissions.METERS_WRITE: METERS, permissions.RUNS_START: RUNS, permissions.RUNS_APPROVE: RUNS,
    permissions.BILLS_READ: MONEY, permissions.BOOKS_WRITE: BOOKS, permissions.BOOKS_PUBLISH: BOOKS,
}  # fmt: skip
"""What a permission alone lets staff see; the others let see nothing here."""

RESIDENTS = {
    "owner": {"Bill", "Vacancy"} | METERS, "family": {"Bill"} | METERS, "tenant": METERS, "neighbour": set[str](),
}  # fmt: skip
"""Of a house and of what its owner pays."""

EVERYTHING = MONEY | FEES | METERS | RUNS | BOOKS
WITHOUT_A_NODE = ("BillLine", "OneOffCharge", "PooledCost", "FeeAgreement", "Liability", "Nothing")


@pytest.fixture
async def scene() -> Scene:
    """People who have lived there for long."""
    made = await residents.scene()
    await Occupancy.filter(compound_id=made.compound_id).update(since_on=date(2020, 1, 1))
    return made


async def things(scene: Scene) -> dict[str, UUID]:
    """One of each, of the scene's house where it is of a house."""
    item = await billing.fee_item(scene.compound_id)
    bill = await bills.bill(scene.house_id, 1_000, due_on=clock.today() - timedelta(days=5))
    asked = await request_void(scene.staff(permissions.CORRECTIONS_REQUEST), bill_id=bill, reason="重复")
    run = await start_billing_run(
        scene.staff(permissions.RUNS_START), compound_id=scene.compound_id, month=MARCH
    )
    await dunning.steps(scene, (5, "letter"))
    await dunning.remind(clock.today())
    promise = await record_promise(
        scene.staff(permissions.DUNNING_WRITE), house_id=scene.house_id,
        promised_on=clock.today() + timedelta(days=7),
    )  # fmt: skip
    meter = await meters.meter(scene.compound_id, scene.house_id)
    return {
        "Bill": bill, "BillingRun": run, "Correction": asked,
        "DunningLetter": (await DunningLetter.get(house_id=scene.house_id)).id,
        "Expense": await books.expense(scene.compound_id, 100, MARCH), "FeeItem": item, "Meter": meter,
        "MeterReading": (await MeterReading.get(meter_id=meter)).id, "PaymentPromise": promise,
        "Vacancy": await billing.vacancy(scene.house_id, MARCH, date(2026, 6, 1)),
    }  # fmt: skip


async def seen(api: Api, ids: dict[str, str], token: str | None) -> set[str]:
    """Which of them come back, as what they are."""
    found = (await api.ask(NODES, {"ids": list(ids.values())}, token))["data"]["nodes"]
    for name, id, node in zip(ids, ids.values(), found, strict=True):
        assert node in (None, {"__typename": name, "id": id})
    return {node["__typename"] for node in found if node is not None}


async def test_who_sees_what(api: Api, scene: Scene) -> None:
    ids = {name: encode(name, id) for name, id in (await things(scene)).items()}
    for permission in permissions.LABELS:
        token = await staff_token(scene, permission)
        assert await seen(api, ids, token) == STAFF.get(permission, set()), permission
    for who, expected in RESIDENTS.items():
        token = await identity.token(getattr(scene, who).account_id)
        assert await seen(api, ids, token) == expected, who
        for name, id in ids.items():
            alone = (await api.ask(NODE, {"id": id}, token))["data"]["node"]
            assert (alone is not None) == (name in expected), (who, name)
    elsewhere = await staff_token(await residents.scene(), *permissions.LABELS)
    for stranger in (elsewhere, await identity.token(await identity.resident()), None):
        assert await seen(api, ids, stranger) == set()


async def test_what_does_not_exist_looks_as_what_is_not_ones_own(api: Api, scene: Scene) -> None:
    token = await staff_token(scene, *permissions.LABELS)
    assert await seen(api, {name: encode(name, uuid4()) for name in sorted(EVERYTHING)}, token) == set()


async def test_the_same_id_twice_and_under_another_name(api: Api, scene: Scene) -> None:
    token, run = await staff_token(scene, *permissions.LABELS), (await things(scene))["BillingRun"]
    ids = [encode("BillingRun", run), encode("Bill", run), encode("BillingRun", run)]
    found = (await api.ask(NODES, {"ids": ids}, token))["data"]["nodes"]
    assert found[0] == found[2] == {"__typename": "BillingRun", "id": ids[0]} and found[1] is None


async def test_what_was_never_an_id_is_refused(api: Api, scene: Scene) -> None:
    token, good = await staff_token(scene, *permissions.LABELS), encode("Bill", uuid4())
    bad = [encode(name, uuid4()) for name in WITHOUT_A_NODE]
    bad += ["", "Bill", f"Bill:{uuid4()}", good[:-4], f"{good}=", encode("bill", uuid4()), f" {good}"]
    for id in bad:
        assert codes(await api.ask(NODE, {"id": id}, token)) == ["BAD_ID"], id
        assert codes(await api.ask(NODES, {"ids": [good, id]}, token)) == ["BAD_ID"], id
    assert codes(await api.ask(NODES, {"ids": [good] * 101}, token)) == ["TOO_MANY_IDS"]
