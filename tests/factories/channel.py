"""A payment channel that does as it is told, for what a real one does once in a thousand times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

import orjson

from domains.kernel import clock
from domains.platforms.calling import PlatformFailure
from payments.gateways import (
    Ask,
    Gateway,
    Notice,
    RefundAsk,
    RefundSighting,
    Refused,
    Reply,
    Sighting,
    gateways,
)


@dataclass
class ScriptedChannel:
    """Its own books, and what it does next: `fails` maps a call to what it raises, `loses` a call to what it raises
    after it was done."""

    channel: str = "alipay"
    app_id: str = "app"
    payee: str = "2088000000000001"
    products: frozenset[str] = frozenset({"mini_program", "h5", "qr"})
    notify_url: str = "http://127.0.0.1/payments/notify/alipay/token"
    trades: dict[str, Sighting] = field(default_factory=dict)
    refunds: dict[str, RefundSighting] = field(default_factory=dict)
    fails: dict[str, PlatformFailure | Exception] = field(default_factory=dict)
    loses: dict[str, PlatformFailure] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    asks: list[Ask] = field(default_factory=list)
    refund_state: Literal["succeeded", "processing", "abnormal", "closed"] = "succeeded"

    async def create(self, ask: Ask) -> Mapping[str, str]:
        self.asks.append(ask)
        with self._called("create"):
            self.trades.setdefault(
                ask.out_trade_no, Sighting(ask.out_trade_no, "waiting", amount_fen=ask.amount_fen)
            )
        return {"tradeNO": ask.out_trade_no}

    async def query(self, out_trade_no: str) -> Sighting:
        with self._called("query"):
            return self.trades.get(out_trade_no, Sighting(out_trade_no, "absent"))

    async def close(self, out_trade_no: str) -> bool:
        with self._called("close"):
            trade = self.trades.get(out_trade_no)
            if trade is None or trade.state == "paid":
                return False
            self.trades[out_trade_no] = replace(trade, state="closed")
            return True

    async def refund(self, ask: RefundAsk) -> RefundSighting:
        with self._called("refund"):
            seen = RefundSighting(
                ask.out_trade_no,
                ask.out_refund_no,
                self.refund_state,
                ask.amount_fen,
                f"R{ask.out_refund_no}",
            )
            return self.refunds.setdefault(ask.out_refund_no, seen)

    async def query_refund(self, ask: RefundAsk) -> RefundSighting:
        with self._called("query_refund"):
            return self.refunds.get(
                ask.out_refund_no, RefundSighting(ask.out_trade_no, ask.out_refund_no, "absent")
            )

    def read(self, headers: Mapping[str, str], body: bytes) -> Notice:
        fields = orjson.loads(body)
        if fields.get("sign") != "genuine":
            raise Refused("signature", fields.get("out_trade_no", ""))
        paid_at = datetime.fromisoformat(fields["paid_at"]) if fields.get("paid_at") else None
        if "refund_no" in fields:
            about: Sighting | RefundSighting = RefundSighting(
                fields["out_trade_no"],
                fields["refund_no"],
                fields["state"],
                fields["fen"],
                body=body,
                given_back_fen=fields.get("given_back", 0),
                channel_no=fields.get("channel_no", ""),
            )
        else:
            about = Sighting(
                fields["out_trade_no"],
                fields["state"],
                fields["channel_no"],
                fields["fen"],
                paid_at,
                body=body,
            )
        return Notice(fields["id"], about)

    def reply(self, *, taken: bool) -> Reply:
        return Reply(200 if taken else 400, b"success" if taken else b"failure", "text/plain")

    def pay(self, out_trade_no: str, fen: int | None = None, at: datetime | None = None) -> bytes:
        """Somebody pays; the notification that the channel sends."""
        trade = self.trades[out_trade_no]
        paid = replace(
            trade, state="paid", channel_no=f"T{out_trade_no}", amount_fen=trade.amount_fen if fen is None else fen,
            paid_at=at or clock.now(),
        )  # fmt: skip
        self.trades[out_trade_no] = replace(paid, body=orjson.dumps(out_trade_no))
        assert paid.paid_at is not None
        return orjson.dumps(
            {
                "id": f"N{out_trade_no}", "sign": "genuine", "out_trade_no": out_trade_no, "state": "paid",
                "channel_no": paid.channel_no, "fen": paid.amount_fen, "paid_at": paid.paid_at.isoformat(),
            }
        )  # fmt: skip

    @contextmanager
    def _called(self, name: str) -> Iterator[None]:
        self.calls[name] += 1
        if name in self.fails:
            raise self.fails[name]
        yield
        if name in self.loses:
            raise self.loses.pop(name)


@contextmanager
def channel_of(channel: ScriptedChannel, *others: ScriptedChannel) -> Iterator[ScriptedChannel]:
    """Let these be the channels there are."""
    made: dict[str, Gateway] = {each.channel: each for each in (channel, *others)}
    gateways.fill(made)
    yield channel
