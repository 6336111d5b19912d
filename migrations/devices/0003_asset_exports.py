"""Files of the asset ledger, which are deleted an hour after they were made."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from domains.kernel.ids import uuid7


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0002_integrity"),
        ("estate", "0002_integrity"),
        ("identity", "0003_operator"),
    ]
    operations = [
        ops.CreateModel(
            name="AssetExport",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="asset_exports",
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
                        related_name="asset_exports",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("file_key", fields.CharField(description="key in the file store", max_length=120)),
                ("made_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "asset_export",
                "app": "devices",
                "indexes": [Index(fields=["made_at"], name="asset_export_made")],
                "pk_attr": "id",
                "table_description": "A file of the asset ledger that somebody asked for (台账导出); the file and its row are soon forgotten.",
            },
            bases=["Model"],
        ),
    ]
