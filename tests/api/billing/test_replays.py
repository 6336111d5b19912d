"""A command on money that is sent again, as a phone without a network or an impatient finger does: one effect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

import pytest

from domains.billing import permissions
from domains.billing.models import BillingRun
from domains.billing.service.corrections import request_void, request_waiver
from domains.billing.service.runs import start_billing_run
from domains.residents.models import Occupancy
from payments.permissions import BALANCES_WRITE
from schema.relay import encode
from tests.api.billing.test_bills import staff_token
from tests.api.identity.clients import Api, Json
from tests.factories import bills, charges, identity, ledger, meters, residents, runs
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

NOV = date(2026, 11, 1)
REASON = "重复出账"
Body = dict[str, object]
RUN, CORRECTION, BILLS = (
    "billingRun { id state expectedFen }",
    "correction { id state }",
    "bills { id issuedFen }",
)


@pytest.fixture
async def scene() -> Scene:
    """Houses whose people have lived there for long."""
    made = await residents.scene()
    await Occupancy.filter(compound_id=made.compound_id).update(since_on=date(2020, 1, 1))
    return made


@dataclass(frozen=True)
class Command:
    """A mutation: its input's type, what is asked back, the permission of staff (none: an owner sends it), a body,
    and the fields of another body or the code of what is refused the second time."""

    name: str
    kind: str
    fields: str
    permission: str
    body: Callable[[Scene], Awaitable[Body]]
    other: Callable[[Scene], Awaitable[Body]] | None = None
    refusal: str = ""

    async def token(self, scene: Scene) -> str:
        """Whoever may send it."""
        if not self.permission:
            return await identity.token(scene.owner.account_id)
        return await staff_token(scene, self.permission, permissions.BILLS_READ)


async def run_of(scene: Scene, month: str = "2026-11-01") -> Body:
    await charges.item(scene.compound_id)
    return {"compound": encode("Compound", scene.compound_id), "month": month}


async def ahead(scene: Scene) -> Body:
    item = await charges.item(scene.compound_id)
    return {"house": encode("House", scene.house_id), "feeItem": encode("FeeItem", item), "months": 1}


async def charge(scene: Scene) -> Body:
    item = await charges.item(scene.compound_id, None, method="one_off", cycle_months=None)
    made = await charges.one_off(scene.house_id, item, NOV, 5_000)
    return {"charge": encode("OneOffCharge", made)}


async def balance(scene: Scene) -> Body:
    return {"house": encode("House", scene.house_id), "amountFen": 100, "purpose": "PARKING"}


async def read(scene: Scene) -> Body:
    return {"meter": encode("Meter", await meters.meter(scene.compound_id, scene.house_id)), "value": "120"}


async def sheet(scene: Scene) -> Body:
    taken = {**await read(scene), "readAt": "2026-01-20T12:00:00+08:00"}
    return {"compound": encode("Compound", scene.compound_id), "readings": [taken]}


def fields(**changed: object) -> Callable[[Scene], Awaitable[Body]]:
    async def made(scene: Scene) -> Body:
        return changed

    return made


KEYED = (
    Command("startBillingRun", "StartBillingRunInput", RUN, permissions.RUNS_START, run_of,
            fields(month="2026-10-01")),
    Command("payAhead", "PayAheadInput", BILLS, "", ahead, fields(months=2)),
    Command("billOneOff", "BillOneOffInput", BILLS, permissions.RUNS_APPROVE, charge, charge),
    Command("setOpeningBalance", "SetOpeningBalanceInput", "account { prepaidFen }", BALANCES_WRITE, balance,
            fields(amountFen=101)),
    Command("submitMeterReading", "SubmitMeterReadingInput", "reading { id value state }", "", read,
            fields(value="121")),
    Command("recordReadings", "RecordReadingsInput", "answers { result reading }", permissions.METERS_WRITE, sheet,
            sheet),
)  # fmt: skip


async def rows() -> Mapping[str, int]:
    """Rows of every table, but those that say who has looked and who has signed in."""
    beside = ("audit_entry", "session", "refresh_token", "security_event")
    return {name: count for name, count in (await runs.count_all()).items() if name not in beside}


@pytest.mark.parametrize("command", KEYED, ids=lambda each: each.name)
async def test_under_one_key_it_counts_once(api: Api, scene: Scene, command: Command) -> None:
    token, body = await command.token(scene), {**await command.body(scene), "idempotencyKey": str(uuid4())}
    other = {**body, **await command.other(scene)} if command.other else body

    async def send(given: Body) -> Json:
        return await api.run(command.name, command.kind, command.fields, token, **given)

    answers = await asyncio.gather(*(send(body) for _ in range(3)))
    assert answers[0]["errors"] == [] and answers == [answers[0]] * 3
    left, trial = await rows(), await ledger.trial_balance(scene.compound_id)
    assert await send(body) == answers[0]
    refused = await send(other)
    assert [each["code"] for each in refused["errors"]] == ["IDEMPOTENCY_CONFLICT"]
    assert (await rows(), await ledger.trial_balance(scene.compound_id)) == (left, trial)
    await ledger.check_books()


async def drafted(scene: Scene) -> UUID:
    await charges.item(scene.compound_id)
    return await start_billing_run(
        scene.staff(permissions.RUNS_START), compound_id=scene.compound_id, month=NOV
    )


async def draft(scene: Scene) -> Body:
    run = await BillingRun.get(pk=await drafted(scene))
    return {"run": encode("BillingRun", run.id), "expectedFen": run.expected_fen}


async def to_cancel(scene: Scene) -> Body:
    return {"run": encode("BillingRun", await drafted(scene))}


async def bill(scene: Scene) -> Body:
    return {"bill": encode("Bill", await bills.bill(scene.house_id, 1_000)), "reason": REASON}


async def waiver(scene: Scene) -> Body:
    return {**await bill(scene), "amountFen": 300}


async def adjustment(scene: Scene) -> Body:
    line = await bills.line_of(await bills.bill(scene.house_id, 1_000))
    return {"line": encode("BillLine", line), "amountFen": -300, "reason": REASON}


async def waived(scene: Scene) -> Body:
    asked = await request_waiver(
        scene.staff(permissions.CORRECTIONS_REQUEST), bill_id=await bills.bill(scene.house_id, 1_000),
        concern="principal", amount_fen=300, reason=REASON,
    )  # fmt: skip
    return {"correction": encode("Correction", asked), "decision": "APPROVE"}


async def voided(scene: Scene) -> Body:
    one = await bills.bill(scene.house_id, 1_000)
    await bills.pay(one, 400)
    asks = scene.staff(permissions.CORRECTIONS_REQUEST)
    asked = await request_void(asks, bill_id=one, reason=REASON)
    return {"correction": encode("Correction", asked), "decision": "APPROVE"}


async def once(scene: Scene) -> Body:
    item = await charges.item(scene.compound_id, None, method="one_off", cycle_months=None)
    house = encode("House", scene.house_id)
    return {
        "feeItem": encode("FeeItem", item),
        "houses": [house],
        "chargedOn": "2026-11-03",
        "amountFen": 700,
    }


async def pooled(scene: Scene) -> Body:
    item = await charges.item(
        scene.compound_id, None, method="pooled", pooled_by="household", timing="arrears"
    )
    return {"feeItem": encode("FeeItem", item), "periodFrom": "2026-02-01", "totalFen": 1_000}


ASK, DECIDE, FEES = permissions.CORRECTIONS_REQUEST, permissions.CORRECTIONS_DECIDE, permissions.FEES_WRITE
NATURAL = (
    Command("approveBillingRun", "ApproveBillingRunInput", RUN, permissions.RUNS_APPROVE, draft,
            refusal="STATE_CONFLICT"),
    Command("cancelBillingRun", "CancelBillingRunInput", RUN, permissions.RUNS_START, to_cancel,
            refusal="STATE_CONFLICT FORBIDDEN"),
    Command("requestWaiver", "RequestWaiverInput", CORRECTION, ASK, waiver, refusal="CORRECTION_WAITING"),
    Command("requestAdjustment", "RequestAdjustmentInput", CORRECTION, ASK, adjustment, refusal="CORRECTION_WAITING"),
    Command("requestVoid", "RequestVoidInput", CORRECTION, ASK, bill, refusal="CORRECTION_WAITING"),
    Command("decideWaiver", "DecideCorrectionInput", CORRECTION, DECIDE, waived, refusal="CORRECTION_DECIDED"),
    Command("decideCorrection", "DecideCorrectionInput", CORRECTION, DECIDE, voided, refusal="CORRECTION_DECIDED"),
    Command("addOneOffCharges", "AddOneOffChargesInput", "", FEES, once, refusal="ONE_OFF_EXISTS"),
    Command("recordPooledCost", "RecordPooledCostInput", "", FEES, pooled, refusal="POOLED_COST_EXISTS"),
)  # fmt: skip


@pytest.mark.parametrize("command", NATURAL, ids=lambda each: each.name)
async def test_without_a_key_it_is_refused_the_second_time(api: Api, scene: Scene, command: Command) -> None:
    token, body = await command.token(scene), await command.body(scene)

    async def send() -> str:
        answer = await api.attempt(command.name, command.kind, command.fields, token, **body)
        problems = answer.get("errors") or answer["data"][command.name]["errors"]
        return "".join(
            each["extensions"]["code"] if "extensions" in each else each["code"] for each in problems
        )

    done = sorted(await asyncio.gather(*(send() for _ in range(3))))
    assert done[0] == "" and all(each in command.refusal.split() for each in done[1:])
    left, trial = await rows(), await ledger.trial_balance(scene.compound_id)
    assert await send() in command.refusal.split()
    assert (await rows(), await ledger.trial_balance(scene.compound_id)) == (left, trial)
    await ledger.check_books()
