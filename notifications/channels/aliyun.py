"""What Alibaba Cloud answers to an SMS or a call, and what it takes as a variable (阿里云短信、语音)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from notifications.channels.answers import until_tomorrow_s
from notifications.channels.port import Aftermath, Outcome, Refused, Sent, TryAgain, Unknown
from notifications.channels.wechat_values import cut, one_line

_VARIABLE_MAX = 35
_URL = re.compile(r"\S*://\S*")
_FREQUENCY_S = 60.0
_DAILY = frozenset({"isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL"})


def variables(keywords: Mapping[str, str], most: int = _VARIABLE_MAX) -> str:
    """The variables of a template as JSON: each at most 35 characters and not empty, addresses of the web
    left out, which are refused (isv.PARAM_LENGTH_LIMIT, isv.PARAM_NOT_SUPPORT_URL)."""
    values = {name: cut(_URL.sub("", one_line(value)).strip(), most) for name, value in keywords.items()}
    return orjson.dumps({name: value or "-" for name, value in values.items()}).decode()


def outcome(answer: Mapping[str, Any], id_field: str) -> Outcome:  # Any: a platform's JSON
    """https://help.aliyun.com/zh/sms/developer-reference/api-error-codes: isp.SYSTEM_ERROR asks for the
    call to be made again; a fault of the gateway in front of it says nothing."""
    code, detail = str(answer.get("Code", "")), str(answer.get("Message", ""))
    if code == "OK":
        return Sent(str(answer.get(id_field, "")))
    if code == "isv.BUSINESS_LIMIT_CONTROL":
        return TryAgain(code, detail, _FREQUENCY_S)
    if code in _DAILY:
        return TryAgain(code, detail, until_tomorrow_s())
    if code == "isp.SYSTEM_ERROR" or code.startswith("Throttling"):
        return TryAgain(code, detail)
    if code in ("", "InternalError", "ServiceUnavailable", "isp.GATEWAY_ERROR"):
        return Unknown(code or "MALFORMED_ANSWER", detail)
    is_dead = code == "isv.MOBILE_NUMBER_ILLEGAL"
    return Refused(code, detail, Aftermath.DEAD_ADDRESS if is_dead else Aftermath.OUR_FAULT)
