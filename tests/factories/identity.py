"""Rows of identity the short way: places of two companies, staff with roles, residents, tokens."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domains.estate.models import Building, Company, Compound
from domains.estate.service.organisation import found_compound
from domains.identity import contact, queries
from domains.identity.authority import ScopeKind
from domains.identity.models import Account, StaffMember
from domains.identity.service.founding import found_staff
from domains.identity.service.sessions import start_session
from domains.kernel import clock, database
from domains.kernel.actor import SYSTEM, Actor, Origin

PASSWORD = "Linli-2026-ok"


def unique(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}{secrets.token_hex(5)}"


# Drawn one by one, two of a thousand numbers would be the same in one of two hundred databases.
_numbers = itertools.count(secrets.randbelow(10**8))


def new_phone() -> str:
    """A mobile number that no other test uses: counted on from where this process began."""
    return f"139{next(_numbers) % 10**8:08d}"


@dataclass(frozen=True, slots=True)
class Places:
    """A company with two compounds, the first of which has two buildings."""

    company: str
    company_id: UUID
    compound_id: UUID
    other_compound_id: UUID
    building_id: UUID
    other_building_id: UUID
    region_id: UUID


async def places() -> Places:
    """A company of its own with its compounds under a committee of their own."""
    company = unique("物业")
    path = ("浙江省", "杭州市", "西湖区", "文新街道", unique("社区"))
    first, second = [
        await found_compound(SYSTEM, region_names=path, company=company, name=unique("小区"))
        for _ in range(2)
    ]
    building, other = await _building(first, "1"), await _building(first, "2")
    compound = await Compound.get(pk=first).select_related("region", "company")
    return Places(company, compound.company.id, first, second, building, other, compound.region.id)


async def _building(compound_id: UUID, number: str) -> UUID:
    made = await Building.create(
        compound_id=compound_id, name=f"{number}号楼", key=number, sort=number.zfill(6), source="staff",
        recorded_at=clock.now(),
    )  # fmt: skip
    return made.id


async def staff(
    at: Places | str,
    permissions: Sequence[str],
    *,
    scope: ScopeKind = "company",
    place_id: UUID | None = None,
    login: str | None = None,
    password: str = PASSWORD,
) -> UUID:
    """A staff account with a role of its own over one place; its password is PASSWORD."""
    company = at if isinstance(at, str) else at.company
    made = await found_staff(
        SYSTEM, company=company, login=login or unique("staff"), name="王师傅", permissions=permissions,
        password=password, role=unique("角色"), scope=scope, place_id=place_id,
    )  # fmt: skip
    # A test whose clock stands on another day has staff on it as well.
    await StaffMember.filter(account_id=made.account_id).update(valid_from=date(2020, 1, 1))
    return made.account_id


async def resident(phone: str | None = None, name: str = "李住户") -> UUID:
    """A resident's account, with a verified number if one is given."""
    columns = contact.seal(phone) if phone else {}
    account = Account(kind="resident", name=name)
    account.update_from_dict(dict(columns))
    await account.save()
    return account.id


async def token(account_id: UUID, device: str = "test") -> str:
    """An access token of a new session."""
    account = await Account.get(pk=account_id)
    member = await StaffMember.get_or_none(account_id=account_id)
    method = "password" if member else "sms"
    idle = member.idle_timeout_s if member else None
    async with database.transaction():
        started = await start_session(account, method, device, Origin(ip="10.0.0.9"), idle_timeout_s=idle)
    return started.access_token


async def actor(account_id: UUID) -> Actor:
    """The actor that a request of the account would have."""
    account = await Account.get(pk=account_id)
    kind = "staff" if account.kind == "staff" else "resident"
    held = await queries.grants(account_id) if kind == "staff" else ()
    return Actor(
        kind="staff" if kind == "staff" else "resident", account_id=account_id, name=account.name, grants=held
    )


async def login_of(account_id: UUID) -> str:
    """The login of a staff account."""
    return (await StaffMember.get(account_id=account_id)).login


async def company_named(name: str) -> UUID:
    """The id of a company, made if need be."""
    company, _ = await Company.get_or_create(name=name)
    return company.id


async def phone_of(account_id: UUID) -> str | None:
    """The number an account has proved."""
    sealed = await database.fetchval("SELECT phone_sealed FROM account WHERE id = $1", account_id)
    return contact.unseal(sealed)
