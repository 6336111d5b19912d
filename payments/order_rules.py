"""Decisions about payments, without any state of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domains.kernel.transitions import Machine

CHANNELS: Mapping[str, tuple[str, str]] = {
    "alipay": ("支付宝", "Alipay"),
    "wechat": ("微信支付", "WeChat Pay"),
    "balance": ("预存款", "Prepayment"),
    "cash": ("现金", "Cash"),
    "pos": ("POS 刷卡", "Card at the desk"),
    "transfer": ("银行转账", "Bank transfer"),
}
"""Ways to pay, for people to read."""

ONLINE = frozenset({"alipay", "wechat"})
"""Channels that are asked what became of a payment."""

AT_DESK = frozenset({"cash", "pos", "transfer"})
"""Channels that a cashier takes money by."""

ORDER = Machine(
    "payment_order",
    {
        "open": frozenset({"paid", "closed"}),
        "closed": frozenset({"paid"}),
        "paid": frozenset({"voided"}),
        "voided": frozenset(),
    },
    required={
        "paid": frozenset({"paid_at", "number", "paid_by"}),
        "closed": frozenset({"closed_at"}),
        "voided": frozenset({"voided_at"}),
    },
)
"""A closed payment may still turn out to be paid: what the platform took is never lost."""

ATTEMPT = Machine(
    "payment_attempt",
    {
        "created": frozenset({"prepared", "succeeded", "closed", "failed", "unknown"}),
        "prepared": frozenset({"succeeded", "closed", "unknown"}),
        "unknown": frozenset({"prepared", "succeeded", "closed", "failed"}),
        "closed": frozenset({"succeeded"}),
        "failed": frozenset({"succeeded"}),
        "succeeded": frozenset(),
    },
    required={"succeeded": frozenset({"channel_no", "paid_fen", "succeeded_at"})},
)
"""`unknown`: nobody answered, so that the channel is asked until it does. No success is ever undone."""

LIVE = ("created", "prepared", "unknown")
"""States in which an attempt may yet be paid."""

REFUND = Machine(
    "refund",
    {
        "requested": frozenset({"approved", "rejected"}),
        "approved": frozenset({"sent", "succeeded", "abnormal", "closed"}),
        "sent": frozenset({"succeeded", "abnormal", "closed"}),
        "abnormal": frozenset({"approved", "sent", "succeeded", "closed"}),
        "succeeded": frozenset(),
        "rejected": frozenset(),
        "closed": frozenset(),
    },
    required={"succeeded": frozenset({"ended_at"}), "rejected": frozenset({"decided_by"})},
)
"""`approved` is to be sent, `sent` was accepted or nobody answered, `abnormal` waits for a person."""

CAUSES: Mapping[str, tuple[str, str]] = {
    "request": ("人工申请", "Asked for"),
    "duplicate": ("重复支付", "Paid twice"),
    "excess": ("多付", "Paid too much"),
    "underpaid": ("金额不足", "Paid too little"),
    "channel": ("渠道侧退款", "Refunded at the platform"),
}
"""Why money goes back."""

LIFETIME = timedelta(minutes=15)
"""How long a payment may be begun by its payer."""

MARGIN = timedelta(minutes=2)
"""How much longer the amounts stand still, for who pays in the last moment and for the clocks of others."""

_FIRST_GAP, _LONGEST_GAP = timedelta(seconds=4), timedelta(minutes=10)
STUCK_AFTER = timedelta(hours=24)
"""From then on a person sees to it; the channel is still asked, once an hour."""


_NUMBER = re.compile(r"[0-9A-Za-z_]{6,32}", re.ASCII)


def is_number(text: str) -> bool:
    """Whether it can be a number of ours at a channel (商户订单号)."""
    return _NUMBER.fullmatch(text) is not None


def next_query(now: datetime, queries: int, created_at: datetime) -> datetime:
    """When a channel is asked again that has been asked so often: with gaps that double."""
    if now - created_at > STUCK_AFTER:
        return now + timedelta(hours=1)
    doubled: int = 2 ** min(queries, 20)
    return now + min(_FIRST_GAP * doubled, _LONGEST_GAP)


@dataclass(frozen=True, slots=True)
class Item:
    """What a payment pays: fen of a debt, or fen into an account."""

    id: UUID
    payable_id: UUID | None
    account_id: UUID | None
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Spread:
    """Where received money goes: fen by debt, fen by account, and what is left of it."""

    payables: dict[UUID, int] = field(default_factory=dict)
    accounts: dict[UUID, int] = field(default_factory=dict)
    left_fen: int = 0

    @property
    def settles(self) -> bool:
        """Whether any of it pays something."""
        return bool(self.payables or self.accounts)


def spread(items: Sequence[Item], outstanding: Mapping[UUID, int], received_fen: int) -> Spread:
    """Where money goes that was received for items, in their order: never more to a debt than is left of it."""
    spread, left, open_ = Spread(), received_fen, dict(outstanding)
    for item in items:
        wanted = min(item.amount_fen, left)
        if item.payable_id is not None and (taken := min(wanted, open_.get(item.payable_id, 0))) > 0:
            spread.payables[item.payable_id] = spread.payables.get(item.payable_id, 0) + taken
            open_[item.payable_id] -= taken
            left -= taken
        elif item.account_id is not None and wanted > 0:
            spread.accounts[item.account_id] = spread.accounts.get(item.account_id, 0) + wanted
            left -= wanted
    return Spread(spread.payables, spread.accounts, left)
