"""Sign-in by Alipay (支付宝登录): alipay.system.oauth.token and the encrypted phone of my.getPhoneNumber."""

from __future__ import annotations

import base64

import orjson
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from domains.identity.platforms.person import PlatformPerson, answering, unavailable
from domains.kernel import phones
from domains.kernel.errors import Invalid
from domains.platforms.alipay import Alipay

_BAD_CODE = ("isv.code-invalid", "isv.code-is-used", "isv.missing-code")


class AlipaySignIn:
    """Who somebody is to a mini-program. The AES key (接口内容加密) is base64, from the console."""

    def __init__(self, alipay: Alipay, aes_key: str) -> None:
        self._alipay = alipay
        self._aes_key = base64.b64decode(aes_key)

    async def person(self, auth_code: str) -> PlatformPerson:
        """Who `my.getAuthCode` stands for. Invalid SIGN_IN_CODE_INVALID for an unknown or spent code."""
        from alipay.aop.api.request.AlipaySystemOauthTokenRequest import AlipaySystemOauthTokenRequest

        request = AlipaySystemOauthTokenRequest()
        request.grant_type = "authorization_code"
        request.code = auth_code
        with answering():
            node = await self._alipay.execute("alipay.system.oauth.token", request.get_params())
        if node.get("sub_code") in _BAD_CODE:
            raise Invalid("SIGN_IN_CODE_INVALID", "支付宝登录已失效,请重新点击登录", "auth_code")
        # An app sees open_id or, where it was made before that existed, user_id; never both in turn.
        open_id = node.get("open_id") or node.get("user_id")
        if not isinstance(open_id, str):
            raise unavailable("alipay", str(node.get("sub_code") or "no open_id"))
        return PlatformPerson("alipay", self._alipay.app_id, open_id)

    def phone(self, response: str, sign: str) -> str:
        """The number in the encrypted answer of my.getPhoneNumber, once its signature holds.

        The signature covers the ciphertext between double quotes, as it stands on the wire.
        Raises Invalid PHONE_CODE_INVALID.
        """
        refusal = Invalid("PHONE_CODE_INVALID", "手机号授权无效,请重新授权", "phone_response")
        if not self._alipay.is_genuine(f'"{response}"'.encode(), sign):
            raise refusal
        try:
            content = orjson.loads(self._decrypted(response))
            number = str(content["mobile"])
        except (ValueError, KeyError, TypeError):
            raise refusal from None
        return phones.normalise(number, field="phone_response")

    def _decrypted(self, response: str) -> bytes:
        decryptor = Cipher(algorithms.AES(self._aes_key), modes.CBC(bytes(16))).decryptor()
        padded = decryptor.update(base64.b64decode(response, validate=True)) + decryptor.finalize()
        unpadder = PKCS7(128).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
