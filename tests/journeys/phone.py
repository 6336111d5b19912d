"""What a resident's phone does: WeChat's or Alipay's client on one side, our API on the other."""

from __future__ import annotations

import re
from typing import Any

import httpx

from tests.journeys.client import Client

CREDENTIALS = "{ credentials { accessToken refreshToken } errors { code message } }"

WITH_WECHAT = f"""
mutation WeChat($input: SignInWithWeChatInput!) {{ signInWithWeChat(input: $input) {CREDENTIALS} }}
"""
WITH_ALIPAY = f"""
mutation Alipay($input: SignInWithAlipayInput!) {{ signInWithAlipay(input: $input) {CREDENTIALS} }}
"""
REQUEST_SMS = "mutation Code($input: RequestSmsCodeInput!) { requestSmsCode(input: $input) { errors { code message } } }"
WITH_SMS = f"mutation Sms($input: SignInWithSmsInput!) {{ signInWithSms(input: $input) {CREDENTIALS} }}"


class Phone(Client):
    """A resident with a phone; `platform_url` is where WeChat, Alipay and the SMS inbox are."""

    platform_url: str = ""

    def platform(self, path: str, **fields: object) -> Any:
        """What the platform's client on the phone answers."""
        response = httpx.post(f"{self.platform_url}{path}", json=fields, timeout=10)
        response.raise_for_status()
        return response.json()

    def sign_in_with_wechat(self, person: str, phone: str) -> None:
        """Open the mini-program and share the phone number."""
        code = self.platform("/open/wechat/login", person=person)["js_code"]
        phone_code = self.platform("/open/wechat/phone", person=person, phone=phone)["code"]
        data = self.ask(WITH_WECHAT, input={"jsCode": code, "phoneCode": phone_code, "device": "iPhone"})
        self._keep(data["signInWithWeChat"])

    def sign_in_with_alipay(self, person: str, phone: str) -> None:
        """Open the mini-program in Alipay and share the phone number."""
        code = self.platform("/open/alipay/login", person=person)["auth_code"]
        sealed = self.platform("/open/alipay/phone", person=person, phone=phone)
        proof = {name: sealed[name] for name in ("response", "sign")}
        given = {"authCode": code, "phone": proof, "device": "Android"}
        self._keep(self.ask(WITH_ALIPAY, input=given)["signInWithAlipay"])

    def sign_in_with_sms(self, phone: str) -> None:
        """Ask for a code, read the message, type it."""
        asked = self.ask(REQUEST_SMS, input={"phone": phone})["requestSmsCode"]
        assert asked["errors"] == [], asked
        self._keep(
            self.ask(WITH_SMS, input={"phone": phone, "code": self.newest_code(phone)})["signInWithSms"]
        )

    def newest_code(self, phone: str) -> str:
        """The code in the newest message to this number."""
        messages = httpx.get(f"{self.platform_url}/open/sms", params={"phone": phone}, timeout=10).json()
        found = re.search(r"\d{6}", str(messages["messages"][0]["text"]))
        assert found, messages
        return found.group()

    def _keep(self, payload: Any) -> None:
        assert payload["errors"] == [], payload
        self.token = payload["credentials"]["accessToken"]


def phone_of(url: str, platform_url: str) -> Phone:
    """A phone nobody has signed in on."""
    phone = Phone(url)
    phone.platform_url = platform_url
    return phone
