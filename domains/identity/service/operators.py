"""Who runs the installation itself (系统运维): given and taken at its command line, never by a role."""

from __future__ import annotations

from uuid import UUID

from domains.identity.models import StaffMember
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import NotFound


@command("staff.set_operator", caller="system")
async def set_operator(actor: Actor, *, login: str, is_operator: bool) -> UUID:
    """Make the staff member of this login an operator, or take it back; counts from the next request on.

    Raises NotFound STAFF_NOT_FOUND.
    """
    staff = await StaffMember.get_or_none(login=login.strip().lower()).select_related("account")
    if staff is None:
        raise NotFound("STAFF_NOT_FOUND", "没有找到这个账号的员工,请检查账号名", "login")
    await StaffMember.filter(account_id=staff.account.id).update(is_operator=is_operator)
    concerns("Staff", staff.account.id, None, operator=is_operator)
    return staff.account.id
