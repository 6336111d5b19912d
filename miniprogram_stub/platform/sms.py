"""阿里云短信服务 (Dysmsapi 2017-05-25): what is refused, what is sent, and what became of it."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from miniprogram_stub.platform.clock import BEIJING, beijing_time
from miniprogram_stub.platform.inbox import Message, show
from miniprogram_stub.platform.phone_lines import line_state
from miniprogram_stub.platform.rpc_gateway import Action, Service
from miniprogram_stub.platform.rpc_parameters import filled, given_number, given_variables
from miniprogram_stub.platform.rpc_refusal import RpcRefusedError
from miniprogram_stub.platform.sms_console import Console, SmsConsole, Template

MOBILE: Final = re.compile(r"(?:\+86|0086|86)?(1[3-9][0-9]{9})")
_AT_ONCE: Final = 1000
_WINDOW_NAMES: Final = {60: "分钟", 3600: "小时", 86400: "天"}
_ERR_CODES: Final = {1: "", 2: "INVALID_NUMBER", 3: "DELIVERED"}
_STATUS_OF_LINE: Final = {"off": 1, "void": 2, "on": 3}


def sms_service(console: SmsConsole) -> Service:
    """SendSms and QuerySendDetails."""
    required = ("PhoneNumber", "SendDate", "PageSize", "CurrentPage")
    actions = {
        "SendSms": Action(("PhoneNumbers", "SignName", "TemplateCode"), partial(send_sms, console)),
        "QuerySendDetails": Action(required, query_send_details),
    }
    return Service("sms", "dysmsapi.aliyuncs.com", "/", actions)


def send_sms(console: SmsConsole, rows: sqlite3.Connection, params: Mapping[str, str]) -> dict[str, object]:
    """Send to every phone or to none; answers the BizId (发送回执)."""
    setup = console.current()
    phones = _phones(params["PhoneNumbers"])
    sign_name, template_code = params["SignName"], params["TemplateCode"]
    if setup is None or sign_name not in setup.signs:
        raise RpcRefusedError("isv.SMS_SIGNATURE_ILLEGAL", "该账号下找不到对应签名")
    template = console.template(template_code)
    if template is None or template_code.startswith("TTS_"):
        raise RpcRefusedError("isv.SMS_TEMPLATE_ILLEGAL", "该账号下找不到对应模板")
    values = given_variables(params.get("TemplateParam", ""))
    sending = {
        "biz_id": f"{secrets.randbelow(10**18):018d}^0",
        "sign_name": sign_name,
        "template_code": template_code,
        "kind": template.kind,
        "params": json.dumps(values, ensure_ascii=False),
        "text": f"【{sign_name}】{filled(template.text, values)}",
        "out_id": params.get("OutId", ""),
    }
    for phone in phones:
        _require_quota(rows, setup, template, {**sending, "phone": phone})
        _submit(rows, {**sending, "phone": phone})
    return {"BizId": sending["biz_id"]}


def query_send_details(rows: sqlite3.Connection, params: Mapping[str, str]) -> dict[str, object]:
    """The messages of one day (Beijing's) to one number, newest first; SendStatus is 1, 2 or 3."""
    size = given_number(params, "PageSize", 1, 50)
    page = given_number(params, "CurrentPage", 1, 10**6)
    start = _day(params["SendDate"])
    where = (
        " FROM sms_messages WHERE phone = :phone AND sent_at >= :start AND sent_at < :end"
        " AND :biz_id IN ('', biz_id)"
    )
    values = {
        "phone": params["PhoneNumber"],
        "start": start.timestamp(),
        "end": (start + timedelta(days=1)).timestamp(),
        "biz_id": params.get("BizId", ""),
        "size": size,
        "skipped": (page - 1) * size,
    }
    (total,) = rows.execute(f"SELECT count(*){where}", values).fetchone()
    found = rows.execute(f"SELECT *{where} ORDER BY id DESC LIMIT :size OFFSET :skipped", values)
    return {"TotalCount": total, "SmsSendDetailDTOs": {"SmsSendDetailDTO": [_detail(row) for row in found]}}


def deliver_waiting(rows: sqlite3.Connection, phone: str) -> None:
    """The phone is reachable again: what waited for it arrives."""
    waiting = rows.execute(
        "SELECT * FROM sms_messages WHERE phone = ? AND status = 1 ORDER BY id", (phone,)
    ).fetchall()
    for message in waiting:
        rows.execute(
            "UPDATE sms_messages SET status = 3, received_at = ? WHERE id = ?", (time.time(), message["id"])
        )
        _arrive(rows, dict(message))


def received(rows: sqlite3.Connection, phone: str = "", limit: int = 50) -> list[dict[str, object]]:
    """The last messages, newest first: of one phone, or of all."""
    found = rows.execute(
        "SELECT biz_id, phone, sign_name, template_code, params, text, out_id, sent_at FROM sms_messages"
        " WHERE ? IN ('', phone) AND status = 3 ORDER BY id DESC LIMIT ?",
        (phone, limit),
    )
    return [{**row, "params": json.loads(row["params"])} for row in map(dict, found)]


def _phones(text: str) -> list[str]:
    numbers = text.split(",")
    if len(numbers) > _AT_ONCE:
        raise RpcRefusedError("isv.MOBILE_COUNT_OVER_LIMIT", "手机号码数量超过限制")
    matches = [MOBILE.fullmatch(number) for number in numbers]
    found = [match[1] for match in matches if match]
    if len(found) < len(numbers):
        raise RpcRefusedError("isv.MOBILE_NUMBER_ILLEGAL", f"{text}invalid mobile number")
    return found


def _require_quota(
    rows: sqlite3.Connection, setup: Console, template: Template, sending: Mapping[str, str]
) -> None:
    """Codes count per signature, notices per signature and template."""
    for seconds, allowed in setup.limits[template.kind].items():
        (sent,) = rows.execute(
            "SELECT count(*) FROM sms_messages WHERE phone = :phone AND sent_at > :since"
            " AND sign_name = :sign_name AND kind = :kind"
            " AND (kind = 'code' OR template_code = :template_code)",
            {**sending, "since": time.time() - seconds},
        ).fetchone()
        require_below(sent, allowed, seconds)


def require_below(used: int, allowed: int, seconds: int) -> None:
    """Refuse what would be more than `allowed` in a window of so many seconds (流控)."""
    if used >= allowed:
        window = _WINDOW_NAMES.get(seconds, f"{seconds}秒")
        raise RpcRefusedError("isv.BUSINESS_LIMIT_CONTROL", f"触发{window}级流控Permits:{allowed}")


def _submit(rows: sqlite3.Connection, sending: Mapping[str, str]) -> None:
    now, status = time.time(), _STATUS_OF_LINE[line_state(rows, sending["phone"])]
    rows.execute(
        "INSERT INTO sms_messages (biz_id, phone, sign_name, template_code, kind, params, text, out_id,"
        " sent_at, status, received_at) VALUES (:biz_id, :phone, :sign_name, :template_code, :kind, :params,"
        " :text, :out_id, :now, :status, :now)",
        {**sending, "now": now, "status": status},
    )
    if status == 3:
        _arrive(rows, sending)


def _arrive(rows: sqlite3.Connection, sending: Mapping[str, str]) -> None:
    show(
        rows,
        Message(
            channel="sms",
            phone=sending["phone"],
            template=sending["template_code"],
            text=sending["text"],
            content=sending["params"],
            platform_id=sending["biz_id"],
        ),
    )


def _day(text: str) -> datetime:
    try:
        if len(text) != 8:
            raise ValueError(text)
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=BEIJING)
    except ValueError as error:
        raise RpcRefusedError("isv.INVALID_PARAMETERS", "参数异常：SendDate") from error


def _detail(row: sqlite3.Row) -> dict[str, object]:
    return {
        "PhoneNum": row["phone"],
        "SendStatus": row["status"],
        "ErrCode": _ERR_CODES[row["status"]],
        "TemplateCode": row["template_code"],
        "Content": row["text"],
        "SendDate": beijing_time(row["sent_at"]),
        "ReceiveDate": "" if row["status"] == 1 else beijing_time(row["received_at"] or row["sent_at"]),
        "OutId": row["out_id"],
    }
