from orjson import loads
from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from domains.kernel.ids import uuid7


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0003_asset_exports"),
        ("estate", "0001_initial"),
        ("estate", "0002_integrity"),
        ("identity", "0001_initial"),
        ("identity", "0002_integrity"),
        ("identity", "0003_operator"),
        ("residents", "0001_initial"),
        ("residents", "0002_integrity"),
    ]

    initial = True

    operations = [
        ops.CreateModel(
            name="AccountsPublication",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="publications",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("month", fields.DateField(description="its first day")),
                ("revision", fields.SmallIntField(description="1, 2, …; the last one counts")),
                (
                    "content",
                    fields.JSONField(
                        description="as computed on the day; see books.Books",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("sha256", fields.CharField(description="of the content as published", max_length=64)),
                ("note", fields.CharField(default="", max_length=200)),
                ("published_by", fields.UUIDField()),
                ("published_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "accounts_publication",
                "app": "billing",
                "unique_together": (("compound", "month", "revision"),),
                "pk_attr": "id",
                "table_description": "A month's accounts as residents read them (账目公示); what was published does not change, it is published anew.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="BillingExport",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="billing_exports",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "account",
                    fields.ForeignKeyField(
                        "identity.Account",
                        source_field="account_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="billing_exports",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("file_key", fields.CharField(description="key in the file store", max_length=120)),
                ("made_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "billing_export",
                "app": "billing",
                "indexes": [Index(fields=["made_at"], name="billing_export_made")],
                "pk_attr": "id",
                "table_description": "A file of arrears that somebody asked for (欠费导出); the file and its row are soon forgotten.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="BillingRules",
            fields=[
                (
                    "compound",
                    fields.OneToOneField(
                        "estate.Compound",
                        source_field="compound_id",
                        primary_key=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="billing_rules",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "billing_day",
                    fields.SmallIntField(
                        null=True,
                        description="day of the month, 1 to 28, on which a run begins by itself; null is never",
                    ),
                ),
                (
                    "is_automatic",
                    fields.BooleanField(
                        default=False, description="a scheduled run is posted without approval"
                    ),
                ),
                (
                    "months_back",
                    fields.SmallIntField(
                        default=0, description="earlier months whose missing lines a scheduled run adds"
                    ),
                ),
                (
                    "due_days",
                    fields.SmallIntField(
                        default=15, description="days from the issue of a bill to its due date"
                    ),
                ),
                ("allows_part_payment", fields.BooleanField(default=False)),
                (
                    "deducts_automatically",
                    fields.BooleanField(
                        default=True, description="bills are paid from prepayments by themselves"
                    ),
                ),
                ("last_bill_number", fields.BigIntField(default=0)),
            ],
            options={
                "table": "billing_rules",
                "app": "billing",
                "pk_attr": "compound_id",
                "table_description": "How a compound bills (计费规则).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="BillingRun",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="billing_runs",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("month", fields.DateField(description="the billing month, its first day")),
                (
                    "from_month",
                    fields.DateField(description="the first month of which missing lines are added"),
                ),
                (
                    "fee_item_ids",
                    ArrayField(default=list, description="only these; empty is all", element_type="UUID"),
                ),
                (
                    "house",
                    fields.ForeignKeyField(
                        "estate.House",
                        source_field="house_id",
                        null=True,
                        description="only this one: months paid ahead, or a charge billed at once",
                        db_constraint=True,
                        to_field="id",
                        related_name="billing_runs",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "discount_percent",
                    fields.DecimalField(
                        default=0, description="for months paid ahead", max_digits=5, decimal_places=2
                    ),
                ),
                (
                    "issued_on",
                    fields.DateField(description="the day on its bills; the due date counts from it"),
                ),
                (
                    "state",
                    fields.CharField(description="draft | approved | posted | cancelled", max_length=9),
                ),
                ("is_scheduled", fields.BooleanField(default=False)),
                (
                    "preview",
                    fields.JSONField(
                        description="totals by fee item, exceptions by code, as previewed",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("expected_fen", fields.BigIntField(description="the previewed total; approved as such")),
                ("houses", fields.IntField(description="houses to go through")),
                ("houses_done", fields.IntField(default=0)),
                (
                    "cursor",
                    fields.CharField(
                        null=True, description="sort key of the last house done", max_length=640
                    ),
                ),
                ("cursor_house_id", fields.UUIDField(null=True)),
                ("bills", fields.IntField(default=0)),
                ("lines", fields.IntField(default=0)),
                ("posted_fen", fields.BigIntField(default=0)),
                ("exceptions", fields.IntField(default=0)),
                ("created_by", fields.UUIDField(null=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("approved_by", fields.UUIDField(null=True)),
                ("approved_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "ended_at",
                    fields.DatetimeField(
                        null=True, description="posted or cancelled", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "billing_run",
                "app": "billing",
                "indexes": [Index(fields=["compound_id", "created_at", "id"], name="billing_run_compound")],
                "pk_attr": "id",
                "table_description": "A run (出账批次): previewed, approved, posted house by house; it goes on where it was stopped.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DocumentCounter",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="document_counters",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharField(description="receipt | statement | bill | letter", max_length=9)),
                ("year", fields.SmallIntField()),
                ("issued", fields.IntField(default=0)),
            ],
            options={
                "table": "document_counter",
                "app": "billing",
                "unique_together": (("compound", "kind", "year"),),
                "pk_attr": "id",
                "table_description": "How many papers of a kind a compound has issued in a year: numbers have no gaps (单据编号).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DocumentIssue",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="documents",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharField(description="receipt | statement | bill | letter", max_length=9)),
                ("number", fields.CharField(max_length=30)),
                (
                    "code",
                    fields.CharField(
                        unique=True,
                        description="by which anybody who holds the paper checks it",
                        max_length=26,
                    ),
                ),
                (
                    "subject_id",
                    fields.UUIDField(description="the journal, house, bill or letter that it is about"),
                ),
                ("amount_fen", fields.BigIntField()),
                (
                    "content",
                    fields.JSONField(
                        description="all that is printed; see documents.papers.Paper",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("sha256", fields.CharField(description="of the content", max_length=64)),
                ("file_key", fields.CharField(description="key in the file store", max_length=120)),
                ("issued_on", fields.DateField()),
                ("issued_by", fields.UUIDField(description="the account that asked for it first")),
                ("issued_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "document_issue",
                "app": "billing",
                "unique_together": (("compound", "kind", "number"),),
                "pk_attr": "id",
                "table_description": "A paper that was issued (单据): what is printed on it stays as it was, and so does its number.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DunningLetter",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="dunning_letters",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "house",
                    fields.ForeignKeyField(
                        "estate.House",
                        source_field="house_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="dunning_letters",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("number", fields.CharField(max_length=30)),
                ("made_on", fields.DateField()),
                ("owed_fen", fields.BigIntField(description="principal and late fee on that day")),
                ("printed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("printed_by", fields.UUIDField(null=True)),
            ],
            options={
                "table": "dunning_letter",
                "app": "billing",
                "unique_together": (("compound", "number"),),
                "pk_attr": "id",
                "table_description": "A letter to be printed and handed over (催缴函).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DunningStep",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="dunning_steps",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("days", fields.SmallIntField(description="after the due date; below zero before it")),
                ("form", fields.CharField(description="message | letter", max_length=7)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "dunning_step",
                "app": "billing",
                "pk_attr": "id",
                "table_description": "A step of a compound's dunning (催缴步骤): so many days from the due date, as a message or a letter.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Expense",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="expenses",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("spent_on", fields.DateField()),
                ("category", fields.CharField(description="see rules.EXPENSES", max_length=12)),
                (
                    "amount_fen",
                    fields.BigIntField(description="below zero where it takes back some of another (冲减)"),
                ),
                (
                    "corrects",
                    fields.ForeignKeyField(
                        "billing.Expense",
                        source_field="corrects_id",
                        null=True,
                        description="the published expense that it takes back some of",
                        db_constraint=True,
                        to_field="id",
                        related_name="corrections",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("note", fields.CharField(max_length=200)),
                (
                    "voucher_key",
                    fields.CharField(null=True, description="key in the file store", max_length=120),
                ),
                ("entered_by", fields.UUIDField()),
                ("entered_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("removed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "expense",
                "app": "billing",
                "pk_attr": "id",
                "table_description": "What the compound spent (支出), with its voucher; shown to residents once its month is published.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="FeeItem",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="fee_items",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("name", fields.CharField(max_length=40)),
                ("category", fields.CharField(description="see rules.CATEGORIES", max_length=12)),
                ("method", fields.CharField(description="see rules.METHODS", max_length=10)),
                (
                    "cycle_months",
                    fields.SmallIntField(
                        null=True, description="months in a period; null where charged once"
                    ),
                ),
                ("timing", fields.CharField(description="advance | arrears (预收、后付)", max_length=7)),
                (
                    "anchor",
                    fields.CharField(
                        description="calendar | hand_over: what periods are counted from", max_length=9
                    ),
                ),
                (
                    "anchor_on",
                    fields.DateField(
                        null=True, description="the first period's first day, of a calendar anchor"
                    ),
                ),
                (
                    "price_months",
                    fields.SmallIntField(
                        default=1, description="months that a price is for: 12 is a yearly price"
                    ),
                ),
                (
                    "payer",
                    fields.CharField(
                        default="owner",
                        description="owner | tenant, where no liability says other",
                        max_length=6,
                    ),
                ),
                (
                    "vacancy_percent",
                    fields.DecimalField(
                        default=100,
                        description="what a vacant house pays of it",
                        max_digits=5,
                        decimal_places=2,
                    ),
                ),
                (
                    "bills_unsold",
                    fields.BooleanField(
                        default=False,
                        description="before hand-over the developer pays; false charges nothing",
                    ),
                ),
                ("bears_late_fee", fields.BooleanField(default=True)),
                (
                    "meter_kind",
                    fields.CharField(
                        null=True, description="of a metered item: see rules.METER_KINDS", max_length=12
                    ),
                ),
                (
                    "tier_span",
                    fields.CharField(
                        null=True, description="month | year: what tiers count over", max_length=5
                    ),
                ),
                (
                    "pooled_by",
                    fields.CharField(null=True, description="built_area | household", max_length=10),
                ),
                (
                    "uses",
                    ArrayField(
                        default=list,
                        description="uses of houses it is for; empty is all",
                        element_type="TEXT",
                    ),
                ),
                (
                    "building_ids",
                    ArrayField(
                        default=list, description="buildings it is for; empty is all", element_type="UUID"
                    ),
                ),
                ("starts_on", fields.DateField(description="nothing is charged for days before")),
                (
                    "ends_on",
                    fields.DateField(null=True, description="the first day that is not charged any more"),
                ),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "fee_item",
                "app": "billing",
                "unique_together": (("compound", "name"),),
                "pk_attr": "id",
                "table_description": "A fee item (收费项目): how it is measured, how often and in advance or in arrears it is billed, who pays.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AdvanceDiscount",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "fee_item",
                    fields.ForeignKeyField(
                        "billing.FeeItem",
                        source_field="fee_item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="advance_discounts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("months", fields.SmallIntField()),
                (
                    "percent",
                    fields.DecimalField(
                        description="off the price of these months", max_digits=5, decimal_places=2
                    ),
                ),
            ],
            options={
                "table": "advance_discount",
                "app": "billing",
                "unique_together": (("fee_item", "months"),),
                "pk_attr": "id",
                "table_description": "What paying so many months ahead saves (预缴优惠).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="FeeAgreement",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="fee_agreements",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "house",
                    fields.ForeignKeyField(
                        "estate.House",
                        source_field="house_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="fee_agreements",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "fee_item",
                    fields.ForeignKeyField(
                        "billing.FeeItem",
                        source_field="fee_item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="agreements",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("from_on", fields.DateField()),
                ("until_on", fields.DateField(null=True, description="the first day it holds no more")),
                (
                    "percent",
                    fields.DecimalField(
                        default=100, description="of the price; 0 is exempt", max_digits=6, decimal_places=2
                    ),
                ),
                ("coefficient", fields.DecimalField(default=1, max_digits=10, decimal_places=4)),
                ("note", fields.CharField(default="", max_length=200)),
                ("recorded_by", fields.UUIDField(null=True)),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "fee_agreement",
                "app": "billing",
                "pk_attr": "id",
                "table_description": "What was agreed for one house and fee item (个别约定): a share of the price, a coefficient for formulas.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="FeePrice",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "fee_item",
                    fields.ForeignKeyField(
                        "billing.FeeItem",
                        source_field="fee_item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="prices",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("from_on", fields.DateField()),
                (
                    "price_fen",
                    fields.DecimalField(
                        null=True,
                        description="fen per unit and price_months, or per unit metered",
                        max_digits=18,
                        decimal_places=6,
                    ),
                ),
                (
                    "tiers",
                    fields.JSONField(
                        null=True,
                        description='[{"above": "0", "price_fen": "280"}, …], units and fen as decimal text',
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "formula",
                    fields.CharField(null=True, description="see domains.billing.formula", max_length=200),
                ),
                ("recorded_by", fields.UUIDField(null=True)),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "fee_price",
                "app": "billing",
                "unique_together": (("fee_item", "from_on"),),
                "pk_attr": "id",
                "table_description": "What a fee item costs from a day on (收费标准): a price, tiers, or a formula.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="HouseReminder",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="house_reminders",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "house",
                    fields.ForeignKeyField(
                        "estate.House",
                        source_field="house_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="reminders",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("sent_on", fields.DateField()),
                ("sent_by", fields.UUIDField()),
            ],
            options={
                "table": "house_reminder",
                "app": "billing",
                "unique_together": (("house", "sent_on"),),
                "pk_attr": "id",
                "table_description": "Staff reminded a house by hand (人工催缴): once a day.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LateFeeRule",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="late_fee_rules",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("from_on", fields.DateField()),
                (
                    "daily_rate",
                    fields.DecimalField(
                        description="of the principal, per day: 0.0005", max_digits=9, decimal_places=7
                    ),
                ),
                ("grace_days", fields.SmallIntField(default=0, description="days after the due date")),
                (
                    "is_grace_charged",
                    fields.BooleanField(
                        default=False, description="the days of grace count once they have passed"
                    ),
                ),
                (
                    "cap_percent",
                    fields.DecimalField(
                        null=True,
                        description="of the principal; null is no cap",
                        max_digits=6,
                        decimal_places=2,
                    ),
                ),
                ("recorded_by", fields.UUIDField(null=True)),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "late_fee_rule",
                "app": "billing",
                "unique_together": (("compound", "from_on"),),
                "pk_attr": "id",
                "table_description": "A late fee (滞纳金) as it holds for bills issued from a day on.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Bill",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="bills",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "house",
                    fields.ForeignKeyField(
                        "estate.House",
                        source_field="house_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="bills",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "building",
                    fields.ForeignKeyField(
                        "estate.Building",
                        source_field="building_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="bills",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "run",
                    fields.ForeignKeyField(
                        "billing.BillingRun",
                        source_field="run_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="bills_made",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("number", fields.BigIntField(description="per compound, rising")),
                ("payer", fields.CharField(description="owner | tenant | developer", max_length=9)),
                (
                    "person",
                    fields.ForeignKeyField(
                        "residents.Person",
                        source_field="person_id",
                        null=True,
                        description="who pays, where a liability names them",
                        db_constraint=True,
                        to_field="id",
                        related_name="bills",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("month", fields.DateField(description="the billing month, its first day")),
                ("covers_from", fields.DateField(description="the first day that its lines are for")),
                ("covers_until", fields.DateField(description="the first day after them")),
                ("issued_on", fields.DateField()),
                ("due_on", fields.DateField()),
                (
                    "late_fee_rule",
                    fields.ForeignKeyField(
                        "billing.LateFeeRule",
                        source_field="late_fee_rule_id",
                        null=True,
                        description="null bears no late fee",
                        db_constraint=True,
                        to_field="id",
                        related_name="bills",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "issued_fen",
                    fields.BigIntField(description="the sum of its lines when issued; never changed"),
                ),
                ("state", fields.CharField(description="open | partly_paid | paid | void", max_length=11)),
                ("paid_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "bill",
                "app": "billing",
                "unique_together": (("compound", "number"),),
                "indexes": [Index(fields=["house_id", "month", "id"], name="bill_house")],
                "pk_attr": "id",
                "table_description": "A bill (账单) of a house for a billing month; what is paid of it is its payables' to say.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="BillLine",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "bill",
                    fields.ForeignKeyField(
                        "billing.Bill",
                        source_field="bill_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "house",
                    fields.ForeignKeyField(
                        "estate.House",
                        source_field="house_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="bill_lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "fee_item",
                    fields.ForeignKeyField(
                        "billing.FeeItem",
                        source_field="fee_item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="bill_lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharField(description="charge | adjustment", max_length=10)),
                ("period_from", fields.DateField()),
                ("period_until", fields.DateField(description="the first day of the next period")),
                (
                    "part",
                    fields.SmallIntField(
                        default=0, description="0, 1, … where several payers share a period, in order of days"
                    ),
                ),
                ("amount_fen", fields.BigIntField()),
                (
                    "basis",
                    fields.JSONField(
                        description="what it was computed from; see charges.explanation",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("correction_id", fields.UUIDField(null=True)),
            ],
            options={
                "table": "bill_line",
                "app": "billing",
                "pk_attr": "id",
                "table_description": "A line of a bill (账单明细): one of a fee item, house and period for ever; a correction adds its own.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Correction",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="corrections",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "bill",
                    fields.ForeignKeyField(
                        "billing.Bill",
                        source_field="bill_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="corrections",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "line",
                    fields.ForeignKeyField(
                        "billing.BillLine",
                        source_field="line_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="corrections",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharField(description="waiver | adjustment | void", max_length=10)),
                ("concerns", fields.CharField(description="principal | late_fee", max_length=9)),
                (
                    "amount_fen",
                    fields.BigIntField(
                        null=True,
                        description="waived, or added (below zero: taken off); null for all that is open",
                    ),
                ),
                ("reason", fields.CharField(max_length=200)),
                (
                    "state",
                    fields.CharField(description="requested | approved | rejected | withdrawn", max_length=9),
                ),
                ("requested_by", fields.UUIDField()),
                ("requested_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("decided_by", fields.UUIDField(null=True)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("decision_note", fields.CharField(default="", max_length=200)),
                ("effect_fen", fields.BigIntField(null=True, description="what it changed when approved")),
            ],
            options={
                "table": "correction",
                "app": "billing",
                "indexes": [Index(fields=["compound_id", "requested_at", "id"], name="correction_compound")],
                "pk_attr": "id",
                "table_description": "A waiver, adjustment or void (减免、调整、作废): asked for by one person, decided by another.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DunningSent",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "bill",
                    fields.ForeignKeyField(
                        "billing.Bill",
                        source_field="bill_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="dunning",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "step",
                    fields.ForeignKeyField(
                        "billing.DunningStep",
                        source_field="step_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="sent",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "letter",
                    fields.ForeignKeyField(
                        "billing.DunningLetter",
                        source_field="letter_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="bills",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("sent_on", fields.DateField()),
                (
                    "is_skipped",
                    fields.BooleanField(
                        default=False, description="a later step was due as well and was taken"
                    ),
                ),
                (
                    "principal_fen",
                    fields.BigIntField(null=True, description="what was open of it when its letter was made"),
                ),
            ],
            options={
                "table": "dunning_sent",
                "app": "billing",
                "unique_together": (("bill", "step"),),
                "pk_attr": "id",
                "table_description": "A bill had this step (催缴记录): once each, for ever.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Liability",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="liabilities",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "house",
                    fields.ForeignKeyField(
                        "estate.House",
                        source_field="house_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="liabilities",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "fee_item",
                    fields.ForeignKeyField(
                        "billing.FeeItem",
                        source_field="fee_item_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="liabilities",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("payer", fields.CharField(description="owner | tenant | developer", max_length=9)),
                (
                    "person",
                    fields.ForeignKeyField(
                        "residents.Person",
                        source_field="person_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="liabilities",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("from_on", fields.DateField()),
                (
                    "until_on",
                    fields.DateField(null=True, description="the first day that is not theirs any more"),
                ),
                ("note", fields.CharField(default="", max_length=200)),
                (
                    "recorded_by",
                    fields.UUIDField(null=True, description="null where it follows from an occupancy"),
                ),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "liability",
                "app": "billing",
                "pk_attr": "id",
                "table_description": "Who pays for a house from when until when (缴费责任), for one fee item or for all; without it the item says.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Meter",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="meters",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "house",
                    fields.ForeignKeyField(
                        "estate.House",
                        source_field="house_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="meters",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "building",
                    fields.ForeignKeyField(
                        "estate.Building",
                        source_field="building_id",
                        null=True,
                        description="the house's, or that of a meter of the building",
                        db_constraint=True,
                        to_field="id",
                        related_name="meters",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "device",
                    fields.ForeignKeyField(
                        "devices.Device",
                        source_field="device_id",
                        null=True,
                        description="the collector (采集器) that reads it",
                        db_constraint=True,
                        to_field="id",
                        related_name="meters",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharField(description="see rules.METER_KINDS", max_length=12)),
                ("number", fields.CharField(description="on its plate (表号)", max_length=40)),
                (
                    "multiplier",
                    fields.DecimalField(default=1, description="倍率", max_digits=10, decimal_places=4),
                ),
                (
                    "digits",
                    fields.SmallIntField(description="whole digits of the register: 5 rolls over at 100000"),
                ),
                (
                    "daily_most",
                    fields.DecimalField(
                        null=True,
                        description="units a day beyond which a reading is not believed",
                        max_digits=14,
                        decimal_places=4,
                    ),
                ),
                ("installed_on", fields.DateField()),
                ("removed_on", fields.DateField(null=True)),
                (
                    "replaces",
                    fields.ForeignKeyField(
                        "billing.Meter",
                        source_field="replaces_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="replaced_by",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "meter",
                "app": "billing",
                "pk_attr": "id",
                "table_description": "A meter (仪表) of a house, or of a building or compound where its consumption is pooled.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="MeterReading",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="readings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "meter",
                    fields.ForeignKeyField(
                        "billing.Meter",
                        source_field="meter_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="readings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("read_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("read_on", fields.DateField(description="the day of read_at in Asia/Shanghai")),
                (
                    "value",
                    fields.DecimalField(
                        description="as the register shows it", max_digits=16, decimal_places=4
                    ),
                ),
                (
                    "total",
                    fields.DecimalField(
                        null=True,
                        description="units since installation, roll-overs and multiplier counted; of accepted readings",
                        max_digits=20,
                        decimal_places=4,
                    ),
                ),
                (
                    "source",
                    fields.CharField(
                        description="collector | staff | resident | install | removal", max_length=9
                    ),
                ),
                ("account_id", fields.UUIDField(null=True, description="who read it; null for a collector")),
                ("photo_key", fields.CharField(null=True, max_length=120)),
                ("state", fields.CharField(description="accepted | held | rejected", max_length=8)),
                (
                    "problem",
                    fields.CharField(
                        default="", description="why it waits: see rules.READING_PROBLEMS", max_length=20
                    ),
                ),
                ("note", fields.CharField(default="", max_length=200)),
                ("reviewed_by", fields.UUIDField(null=True)),
                ("reviewed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("received_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "meter_reading",
                "app": "billing",
                "unique_together": (("meter", "read_at"),),
                "indexes": [Index(fields=["meter_id", "read_on"], name="meter_reading_on")],
                "pk_attr": "id",
                "table_description": "What a meter showed (抄表读数); the first is of its installation, the last of its removal.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="MeterUse",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "line",
                    fields.ForeignKeyField(
                        "billing.BillLine",
                        source_field="line_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="meter_uses",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "meter",
                    fields.ForeignKeyField(
                        "billing.Meter",
                        source_field="meter_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="uses",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "from_reading",
                    fields.ForeignKeyField(
                        "billing.MeterReading",
                        source_field="from_reading_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="uses_after",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "to_reading",
                    fields.ForeignKeyField(
                        "billing.MeterReading",
                        source_field="to_reading_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="uses_before",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("units", fields.DecimalField(max_digits=20, decimal_places=4)),
                ("used_on", fields.DateField(description="the day of the closing reading: the tier's year")),
            ],
            options={
                "table": "meter_use",
                "app": "billing",
                "unique_together": (("meter", "from_reading"),),
                "pk_attr": "id",
                "table_description": "What a bill's line took of a meter (计量): from one reading to another, once and for ever.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OneOffCharge",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="one_off_charges",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "house",
                    fields.ForeignKeyField(
                        "estate.House",
                        source_field="house_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="one_off_charges",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "fee_item",
                    fields.ForeignKeyField(
                        "billing.FeeItem",
                        source_field="fee_item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="one_off_charges",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "charged_on",
                    fields.DateField(description="the day it is for; one of a fee item and house a day"),
                ),
                ("amount_fen", fields.BigIntField()),
                (
                    "note",
                    fields.CharField(default="", description="for the resident to read", max_length=200),
                ),
                ("cancelled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("recorded_by", fields.UUIDField(null=True)),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "one_off_charge",
                "app": "billing",
                "unique_together": (("fee_item", "house", "charged_on"),),
                "pk_attr": "id",
                "table_description": "A charge that comes once (一次性收费): billed by the next run, or at once.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PaymentPromise",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="payment_promises",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "house",
                    fields.ForeignKeyField(
                        "estate.House",
                        source_field="house_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="payment_promises",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("promised_on", fields.DateField()),
                ("amount_fen", fields.BigIntField(null=True, description="null is all that is owed")),
                ("note", fields.CharField(default="", max_length=200)),
                ("recorded_by", fields.UUIDField()),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("withdrawn_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "payment_promise",
                "app": "billing",
                "pk_attr": "id",
                "table_description": "Somebody promised to pay by a day (缴费承诺): no reminder before it has passed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PooledCost",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="pooled_costs",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "fee_item",
                    fields.ForeignKeyField(
                        "billing.FeeItem",
                        source_field="fee_item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="pooled_costs",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("period_from", fields.DateField()),
                ("total_fen", fields.BigIntField()),
                (
                    "weight",
                    fields.DecimalField(
                        description="of all houses that share", max_digits=20, decimal_places=4
                    ),
                ),
                ("note", fields.CharField(default="", max_length=200)),
                (
                    "voucher_key",
                    fields.CharField(null=True, description="key in the file store", max_length=120),
                ),
                ("recorded_by", fields.UUIDField(null=True)),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "pooled_cost",
                "app": "billing",
                "unique_together": (("fee_item", "period_from"),),
                "pk_attr": "id",
                "table_description": "A cost of the compound that is shared out (公摊费用), for one period of its fee item.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PoolShare",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "pooled_cost",
                    fields.ForeignKeyField(
                        "billing.PooledCost",
                        source_field="pooled_cost_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="shares",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "house",
                    fields.ForeignKeyField(
                        "estate.House",
                        source_field="house_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="pool_shares",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("weight", fields.DecimalField(max_digits=12, decimal_places=4)),
                ("amount_fen", fields.BigIntField()),
            ],
            options={
                "table": "pool_share",
                "app": "billing",
                "unique_together": (("pooled_cost", "house"),),
                "pk_attr": "id",
                "table_description": "A house's part of a pooled cost, by largest remainder (最大余数法); the parts sum to the whole.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RunException",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "run",
                    fields.ForeignKeyField(
                        "billing.BillingRun",
                        source_field="run_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="exceptions_found",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "house",
                    fields.ForeignKeyField(
                        "estate.House",
                        source_field="house_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="run_exceptions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "fee_item",
                    fields.ForeignKeyField(
                        "billing.FeeItem",
                        source_field="fee_item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="run_exceptions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("period_from", fields.DateField()),
                ("code", fields.CharField(description="see rules.EXCEPTIONS", max_length=20)),
            ],
            options={
                "table": "run_exception",
                "app": "billing",
                "unique_together": (("run", "house", "fee_item", "period_from"),),
                "pk_attr": "id",
                "table_description": "A line that a run could not make, and why (出账异常); it stops no other.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Vacancy",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="vacancies",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "house",
                    fields.ForeignKeyField(
                        "estate.House",
                        source_field="house_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="vacancies",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("from_on", fields.DateField()),
                ("until_on", fields.DateField(description="the first day that is not vacant any more")),
                ("state", fields.CharField(description="requested | approved | rejected", max_length=9)),
                ("note", fields.CharField(default="", max_length=200)),
                ("requested_by", fields.UUIDField(null=True)),
                ("requested_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("decided_by", fields.UUIDField(null=True)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "reason",
                    fields.CharField(
                        default="", description="of the decision, for the owner to read", max_length=200
                    ),
                ),
            ],
            options={
                "table": "vacancy",
                "app": "billing",
                "pk_attr": "id",
                "table_description": "A house stands empty and pays less (空置): asked for by its owner or staff, confirmed by staff.",
            },
            bases=["Model"],
        ),
    ]
