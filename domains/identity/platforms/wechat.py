"""Sign-in by WeChat (微信登录): code2Session and getPhoneNumber of developers.weixin.qq.com."""

from __future__ import annotations

from domains.identity.platforms.person import PlatformPerson, answering, unavailable
from domains.kernel import phones
from domains.kernel.errors import DomainError, Invalid, Throttled
from domains.platforms.wechat import WeChat, errcode_of

_BAD_CODE = frozenset({40029, 40163, 41008})
_TOO_OFTEN = 45011


class WeChatSignIn:
    """Who somebody is to a mini-program."""

    def __init__(self, wechat: WeChat) -> None:
        self._wechat = wechat

    async def person(self, js_code: str) -> PlatformPerson:
        """Who `wx.login` stands for. Invalid SIGN_IN_CODE_INVALID for an unknown, old or spent code."""
        query = {"js_code": js_code, "grant_type": "authorization_code"}
        with answering():
            answer = await self._wechat.get("/sns/jscode2session", query)
        if errcode := errcode_of(answer):
            refusal = Invalid("SIGN_IN_CODE_INVALID", "微信登录已失效,请重新点击登录", "js_code")
            raise _refusal(errcode, refusal)
        if not isinstance(answer.get("openid"), str):
            raise unavailable("wechat", "no openid")
        return PlatformPerson("wechat", self._wechat.app_id, answer["openid"], answer.get("unionid"))

    async def phone(self, code: str) -> str:
        """The number the person agreed to give (获取手机号). Invalid PHONE_CODE_INVALID for a bad code."""
        with answering():
            answer = await self._wechat.call("/wxa/business/getuserphonenumber", {"code": code})
        if errcode := errcode_of(answer):
            refusal = Invalid("PHONE_CODE_INVALID", "手机号授权已失效,请重新授权", "phone_code")
            raise _refusal(errcode, refusal)
        try:
            number = str(answer["phone_info"]["purePhoneNumber"])
        except (KeyError, TypeError):
            raise unavailable("wechat", "no phone number") from None
        return phones.normalise(number, field="phone_code")


def _refusal(errcode: int, bad_code: Invalid) -> DomainError:
    if errcode in _BAD_CODE:
        return bad_code
    if errcode == _TOO_OFTEN:
        return Throttled("THROTTLED", "登录太频繁,请一分钟后再试", 60.0)
    return unavailable("wechat", f"errcode {errcode}")
