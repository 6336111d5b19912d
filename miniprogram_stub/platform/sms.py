"""SendSms itself: what is refused, what is sent, and what a phone received."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
import time
from collections.abc import Mapping
from string import Template as Text
from typing import Final

from miniprogram_stub.platform.sms_console import Console, Template

_MOBILE: Final = re.compile(r"(?:\+86|0086|86)?(1[3-9][0-9]{9})")
_AT_ONCE: Final = 1000
_WINDOW_NAMES: Final = {60: "分钟", 3600: "小时", 86400: "天"}


class SmsRefusedError(Exception):
    """A refusal of Alibaba Cloud's; business refusals (isv.*, isp.*) come with HTTP 200."""

    def __init__(self, code: str, message: str, status: int = 200) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status


def send_sms(rows: sqlite3.Connection, console: Console, params: Mapping[str, str]) -> str:
    """Send to every phone or to none; answers the BizId (发送回执)."""
    phones = _phones(params["PhoneNumbers"])
    sign_name, template_code = params["SignName"], params["TemplateCode"]
    if sign_name not in console.signs:
        raise SmsRefusedError("isv.SMS_SIGNATURE_ILLEGAL", "该账号下找不到对应签名")
    template = console.templates.get(template_code)
    if template is None:
        raise SmsRefusedError("isv.SMS_TEMPLATE_ILLEGAL", "该账号下找不到对应模板")
    values = _values(params.get("TemplateParam") or "{}")
    text = f"【{sign_name}】{_filled(template, values)}"
    biz_id = f"{secrets.randbelow(10**18):018d}^0"
    params_text = json.dumps(values, ensure_ascii=False)
    for phone in phones:
        _require_quota(
            rows, console, phone, kind=template.kind, sign_name=sign_name, template_code=template_code
        )
        rows.execute(
            "INSERT INTO sms_messages (biz_id, phone, sign_name, template_code, kind, params, text, sent_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (biz_id, phone, sign_name, template_code, template.kind, params_text, text, time.time()),
        )
    return biz_id


def received(rows: sqlite3.Connection, phone: str = "", limit: int = 50) -> list[dict[str, object]]:
    """The last messages, newest first: of one phone, or of all."""
    found = rows.execute(
        "SELECT biz_id, phone, sign_name, template_code, params, text, sent_at FROM sms_messages"
        " WHERE ? IN ('', phone) ORDER BY id DESC LIMIT ?",
        (phone, limit),
    )
    return [{**row, "params": json.loads(row["params"])} for row in map(dict, found)]


def _phones(text: str) -> list[str]:
    numbers = text.split(",")
    if len(numbers) > _AT_ONCE:
        raise SmsRefusedError("isv.MOBILE_COUNT_OVER_LIMIT", "手机号码数量超过限制")
    matches = [_MOBILE.fullmatch(number) for number in numbers]
    found = [match[1] for match in matches if match]
    if len(found) < len(numbers):
        raise SmsRefusedError("isv.MOBILE_NUMBER_ILLEGAL", f"{text}invalid mobile number")
    return found


def _values(text: str) -> dict[str, str]:
    try:
        values = json.loads(text)
        json.dumps(values, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise SmsRefusedError("isv.INVALID_JSON_PARAM", "参数格式错误，请修改为字符串值") from error
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise SmsRefusedError("isv.INVALID_JSON_PARAM", "参数格式错误，请修改为字符串值")
    return values


def _filled(template: Template, values: Mapping[str, str]) -> str:
    try:
        return Text(template.text).substitute(values)
    except KeyError as error:
        raise SmsRefusedError("isv.TEMPLATE_MISSING_PARAMETERS", "模板变量缺少对应参数值") from error


def _require_quota(
    rows: sqlite3.Connection, console: Console, phone: str, *, kind: str, sign_name: str, template_code: str
) -> None:
    """Codes count per signature, notices per signature and template."""
    for seconds, allowed in console.limits[kind].items():
        (sent,) = rows.execute(
            "SELECT count(*) FROM sms_messages WHERE phone = ? AND sent_at > ? AND sign_name = ?"
            " AND kind = ? AND (kind = 'code' OR template_code = ?)",
            (phone, time.time() - seconds, sign_name, kind, template_code),
        ).fetchone()
        if sent >= allowed:
            window = _WINDOW_NAMES.get(seconds, f"{seconds}秒")
            raise SmsRefusedError("isv.BUSINESS_LIMIT_CONTROL", f"触发{window}级流控Permits:{allowed}")
