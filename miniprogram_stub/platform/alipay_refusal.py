"""How the Alipay gateway refuses (网关返回码与业务返回码)."""

from __future__ import annotations

from typing import Final

_MESSAGES: Final[dict[str, str]] = {
    "20000": "Service Currently Unavailable",
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40004": "Business Failed",
}


class GatewayRefusalError(Exception):
    """A refusal in Alipay's four fields."""

    def __init__(self, code: str, sub_code: str, sub_msg: str) -> None:
        super().__init__(sub_code)
        self.node: dict[str, object] = {
            "code": code,
            "msg": _MESSAGES[code],
            "sub_code": sub_code,
            "sub_msg": sub_msg,
        }
