"""Roles, permissions and who has them where, in the API (角色与授权)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.identity import permissions as permission_catalogue
from domains.identity import staff_queries as queries
from domains.identity.authority import ScopeKind
from domains.identity.service import roles as service
from schema.context import Context, Info
from schema.errors import Payload, refusals_as_data
from schema.permissions import staff_only
from schema.relay import Node, decode, encode


@strawberry.enum(description="What data a role is held over (数据范围).")
class RoleScope(Enum):
    COMPANY = strawberry.enum_value("company", description="全公司")
    REGION = strawberry.enum_value("region", description="组织节点及其下属")
    COMPOUND = strawberry.enum_value("compound", description="一个小区")
    BUILDING = strawberry.enum_value("building", description="一栋楼")


@strawberry.type(description="A permission that a role can hold (功能权限).")
class Permission:
    name: str = strawberry.field(description="Stable name, `domain.verb`.")
    label: str = strawberry.field(description="Name for people, in Chinese.")


@strawberry.type(description="A named set of permissions of a company (角色).")
class Role(Node):
    id: strawberry.Private[UUID]
    name: str = strawberry.field(description="Name, unique in the company.")
    permissions: list[str] = strawberry.field(description="Names of the permissions.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    holders: int = strawberry.field(description="How many colleagues have it.")

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Role)


def _assignment_id(root: queries.Assignment) -> strawberry.ID:
    return strawberry.ID(encode("RoleAssignment", root.id))


def _role_id(root: queries.Assignment) -> strawberry.ID:
    return strawberry.ID(encode("Role", root.role_id))


def _place_id(root: queries.Assignment) -> strawberry.ID | None:
    id = root.region_id or root.compound_id or root.building_id
    return None if id is None else strawberry.ID(encode(root.scope.capitalize(), id))


@strawberry.type(description="A role held over a place (授权).")
class RoleAssignment:
    id: strawberry.ID = strawberry.field(
        resolver=_assignment_id, description="Opaque id, for `unassignRole`."
    )
    role_id: strawberry.ID = strawberry.field(resolver=_role_id, description="The role's global id.")
    role_name: str = strawberry.field(description="The role's name.")
    scope: RoleScope = strawberry.field(description="Over what kind of place.")
    place: strawberry.ID | None = strawberry.field(
        resolver=_place_id, description="Global id of the region, compound or building; null for the company."
    )
    place_name: str = strawberry.field(description="Name of the place.")
    assigned_at: datetime = strawberry.field(description="Since when.")


@strawberry.input(
    one_of=True, description="The place a role is given over; exactly one of these (数据范围, 选其一)."
)
class ScopeInput:
    company: strawberry.Maybe[bool] = strawberry.field(
        description="`true`: the whole company, with compounds that it will run later."
    )
    region: strawberry.Maybe[strawberry.ID] = strawberry.field(
        description="A node of the organisation tree with all below it."
    )
    compound: strawberry.Maybe[strawberry.ID] = strawberry.field(description="One compound.")
    building: strawberry.Maybe[strawberry.ID] = strawberry.field(description="One building.")


def given_role(role: strawberry.ID, scope: ScopeInput, field: str = "scope") -> service.RoleOver:
    """A role over a place as the service takes it. Invalid BAD_ID."""
    role_id = decode(role, "Role", "role")
    kinds: tuple[ScopeKind, ...] = ("region", "compound", "building")
    for kind in kinds:
        if chosen := getattr(scope, kind):
            place = decode(chosen.value, kind.capitalize(), f"{field}.{kind}")
            return service.RoleOver(role_id, kind, place)
    return service.RoleOver(role_id, "company")


async def role_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Roles by id, those the caller may see."""
    return await queries.roles_by_id(context.actor, ids)


async def _shown(info: Info, role_id: UUID) -> Role | None:
    found = await queries.roles_by_id(info.context.actor, [role_id])
    return cast("Role | None", found.get(role_id))


@strawberry.type
class RolesQuery:
    """Root fields of roles, for staff."""

    @strawberry.field(
        description="Roles of the caller's company by name; for staff who may read staff.",
        extensions=[staff_only],
    )
    async def roles(self, info: Info) -> list[Role]:
        return cast("list[Role]", await queries.roles(info.context.actor))

    @strawberry.field(description="Every permission there is; for staff.", extensions=[staff_only])
    def permissions(self) -> list[Permission]:
        return [
            Permission(name=name, label=label) for name, label in permission_catalogue.catalogue().items()
        ]


@strawberry.input(description="A new role.")
class CreateRoleInput:
    name: str = strawberry.field(description="Name, unique in the company, up to 40 characters.")
    permissions: list[str] = strawberry.field(description="Names from `permissions` that the caller holds.")


@strawberry.input(description="What to change of a role; what is left out stays.")
class UpdateRoleInput:
    role: strawberry.ID = strawberry.field(description="Its global id.")
    name: str | None = strawberry.field(default=None, description="New name.")
    permissions: list[str] | None = strawberry.field(
        default=None, description="All its permissions from now on."
    )


@strawberry.input(description="The role to delete; nobody may have it.")
class DeleteRoleInput:
    role: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.type(description="Result of making or changing a role.")
class RolePayload(Payload):
    role: Role | None = strawberry.field(
        default=None, description="The role; null when refused, or for who may not read staff."
    )


@strawberry.type(description="Result of deleting a role.")
class DeleteRolePayload(Payload):
    role: strawberry.ID | None = strawberry.field(default=None, description="Id of the role that is gone.")


@strawberry.type
class RolesMutation:
    """Mutations of roles, for staff."""

    @strawberry.mutation(description="Create a role (新建角色).", extensions=[staff_only])
    @refusals_as_data(RolePayload)
    async def create_role(
        self, info: Info, input: Annotated[CreateRoleInput, strawberry.argument(description="The role.")]
    ) -> RolePayload:
        role_id = await service.create_role(
            info.context.actor, name=input.name, permissions=input.permissions
        )
        return RolePayload(role=await _shown(info, role_id))

    @strawberry.mutation(
        description="Change a role for everybody who has it (修改角色).", extensions=[staff_only]
    )
    @refusals_as_data(RolePayload)
    async def update_role(
        self,
        info: Info,
        input: Annotated[UpdateRoleInput, strawberry.argument(description="What to change.")],
    ) -> RolePayload:
        role_id = decode(input.role, "Role", "role")
        await service.update_role(
            info.context.actor, role_id=role_id, name=input.name, permissions=input.permissions
        )
        return RolePayload(role=await _shown(info, role_id))

    @strawberry.mutation(description="Delete a role that nobody has (删除角色).", extensions=[staff_only])
    @refusals_as_data(DeleteRolePayload)
    async def delete_role(
        self, info: Info, input: Annotated[DeleteRoleInput, strawberry.argument(description="Which.")]
    ) -> DeleteRolePayload:
        await service.delete_role(info.context.actor, role_id=decode(input.role, "Role", "role"))
        return DeleteRolePayload(role=input.role)
