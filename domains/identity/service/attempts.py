"""Attempts at a staff password (口令尝试): counted under a row lock, so that a race counts every one."""

from __future__ import annotations

from uuid import UUID

from domains.identity import passwords, rules
from domains.identity.models import StaffMember
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, DomainError, Invalid

LOCK = """
SELECT 1 FROM staff_member m JOIN account a ON a.id = m.account_id WHERE m.account_id = $1 FOR NO KEY UPDATE
"""

# Counted while the lock holds as well; the first failure after it counts anew.
FAILED = """
UPDATE staff_member SET
    failures = CASE WHEN locked_until <= $2 THEN 1 ELSE failures + 1 END,
    locked_until = CASE WHEN locked_until > $2 THEN locked_until
        WHEN locked_until IS NULL AND failures + 1 >= max_failures THEN $3::timestamptz END
WHERE account_id = $1
"""


async def locked_row(account_id: UUID) -> StaffMember:
    """The staff member with its account; rivals who sign in, disable or reset wait. The lock comes
    first and the row is read after it: a joined row read with the lock could be the one before."""
    await database.execute(LOCK, account_id)
    return await StaffMember.get(account_id=account_id).select_related("account")


async def count_failure(account_id: UUID) -> None:
    """One more wrong password or code; the last allowed one locks for 15 minutes."""
    now = clock.now()
    await database.execute(FAILED, account_id, now, now + rules.LOCK_OUT)


def lock_of(staff: StaffMember) -> DomainError | None:
    """What a locked account answers, to a right password too."""
    if staff.locked_until is None or staff.locked_until <= clock.now():
        return None
    return locked()


def locked() -> DomainError:
    """What is told of a lock."""
    return Conflict("ACCOUNT_LOCKED", "密码错误次数过多,账号已锁定 15 分钟,请稍后再试或联系管理员重置密码")


async def prove_password(actor: Actor, password: str) -> None:
    """Ask a signed-in staff member for the password again, before what a stolen session must not do.

    A failure counts as one at sign-in does. Raises Invalid PASSWORD_WRONG, Conflict ACCOUNT_LOCKED.
    """
    known = await StaffMember.get(account_id=actor.id)
    right = await passwords.matches(known.password_hash, password)
    async with database.transaction():
        refusal = lock_of(await locked_row(actor.id))
        if not right:
            await count_failure(actor.id)
            refusal = refusal or Invalid("PASSWORD_WRONG", "当前密码不正确,请重新输入", "password")
    # Raised outside: the failure stays counted.
    if refusal is not None:
        raise refusal
