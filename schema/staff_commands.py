"""What is done to staff accounts, and by staff to their own, in the API."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

import strawberry

from domains.identity.service import own_credentials, roles, staff_accounts
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.permissions import Callers, staff_only
from schema.relay import decode
from schema.roles import ScopeInput, given_role
from schema.staff import Staff, shown


@strawberry.input(description="A role for a new account.")
class RoleOverInput:
    role: strawberry.ID = strawberry.field(description="The role's global id.")
    scope: ScopeInput = strawberry.field(description="Over which place.")


@strawberry.input(description="A new staff account.")
class CreateStaffInput:
    login: str = strawberry.field(description="3 to 40 of a-z, 0-9, dot, underscore, dash; unique.")
    name: str = strawberry.field(description="Name (姓名).")
    phone: str | None = strawberry.field(default=None, description="Mobile number.")
    valid_from: date | None = strawberry.field(default=None, description="First day; today if left out.")
    valid_until: date | None = strawberry.field(default=None, description="Last day, included.")
    idle_timeout_s: int = strawberry.field(
        default=1800, description="Seconds without use after which a session ends, 300 to 43,200."
    )
    max_failures: int = strawberry.field(
        default=5, description="Wrong passwords in a row that lock the account, 3 to 20."
    )
    roles: list[RoleOverInput] = strawberry.field(
        default_factory=list, description="Roles that the caller may give."
    )


@strawberry.input(description="What to change of an account; what is left out stays.")
class UpdateStaffInput:
    staff: strawberry.ID = strawberry.field(description="Its global id.")
    name: str | None = strawberry.field(default=None, description="Name (姓名).")
    phone: str | None = strawberry.field(default=None, description="Mobile number.")
    valid_from: date | None = strawberry.field(default=None, description="First day of validity.")
    valid_until: date | None = strawberry.field(default=None, description="Last day, included.")
    is_unlimited: bool = strawberry.field(default=False, description="Take the last day away.")
    idle_timeout_s: int | None = strawberry.field(default=None, description="Seconds, 300 to 43,200.")
    max_failures: int | None = strawberry.field(default=None, description="3 to 20.")


@strawberry.input(description="A staff account.")
class StaffInput:
    staff: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.input(description="The account whose password is set anew.")
class ResetStaffPasswordInput:
    staff: strawberry.ID = strawberry.field(description="Its global id.")
    remove_totp: bool = strawberry.field(
        default=False, description="Forget the authenticator app as well, for who lost the phone."
    )


@strawberry.input(description="A role to give.")
class AssignRoleInput:
    staff: strawberry.ID = strawberry.field(description="Who gets it.")
    role: strawberry.ID = strawberry.field(description="The role's global id.")
    scope: ScopeInput = strawberry.field(description="Over which place.")


@strawberry.input(description="A role to take.")
class UnassignRoleInput:
    assignment: strawberry.ID = strawberry.field(description="Its id from `Staff.assignments`.")


@strawberry.input(description="One's own password and the next one.")
class ChangePasswordInput:
    password: str = strawberry.field(description="The current one.")
    new_password: str = strawberry.field(
        description="10 characters or more, of three kinds, without the login."
    )


@strawberry.input(description="One's own password, asked for again.")
class OwnPasswordInput:
    password: str = strawberry.field(description="The current one.")


@strawberry.input(description="A code that the authenticator app shows.")
class ConfirmTotpInput:
    code: str = strawberry.field(description="Six digits, good once.")


@strawberry.type(description="Result of a command on a staff account.")
class StaffPayload(Payload):
    staff: Staff | None = strawberry.field(
        default=None, description="The account; null when refused, or for who may not read staff."
    )


@strawberry.type(description="Result of making an account or setting its password anew.")
class StaffPasswordPayload(Payload):
    staff: Staff | None = strawberry.field(
        default=None, description="The account; null when refused, or for who may not read staff."
    )
    temporary_password: str | None = strawberry.field(
        default=None, description="To hand over; shown once, and to be changed at the next sign-in."
    )


@strawberry.type(description="Result of a command on one's own credentials.")
class OwnCredentialsPayload(Payload):
    is_done: bool = strawberry.field(default=False, description="True once it holds.")


@strawberry.type(description="What the authenticator app is given; shown once.")
class SetUpTotpPayload(Payload):
    secret: str | None = strawberry.field(default=None, description="Base32, to type; null when refused.")
    uri: str | None = strawberry.field(
        default=None, description="otpauth:// address, to show as a QR code; null when refused."
    )


def _staff_id(id: strawberry.ID) -> UUID:
    return decode(id, "Staff", "staff")


@strawberry.type
class StaffMutation:
    """Mutations of staff accounts, for staff."""

    @strawberry.mutation(description="Create a staff account (新建员工账号).", extensions=[staff_only])
    @refusals_as_data(StaffPasswordPayload)
    async def create_staff(
        self, info: Info, input: Annotated[CreateStaffInput, strawberry.argument(description="The account.")]
    ) -> StaffPasswordPayload:
        made = await staff_accounts.create_staff(
            info.context.actor,
            login=input.login,
            name=input.name,
            phone=input.phone,
            valid_from=input.valid_from,
            valid_until=input.valid_until,
            idle_timeout_s=input.idle_timeout_s,
            max_failures=input.max_failures,
            roles=[given_role(each.role, each.scope) for each in input.roles],
        )
        return await _with_password(info, made)

    @strawberry.mutation(description="Change a colleague's account (修改员工账号).", extensions=[staff_only])
    @refusals_as_data(StaffPayload)
    async def update_staff(
        self,
        info: Info,
        input: Annotated[UpdateStaffInput, strawberry.argument(description="What to change.")],
    ) -> StaffPayload:
        account_id = await staff_accounts.update_staff(
            info.context.actor,
            account_id=_staff_id(input.staff),
            name=input.name,
            phone=input.phone,
            valid_from=input.valid_from,
            valid_until=input.valid_until,
            is_unlimited=input.is_unlimited,
            idle_timeout_s=input.idle_timeout_s,
            max_failures=input.max_failures,
        )
        return StaffPayload(staff=await shown(info, account_id))

    @strawberry.mutation(
        description="Disable a colleague's account (停用); its sessions end at once.", extensions=[staff_only]
    )
    @refusals_as_data(StaffPayload)
    async def disable_staff(
        self, info: Info, input: Annotated[StaffInput, strawberry.argument(description="Which.")]
    ) -> StaffPayload:
        account_id = await staff_accounts.disable_staff(info.context.actor, account_id=_staff_id(input.staff))
        return StaffPayload(staff=await shown(info, account_id))

    @strawberry.mutation(description="Enable a disabled colleague again (启用).", extensions=[staff_only])
    @refusals_as_data(StaffPayload)
    async def enable_staff(
        self, info: Info, input: Annotated[StaffInput, strawberry.argument(description="Which.")]
    ) -> StaffPayload:
        account_id = await staff_accounts.enable_staff(info.context.actor, account_id=_staff_id(input.staff))
        return StaffPayload(staff=await shown(info, account_id))

    @strawberry.mutation(
        description="Give a colleague a temporary password, unlock the account, end its sessions (重置密码).",
        extensions=[staff_only],
    )
    @refusals_as_data(StaffPasswordPayload)
    async def reset_staff_password(
        self, info: Info, input: Annotated[ResetStaffPasswordInput, strawberry.argument(description="Which.")]
    ) -> StaffPasswordPayload:
        made = await staff_accounts.reset_staff_password(
            info.context.actor, account_id=_staff_id(input.staff), remove_totp=input.remove_totp
        )
        return await _with_password(info, made)

    @strawberry.mutation(description="Give a colleague a role over a place (授权).", extensions=[staff_only])
    @refusals_as_data(StaffPayload)
    async def assign_role(
        self, info: Info, input: Annotated[AssignRoleInput, strawberry.argument(description="Who and what.")]
    ) -> StaffPayload:
        account_id = _staff_id(input.staff)
        given = given_role(input.role, input.scope)
        await roles.assign_role(info.context.actor, account_id=account_id, given=given)
        return StaffPayload(staff=await shown(info, account_id))

    @strawberry.mutation(description="Take a role from a colleague (取消授权).", extensions=[staff_only])
    @refusals_as_data(StaffPayload)
    async def unassign_role(
        self, info: Info, input: Annotated[UnassignRoleInput, strawberry.argument(description="Which.")]
    ) -> StaffPayload:
        assignment_id = decode(input.assignment, "RoleAssignment", "assignment")
        account_id = await roles.unassign_role(info.context.actor, assignment_id=assignment_id)
        return StaffPayload(staff=await shown(info, account_id))


async def _with_password(info: Info, made: staff_accounts.NewStaff) -> StaffPasswordPayload:
    staff = await shown(info, made.account_id)
    return StaffPasswordPayload(staff=staff, temporary_password=made.temporary_password)


@strawberry.type
class OwnCredentialsMutation:
    """Mutations of staff on their own password and second factor."""

    @strawberry.mutation(
        description="Change one's own password (修改密码); every other session ends.",
        extensions=[Callers("staff", while_confined=True)],
    )
    @refusals_as_data(OwnCredentialsPayload)
    async def change_password(
        self,
        info: Info,
        input: Annotated[ChangePasswordInput, strawberry.argument(description="Old and new.")],
    ) -> OwnCredentialsPayload:
        await own_credentials.change_password(
            info.context.actor, password=input.password, new_password=input.new_password
        )
        return OwnCredentialsPayload(is_done=True)

    @strawberry.mutation(
        description="Begin to set up an authenticator app (设置动态口令); `confirmTotp` completes it.",
        extensions=[staff_only],
    )
    @refusals_as_data(SetUpTotpPayload)
    async def set_up_totp(
        self, info: Info, input: Annotated[OwnPasswordInput, strawberry.argument(description="Password.")]
    ) -> SetUpTotpPayload:
        made = await own_credentials.set_up_totp(info.context.actor, password=input.password)
        return SetUpTotpPayload(secret=made.secret, uri=made.uri)

    @strawberry.mutation(
        description="Prove the authenticator app by a code; sign-in asks for one from now on (启用动态口令).",
        extensions=[staff_only],
    )
    @refusals_as_data(OwnCredentialsPayload)
    async def confirm_totp(
        self, info: Info, input: Annotated[ConfirmTotpInput, strawberry.argument(description="The code.")]
    ) -> OwnCredentialsPayload:
        await own_credentials.confirm_totp(info.context.actor, code=input.code)
        return OwnCredentialsPayload(is_done=True)

    @strawberry.mutation(
        description="Do without the authenticator app again (停用动态口令).", extensions=[staff_only]
    )
    @refusals_as_data(OwnCredentialsPayload)
    async def remove_totp(
        self, info: Info, input: Annotated[OwnPasswordInput, strawberry.argument(description="Password.")]
    ) -> OwnCredentialsPayload:
        await own_credentials.remove_totp(info.context.actor, password=input.password)
        return OwnCredentialsPayload(is_done=True)
