"""What was paid at the demo's desk today (示范缴费): in cash, by card and by codes, a refund that waits and one that did not
go through."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import httpx

from api.demo.billing import OVERDUE
from api.demo.telling import settled
from domains.billing.service.desk_payments import Charge, record_desk_payment, show_code_to_pay
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from payments.service.refund_requests import RefundPart, decide_refund, request_refund
from payments.service.refund_sending import see_to
from payments.service.watching import confirm_payment_hint

SPARED = 3
"""The first houses that owe: their corrections and promises wait for somebody."""
ASKED_BACK_FEN, FAILED_FEN = 5_000, 1_200

NUMBER = "SELECT out_trade_no FROM payment_attempt WHERE order_id = $1"
LARGEST = "SELECT id FROM payment_item WHERE order_id = $1 ORDER BY paid_fen DESC, position LIMIT 1"


@dataclass(frozen=True, slots=True)
class Morning:
    """The desk of a compound: a cashier takes what is paid, a clerk asks for refunds, of which the manager approves one.
    Without the stand-ins of the platforms nobody pays by a code."""

    compound_id: UUID
    cashier: Actor
    clerk: Actor
    manager: Actor
    platform_url: str

    async def live(self) -> None:
        """Four houses pay, one of them too much."""
        cash, card, alipay, wechat = await self._charges()
        taken = await record_desk_payment(self.cashier, charge=cash, method="cash")
        await record_desk_payment(self.cashier, charge=card, method="pos", reference="20260718000123")
        if self.platform_url:
            async with httpx.AsyncClient(base_url=self.platform_url, timeout=10) as phone:
                taken = await self._scanned(phone, alipay, "alipay")
                await self._fail_to_refund(phone, await self._scanned(phone, wechat, "wechat"))
        await self._ask_back(taken, ASKED_BACK_FEN, "车位已退租,多收一个月")
        await settled()

    async def _charges(self) -> list[Charge]:
        """The oldest bill of each of four houses that owe."""
        bills: dict[UUID, UUID] = {}
        for row in await database.fetch(OVERDUE, self.compound_id, clock.today()):
            bills.setdefault(row["house_id"], row["id"])
        houses = list(bills)[SPARED : SPARED + 4]
        return [Charge(house, [bills[house]]) for house in houses]

    async def _scanned(self, phone: httpx.AsyncClient, charge: Charge, channel: str) -> UUID:
        """Somebody scans the code and pays; the platform is asked, for nobody listens to it yet."""
        payment_id = await show_code_to_pay(self.cashier, charge=charge, channel=channel)
        number = await database.fetchval(NUMBER, payment_id)
        done = await phone.post(f"/open/{channel}/pay", json={"person": "业主", "out_trade_no": number})
        done.raise_for_status()
        await confirm_payment_hint(self.cashier, payment_id=payment_id)
        return payment_id

    async def _fail_to_refund(self, phone: httpx.AsyncClient, payment_id: UUID) -> None:
        """The platform refuses, for the merchant has not enough money there: that waits for somebody."""
        refund_id = await self._ask_back(payment_id, FAILED_FEN, "公摊电费多收")
        fault = {"platform": "wechatpay", "api": "refund", "kind": "not_enough"}
        (await phone.post("/open/faults", json=fault)).raise_for_status()
        await decide_refund(self.manager, refund_id=refund_id, approve=True)
        await see_to(refund_id)

    async def _ask_back(self, payment_id: UUID, fen: int, reason: str) -> UUID:
        part = RefundPart(await database.fetchval(LARGEST, payment_id), fen)
        return await request_refund(self.clerk, payment_id=payment_id, parts=[part], reason=reason)
