"""微信订阅消息 (subscribeMessage.send): who may be written to, and what with."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from miniprogram_stub.platform.clock import BEIJING
from miniprogram_stub.platform.consents import spend_consent
from miniprogram_stub.platform.inbox import Message, show
from miniprogram_stub.platform.templates import MessageTemplate, plain_text
from miniprogram_stub.platform.wechat_errors import RefusedError
from miniprogram_stub.platform.wechat_values import acceptable

_SENDS_PER_DAY: Final = 10_000_000
_STATES: Final = ("developer", "trial", "formal")
_LANGUAGES: Final = ("zh_CN", "en_US", "zh_HK", "zh_TW")
_PAGE: Final = re.compile(r"[\w-]+(?:/[\w-]+)*(?:\?\S{0,900})?")


def send_subscribe_message(
    rows: sqlite3.Connection, templates: Mapping[str, MessageTemplate], message: Mapping[str, object]
) -> int:
    """Use one consent up and show the message; answers its msgid, or raises RefusedError.

    Which of several faults is named first is not documented: here consent is looked at last, so that
    a refusal of any other kind leaves it unspent.
    """
    _spend_daily_quota(rows)
    person = _recipient(rows, message.get("touser"))
    template_id = str(message.get("template_id"))
    template = templates.get(template_id)
    if template is None:
        raise RefusedError(40037)
    values = _values(template, message.get("data"))
    page = _page(message)
    if not spend_consent(rows, "wechat", person, template_id):
        raise RefusedError(43101)
    msgid = secrets.randbelow(2**62)
    show(
        rows,
        Message(
            channel="wechat",
            person=person,
            template=template_id,
            title=template.title,
            text=template.rendered(values),
            page=page,
            content=json.dumps(values, ensure_ascii=False),
            platform_id=str(msgid),
        ),
    )
    return msgid


def _spend_daily_quota(rows: sqlite3.Connection) -> None:
    (used,) = rows.execute(
        "INSERT INTO quotas VALUES ('subscribe/send', ?, 1)"
        " ON CONFLICT DO UPDATE SET used = used + 1 RETURNING used",
        (f"{datetime.now(BEIJING):%Y-%m-%d}",),
    ).fetchone()
    if used > _SENDS_PER_DAY:
        raise RefusedError(45009)


def _recipient(rows: sqlite3.Connection, openid: object) -> str:
    if not isinstance(openid, str) or not openid.isascii():
        raise RefusedError(40003)
    row = rows.execute("SELECT name FROM people WHERE wechat_openid = ?", (openid,)).fetchone()
    if row is None:
        raise RefusedError(40003)
    return str(row["name"])


def _values(template: MessageTemplate, data: object) -> dict[str, str]:
    if not isinstance(data, dict):
        raise RefusedError(47003, "data invalid")
    for unknown in data.keys() - set(template.keywords):
        raise RefusedError(47003, f"data.{unknown.encode(errors='replace').decode()} invalid")
    return {keyword: _value(keyword, data.get(keyword)) for keyword in template.keywords}


def _value(keyword: str, given: object) -> str:
    value = plain_text(given.get("value")) if isinstance(given, dict) else None
    if value is None or not acceptable(keyword, value):
        raise RefusedError(47003, f"data.{keyword}.value invalid")
    return value


def _page(message: Mapping[str, object]) -> str:
    for name, known in (("miniprogram_state", _STATES), ("lang", _LANGUAGES)):
        if message.get(name, known[0]) not in known:
            raise RefusedError(47003, f"{name} invalid")
    page = message.get("page") or ""
    if not isinstance(page, str) or (page and not (page.isprintable() and _PAGE.fullmatch(page))):
        raise RefusedError(41030)
    return page
