"""Staff accounts (员工账号): create, change, disable, enable, reset."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError

from domains.identity import contact, passwords, rules
from domains.identity import permissions as may
from domains.identity.authority import authority_of, colleague, keeping_an_administrator
from domains.identity.events import AccountOpened, StaffDisabled
from domains.identity.models import Account, StaffMember
from domains.identity.service.roles import RoleOver, give
from domains.identity.service.sessions import end_sessions
from domains.kernel import clock, outbox, phones, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid
from notifications import addresses
from notifications.kinds import Channel

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{2,39}")
_ALPHABET = "abcdefghjkmnpqrstuvwxyz", "ABCDEFGHJKMNPQRSTUVWXYZ", "23456789"


@dataclass(frozen=True, slots=True)
class NewStaff:
    """An account that was made or reset, and the password to hand over: nobody can read it again."""

    account_id: UUID
    temporary_password: str


def checked_login(login: str) -> str:
    """A login in lower case. Invalid LOGIN_INVALID."""
    name = login.strip().lower()
    if not _LOGIN.fullmatch(name):
        raise Invalid(
            "LOGIN_INVALID", "账号须为 3 到 40 位小写字母、数字或 . _ -,并以字母或数字开头", "login"
        )
    return name


def temporary_password() -> str:
    """16 characters that people do not misread, some of every kind."""
    chosen = [secrets.choice(kind) for kind in _ALPHABET]
    chosen += [secrets.choice("".join(_ALPHABET)) for _ in range(13)]
    secrets.SystemRandom().shuffle(chosen)
    return "".join(chosen)


async def insert_staff(
    company_id: UUID,
    *,
    login: str,
    name: str,
    phone: str | None,
    password: str,
    must_change: bool = True,
    valid_from: date | None = None,
    valid_until: date | None = None,
    idle_timeout_s: int = 1800,
    max_failures: int = 5,
    is_operator: bool = False,
) -> UUID:
    """The rows of a staff account; Conflict LOGIN_TAKEN, also in a race."""
    first_day = valid_from or clock.today()
    rules.check_validity(first_day, valid_until)
    rules.check_limits(idle_timeout_s, max_failures)
    number: dict[str, Any] = (
        contact.seal(phones.normalise(phone, field="phone")) if phone else {}
    )  # Any: columns
    account = await Account.create(kind="staff", name=text.name(name, field="name"), **number)
    try:
        await StaffMember.create(
            account=account,
            company_id=company_id,
            login=checked_login(login),
            must_change_password=must_change,
            password_hash=await passwords.hash_password(password),
            valid_from=first_day,
            valid_until=valid_until,
            idle_timeout_s=idle_timeout_s,
            max_failures=max_failures,
            is_operator=is_operator,
        )
    except IntegrityError:
        raise Conflict("LOGIN_TAKEN", "这个账号名已被使用,请换一个", "login") from None
    await _tell_things(account)
    await outbox.record(AccountOpened(account.id, account.kind))
    return account.id


async def _tell_things(account: Account) -> None:
    """A staff member is reached at the number that a colleague wrote down."""
    await addresses.know(account.id, account.language)
    if (number := contact.unseal(account.phone_sealed)) is not None:
        await addresses.keep(account.id, Channel.SMS, number)


@command("staff.create", caller="staff", permission=may.STAFF_WRITE)
async def create_staff(
    actor: Actor,
    *,
    login: str,
    name: str,
    phone: str | None = None,
    valid_from: date | None = None,
    valid_until: date | None = None,
    idle_timeout_s: int = 1800,
    max_failures: int = 5,
    roles: Sequence[RoleOver] = (),
) -> NewStaff:
    """Create an account of one's own company, with roles that one could give.

    Raises Conflict LOGIN_TAKEN, Invalid for what is not acceptable, Forbidden BEYOND_OWN_AUTHORITY.
    """
    authority = await authority_of(actor)
    password = temporary_password()
    account_id = await insert_staff(
        authority.company_id, login=login, name=name, phone=phone, password=password, valid_from=valid_from,
        valid_until=valid_until, idle_timeout_s=idle_timeout_s, max_failures=max_failures,
    )  # fmt: skip
    concerns(
        "Staff", account_id, None, login=checked_login(login), roles=[str(each.role_id) for each in roles]
    )
    # In one order for everybody: rivals who give the same roles wait and do not block each other.
    for each in sorted(roles, key=lambda given: given.role_id):
        await give(authority, account_id, each)
    return NewStaff(account_id, password)


@command("staff.update", caller="staff", permission=may.STAFF_WRITE)
async def update_staff(
    actor: Actor,
    *,
    account_id: UUID,
    name: str | None = None,
    phone: str | None = None,
    valid_from: date | None = None,
    valid_until: date | None = None,
    is_unlimited: bool = False,
    idle_timeout_s: int | None = None,
    max_failures: int | None = None,
) -> UUID:
    """Change what is given of a colleague's account; `is_unlimited` takes the last day away.

    Raises NotFound STAFF_NOT_FOUND, Conflict LAST_ADMINISTRATOR, Forbidden BEYOND_OWN_AUTHORITY.
    """
    authority = await authority_of(actor)
    columns = {
        "valid_from": valid_from, "valid_until": valid_until, "idle_timeout_s": idle_timeout_s,
        "max_failures": max_failures,
    }  # fmt: skip
    given: dict[str, Any] = {
        name: value for name, value in columns.items() if value is not None
    }  # Any: columns
    if is_unlimited:
        given["valid_until"] = None
    personal = [field for field, value in (("name", name), ("phone", phone)) if value is not None]
    concerns("Staff", account_id, None, changed=[*given, *personal])
    async with keeping_an_administrator(authority.company_id):
        staff = await colleague(authority, account_id, may.STAFF_WRITE)
        await _update_member(staff, given)
        await _update_account(staff.account, name, phone)
    return account_id


async def _update_member(staff: StaffMember, given: dict[str, Any]) -> None:  # Any: column values
    staff.update_from_dict(given)
    rules.check_validity(staff.valid_from, staff.valid_until)
    rules.check_limits(staff.idle_timeout_s, staff.max_failures)
    if given:
        await staff.save(update_fields=list(given))


async def _update_account(account: Account, name: str | None, phone: str | None) -> None:
    if name is not None:
        account.name = text.name(name, field="name")
    if phone is not None:
        account.update_from_dict(dict(contact.seal(phones.normalise(phone, field="phone"))))
    await account.save(update_fields=["name", "phone_sealed", "phone_index"])
    if phone is not None and account.disabled_at is None:
        await _tell_things(account)


@command("staff.disable", caller="staff", permission=may.STAFF_WRITE)
async def disable_staff(actor: Actor, *, account_id: UUID) -> UUID:
    """Disable a colleague's account (停用); its sessions end at once.

    Raises Conflict STAFF_SELF or LAST_ADMINISTRATOR, NotFound STAFF_NOT_FOUND.
    """
    authority = await authority_of(actor)
    concerns("Staff", account_id, None)
    if account_id == actor.account_id:
        raise Conflict("STAFF_SELF", "不能停用自己的账号,请由另一位管理员操作", "staff")
    async with keeping_an_administrator(authority.company_id):
        staff = await colleague(authority, account_id, may.STAFF_WRITE)
        changed = await Account.filter(pk=staff.account.id, disabled_at=None).update(disabled_at=clock.now())
        await end_sessions(account_id, "disabled")
        await addresses.close(account_id)
    if changed:
        await outbox.record(StaffDisabled(account_id))
    return account_id


@command("staff.enable", caller="staff", permission=may.STAFF_WRITE)
async def enable_staff(actor: Actor, *, account_id: UUID) -> UUID:
    """Enable a disabled colleague again (启用); nobody gains by it what the caller does not hold."""
    authority = await authority_of(actor)
    concerns("Staff", account_id, None)
    staff = await colleague(authority, account_id, may.STAFF_WRITE)
    await Account.filter(pk=staff.account.id).update(disabled_at=None)
    await _tell_things(staff.account)
    return account_id


@command("staff.reset_password", caller="staff", permission=may.STAFF_WRITE)
async def reset_staff_password(actor: Actor, *, account_id: UUID, remove_totp: bool = False) -> NewStaff:
    """Give a colleague a temporary password, unlock the account and end its sessions (重置密码).

    `remove_totp` also forgets the authenticator app, for one who lost the phone.
    """
    authority = await authority_of(actor)
    concerns("Staff", account_id, None, totp_removed=remove_totp)
    if account_id == actor.account_id:
        raise Conflict("STAFF_SELF", "请用“修改密码”更改自己的密码", "staff")
    staff = await colleague(authority, account_id, may.STAFF_WRITE)
    password = temporary_password()
    fresh: dict[str, object] = {"totp_sealed": None, "totp_confirmed_at": None} if remove_totp else {}
    await StaffMember.filter(account_id=staff.account.id).update(
        password_hash=await passwords.hash_password(password), must_change_password=True, failures=0,
        locked_until=None, **fresh,
    )  # fmt: skip
    await end_sessions(account_id, "password")
    return NewStaff(account_id, password)
