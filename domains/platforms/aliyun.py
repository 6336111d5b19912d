"""Alibaba Cloud (阿里云) in the RPC style, signed HMAC-SHA1: SMS (Dysmsapi), voice calls (Dyvmsapi)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx

from domains.kernel import clock
from domains.platforms.calling import fields_of, send


class Aliyun:
    """One account's access to one product; `name` is what it is called where it is in trouble."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        name: str,
        url: str,
        version: str,
        access_key_id: str,
        access_key_secret: str,
    ) -> None:
        self._http, self._name, self._url, self._version = http, name, url, version
        self._key_id, self._key = access_key_id, f"{access_key_secret}&".encode()

    async def call(self, action: str, params: Mapping[str, str]) -> dict[str, Any]:  # Any: a platform's JSON
        """The answer to an action: `Code` is OK, or says why not. Raises NotSent or OutcomeUnknown."""
        signed = self._signed({**params, "Action": action})
        response = await send(
            self._http, self._name, self._http.build_request("POST", self._url, data=signed)
        )
        return fields_of(self._name, response)

    def _signed(self, params: Mapping[str, str]) -> dict[str, str]:
        whole = {
            **params,
            "Version": self._version,
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
