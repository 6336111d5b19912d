"""Kinds, people who can be told, and what they were told, the short way."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID, uuid4

from domains.kernel import clock, database, sealing
from domains.kernel.ids import uuid7
from notifications.kinds import Channel, FieldType, Kind, Registry, Text, Urgency, registry
from notifications.notifying import Templates, notify, templates
from notifications.sealed import CONTACT_ADDRESS

WECHAT_KEYWORDS = {"thing1": "{house}"}


def kind(name: str, **columns: Any) -> Kind:  # Any: columns of Kind
    """A kind with the field `house`, optional and by the usual channels unless told."""
    words: dict[str, Any] = {
        "label": Text("测试", "Test"), "fields": {"house": FieldType.TEXT}, "purpose": Text("用于测试", "For tests"),
        "title": Text("{house} 有新消息", "News of {house}"), "body": Text("请查看 {house}", "Look at {house}"),
        "wechat": WECHAT_KEYWORDS, "alipay": WECHAT_KEYWORDS,
    }  # fmt: skip
    return Kind(name, **{**words, **columns})


PLAIN = kind("test.plain")
OTHER = kind("test.other", label=Text("其他", "Other"), link="/pages/house?number={house}")
RESIDENT = kind("test.resident", audience=frozenset({"resident"}))
STAFF = kind("test.staff", audience=frozenset({"staff"}), sms={"house": "{house}"})
FIXED = kind("test.fixed", is_optional=False)
URGENT = kind("test.urgent", urgency=Urgency.URGENT, sms={"house": "{house}"}, voice={"house": "{house}"})
KINDS = (PLAIN, OTHER, RESIDENT, STAFF, FIXED, URGENT)

WECHAT_TEMPLATES: Mapping[str, str] = {each.name: f"tmpl-{each.name}" for each in KINDS}
TEMPLATES: Templates = {Channel.WECHAT: WECHAT_TEMPLATES, Channel.SMS: {URGENT.name: "SMS_1"}}


def use(kinds: Collection[Kind] = KINDS, having: Templates = TEMPLATES) -> None:
    """Let these be the kinds and templates of the instance."""
    registry.fill(Registry(kinds))
    templates.fill(having)


async def told(account_id: UUID, of: Kind = PLAIN, house: str = "3-1-101", **more: Any) -> UUID:
    """The account is told something; the id of the row in its inbox. Any: arguments of `notify`."""
    key = str(uuid4())
    async with database.transaction():
        arguments = {"dedupe_key": key, "compound_id": None, **more}
        await notify([account_id], of, {"house": house}, **arguments)
    id: UUID = await database.fetchval(
        "SELECT n.id FROM notification n JOIN notice c ON c.id = n.notice_id WHERE c.dedupe_key = $1", key
    )
    return id


async def contact(account_id: UUID, channel: Channel, address: str = "openid") -> None:
    """The account can be reached by a channel."""
    await database.execute(
        "INSERT INTO contact (id, account_id, channel, app_id, address_sealed, updated_at) VALUES ($1, $2, $3, '', $4, $5)",
        uuid7(), account_id, channel, sealing.seal(address, CONTACT_ADDRESS), clock.now(),
    )  # fmt: skip


async def consents(account_id: UUID, template: str, state: str = "free") -> int:
    """Consents of an account to a template, in a state."""
    statement = (
        "SELECT count(*) FROM message_consent WHERE account_id = $1 AND template_id = $2 AND state = $3"
    )
    return int(await database.fetchval(statement, account_id, template, state))


async def events(account_id: UUID, name: str) -> int:
    """What the account's listeners were told of a name."""
    statement = "SELECT count(*) FROM viewer_event WHERE account_id = $1 AND name = $2"
    return int(await database.fetchval(statement, account_id, name))


TABLES = (
    "notification",
    "viewer_event",
    "notification_preference",
    "recipient",
    "message_consent",
    "push_subscription",
)


async def fingerprint() -> list[str]:
    """Equal before and after something that was refused: every row, and every done row of the audit."""
    rows = [
        await database.fetchval(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t")
        for table in TABLES
    ]
    return [*rows, await database.fetchval("SELECT count(*)::text FROM audit_entry WHERE outcome = 'done'")]
