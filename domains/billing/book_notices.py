"""What residents are told of the accounts (账目公示通知)."""

from __future__ import annotations

from datetime import timedelta

from notifications.kinds import FieldType, Kind, Text

PUBLISHED = Kind(
    "accounts.published",
    Text("小区账目已公示", "The accounts are published"),
    {"compound": FieldType.TEXT, "month": FieldType.TEXT},
    Text("{compound} {month} 账目已公示", "{compound}: accounts of {month}"),
    Text(
        "收入、支出与收缴情况可在账目公示中查看，支出附有凭证。",
        "Income, expenses with their vouchers and what was collected are there to read.",
    ),
    worth=timedelta(days=30),
    link="/pages/books/index",
    wechat={"thing1": "{compound}", "thing2": "{month}"},
    alipay={"keyword1": "{compound}", "keyword2": "{month}"},
    purpose=Text("小区公示月度账目时通知您", "Tells you when a month's accounts are published"),
    audience=frozenset({"resident"}),
)

KINDS = (PUBLISHED,)
