"""Pure decisions about people and houses: what may follow what, who is who, which words are accepted."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

from domains.kernel.errors import Conflict, Invalid
from domains.kernel.transitions import Machine

InvitedCapacity = Literal["family", "tenant"]
INVITATION_LIFETIME = timedelta(days=7)
REJECTION_SHOWN = timedelta(days=14)
LEASE_WARNING = timedelta(days=30)
LONGEST_LEASE = timedelta(days=20 * 366)
"""Twenty years (民法典 705)."""
MAX_TAGS = 20

REGISTRATION = Machine(
    "registration",
    moves={
        "pending": frozenset({"approved", "rejected", "withdrawn"}),
        "approved": frozenset(),
        "rejected": frozenset(),
        "withdrawn": frozenset(),
    },
    required={
        "approved": frozenset({"reviewed_at", "reviewed_by"}),
        "rejected": frozenset({"reviewed_at", "reviewed_by", "reason"}),
    },
)

INVITATION = Machine(
    "invitation",
    moves={
        "open": frozenset({"accepted", "withdrawn", "expired"}),
        "accepted": frozenset(),
        "withdrawn": frozenset(),
        "expired": frozenset(),
    },
    required={"accepted": frozenset({"accepted_by"})},
)


def check_lease(capacity: str, until: date | None, today: date) -> None:
    """A tenant says when the lease ends (租期), nobody else has one.

    Raises Invalid LEASE_REQUIRED, LEASE_NOT_APPLICABLE, LEASE_OUT_OF_RANGE.
    """
    if capacity != "tenant":
        if until is not None:
            raise Invalid("LEASE_NOT_APPLICABLE", "只有租户需要填写租期,请清空租期", "lease_until_on")
        return
    if until is None:
        raise Invalid("LEASE_REQUIRED", "请填写租期的最后一天", "lease_until_on")
    if not today <= until <= today + LONGEST_LEASE:
        raise Invalid("LEASE_OUT_OF_RANGE", "租期应从今天起,最长 20 年,请检查日期", "lease_until_on")


def new_invitation_code() -> str:
    """192 random bits for a link."""
    return secrets.token_urlsafe(24)


def invitation_hash(code: str) -> bytes:
    """SHA-256: enough for a secret that is itself random."""
    return hashlib.sha256(code.encode()).digest()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person of the register who may be the one that asks; the database says what agrees."""

    id: UUID
    name: str
    account_id: UUID | None
    by_document: bool
    by_phone_and_name: bool
    document_differs: bool
    """Both have a document of this kind, and they are two."""


def match(candidates: Sequence[Candidate], account_id: UUID, name: str | None) -> UUID | None:
    """Who of the register an account is (人员匹配): by document, else as who it is known already, else
    by phone and name, else by the name alone in a house whose register knows nothing more. None is
    somebody new.

    `name` is what the account claims to be called; an owner who invites may call somebody anything (None).
    A document alone gives nobody away: landlords and employers know its number, so that the name must agree
    with it until the account is linked.

    Raises Conflict PERSON_LINKED, PERSON_NAME_DIFFERS, PERSON_DOCUMENT_DIFFERS, ACCOUNT_IS_ANOTHER.
    """
    known = next((each for each in candidates if each.account_id == account_id), None)
    best = next((each for each in candidates if each.by_document), None) or known
    best = best or next((each for each in candidates if each.by_phone_and_name), None)
    best = best or next(iter(candidates), None)
    if best is None:
        return None
    if known is not None and known.id != best.id:
        raise Conflict("ACCOUNT_IS_ANOTHER", "该账号在本小区已绑定另一位住户,请先核实是谁在使用这个账号")
    if best.account_id not in (None, account_id):
        raise Conflict("PERSON_LINKED", "这位住户已绑定另一个账号,请由物业核实后解除原来的绑定")
    if name not in (None, best.name) and not (known is not None and best.by_document):
        raise Conflict("PERSON_NAME_DIFFERS", "填写的姓名与住户档案里的姓名不一致,请核实后更正其中一个")
    if best.document_differs and not best.by_document:
        raise Conflict("PERSON_DOCUMENT_DIFFERS", "填写的证件与住户档案里的证件不一致,请核实后更正其中一个")
    return best.id


def check_reason(reason: str) -> None:
    """A refusal says why. Raises Invalid REASON_REQUIRED."""
    if not reason.strip():
        raise Invalid("REASON_REQUIRED", "请写明原因,住户会看到这段文字", "reason")
