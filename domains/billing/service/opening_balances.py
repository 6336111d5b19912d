"""Money that houses bring over from the system before this one (期初余额)."""

from __future__ import annotations

from uuid import UUID

from domains.billing.rules import PREPAYABLE
from domains.estate.models import House
from domains.kernel import clock, money, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound
from payments import permissions
from payments.service import ledger
from payments.service.ledger import Account, Posting

OPENING = Account("opening")


@command("balance.open", caller="staff", permission=permissions.BALANCES_WRITE)
async def set_opening_balance(
    actor: Actor, *, house_id: UUID, purpose: str, amount_fen: int, note: str, idempotency_key: UUID
) -> UUID:
    """What a house had paid ahead when it came (期初预存), in fen: once for a house and purpose; the house's id.

    `purpose` is a category of fees, or empty for any. Raises HOUSE_NOT_FOUND, PURPOSE_UNKNOWN, AMOUNT_INVALID,
    OPENING_BALANCE_SET.
    """
    place = await House.get_or_none(pk=house_id).values("compound_id", "building_id")
    if place is None:
        raise NotFound("HOUSE_NOT_FOUND", "没有找到这套房屋,请刷新后重试", "house")
    compound_id = place["compound_id"]
    concerns("House", house_id, compound_id, purpose=purpose, fen=amount_fen)
    actor.require(permissions.BALANCES_WRITE, compound_id, place["building_id"])
    _check(purpose, amount_fen)
    memo = text.clean(note, max_length=200, min_length=0, field="note")
    posting = Posting(
        compound_id, "opening", f"opening:{house_id}:{purpose}", clock.today(), memo, actor.account_id
    )
    accounts = await ledger.account_ids(compound_id, [OPENING, Account("prepayment", house_id, purpose)])
    journal_id, is_new = await ledger.begin(posting)
    if not is_new:
        raise Conflict("OPENING_BALANCE_SET", "这套房屋的期初预存已经录入过,不能重复录入")
    signed = {OPENING: amount_fen, Account("prepayment", house_id, purpose): -amount_fen}
    await ledger.enter(posting, journal_id, [(accounts[each], None, fen) for each, fen in signed.items()])
    return house_id


def _check(purpose: str, amount_fen: int) -> None:
    if purpose and purpose not in PREPAYABLE:
        raise Invalid("PURPOSE_UNKNOWN", "请选择预存款的用途", "purpose")
    if money.within_range(amount_fen, field="amountFen") <= 0:
        raise Invalid("AMOUNT_INVALID", "金额须大于零,请重新填写", "amountFen")
