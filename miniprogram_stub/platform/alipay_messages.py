"""alipay.open.app.mini.templatemessage.send (小程序发送模板消息), on the model of one-time subscription."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping
from typing import Final

from miniprogram_stub.platform.alipay_refusal import GatewayRefusalError
from miniprogram_stub.platform.consents import spend_consent
from miniprogram_stub.platform.files import WatchedFile
from miniprogram_stub.platform.inbox import Message, show
from miniprogram_stub.platform.templates import MessageTemplate, plain_text

_LONGEST_VALUE: Final = 50
_LONGEST: Final = {"to_user_id": 20, "to_open_id": 128, "form_id": 64, "user_template_id": 64, "page": 128}
_REQUIRED: Final = ("user_template_id", "page")
_LONGEST_DATA: Final = 2048


def send_template_message(
    templates: WatchedFile[dict[str, MessageTemplate]], rows: sqlite3.Connection, params: Mapping[str, str]
) -> dict[str, object]:
    """Use one consent up and show the message; what is refused before that leaves it unspent."""
    content = _biz_content(params.get("biz_content", ""))
    person = _recipient(rows, content)
    template_id = content["user_template_id"]
    template = (templates.current() or {}).get(template_id)
    if template is None:
        raise _failed("USER_TEMPLATE_ILLEGAL", "模板非法")
    values = _values(template, content["data"])
    if not spend_consent(rows, "alipay", person, template_id):
        raise _failed("USER_NOT_SUBSCRIBE", "用户未订阅该模板消息")
    show(
        rows,
        Message(
            channel="alipay",
            person=person,
            template=template_id,
            title=template.title,
            text=template.rendered(values),
            page=content["page"],
            content=json.dumps(values, ensure_ascii=False),
            platform_id=secrets.token_hex(16),
        ),
    )
    return {"code": "10000", "msg": "Success"}


def _failed(sub_code: str, sub_msg: str) -> GatewayRefusalError:
    return GatewayRefusalError("40004", sub_code, sub_msg)


def _biz_content(text: str) -> dict[str, str]:
    """Every parameter as text, `data` as JSON however it was sent."""
    given = _object(text)
    if given is None:
        raise GatewayRefusalError("40002", "isv.invalid-parameter", "biz_content 须为 JSON 对象")
    data = given.get("data", "")
    if isinstance(data, dict):
        data = json.dumps(data, ensure_ascii=False)
    if not isinstance(data, str) or not 1 <= len(data) <= _LONGEST_DATA:
        raise _failed("INVALID_PARAMETER", "参数有误：data")
    return {"data": data, **{name: _parameter(given, name) for name in _LONGEST}}


def _parameter(given: Mapping[str, object], name: str) -> str:
    value = given.get(name, "")
    text = plain_text(value)
    if text is None or text != value or not (name in _REQUIRED) <= len(text) <= _LONGEST[name]:
        raise _failed("INVALID_PARAMETER", f"参数有误：{name}")
    return text


def _object(text: str) -> dict[str, object] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _recipient(rows: sqlite3.Connection, content: Mapping[str, str]) -> str:
    row = rows.execute(
        "SELECT name FROM people WHERE alipay_user_id = ? OR alipay_open_id = ?",
        (content["to_user_id"], content["to_open_id"]),
    ).fetchone()
    if row is None:
        raise _failed("INVALID_PARAMETER", "参数有误：to_user_id 或 to_open_id")
    return str(row["name"])


def _values(template: MessageTemplate, text: str) -> dict[str, str]:
    data = _object(text)
    if data is None:
        raise _failed("INVALID_PARAMETER", "参数有误：data")
    if data.keys() != set(template.keywords):
        raise _failed("USER_TEMPLATE_LACK_KEYWORD", "缺少关键词")
    return {keyword: _value(data[keyword]) for keyword in template.keywords}


def _value(given: object) -> str:
    value = plain_text(given.get("value")) if isinstance(given, dict) else None
    if not value:
        raise _failed("USER_TEMPLATE_LACK_KEYWORD", "缺少关键词")
    if len(value) > _LONGEST_VALUE:
        raise _failed("USER_KEYWORD_LENGTH_ERROR", "关键词超长")
    return value
