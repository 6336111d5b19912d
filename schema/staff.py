"""Staff accounts as colleagues see them, in the API (员工账号)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.identity import staff_queries as queries
from schema.context import Context, Info, Loader
from schema.permissions import staff_only
from schema.relay import After, Connection, First, Key, Node, connection, decode, page_request
from schema.roles import RoleAssignment

STAFF_SORT = "staff:login"


class AssignmentsLoader(Loader[UUID, list[queries.Assignment]]):
    """The roles of staff, by account."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[queries.Assignment]]:
        """One statement for all that were asked for."""
        return await queries.assignments(keys)


@strawberry.type(description="A staff member's account (员工账号).")
class Staff(Node):
    id: strawberry.Private[UUID]
    login: str = strawberry.field(description="Login name.")
    name: str = strawberry.field(description="Name (姓名).")
    phone: str | None = strawberry.field(description="Number, masked: 138****0001.")
    valid_from: date = strawberry.field(description="First day of validity (有效期).")
    valid_until: date | None = strawberry.field(description="Last day, included; null without an end.")
    idle_timeout_s: int = strawberry.field(description="Seconds without use after which a session ends.")
    max_failures: int = strawberry.field(description="Wrong passwords in a row that lock the account.")
    failures: int = strawberry.field(description="Wrong passwords in a row so far.")
    locked_until: datetime | None = strawberry.field(description="End of the last lock; may be past.")
    must_change_password: bool = strawberry.field(description="Has a password that somebody else set.")
    has_totp: bool = strawberry.field(description="Signs in with an authenticator code as well (动态口令).")
    disabled_at: datetime | None = strawberry.field(
        description="Since when it is disabled (停用); else null."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    is_operator: bool = strawberry.field(description="Also runs the installation itself (系统运维).")

    @strawberry.field(description="Roles and over which places.")
    async def assignments(self, info: Info) -> list[RoleAssignment]:
        rows = await info.context.loader(AssignmentsLoader).load(self.id)
        return cast("list[RoleAssignment]", rows or [])

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Staff)


@strawberry.input(description="What a list of staff is narrowed to.")
class StaffFilter:
    search: str | None = strawberry.field(
        default=None, description="Part of the login or the name, or a whole phone number."
    )
    is_disabled: bool | None = strawberry.field(default=None, description="Only disabled, or only enabled.")
    role: strawberry.ID | None = strawberry.field(default=None, description="Only who has this role.")

    def narrowed(self) -> queries.StaffFilter:
        """As the query takes it; an id of another type is refused."""
        role_id = decode(self.role, "Role", "role") if self.role else None
        return queries.StaffFilter(self.search, self.is_disabled, role_id)


def _keys(row: queries.Staff) -> tuple[Key, ...]:
    return row.login, row.id


async def staff_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Staff by id, those the caller may see."""
    return await queries.staff_by_id(context.actor, ids)


async def shown(info: Info, account_id: UUID) -> Staff | None:
    """A colleague after a change; None for who may change and not read."""
    info.context.loaders.pop(AssignmentsLoader, None)
    found = await queries.staff_by_id(info.context.actor, [account_id])
    return cast("Staff | None", found.get(account_id))


@strawberry.type
class StaffQuery:
    """Root fields of staff, for staff."""

    @strawberry.field(
        description="Colleagues whom the caller may see, by login; for staff who may read staff.",
        extensions=[staff_only],
    )
    async def staff(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        filter: Annotated[StaffFilter | None, strawberry.argument(description="What to narrow to.")] = None,
    ) -> Connection[Staff]:
        page, actor = page_request(first, after, STAFF_SORT), info.context.actor
        narrowed = (filter or StaffFilter()).narrowed()
        rows = await queries.staff(actor, narrowed, after=page.after, limit=page.limit)

        async def count() -> int:
            return await queries.count_staff(actor, narrowed)

        return connection(page, rows, _keys, lambda row: cast("Staff", row), count)
