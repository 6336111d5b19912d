"""How WeChat Pay refuses (微信支付错误码): a code and a message, with the code's HTTP status."""

from __future__ import annotations

from typing import Final

STATUSES: Final[dict[str, int]] = {
    "PARAM_ERROR": 400,
    "INVALID_REQUEST": 400,
    "APPID_MCHID_NOT_MATCH": 400,
    "ORDERPAID": 400,
    "ORDER_CLOSED": 400,
    "NO_STATEMENT_EXIST": 400,
    "STATEMENT_CREATING": 400,
    "SIGN_ERROR": 401,
    "OUT_TRADE_NO_USED": 403,
    "NOT_ENOUGH": 403,
    "ORDER_NOT_EXIST": 404,
    "RESOURCE_NOT_EXISTS": 404,
    "FREQUENCY_LIMITED": 429,
    "SYSTEM_ERROR": 500,
}


class WeChatPayRefusalError(Exception):
    """A refusal; the code is one of STATUSES."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.status = STATUSES[code]
        self.node: dict[str, object] = {"code": code, "message": message}
