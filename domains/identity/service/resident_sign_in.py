"""Sign-in of residents (住户登录): by WeChat, by Alipay, by a code sent to a phone.

A platform is asked first and without a transaction; what it vouches for then opens a session in one.
"""

from __future__ import annotations

import unicodedata

from domains.identity import contact, limits
from domains.identity.platforms import platforms, set_up
from domains.identity.service import sms_codes
from domains.identity.service.joining import Proof, account_of
from domains.identity.service.sessions import SignedIn, start_session
from domains.kernel import database, phones
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid


async def sign_in_with_wechat(
    actor: Actor, *, js_code: str, phone_code: str | None = None, device: str = ""
) -> SignedIn:
    """Sign in by `wx.login`'s code, proving a number as well where the person agreed to give it.

    Raises Invalid SIGN_IN_CODE_INVALID or PHONE_CODE_INVALID, Unavailable PLATFORM_UNAVAILABLE,
    Conflict ACCOUNTS_NOT_JOINED or ACCOUNT_DISABLED, Throttled SIGN_IN_TOO_OFTEN.
    """
    wechat = set_up(platforms().wechat)
    await limits.take_sign_in(actor.origin.ip)
    person = await wechat.person(js_code)
    phone = None if phone_code is None else await wechat.phone(phone_code)
    return await _enter(actor, Proof("wechat", person, phone), device)


async def sign_in_with_alipay(
    actor: Actor,
    *,
    auth_code: str,
    phone_response: tuple[str, str] | None = None,
    device: str = "",
) -> SignedIn:
    """Sign in by `my.getAuthCode`'s code; `phone_response` is the ciphertext and the signature that
    `my.getPhoneNumber` gave. Raises as sign_in_with_wechat does."""
    alipay = set_up(platforms().alipay)
    await limits.take_sign_in(actor.origin.ip)
    phone = None if phone_response is None else alipay.phone(*phone_response)
    return await _enter(actor, Proof("alipay", await alipay.person(auth_code), phone), device)


async def request_sms_code(actor: Actor, *, phone: str) -> None:
    """Send a code. The answer is the same whether or not the number has an account.

    Raises Throttled SMS_TOO_OFTEN, Invalid PHONE_INVALID, Unavailable PLATFORM_UNAVAILABLE; the code of
    a message that could not be sent is known to nobody.
    """
    number = phones.normalise(phone, field="phone")
    sms = set_up(platforms().sms)
    await limits.take_sms(contact.index(number), actor.origin.ip)
    code = await sms_codes.issue(number)
    await sms.send_code(number, code)


async def sign_in_with_sms(actor: Actor, *, phone: str, code: str, device: str = "") -> SignedIn:
    """Sign in by the code that was sent. Invalid SMS_CODE_INVALID says nothing of why: wrong, old, used,
    tried too often, or never sent."""
    number = phones.normalise(phone, field="phone")
    await limits.take_sign_in(actor.origin.ip)
    typed = unicodedata.normalize("NFKC", code).strip()
    async with database.transaction():
        if await sms_codes.spend(number, typed):
            return await _enter(actor, Proof("sms", phone=number), device)
    # Raised outside: the try stays counted.
    raise Invalid("SMS_CODE_INVALID", "验证码不正确或已失效,请检查或重新获取", "code")


@command("session.sign_in", caller="anyone")
async def _enter(actor: Actor, proof: Proof, device: str) -> SignedIn:
    account = await account_of(proof)
    if account.disabled_at is not None:
        raise Conflict("ACCOUNT_DISABLED", "账号已停用,请联系物业")
    concerns("Account", account.id, None, method=proof.method)
    return await start_session(account, proof.method, device, actor.origin)
