"""What is owed (应收款): opened, changed, settled, taken back. Every move is a journal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from domains.kernel import clock, database, outbox
from domains.kernel.errors import Conflict, NotFound
from payments import sql
from payments.events import PayableChanged, PayableSettled
from payments.service import ledger
from payments.service.ledger import Account, Posting


@dataclass(frozen=True, slots=True)
class NewPayable:
    """Something that is owed from now on."""

    subject_id: UUID
    holder_id: UUID
    due_fen: int
    due_on: date


@dataclass(frozen=True, slots=True)
class PayableState:
    """How a payable stands."""

    id: UUID
    compound_id: UUID
    subject_type: str
    subject_id: UUID
    holder_id: UUID
    account_id: UUID
    due_fen: int
    settled_fen: int
    due_on: date
    held_until: datetime | None

    @property
    def outstanding_fen(self) -> int:
        """What is still to be paid."""
        return self.due_fen - self.settled_fen

    @property
    def is_held(self) -> bool:
        """Whether a payment is under way: the amount stands still."""
        return self.held_until is not None and self.held_until > clock.now()


async def open_many(
    posting: Posting, subject_type: str, payables: Sequence[NewPayable], credits: Mapping[Account, int]
) -> UUID:
    """Open what holders owe and credit what it is owed for, in one journal; its id. The same key again does nothing.

    ValueError when the sums differ, or when something is owed that is not above zero.
    """
    if sum(each.due_fen for each in payables) != sum(credits.values()) or not credits:
        raise ValueError("what is owed and what it is owed for are the same")
    if any(each.due_fen <= 0 for each in payables):
        raise ValueError("what is owed is above zero")
    holders = {Account("receivable", each.holder_id) for each in payables}
    accounts = await ledger.account_ids(posting.compound_id, holders | set(credits))
    journal_id, is_new = await ledger.begin(posting)
    if is_new:
        credited = [(accounts[account], -fen) for account, fen in credits.items() if fen]
        await database.execute(
            sql.OPEN_PAYABLES, posting.compound_id, subject_type, posting.posted_on,
            [each.subject_id for each in payables], [each.holder_id for each in payables],
            [each.due_fen for each in payables], [each.due_on for each in payables], journal_id,
            [account_id for account_id, _ in credited], [fen for _, fen in credited],
        )  # fmt: skip
    return journal_id


async def change(
    posting: Posting, payable_id: UUID, delta_fen: int, against: Account | Mapping[Account, int]
) -> PayableState:
    """Owe more, or less where it is below zero; `against` has the other side, shares of `delta_fen` if there are several.

    Raises Conflict PAYABLE_HELD, PAYABLE_BELOW_SETTLED; NotFound PAYABLE_NOT_FOUND.
    """
    state = await lock_one(payable_id)
    journal_id, is_new = await ledger.begin(posting)
    if not is_new:
        return state
    if state.is_held:
        raise Conflict("PAYABLE_HELD", "这笔款项正在支付中,请稍后再试")
    if state.outstanding_fen + delta_fen < 0:
        raise Conflict("PAYABLE_BELOW_SETTLED", "金额不能少于已支付的部分,请重新填写")
    entries = [(state.account_id, payable_id, delta_fen), *await _others(posting, against, delta_fen)]
    await ledger.enter(posting, journal_id, entries)
    await database.execute(sql.CHANGE_PAYABLE, payable_id, delta_fen, 0)
    return await _changed(replace(state, due_fen=state.due_fen + delta_fen))


async def give_back(
    posting: Posting, payable_id: UUID, fen: int, to: Account, against: Account | Mapping[Account, int]
) -> PayableState:
    """So much of what was paid is owed no more and goes to an account of the holder's.

    Raises Conflict PAYABLE_NOT_SETTLED where less was paid; NotFound PAYABLE_NOT_FOUND.
    """
    state = await lock_one(payable_id)
    journal_id, is_new = await ledger.begin(posting)
    if not is_new:
        return state
    if not 0 < fen <= state.settled_fen:
        raise Conflict("PAYABLE_NOT_SETTLED", "已支付的金额不足,请刷新后重试")
    holder = (await ledger.account_ids(posting.compound_id, [to]))[to]
    await ledger.enter(posting, journal_id, [(holder, None, -fen), *await _others(posting, against, -fen)])
    await _settle(posting, journal_id, {payable_id: -fen}, posting.posted_on)
    await database.execute(sql.CHANGE_PAYABLE, payable_id, -fen, 0)
    return await _changed(replace(state, due_fen=state.due_fen - fen, settled_fen=state.settled_fen - fen))


async def settle(
    posting: Posting,
    funds: Account,
    amounts: Mapping[UUID, int],
    settled_on: date,
    others: Mapping[Account, int] | None = None,
) -> UUID:
    """Pay so much of each payable out of an account, and so much into `others`; the journal's id. The same key again
    does nothing.

    Raises Conflict PAYABLE_SETTLED where more would be paid than is outstanding, BALANCE_TOO_LOW; NotFound
    PAYABLE_NOT_FOUND.
    """
    credited = dict(others or {})
    moved = [*amounts.values(), *credited.values()]
    if not moved or any(fen <= 0 for fen in moved):
        raise ValueError("what is paid is above zero")
    states = await lock(amounts)
    journal_id, is_new = await ledger.begin(posting)
    if not is_new:
        return journal_id
    if any(states[payable_id].outstanding_fen < fen for payable_id, fen in amounts.items()):
        raise Conflict("PAYABLE_SETTLED", "部分款项已经支付,请刷新后重试")
    ids = await ledger.account_ids(posting.compound_id, [funds, *credited])
    paid = [(states[payable_id].account_id, payable_id, -fen) for payable_id, fen in amounts.items()]
    kept = [(ids[account], None, -fen) for account, fen in credited.items()]
    await ledger.enter(posting, journal_id, [(ids[funds], None, sum(moved)), *paid, *kept])
    if amounts:
        await _settle(posting, journal_id, amounts, settled_on)
        await _tell_settled(states, amounts, journal_id)
    return journal_id


async def unsettle(
    posting: Posting,
    to: Account,
    amounts: Mapping[UUID, int],
    settled_on: date,
    others: Mapping[Account, int] | None = None,
) -> UUID:
    """So much of each payable stands again, and so much leaves `others`, for an account; the journal's id. The same key
    again does nothing.

    Raises Conflict PAYABLE_NOT_SETTLED where less was paid, BALANCE_TOO_LOW; NotFound PAYABLE_NOT_FOUND.
    """
    debited = dict(others or {})
    moved = [*amounts.values(), *debited.values()]
    if not moved or any(fen <= 0 for fen in moved):
        raise ValueError("what is given back is above zero")
    states = await lock(amounts)
    journal_id, is_new = await ledger.begin(posting)
    if not is_new:
        return journal_id
    if any(states[payable_id].settled_fen < fen for payable_id, fen in amounts.items()):
        raise Conflict("PAYABLE_NOT_SETTLED", "已支付的金额不足,请刷新后重试")
    ids = await ledger.account_ids(posting.compound_id, [to, *debited])
    again = [(states[payable_id].account_id, payable_id, fen) for payable_id, fen in amounts.items()]
    taken = [(ids[account], None, fen) for account, fen in debited.items()]
    await ledger.enter(posting, journal_id, [(ids[to], None, -sum(moved)), *again, *taken])
    if amounts:
        back = {payable_id: -fen for payable_id, fen in amounts.items()}
        await _settle(posting, journal_id, back, settled_on)
        await _tell_settled(states, back, journal_id)
    return journal_id


async def take_back(posting: Posting, journal_id: UUID) -> UUID:
    """Reverse a journal with all that it settled (冲销); the reversal's id. The same key again does nothing.

    The database refuses a second reversal of the same journal. Raises Conflict PAYABLE_NOT_SETTLED where some of what it
    paid was given back since, PAYABLE_SETTLED where another payment has taken the place of a reversed one, BALANCE_TOO_LOW
    where its money is spent. ValueError for one that changed what is owed: that is undone by `change` and `give_back`.
    """
    settled = {
        row["payable_id"]: -row["amount_fen"] for row in await database.fetch(sql.SETTLED_BY, journal_id)
    }
    rows = await database.fetch(sql.ENTRIES_OF, journal_id)
    if settled != {row["payable_id"]: row["amount_fen"] for row in rows if row["payable_id"]}:
        raise ValueError("only a payment is taken back")
    states = await lock(settled)
    made, is_new = await ledger.begin(replace(posting, reverses_id=journal_id))
    if not is_new:
        return made
    _check_room(states, settled)
    entries = [(row["account_id"], row["payable_id"], -row["amount_fen"]) for row in rows]
    await ledger.enter(posting, made, entries)
    if settled:
        await _settle(posting, made, settled, posting.posted_on)
        await _tell_settled(states, settled, made)
    return made


def _check_room(states: Mapping[UUID, PayableState], amounts: Mapping[UUID, int]) -> None:
    if any(states[payable_id].settled_fen + fen < 0 for payable_id, fen in amounts.items()):
        raise Conflict("PAYABLE_NOT_SETTLED", "已支付的金额不足,请刷新后重试")
    if any(states[payable_id].outstanding_fen < fen for payable_id, fen in amounts.items()):
        raise Conflict("PAYABLE_SETTLED", "部分款项已经支付,请刷新后重试")


async def hold(payable_ids: Collection[UUID], until: datetime, by: UUID) -> None:
    """A payment of them is under way until then: their amounts stand still."""
    await database.execute(sql.HOLD, list(payable_ids), until, by)


async def release(payable_ids: Collection[UUID], by: UUID) -> None:
    """That payment has ended, one way or the other; what another holds by now stays held."""
    await database.execute(sql.RELEASE, list(payable_ids), by)


async def lock(payable_ids: Collection[UUID]) -> dict[UUID, PayableState]:
    """Lock payables in one order, so that two who want several never wait in a circle.

    Raises NotFound PAYABLE_NOT_FOUND unless all of them exist.
    """
    rows = await database.fetch(sql.LOCK_PAYABLES, list(payable_ids))
    if len(rows) != len(set(payable_ids)):
        raise NotFound("PAYABLE_NOT_FOUND", "没有找到这笔款项,请刷新后重试")
    return {row["id"]: PayableState(**row) for row in rows}


async def lock_one(payable_id: UUID) -> PayableState:
    """Lock one. Raises NotFound PAYABLE_NOT_FOUND."""
    return (await lock([payable_id]))[payable_id]


async def of_subjects(subject_type: str, subject_ids: Collection[UUID]) -> dict[UUID, PayableState]:
    """How the payables of these subjects stand, by subject; those without one are left out."""
    rows = await database.fetch(sql.PAYABLES_OF, subject_type, list(subject_ids))
    return {row["subject_id"]: PayableState(**row) for row in rows}


async def _others(
    posting: Posting, against: Account | Mapping[Account, int], fen: int
) -> list[tuple[UUID, None, int]]:
    shares = {against: fen} if isinstance(against, Account) else against
    if sum(shares.values()) != fen:
        raise ValueError("the shares sum to the whole")
    ids = await ledger.account_ids(posting.compound_id, shares)
    return [(ids[account], None, -share) for account, share in shares.items() if share]


async def _settle(posting: Posting, journal_id: UUID, amounts: Mapping[UUID, int], settled_on: date) -> None:
    columns = list(amounts), list(amounts.values())
    await database.execute(sql.SETTLE, *columns, posting.compound_id, journal_id, settled_on)


async def _tell_settled(
    states: Mapping[UUID, PayableState], amounts: Mapping[UUID, int], journal_id: UUID
) -> None:
    for payable_id, fen in amounts.items():
        state = states[payable_id]
        left = state.outstanding_fen - fen
        event = PayableSettled(
            payable_id, state.compound_id, state.subject_type, state.subject_id, left, journal_id
        )
        await outbox.record(event)


async def _changed(state: PayableState) -> PayableState:
    await outbox.record(
        PayableChanged(
            state.id, state.compound_id, state.subject_type, state.subject_id, state.outstanding_fen
        )
    )
    return state
