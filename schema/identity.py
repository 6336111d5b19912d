"""Sign-in in the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from domains.identity.platforms import platforms
from domains.identity.service import resident_sign_in, sessions, staff_sign_in
from schema.context import Info
from schema.errors import Payload, refusals_as_data

RESEND_AFTER_S = 60


@strawberry.type(description="What a client keeps after signing in (登录凭证).")
class Credentials:
    access_token: str = strawberry.field(description="Bearer token, ES256, good for 15 minutes.")
    access_expires_at: datetime = strawberry.field(description="When the access token ends.")
    refresh_token: str = strawberry.field(description="Spent once for the next pair; keep it secret.")


@strawberry.type(description="Result of signing in or refreshing.")
class SignInPayload(Payload):
    credentials: Credentials | None = strawberry.field(
        default=None, description="The tokens; null when refused."
    )


def _payload(result: sessions.SignedIn) -> SignInPayload:
    return SignInPayload(
        credentials=Credentials(
            access_token=result.access_token,
            access_expires_at=result.access_expires_at,
            refresh_token=result.refresh_token,
        )
    )


@strawberry.input(description="Sign-in by WeChat (微信登录).")
class SignInWithWeChatInput:
    js_code: str = strawberry.field(description="What `wx.login` gave; good once, for five minutes.")
    phone_code: str | None = strawberry.field(
        default=None,
        description="What the phone number button gave (手机号快速验证); proves the number as well.",
    )
    device: str = strawberry.field(
        default="", description="What to call this device in the list of sessions."
    )


@strawberry.input(description="What `my.getPhoneNumber` gave: its `response` and `sign`.")
class AlipayPhoneInput:
    response: str = strawberry.field(description="The ciphertext, base64.")
    sign: str = strawberry.field(description="Alipay's signature over it, base64.")


@strawberry.input(description="Sign-in by Alipay (支付宝登录).")
class SignInWithAlipayInput:
    auth_code: str = strawberry.field(description="What `my.getAuthCode` gave; good once.")
    phone: AlipayPhoneInput | None = strawberry.field(default=None, description="Proves a number as well.")
    device: str = strawberry.field(
        default="", description="What to call this device in the list of sessions."
    )


@strawberry.input(description="Where to send a sign-in code.")
class RequestSmsCodeInput:
    phone: str = strawberry.field(description="Mobile number of the mainland, as people write it.")


@strawberry.type(description="Result of asking for a code; the same whether or not the number is known.")
class RequestSmsCodePayload(Payload):
    resend_after_s: int | None = strawberry.field(
        default=None, description="Seconds before another may be asked for; null when refused."
    )


@strawberry.input(description="Sign-in by a code that was sent (验证码登录).")
class SignInWithSmsInput:
    phone: str = strawberry.field(description="The number it was sent to.")
    code: str = strawberry.field(description="Six digits, good once, for five minutes and five tries.")
    device: str = strawberry.field(
        default="", description="What to call this device in the list of sessions."
    )


@strawberry.input(description="Staff sign-in by password.")
class SignInStaffInput:
    login: str = strawberry.field(description="Login name, case does not matter.")
    password: str = strawberry.field(description="Password.")
    code: str | None = strawberry.field(default=None, description="Code of the authenticator app, if set up.")
    device: str = strawberry.field(
        default="", description="What to call this device in the list of sessions."
    )


@strawberry.input(description="A refresh token to spend.")
class RefreshSessionInput:
    refresh_token: str = strawberry.field(description="The newest refresh token of the session.")


@strawberry.type(description="Pages on which a browser signs in with a platform's account (网页授权登录).")
class SignInPages:
    wechat: str | None = strawberry.field(description="WeChat's; null where there is none.")
    alipay: str | None = strawberry.field(description="Alipay's; null where there is none.")


@strawberry.type
class IdentityQuery:
    """What is asked before signing in."""

    @strawberry.field(
        description="Where a browser signs in with a platform's account, for everybody to ask. Lead there with "
        "`return_to` and an unguessable `state`; back come `state` and `code` (and `phone_code`, or `phone_response` "
        "and `phone_sign`) for signInWithWeChat or signInWithAlipay, or `error`. All null but at the local stand-ins."
    )
    def sign_in_pages(self) -> SignInPages:
        pages = platforms().pages
        return SignInPages(wechat=pages.get("wechat"), alipay=pages.get("alipay"))


@strawberry.type
class IdentityMutation:
    """Sign-in."""

    @strawberry.mutation(name="signInWithWeChat", description="Sign in a resident by WeChat (微信登录).")
    @refusals_as_data(SignInPayload)
    async def sign_in_with_wechat(
        self,
        info: Info,
        input: Annotated[SignInWithWeChatInput, strawberry.argument(description="The platform's codes.")],
    ) -> SignInPayload:
        return _payload(
            await resident_sign_in.sign_in_with_wechat(
                info.context.actor, js_code=input.js_code, phone_code=input.phone_code, device=input.device
            )
        )

    @strawberry.mutation(description="Sign in a resident by Alipay (支付宝登录).")
    @refusals_as_data(SignInPayload)
    async def sign_in_with_alipay(
        self,
        info: Info,
        input: Annotated[SignInWithAlipayInput, strawberry.argument(description="The platform's codes.")],
    ) -> SignInPayload:
        phone = (input.phone.response, input.phone.sign) if input.phone else None
        return _payload(
            await resident_sign_in.sign_in_with_alipay(
                info.context.actor, auth_code=input.auth_code, phone_response=phone, device=input.device
            )
        )

    @strawberry.mutation(description="Send a sign-in code to a phone (获取验证码).")
    @refusals_as_data(RequestSmsCodePayload)
    async def request_sms_code(
        self, info: Info, input: Annotated[RequestSmsCodeInput, strawberry.argument(description="Where to.")]
    ) -> RequestSmsCodePayload:
        await resident_sign_in.request_sms_code(info.context.actor, phone=input.phone)
        return RequestSmsCodePayload(resend_after_s=RESEND_AFTER_S)

    @strawberry.mutation(description="Sign in a resident by a code that was sent (验证码登录).")
    @refusals_as_data(SignInPayload)
    async def sign_in_with_sms(
        self,
        info: Info,
        input: Annotated[SignInWithSmsInput, strawberry.argument(description="Number and code.")],
    ) -> SignInPayload:
        return _payload(
            await resident_sign_in.sign_in_with_sms(
                info.context.actor, phone=input.phone, code=input.code, device=input.device
            )
        )

    @strawberry.mutation(description="Sign in a staff member by password (员工登录).")
    @refusals_as_data(SignInPayload)
    async def sign_in_staff(
        self, info: Info, input: Annotated[SignInStaffInput, strawberry.argument(description="Who and how.")]
    ) -> SignInPayload:
        return _payload(
            await staff_sign_in.sign_in_staff(
                info.context.actor,
                login=input.login,
                password=input.password,
                code=input.code,
                device=input.device,
            )
        )

    @strawberry.mutation(
        description="Spend a refresh token for a new pair. A token that is used twice ends the session; a "
        "client that lost the answer may ask again within two minutes."
    )
    @refusals_as_data(SignInPayload)
    async def refresh_session(
        self, info: Info, input: Annotated[RefreshSessionInput, strawberry.argument(description="The token.")]
    ) -> SignInPayload:
        return _payload(await sessions.refresh_session(info.context.actor, input.refresh_token))
