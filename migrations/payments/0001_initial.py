from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from domains.kernel.ids import uuid7


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="Journal",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("compound_id", fields.UUIDField()),
                ("kind", fields.CharField(description="see payments.rules.KINDS", max_length=30)),
                (
                    "key",
                    fields.CharField(
                        description="what it is the posting of; once per compound and for ever",
                        max_length=120,
                    ),
                ),
                ("posted_on", fields.DateField(description="the business date it counts for (记账日期)")),
                ("posted_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("memo", fields.CharField(default="", description="摘要", max_length=200)),
                (
                    "actor_id",
                    fields.UUIDField(
                        null=True, description="the account that caused it; null for the house itself"
                    ),
                ),
                (
                    "reverses",
                    fields.ForeignKeyField(
                        "payments.Journal",
                        source_field="reverses_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="reversals",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "journal",
                "app": "payments",
                "unique_together": (("compound_id", "key"),),
                "indexes": [Index(fields=["compound_id", "posted_on", "id"], name="journal_compound_on")],
                "pk_attr": "id",
                "table_description": "One balanced posting (记账凭证); its entries sum to zero and are never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LedgerAccount",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("compound_id", fields.UUIDField()),
                ("code", fields.CharField(description="see payments.rules.ACCOUNTS", max_length=40)),
                (
                    "subject_id",
                    fields.UUIDField(null=True, description="the house, fee item or cashier it is kept for"),
                ),
                (
                    "purpose",
                    fields.CharField(
                        default="", description="what the money is for; empty for anything", max_length=30
                    ),
                ),
                (
                    "balance_fen",
                    fields.BigIntField(
                        null=True,
                        description="kept by the database where the balance may not fall below zero, null elsewhere",
                    ),
                ),
                ("opened_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "ledger_account",
                "app": "payments",
                "pk_attr": "id",
                "table_description": "An account of a compound's books (会计账户): a code, whom or what it is kept for, and for which purpose.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Payable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("compound_id", fields.UUIDField()),
                (
                    "subject_type",
                    fields.CharField(description="what is sold: bill, late_fee, order …", max_length=20),
                ),
                ("subject_id", fields.UUIDField()),
                ("holder_id", fields.UUIDField(description="the house or person whose debt it is")),
                (
                    "account",
                    fields.ForeignKeyField(
                        "payments.LedgerAccount",
                        source_field="account_id",
                        description="the receivable account it stands on",
                        db_constraint=True,
                        to_field="id",
                        related_name="payables",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "due_fen",
                    fields.BigIntField(description="what is owed after corrections; settled_fen at least"),
                ),
                ("settled_fen", fields.BigIntField(default=0)),
                ("due_on", fields.DateField()),
                ("opened_on", fields.DateField()),
                (
                    "held_until",
                    fields.DatetimeField(
                        null=True,
                        description="a payment is under way: the amount stands still till then",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "payable",
                "app": "payments",
                "unique_together": (("subject_id", "subject_type"),),
                "pk_attr": "id",
                "table_description": "Something owed (应收款): by whom is its account, for what its subject; settled in whole or part.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Entry",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "journal",
                    fields.ForeignKeyField(
                        "payments.Journal",
                        source_field="journal_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="entries",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "account",
                    fields.ForeignKeyField(
                        "payments.LedgerAccount",
                        source_field="account_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="entries",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "payable",
                    fields.ForeignKeyField(
                        "payments.Payable",
                        source_field="payable_id",
                        null=True,
                        description="the debt that it opens, changes or settles; on receivable accounts always",
                        db_constraint=True,
                        to_field="id",
                        related_name="entries",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("amount_fen", fields.BigIntField()),
                (
                    "posted_on",
                    fields.DateField(description="the journal's, so that a month is read without it"),
                ),
            ],
            options={
                "table": "entry",
                "app": "payments",
                "indexes": [
                    Index(fields=["account_id", "posted_on", "id"], name="entry_account"),
                    Index(fields=["journal_id"], name="entry_journal"),
                ],
                "pk_attr": "id",
                "table_description": "One line of a journal (分录): debit above zero, credit below (借正贷负).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Settlement",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("compound_id", fields.UUIDField()),
                (
                    "payable",
                    fields.ForeignKeyField(
                        "payments.Payable",
                        source_field="payable_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="settlements",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "journal",
                    fields.ForeignKeyField(
                        "payments.Journal",
                        source_field="journal_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="settlements",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("amount_fen", fields.BigIntField()),
                ("settled_on", fields.DateField(description="the day of payment in Asia/Shanghai")),
            ],
            options={
                "table": "settlement",
                "app": "payments",
                "indexes": [Index(fields=["payable_id", "settled_on"], name="settlement_payable")],
                "pk_attr": "id",
                "table_description": "A payable was settled by so much on a day (核销); taken back by a row below zero.",
            },
            bases=["Model"],
        ),
    ]
