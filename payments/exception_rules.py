"""Decisions about payments that went wrong (支付异常): what there is, and what may be done about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from payments.permissions import REFUNDS_DECIDE, REFUNDS_REQUEST

EXCEPTIONS: Mapping[str, tuple[str, str]] = {
    "underpaid": ("实付金额不足", "Less was paid than asked"),
    "second_success": ("同一笔支付收到两个渠道交易号", "A second transaction of one payment"),
    "channel_refund": ("渠道侧发生退款", "Refunded at the platform itself"),
    "refund_abnormal": ("退款异常", "A refund did not go through"),
    "stuck": ("渠道长时间没有结果", "The channel does not say what became of it"),
    "refund_stuck": ("退款长时间没有结果", "The channel does not say what became of a refund"),
    "reused_number": ("渠道交易号已用于另一笔支付", "A transaction that paid something else already"),
    "unknown_party": ("渠道通知的订单不存在", "The channel names a payment that is not ours"),
    "refused": ("渠道报文未通过核验", "A message that is not genuine or not for us"),
}
"""What a person has to look at."""

IN_SUSPENSE = ("underpaid", "second_success")
"""Of these the money stands on the attempt's account of suspense (待处理款)."""

ACTIONS: Mapping[str, tuple[str, str]] = {
    "refund": ("申请退回付款人", "Ask for a refund to the payer"),
    "prepay": ("转入房屋预存款", "Put to the house's prepayment"),
    "apply": ("抵缴账单", "Pay the bill with it"),
    "book": ("核销入账", "Book it"),
    "write_off": ("作为损失核销", "Write it off"),
    "ask": ("再次查询", "Ask the channel again"),
    "retry": ("重新退款", "Send the refund again"),
    "give_up": ("确认未付并关闭", "Close the payment: nothing was paid"),
    "note": ("已核实，无需处理", "Looked at: nothing to do"),
}
"""What may be done about it, for people to read."""

_FITTING: Mapping[str, tuple[str, ...]] = {
    "underpaid": ("refund", "prepay", "apply"),
    "second_success": ("refund", "prepay"),
    "channel_refund": ("book", "write_off"),
    "refund_abnormal": ("retry", "prepay"),
    "stuck": ("ask", "give_up"),
    "refund_stuck": ("ask", "prepay", "book"),
    "reused_number": ("give_up",),
    "unknown_party": ("note",),
    "refused": ("note",),
}

_TWO_PEOPLE = frozenset(
    {("channel_refund", "write_off"), ("channel_refund", "note"), ("refund_stuck", "book")}
)
"""What leaves the books poorer on somebody's word: one person says so, and another confirms it."""

_MOVES_NOTHING = frozenset({"refund", "ask", "note"})
"""A refund is only asked for; another decides."""

NEEDS_NOTE = frozenset({"refund", "write_off", "give_up", "note", "book"})
"""What rests on what somebody found out, who writes it down."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """An exception, as far as it decides what may be done about it."""

    kind: str
    is_booked: bool = True
    """Of a refund at the platform itself: whether its money is out of the books already."""
    pays_debts: bool = False
    allows_part: bool = False
    is_asked_back: bool = False
    """A refund of its money waits for a decision."""
    asked_action: str | None = None
    """What one person wants, and another has to confirm."""


def fitting(trouble: Trouble) -> tuple[str, ...]:
    """What may be done about it. While a refund of its money is not decided, nothing else."""
    if trouble.is_asked_back:
        return ()
    actions = _FITTING[trouble.kind]
    if trouble.kind == "channel_refund" and not trouble.is_booked:
        actions += ("note",)
    can_apply = trouble.pays_debts and trouble.allows_part
    return tuple(each for each in actions if each != "apply" or can_apply)


def takes_two(kind: str, action: str) -> bool:
    """Whether a second person has to confirm it."""
    return (kind, action) in _TWO_PEOPLE


def permission_for(trouble: Trouble, action: str) -> str:
    """What somebody must hold to do it now: who asks need not be one who decides."""
    if takes_two(trouble.kind, action):
        return REFUNDS_DECIDE if trouble.asked_action == action else REFUNDS_REQUEST
    return REFUNDS_REQUEST if action in _MOVES_NOTHING else REFUNDS_DECIDE


def taken_from(left: Sequence[int], fen: int) -> list[int]:
    """How much of `fen` each part loses, each at most what is left of it: what was paid last goes back first."""
    shares = []
    for part in reversed(left):
        shares.append(min(part, fen))
        fen -= shares[-1]
    return shares[::-1]
