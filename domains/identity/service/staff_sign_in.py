"""Staff sign-in by password (员工登录): validity, lock-out, optional TOTP."""

from __future__ import annotations

from domains.identity import limits, passwords, rules
from domains.identity.models import StaffMember
from domains.identity.service.attempts import count_failure, lock_of, locked, locked_row
from domains.identity.service.sessions import SignedIn, start_session
from domains.identity.totp import check_totp
from domains.kernel import audit, clock, database
from domains.kernel.actor import Actor, Origin
from domains.kernel.errors import Conflict, DomainError, Invalid

LOGIN_MAX = 40


async def sign_in_staff(
    actor: Actor, *, login: str, password: str, code: str | None = None, device: str = ""
) -> SignedIn:
    """Check login and password (and the TOTP code where it is set up) and open a session.

    Raises Invalid SIGN_IN_FAILED or TOTP_REQUIRED, Conflict ACCOUNT_LOCKED, ACCOUNT_DISABLED or
    ACCOUNT_NOT_VALID; the last two only to who knows the password. Throttled SIGN_IN_TOO_OFTEN.
    """
    await limits.take_sign_in(actor.origin.ip)
    name = login.strip().lower()
    known = await _known(name)
    right = await passwords.matches(known.password_hash if known else None, password)
    if known is None:
        raise locked() if await limits.unknown_login_is_locked(name) else _wrong()
    async with database.transaction():
        staff = await locked_row(known.account.id)
        right = right and staff.password_hash == known.password_hash
        refusal = await _refusal(staff, right, code)
        if refusal is None:
            return await _welcome(actor.origin, staff, device)
        if not right or refusal.code == "SIGN_IN_FAILED":
            await count_failure(staff.account.id)
        await _keep(actor.origin, staff, "refused", refusal.code)
    # Raised outside: the failure stays counted.
    raise refusal


async def _known(name: str) -> StaffMember | None:
    if len(name) > LOGIN_MAX:  # the ORM would take it for a fault
        return None
    return await StaffMember.get_or_none(login=name).select_related("account")


def _wrong() -> Invalid:
    """One message for a wrong login and a wrong password: an answer does not tell who exists."""
    return Invalid("SIGN_IN_FAILED", "账号或密码不正确")


async def _refusal(staff: StaffMember, right: bool, code: str | None) -> DomainError | None:
    if refusal := lock_of(staff):
        return refusal
    if not right:
        return _wrong()
    if staff.account.disabled_at is not None:
        return Conflict("ACCOUNT_DISABLED", "账号已停用,请联系管理员")
    if not rules.account_is_valid(clock.today(), valid_from=staff.valid_from, valid_until=staff.valid_until):
        return Conflict("ACCOUNT_NOT_VALID", "账号不在有效期内,请联系管理员")
    return await check_totp(staff, code)


async def _welcome(origin: Origin, staff: StaffMember, device: str) -> SignedIn:
    staff.failures, staff.locked_until = 0, None
    await staff.save(update_fields=["failures", "locked_until"])
    signed_in = await start_session(
        staff.account, "password", device, origin, idle_timeout_s=staff.idle_timeout_s
    )
    await _keep(origin, staff, "done", None)
    return signed_in


async def _keep(origin: Origin, staff: StaffMember, outcome: str, code: str | None) -> None:
    caller = Actor(kind="staff", account_id=staff.account.id, name=staff.account.name, origin=origin)
    details = {"code": code} if code else {}
    await audit.record(caller, "session.sign_in", "Staff", staff.account.id, details=details, outcome=outcome)
