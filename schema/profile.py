"""One's own account, devices and profile in the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.identity import account_queries as queries
from domains.identity.service import profile, sessions
from domains.residents.queries import occupancies
from schema.context import Context, Info, Loader
from schema.errors import Payload, refusals_as_data
from schema.permissions import signed_in, signed_in_at_all
from schema.relay import decode, encode


@strawberry.enum(description="What kind of account it is (账号类型).")
class AccountKind(Enum):
    RESIDENT = strawberry.enum_value("resident", description="住户")
    STAFF = strawberry.enum_value("staff", description="物业员工")


@strawberry.enum(description="How somebody signed in (登录方式).")
class SignInMethod(Enum):
    WECHAT = strawberry.enum_value("wechat", description="微信")
    ALIPAY = strawberry.enum_value("alipay", description="支付宝")
    SMS = strawberry.enum_value("sms", description="短信验证码")
    PASSWORD = strawberry.enum_value("password", description="账号密码")


@strawberry.enum(description="Language of messages (语言).")
class LanguageChoice(Enum):
    ZH = strawberry.enum_value("zh", description="中文")
    EN = strawberry.enum_value("en", description="English")


class RegisterNameLoader(Loader[UUID, str]):
    """What the register calls the caller, read once for everything that says the name."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, str]:
        """The only key is the caller."""
        return {keys[0]: await occupancies.register_name(self.context.actor)}


async def called(context: Context, given: str) -> str:
    """What to call the caller: the name they gave, else that of the register where they belong to a house."""
    if given or not context.actor.houses:
        return given
    return await context.loader(RegisterNameLoader).load(context.actor.id) or ""


async def _name(root: queries.Me, info: Info) -> str:
    return await called(info.context, root.name)


def _account_id(root: queries.Me) -> strawberry.ID:
    return strawberry.ID(encode("Account", root.id))


def _session_id(root: queries.Device) -> strawberry.ID:
    return strawberry.ID(encode("Session", root.id))


@strawberry.type(description="The caller's own account (我的账号).")
class Me:
    id: strawberry.ID = strawberry.field(resolver=_account_id, description="Opaque id of the account.")
    kind: AccountKind = strawberry.field(description="Resident or staff.")
    name: str = strawberry.field(
        resolver=_name,
        description="Name (姓名) as the caller gave it, else as the register of a house they belong to has it; empty "
        "where neither is known.",
    )
    phone: str | None = strawberry.field(description="Verified number, masked: 138****0001.")
    has_phone: bool = strawberry.field(description="Whether a number was verified.")
    language: LanguageChoice = strawberry.field(description="Language of messages.")
    created_at: datetime = strawberry.field(description="When the account was opened.")
    login: str | None = strawberry.field(description="Login name of staff; null for residents.")
    must_change_password: bool = strawberry.field(
        description="Staff whose password somebody else set: `changePassword` comes before anything else."
    )
    has_totp: bool = strawberry.field(
        description="Whether sign-in asks for an authenticator code (动态口令)."
    )
    permissions: list[str] = strawberry.field(description="Permissions of staff, held in some place.")


@strawberry.type(description="A device on which the caller is signed in (登录设备).")
class DeviceSession:
    id: strawberry.ID = strawberry.field(resolver=_session_id, description="Opaque id, for `revokeSession`.")
    method: SignInMethod = strawberry.field(description="How it was signed in.")
    device: str = strawberry.field(description="What the client said it is.")
    ip: str = strawberry.field(description="Address at sign-in.")
    created_at: datetime = strawberry.field(description="When it was signed in.")
    last_seen_at: datetime = strawberry.field(description="Last use, to the minute.")
    expires_at: datetime = strawberry.field(description="When it ends by itself.")
    is_current: bool = strawberry.field(description="Whether this call came from it.")


@strawberry.type
class IdentityViewer:
    """What identity knows of the caller."""

    @strawberry.field(description="The caller's own account.")
    async def me(self, info: Info) -> Me:
        return cast("Me", await queries.me(info.context.actor))

    @strawberry.field(description="Where the caller is signed in, the last used first; at most 100.")
    async def sessions(self, info: Info) -> list[DeviceSession]:
        return cast("list[DeviceSession]", await queries.devices(info.context.actor))


@strawberry.input(description="What to change of the caller's own profile; what is left out stays.")
class UpdateProfileInput:
    name: str | None = strawberry.field(default=None, description="Name, 2 to 50 characters; residents only.")
    language: LanguageChoice | None = strawberry.field(default=None, description="Language of messages.")


@strawberry.type(description="Result of changing one's profile.")
class UpdateProfilePayload(Payload):
    me: Me | None = strawberry.field(default=None, description="The account as it is now; null when refused.")


@strawberry.input(description="The device to sign out.")
class RevokeSessionInput:
    session: strawberry.ID = strawberry.field(description="Its id from `viewer.sessions`.")


@strawberry.type(description="Result of signing a device out.")
class RevokeSessionPayload(Payload):
    session: strawberry.ID | None = strawberry.field(default=None, description="The session that ended.")


@strawberry.type(description="Result of signing all other devices out.")
class RevokeOtherSessionsPayload(Payload):
    ended: int | None = strawberry.field(
        default=None, description="How many sessions ended; null when refused."
    )


@strawberry.type(description="Result of signing out.")
class SignOutPayload(Payload):
    is_signed_out: bool = strawberry.field(default=False, description="True once the session has ended.")


@strawberry.type
class ProfileMutation:
    """Mutations on one's own account."""

    @strawberry.mutation(description="Change one's own name or language.", extensions=[signed_in])
    @refusals_as_data(UpdateProfilePayload)
    async def update_profile(
        self,
        info: Info,
        input: Annotated[UpdateProfileInput, strawberry.argument(description="What to change.")],
    ) -> UpdateProfilePayload:
        language = str(input.language.value) if input.language else None
        await profile.update_profile(info.context.actor, name=input.name, language=language)
        return UpdateProfilePayload(me=cast("Me", await queries.me(info.context.actor)))

    @strawberry.mutation(
        description="End one of one's own sessions, as on a phone that was lost.", extensions=[signed_in]
    )
    @refusals_as_data(RevokeSessionPayload)
    async def revoke_session(
        self,
        info: Info,
        input: Annotated[RevokeSessionInput, strawberry.argument(description="Which.")],
    ) -> RevokeSessionPayload:
        wanted: UUID = decode(input.session, "Session", "session")
        await sessions.revoke_session(info.context.actor, session_id=wanted)
        return RevokeSessionPayload(session=input.session)

    @strawberry.mutation(
        description="End all of one's own sessions but the one of this call.", extensions=[signed_in]
    )
    @refusals_as_data(RevokeOtherSessionsPayload)
    async def revoke_other_sessions(self, info: Info) -> RevokeOtherSessionsPayload:
        return RevokeOtherSessionsPayload(ended=await sessions.revoke_other_sessions(info.context.actor))

    @strawberry.mutation(description="End the session of this call.", extensions=[signed_in_at_all])
    @refusals_as_data(SignOutPayload)
    async def sign_out(self, info: Info) -> SignOutPayload:
        await sessions.sign_out(info.context.actor)
        return SignOutPayload(is_signed_out=True)
