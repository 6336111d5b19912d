"""What every operation on payments is asked with, made ready for one caller to try it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

from domains.billing import permissions as billing
from domains.billing.service.bill_payments import Way, pay_bills
from domains.billing.service.desk_payments import Charge, record_desk_payment
from domains.kernel import database
from domains.kernel.actor import Actor
from payments import permissions
from payments.service import intake, refund_sending
from payments.service.refund_requests import RefundPart, decide_refund, request_refund
from schema.relay import encode
from tests.factories import bills, residents
from tests.factories.channel import ScriptedChannel
from tests.factories.residents import Scene

PERMISSIONS = (*permissions.LABELS, billing.BILLS_READ)
FEN = 10_000


@dataclass
class World:
    """Where it happens, and the channel."""

    scene: Scene
    channel: ScriptedChannel

    def colleague(self) -> Actor:
        """Somebody of the staff who is none of the callers."""
        return self.scene.staff(*PERMISSIONS)

    async def bill(self) -> UUID:
        return await bills.bill(self.scene.house_id, FEN)

    async def open(self) -> UUID:
        """A payment of the owner's that waits."""
        owner = await residents.caller(self.scene, "owner")
        return await pay_bills(owner, bill_ids=[await self.bill()], way=Way("alipay", "h5"))

    async def paid(self) -> UUID:
        """A payment of the owner's that is paid."""
        payment = await self.open()
        number = await database.fetchval(
            "SELECT out_trade_no FROM payment_attempt WHERE order_id = $1", payment
        )
        await intake.take_notification(self.channel, {}, self.channel.pay(number))
        return payment

    async def at_desk(self) -> UUID:
        """A payment that a colleague took in cash."""
        charge = Charge(self.scene.house_id, [await self.bill()])
        return await record_desk_payment(self.colleague(), charge=charge, method="cash")

    async def asked_back(self, payment: UUID) -> UUID:
        """A refund of all of it that a colleague asked for."""
        item = await database.fetchval("SELECT id FROM payment_item WHERE order_id = $1", payment)
        parts = [RefundPart(item, FEN)]
        return await request_refund(self.colleague(), payment_id=payment, parts=parts, reason="重复缴费")

    async def approved(self, payment: UUID) -> UUID:
        """The same, approved by another."""
        refund = await self.asked_back(payment)
        await decide_refund(self.colleague(), refund_id=refund, approve=True)
        return refund

    async def stuck(self) -> UUID:
        """A refund that did not go through."""
        self.channel.refund_state = "abnormal"
        refund = await self.approved(await self.paid())
        await refund_sending.see_to_due()
        return refund


def key() -> str:
    return str(uuid4())


async def _pay_bills(world: World) -> dict[str, object]:
    return {"bills": [encode("Bill", await world.bill())], "channel": "ALIPAY", "product": "H5"}


async def _top_up(world: World) -> dict[str, object]:
    return {
        "house": encode("House", world.scene.house_id),
        "amountFen": 100,
        "channel": "ALIPAY",
        "product": "H5",
    }


async def _open(world: World) -> dict[str, object]:
    return {"payment": encode("Payment", await world.open())}


async def _charge(world: World) -> dict[str, object]:
    bill = encode("Bill", await world.bill())
    return {"charge": {"house": encode("House", world.scene.house_id), "bills": [bill], "expectedFen": FEN}}


async def _cash(world: World) -> dict[str, object]:
    return {**await _charge(world), "method": "CASH"}


async def _code(world: World) -> dict[str, object]:
    return {**await _charge(world), "channel": "ALIPAY"}


async def _void(world: World) -> dict[str, object]:
    return {"payment": encode("Payment", await world.at_desk()), "reason": "收错了户"}


async def _ask_back(world: World) -> dict[str, object]:
    payment = await world.paid()
    item = await database.fetchval("SELECT id FROM payment_item WHERE order_id = $1", payment)
    parts = [{"part": encode("PaymentPart", item), "amountFen": 1}]
    return {"payment": encode("Payment", payment), "parts": parts, "reason": "多收"}


async def _decide(world: World) -> dict[str, object]:
    return {"refund": encode("Refund", await world.asked_back(await world.paid())), "approve": True}


async def _stuck(world: World) -> dict[str, object]:
    return {"refund": encode("Refund", await world.stuck())}


async def _hand_out(world: World) -> dict[str, object]:
    return {"refund": encode("Refund", await world.approved(await world.at_desk()))}


@dataclass(frozen=True)
class Case:
    """A mutation: its input type, who may, and what it is given."""

    takes: str
    allowed: frozenset[str]
    made: Callable[[World], Awaitable[dict[str, object]]]
    selection: str = "payment { id state }"
    has_key: bool = True

    async def given(self, world: World) -> dict[str, object]:
        """Its input, with something of its own to be done to."""
        return {**await self.made(world), **({"idempotencyKey": key()} if self.has_key else {})}


OWNERS, STAFF = frozenset({"owner", "family"}), frozenset({"staff"})
WATCHED = frozenset({"owner", "staff"})
REFUND = "refund { id state }"
MUTATIONS = {
    "payBills": Case("PayBillsInput", OWNERS, _pay_bills),
    "topUpAccount": Case("TopUpAccountInput", OWNERS | {"tenant"}, _top_up),
    "confirmPaymentHint": Case("PaymentInput", WATCHED, _open, has_key=False),
    "cancelPayment": Case("PaymentInput", WATCHED, _open, has_key=False),
    "recordDeskPayment": Case("RecordDeskPaymentInput", STAFF, _cash),
    "showCodeToPay": Case("ShowCodeToPayInput", STAFF, _code),
    "voidDeskPayment": Case("VoidDeskPaymentInput", STAFF, _void),
    "requestRefund": Case("RequestRefundInput", STAFF, _ask_back, REFUND),
    "decideRefund": Case("DecideRefundInput", STAFF, _decide, REFUND),
    "retryRefund": Case("RefundInput", STAFF, _stuck, REFUND),
    "keepRefund": Case("RefundInput", STAFF, _stuck, REFUND),
    "payOutRefund": Case("RefundInput", STAFF, _hand_out, REFUND),
}
