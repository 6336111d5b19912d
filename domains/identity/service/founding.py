"""The first administrator of a company, made by the system and not by a person (初始管理员)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domains.estate.models import Company
from domains.identity import passwords
from domains.identity.authority import ScopeKind, place
from domains.identity.models import Role, StaffMember
from domains.identity.service.roles import checked_permissions, insert_assignment
from domains.identity.service.staff_accounts import NewStaff, insert_staff, temporary_password
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns


@command("staff.found", caller="system")
async def found_staff(
    actor: Actor,
    *,
    company: str,
    login: str,
    name: str,
    permissions: Sequence[str],
    phone: str | None = None,
    password: str | None = None,
    role: str = "系统管理员",
    scope: ScopeKind = "company",
    place_id: UUID | None = None,
    first_operates: bool = False,
) -> NewStaff:
    """Create a staff account with a role of these permissions over a place, the whole company unless told.

    The company is made if need be, a role of that name is given these permissions. Without `password` a
    temporary one is drawn, which must be changed. With `first_operates` the first member of staff that the
    installation ever has also runs it (系统运维). Conflict LOGIN_TAKEN, Invalid PASSWORD_WEAK.
    """
    if password is not None:
        passwords.check_strength(password, login)
    owner, _ = await Company.get_or_create(name=company)
    given = password or temporary_password()
    operates = first_operates and not await StaffMember.exists()
    account_id = await insert_staff(
        owner.id, login=login, name=name, phone=phone, password=given, must_change=password is None,
        is_operator=operates,
    )  # fmt: skip
    held = await _role(owner.id, role, checked_permissions(permissions))
    over = await place(owner.id, scope, place_id)
    await insert_assignment(account_id, held, over)
    concerns("Staff", account_id, over.compound_id, role=role, scope=scope, operator=operates)
    return NewStaff(account_id, given)


async def _role(company_id: UUID, name: str, permissions: list[str]) -> UUID:
    role, made = await Role.get_or_create(
        company_id=company_id, name=name, defaults={"permissions": permissions}
    )
    if not made:
        await Role.filter(pk=role.id).update(permissions=permissions)
    return role.id
