"""SMS (短信) by Alibaba Cloud's Dysmsapi 2017-05-25, RPC style: SendSms, signed HMAC-SHA1."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote
from uuid import uuid4

import httpx
import orjson

from domains.identity.platforms.calling import fields_of, send, unavailable
from domains.kernel import clock
from domains.kernel.errors import DomainError, Invalid, Throttled


class Sms:
    """One account's service with the template that carries a sign-in code (短信模板)."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        url: str,
        access_key_id: str,
        access_key_secret: str,
        sign_name: str,
        code_template: str,
    ) -> None:
        self._http, self._url = http, url
        self._key_id, self._key = access_key_id, f"{access_key_secret}&".encode()
        self._sign_name, self._template = sign_name, code_template

    async def send_code(self, phone: str, code: str) -> None:
        """Send a sign-in code. Throttled SMS_TOO_OFTEN by the platform's own limits, Invalid PHONE_INVALID
        for a number it does not serve, Unavailable PLATFORM_UNAVAILABLE for all else."""
        params = self._signed(
            {
                "Action": "SendSms",
                "PhoneNumbers": phone,
                "SignName": self._sign_name,
                "TemplateCode": self._template,
                "TemplateParam": orjson.dumps({"code": code}).decode(),
            }
        )
        response = await send(self._http, "sms", self._http.build_request("POST", self._url, data=params))
        answer = str(fields_of("sms", response).get("Code"))
        if answer != "OK":
            raise _refusal(answer)

    def _signed(self, params: Mapping[str, str]) -> dict[str, str]:
        whole = {
            **params,
            "Version": "2017-05-25",
            "Format": "JSON",
            "AccessKeyId": self._key_id,
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": str(uuid4()),
            "Timestamp": f"{clock.now():%Y-%m-%dT%H:%M:%SZ}",
        }
        pairs = "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in sorted(whole.items()))
        mac = hmac.new(self._key, f"POST&%2F&{_encoded(pairs)}".encode(), hashlib.sha1)
        return {**whole, "Signature": base64.b64encode(mac.digest()).decode()}


def _encoded(text: str) -> str:
    return quote(text, safe="~")


def _refusal(code: str) -> DomainError:
    if code == "isv.BUSINESS_LIMIT_CONTROL":
        return Throttled("SMS_TOO_OFTEN", "验证码发送太频繁,请稍后再试", 60.0)
    if code == "isv.MOBILE_NUMBER_ILLEGAL":
        return Invalid("PHONE_INVALID", "手机号不正确,请检查后重新填写", "phone")
    return unavailable("sms", code)
