"""What calls of Alipay's trade interfaces carry (biz_content), and how its faults are named."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from miniprogram_stub.platform.alipay_refusal import GatewayRefusalError
from miniprogram_stub.platform.clock import BEIJING
from miniprogram_stub.platform.money import fen

_EXPRESS: Final = re.compile("([1-9][0-9]{0,4})([mhd])")
_UNIT_SECONDS: Final = {"m": 60, "h": 3600, "d": 86400}
_LONGEST_LIFE: Final = 15 * 86400
SUB_MESSAGES: Final = {
    "ACQ.TRADE_NOT_EXIST": "交易不存在",
    "ACQ.TRADE_STATUS_ERROR": "交易状态不合法",
    "ACQ.TRADE_HAS_SUCCESS": "交易已被支付",
    "ACQ.TRADE_HAS_CLOSE": "交易已经关闭",
    "ACQ.TRADE_HAS_FINISHED": "交易已完结",
    "ACQ.CONTEXT_INCONSISTENT": "交易信息被篡改",
    "ACQ.TRADE_BUYER_NOT_MATCH": "交易买家不匹配",
    "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL": "退款金额超限",
    "ACQ.DISCORDANT_REPEAT_REQUEST": "不一致的请求",
    "ACQ.SELLER_BALANCE_NOT_ENOUGH": "卖家余额不足",
    "ACQ.ACCESS_FORBIDDEN": "无权限使用接口",
    "isp.bill_not_exist": "账单不存在",
}


def failed(sub_code: str) -> GatewayRefusalError:
    """A failure of the business, in Alipay's words."""
    return GatewayRefusalError("40004", sub_code, SUB_MESSAGES[sub_code])


def invalid(name: str) -> GatewayRefusalError:
    """A parameter is not as it should be."""
    return GatewayRefusalError("40004", "ACQ.INVALID_PARAMETER", f"参数无效：{name}")


@dataclass(frozen=True, slots=True)
class Content:
    """The parameters of one call; reading one that is wrong raises the refusal."""

    fields: Mapping[str, Any]

    def text(self, name: str, longest: int, form: str = "", *, required: bool = False) -> str:
        """A text of at most `longest` characters; "" when it is left out."""
        value = self.fields.get(name, "")
        if not isinstance(value, str) or len(value) > longest or (required and not value):
            raise invalid(name)
        if value and not (re.fullmatch(form, value) if form else value.isprintable()):
            raise invalid(name)
        return value

    def amount(self, name: str) -> int:
        """Yuan with at most two decimals, as fen; a JSON number is taken for what it says."""
        value = self.fields.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        amount = fen(value) if isinstance(value, str) else None
        if amount is None:
            raise invalid(name)
        return amount

    def out_trade_no(self, *, required: bool = False) -> str:
        """The merchant's number."""
        return self.text("out_trade_no", 64, "[A-Za-z0-9_]+", required=required)

    def numbers(self) -> dict[str, str]:
        """Which trade: one of both numbers at least."""
        found = {"out_trade_no": self.out_trade_no(), "trade_no": self.text("trade_no", 64, "[0-9]+")}
        if not any(found.values()):
            raise GatewayRefusalError(
                "40004", "ACQ.INVALID_PARAMETER", "out_trade_no 和 trade_no 不能同时为空"
            )
        return found

    def expires_at(self) -> float:
        """time_expire, else timeout_express from now, else 15 days from now; never later than that."""
        now, at = time.time(), self.text("time_expire", 32)
        if not at:
            return now + _life_seconds(self.text("timeout_express", 6))
        try:
            instant = datetime.strptime(at, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING).timestamp()
        except ValueError as error:
            raise invalid("time_expire") from error
        if not now < instant <= now + _LONGEST_LIFE:
            raise invalid("time_expire")
        return instant


def content_of(params: Mapping[str, str]) -> Content:
    """biz_content, which must be a JSON object."""
    try:
        found = json.loads(params.get("biz_content", ""))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise GatewayRefusalError("40002", "isv.invalid-parameter", "biz_content 须为 JSON 对象")
    return Content(found)


def _life_seconds(express: str) -> int:
    if not express:
        return _LONGEST_LIFE
    found = _EXPRESS.fullmatch(express)
    seconds = int(found[1]) * _UNIT_SECONDS[found[2]] if found else 0
    if not 60 <= seconds <= _LONGEST_LIFE:
        raise invalid("timeout_express")
    return seconds
