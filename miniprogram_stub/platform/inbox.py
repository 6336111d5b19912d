"""What the phones received (手机收到的消息), on every channel in one row of time."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import astuple, dataclass
from typing import Final, Literal, get_args

Channel = Literal["wechat", "alipay", "push", "sms", "voice"]
CHANNELS: Final[tuple[str, ...]] = get_args(Channel)
_NEWEST: Final = """
SELECT messages.id, channel, coalesce(nullif(messages.person, ''), phones.person, '') AS person,
    messages.phone, template, title, text, page, content, platform_id, sent_at
FROM messages LEFT JOIN phones ON phones.phone = messages.phone
WHERE messages.id > :after AND :channel IN ('', channel) AND (:person = '' OR messages.id IN (
    SELECT id FROM messages WHERE person = :person
    UNION SELECT id FROM messages WHERE phone = :person
    UNION SELECT id FROM messages WHERE phone IN (SELECT phone FROM phones WHERE person = :person)))
ORDER BY messages.id DESC LIMIT 500
"""
_FOLLOWING: Final = _NEWEST.replace("DESC", "ASC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as a phone shows it: to a person, or to a number.

    `content` is what was sent: the values as JSON, the plaintext of a push.
    """

    channel: Channel
    person: str = ""
    phone: str = ""
    template: str = ""
    title: str = ""
    text: str
    page: str = ""
    content: str
    platform_id: str


def show(rows: sqlite3.Connection, message: Message) -> None:
    """Let the phone show it now."""
    rows.execute(
        "INSERT INTO messages (channel, person, phone, template, title, text, page, content, platform_id,"
        " sent_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*astuple(message), time.time()),
    )


def shown(
    rows: sqlite3.Connection, person: str = "", channel: str = "", after: int | None = None
) -> list[dict[str, object]]:
    """Messages of one person or number, or of all, oldest first; `after` is the id of the last one seen.

    At most 500: those that follow `after`, and without it the newest.
    """
    found = rows.execute(
        _NEWEST if after is None else _FOLLOWING,
        {"person": person, "channel": channel, "after": after or 0},
    )
    return sorted(map(dict, found), key=lambda row: row["id"])
