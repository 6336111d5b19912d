"""Every form of the billing pages, sent by who may not: refused, and not a row is different."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from starlette.applications import Starlette

from domains.billing import permissions
from domains.billing.models import BillingRun, DunningLetter, FeeAgreement, Liability, PooledCost
from domains.billing.service.corrections import request_void
from domains.billing.service.promises import record_promise
from domains.billing.service.runs import start_billing_run
from domains.kernel import clock, database
from schema.relay import encode
from tests.api.pages.test_fees import NEW
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import Visitor, visiting
from tests.factories import billing, bills, books, charges, dunning, meters, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

Form = dict[str, str]
Forms = list[tuple[str, Form]]
MARCH = date(2026, 3, 1)
ALL = (*permissions.LABELS, "estate.read")
READ = (
    permissions.FEES_READ, permissions.METERS_READ, permissions.BILLS_READ, "estate.read",
)  # fmt: skip
FILE = "表号,读数,抄表日期\nD-1,150,2026-02-01\n"


@pytest.fixture
async def scene() -> Scene:
    """Places that no other test uses."""
    return await residents.scene()


async def rules(scene: Scene) -> Forms:
    """The compound's own: nobody of another compound has a form of these."""
    shared = encode("FeeItem", await billing.fee_item(scene.compound_id, "pooled"))
    return [
        ("fees/rules", {"billingDay": "5", "monthsBack": "2", "dueDays": "20"}),
        ("fees/late-fee", {"fromOn": "2026-01-01", "rate": "0.5", "graceDays": "10", "capPercent": "30"}),
        ("fees/new", NEW),
        ("fees/shared", {"item": shared, "periodFrom": "2026-02-01", "total": "100.00"}),
        ("dunning/steps", {"days": "3", "form": "MESSAGE"}),
    ]


async def terms(scene: Scene) -> Forms:
    """Of fee items and of houses."""
    item = await billing.fee_item(scene.compound_id)
    await charges.agreed(scene.house_id, item, "80", MARCH)
    await charges.liable(scene.far_house_id, "tenant", MARCH)
    pooled = await billing.fee_item(scene.compound_id, "pooled")
    await charges.pooled(pooled, MARCH, {scene.house_id: 100})
    waiting = await billing.vacancy(scene.house_id, MARCH, date(2026, 6, 1), "requested")
    empty = await billing.vacancy(scene.next_door_id, MARCH, date(2026, 6, 1))
    house, ends = encode("House", scene.house_id), {"untilOn": "2026-04-01"}
    agreement = await FeeAgreement.get(house_id=scene.house_id)
    liability = await Liability.get(house_id=scene.far_house_id, payer="tenant")
    cost = await PooledCost.get(compound_id=scene.compound_id)
    return [
        ("fees/one", {**NEW, "item": encode("FeeItem", item), "name": "改名"}),
        ("fees/agreement/end", {"house": house, "agreement": encode("FeeAgreement", agreement.id), **ends}),
        ("fees/liability/end", {"house": house, "liability": encode("Liability", liability.id), **ends}),
        ("fees/vacancy/decide", {"vacancy": encode("Vacancy", waiting), "decision": "APPROVE"}),
        ("fees/vacancy/end", {"vacancy": encode("Vacancy", empty), **ends}),
        ("fees/shared/remove", {"item": encode("FeeItem", pooled), "cost": encode("PooledCost", cost.id)}),
    ]


async def metered(scene: Scene) -> Forms:
    """Of meters and their readings."""
    one = await meters.meter(scene.compound_id, scene.house_id, number="D-1")
    held = await charges.reading(one, date(2026, 1, 20), "900", state="held")
    meter, plate = encode("Meter", one), {"number": "D-2", "digits": "6", "installedOn": "2026-05-01"}
    return [
        ("meters/one", {"meter": meter, "number": "D-1", "digits": "6"}),
        ("meters/review", {"reading": encode("MeterReading", held), "decision": "ACCEPT"}),
        ("meters/enter", {f"value:{meter}": "950", "key": str(uuid4())}),
        ("meters/replace", {"meter": meter, "finalValue": "990", **plate, "installedOn": str(clock.today())}),
    ]


async def new_meters(scene: Scene) -> Forms:
    """Meters and readings of the compound."""
    await meters.meter(scene.compound_id, scene.house_id, number="D-1")
    plate = {"number": "D-3", "digits": "5", "installedOn": "2026-05-01"}
    return [("meters/new", plate), ("meters/import", {"what": "readings", "file": FILE})]


async def billed(scene: Scene) -> Forms:
    """Of runs, bills and corrections."""
    await charges.item(scene.compound_id)
    starts = scene.staff(permissions.RUNS_START)
    draft, second = [
        await start_billing_run(starts, compound_id=scene.compound_id, month=MARCH) for _ in range(2)
    ]
    expected = str((await BillingRun.get(pk=draft)).expected_fen)
    one, other = await bills.bill(scene.far_house_id, 1_000), await bills.bill(scene.far_house_id, 1_000)
    asks = scene.staff(permissions.CORRECTIONS_REQUEST)
    asked = encode("Correction", await request_void(asks, bill_id=other, reason="重复"))
    return [
        ("billing-runs/approve", {"run": encode("BillingRun", draft), "expected": expected}),
        ("billing-runs/cancel", {"run": encode("BillingRun", second)}),
        ("bills/correct", {"bill": encode("Bill", one), "kind": "waiver", "amount": "1", "reason": "漏水"}),
        ("corrections/decide", {"correction": asked, "decision": "APPROVE"}),
    ]


