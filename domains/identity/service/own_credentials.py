"""A staff member's own password and second factor (修改密码、动态口令)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domains.identity import passwords, totp
from domains.identity.models import StaffMember
from domains.identity.service.attempts import count_failure, lock_of, locked_row, prove_password
from domains.identity.service.sessions import end_sessions
from domains.kernel import clock, database, sealing
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid


def _staff_only(actor: Actor) -> None:
    if actor.kind != "staff":
        actor.refuse()


async def change_password(actor: Actor, *, password: str, new_password: str) -> UUID:
    """Change one's own password; every other session ends.

    Raises Invalid PASSWORD_WRONG, PASSWORD_WEAK or PASSWORD_UNCHANGED, Conflict ACCOUNT_LOCKED.
    """
    _staff_only(actor)
    await prove_password(actor, password)
    return await _store_password(actor, password=password, new_password=new_password)


@command("staff.change_password", caller="staff", while_confined=True)
async def _store_password(actor: Actor, *, password: str, new_password: str) -> UUID:
    concerns("Staff", actor.id, None)
    staff = await StaffMember.get(account_id=actor.id)
    passwords.check_strength(new_password, staff.login, field="new_password")
    if new_password == password:
        raise Invalid("PASSWORD_UNCHANGED", "新密码不能与当前密码相同", "new_password")
    await StaffMember.filter(account_id=actor.id).update(
        password_hash=await passwords.hash_password(new_password), must_change_password=False
    )
    await end_sessions(actor.id, "password", but=actor.session_id)
    return actor.id


@dataclass(frozen=True, slots=True)
class TotpSetUp:
    """What the authenticator app is given; it is shown once."""

    secret: str
    uri: str


async def set_up_totp(actor: Actor, *, password: str) -> TotpSetUp:
    """Begin to set up the authenticator app; it is asked for once a code of it was confirmed."""
    _staff_only(actor)
    await prove_password(actor, password)
    return await _store_secret(actor)


@command("staff.set_up_totp", caller="staff")
async def _store_secret(actor: Actor) -> TotpSetUp:
    concerns("Staff", actor.id, None)
    staff = await locked_row(actor.id)
    if staff.totp_confirmed_at is not None:
        raise Conflict("TOTP_ALREADY_SET_UP", "动态口令已经启用,如要更换请先停用")
    secret = totp.new_secret()
    sealed = sealing.seal(secret, totp.PURPOSE)
    await StaffMember.filter(account_id=actor.id).update(totp_sealed=sealed, totp_last_step=None)
    return TotpSetUp(secret, totp.provisioning_uri(secret, staff.login))


async def confirm_totp(actor: Actor, *, code: str) -> UUID:
    """Prove that the app shows the right codes; from now on sign-in asks for one.

    Raises Invalid TOTP_WRONG (counted as a failed sign-in is), Conflict TOTP_NOT_SET_UP or ACCOUNT_LOCKED.
    """
    _staff_only(actor)
    async with database.transaction():
        staff = await locked_row(actor.id)
        if locked := lock_of(staff):
            raise locked
        if staff.totp_sealed is None or staff.totp_confirmed_at is not None:
            raise Conflict("TOTP_NOT_SET_UP", "请先扫码设置动态口令")
        step = totp.matching_step(sealing.unseal(staff.totp_sealed, totp.PURPOSE), code, staff.totp_last_step)
        if step is not None:
            return await _confirm(actor, step=step)
        await count_failure(actor.id)
    # Raised outside: the failure stays counted.
    raise Invalid("TOTP_WRONG", "动态口令不正确,请等待下一个口令后再试", "code")


@command("staff.confirm_totp", caller="staff")
async def _confirm(actor: Actor, *, step: int) -> UUID:
    concerns("Staff", actor.id, None)
    await StaffMember.filter(account_id=actor.id).update(totp_confirmed_at=clock.now(), totp_last_step=step)
    return actor.id


async def remove_totp(actor: Actor, *, password: str) -> UUID:
    """Do without the authenticator app again."""
    _staff_only(actor)
    await prove_password(actor, password)
    return await _forget_secret(actor)


@command("staff.remove_totp", caller="staff")
async def _forget_secret(actor: Actor) -> UUID:
    concerns("Staff", actor.id, None)
    await StaffMember.filter(account_id=actor.id).update(totp_sealed=None, totp_confirmed_at=None)
    return actor.id
