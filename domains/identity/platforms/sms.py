"""Sign-in codes by SMS (短信验证码): SendSms of Alibaba Cloud's Dysmsapi."""

from __future__ import annotations

import orjson

from domains.identity.platforms.person import answering, unavailable
from domains.kernel.errors import DomainError, Invalid, Throttled
from domains.platforms.aliyun import Aliyun


class SmsSignIn:
    """The signature (短信签名) and the template (短信模板) that carry a sign-in code."""

    def __init__(self, sms: Aliyun, *, sign_name: str, code_template: str) -> None:
        self._sms, self._sign_name, self._template = sms, sign_name, code_template

    async def send_code(self, phone: str, code: str) -> None:
        """Send a sign-in code. Throttled SMS_TOO_OFTEN by the platform's own limits, Invalid PHONE_INVALID
        for a number it does not serve, Unavailable PLATFORM_UNAVAILABLE for all else."""
        params = {
            "PhoneNumbers": phone,
            "SignName": self._sign_name,
            "TemplateCode": self._template,
            "TemplateParam": orjson.dumps({"code": code}).decode(),
        }
        with answering():
            answer = await self._sms.call("SendSms", params)
        if answer.get("Code") != "OK":
            raise _refusal(str(answer.get("Code")))


def _refusal(code: str) -> DomainError:
    if code == "isv.BUSINESS_LIMIT_CONTROL":
        return Throttled("SMS_TOO_OFTEN", "验证码发送太频繁,请稍后再试", 60.0)
    if code == "isv.MOBILE_NUMBER_ILLEGAL":
        return Invalid("PHONE_INVALID", "手机号不正确,请检查后重新填写", "phone")
    return unavailable("sms", code)