async def owing(scene: Scene) -> Forms:
    """Of reminders, promises and letters."""
    late, week = clock.today() - timedelta(days=5), clock.today() + timedelta(days=7)
    await bills.bill(scene.next_door_id, 12_300, due_on=late)
    await dunning.steps(scene, (5, "letter"))
    await dunning.remind(clock.today())
    await bills.bill(scene.house_id, 12_300, due_on=late)
    promise = await record_promise(
        scene.staff(permissions.DUNNING_WRITE), house_id=scene.next_door_id, promised_on=week
    )
    letter = await DunningLetter.get(house_id=scene.next_door_id)
    house = {"house": encode("House", scene.house_id), "number": "101"}
    return [
        ("arrears/remind", house),
        ("arrears/promise", {**house, "day": str(week)}),
        ("arrears/promises/withdraw", {"promise": encode("PaymentPromise", promise)}),
        ("dunning/print", {"letter": encode("DunningLetter", letter.id)}),
    ]


async def spent(scene: Scene) -> Forms:
    """Of expenses and the accounts of a month: what is published is corrected, the rest removed."""
    published = await books.expense(scene.compound_id, 8_000, MARCH)
    entered = await books.expense(scene.compound_id, 500, date(2026, 4, 1))
    return [
        ("books/expenses", {"day": "2026-04-02", "category": "TAX", "amount": "1", "note": "试"}),
        ("books/publish", {"month": "2026-03", "note": ""}),
        ("books/expenses/correct", {"expense": encode("Expense", published), "amount": "10", "note": "多记"}),
        ("books/expenses/remove", {"expense": encode("Expense", entered)}),
    ]


AREAS: tuple[Callable[[Scene], Awaitable[Forms]], ...] = (
    rules, terms, metered, new_meters, billed, owing, spent,
)  # fmt: skip
OF_THE_CALLERS_PLACE = ("books/expenses", "books/publish")
"""Forms that name no thing: of another compound's staff they are about their own."""
VOLATILE = ("audit_entry", "session", "refresh_token", "security_event", "file_ticket")
ANSWERED = {"idempotency_record": "", "done": 0}
DONE = "SELECT count(*) FROM audit_entry WHERE outcome = 'done' AND action NOT LIKE '%.read'"


async def everything() -> dict[str, Any]:  # Any: columns
    """What the database holds, table by table, and how much was done by anybody."""
    tables = await database.fetch("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    return {
        name: await database.fetchval(
            f'SELECT md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), \'\')) FROM "{name}" t'
        )
        for name in (row["name"] for row in tables) if name not in VOLATILE
    } | {"done": await database.fetchval(DONE)}  # fmt: skip


async def send(visitor: Visitor, path: str, form: Form, token: str | None = None) -> httpx.Response:
    """A form; what it calls a file goes as one."""
    given = {**form, "form_token": visitor.token if token is None else token}
    file = given.pop("file", None)
    files = {"file": ("r.csv", file.encode(), "text/csv")} if file else None
    return await visitor.http.post(f"/staff/{path}", data=given, files=files, headers={"accept": "text/html"})


@pytest.mark.parametrize("area", AREAS, ids=lambda each: each.__name__)
async def test_who_may_not_changes_nothing(
    app: Starlette, scene: Scene, area: Callable[[Scene], Awaitable[Forms]]
) -> None:
    forms = await area(scene)
    elsewhere = await staff_of(await residents.scene(), *ALL)
    without, with_all = await staff_of(scene, *READ), await staff_of(scene, *ALL)
    async with (
        visiting(app) as reader,
        visiting(app) as stranger,
        visiting(app) as clerk,
        visiting(app) as nobody,
    ):
        await reader.sign_in(without)
        await stranger.sign_in(elsewhere)
        await clerk.sign_in(with_all)
        before = await everything()
        for path, form in forms:
            assert (await send(reader, path, form)).status_code == 403, path
            assert (await send(clerk, path, form, token="forged")).status_code == 403, path
            assert (await send(nobody, path, form)).status_code in (303, 401, 403), path
        assert await everything() == before
        for path, form in forms:
            if area not in (rules, new_meters) and path not in OF_THE_CALLERS_PLACE:
                assert (await send(stranger, path, form)).status_code in (200, 303, 403, 404), path
        # A sheet of readings is answered meter by meter: that none of them was found is an answer, too.
        assert await everything() | ANSWERED == before | ANSWERED
        # The very same forms do something where they may be sent.
        for path, form in forms:
            done = await database.fetchval(DONE)
            assert (await send(clerk, path, form)).status_code in (200, 303), path
            assert await database.fetchval(DONE) > done, path


async def test_a_request_of_others_is_not_withdrawn(app: Starlette, scene: Scene) -> None:
    asks, one = scene.staff(permissions.CORRECTIONS_REQUEST), await bills.bill(scene.house_id, 1_000)
    asked: UUID = await request_void(asks, bill_id=one, reason="重复")
    async with visiting(app) as clerk:
        await clerk.sign_in(await staff_of(scene, *ALL))
        before = await everything()
        refused = await send(clerk, "corrections/withdraw", {"correction": encode("Correction", asked)})
        assert refused.status_code == 403
        assert await everything() == before
