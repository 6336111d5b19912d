from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from domains.kernel.ids import uuid7


class Migration(migrations.Migration):
    dependencies = [("estate", "0001_initial"), ("estate", "0002_integrity")]

    initial = True

    operations = [
        ops.CreateModel(
            name="Device",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="devices",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "building",
                    fields.ForeignKeyField(
                        "estate.Building",
                        source_field="building_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="devices",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(description="as its label says (设备编号)", max_length=40)),
                ("name", fields.CharField(max_length=60)),
                ("kind", fields.CharField(description="see kinds.DEVICE_KINDS", max_length=20)),
                ("maker", fields.CharField(default="", description="生产厂家", max_length=60)),
                ("model", fields.CharField(default="", description="型号", max_length=60)),
                ("serial", fields.CharField(default="", description="出厂编号", max_length=60)),
                (
                    "place",
                    fields.CharField(
                        default="", description="where it stands, in words (安装位置)", max_length=120
                    ),
                ),
                ("latitude", fields.DecimalField(null=True, max_digits=9, decimal_places=6)),
                ("longitude", fields.DecimalField(null=True, max_digits=9, decimal_places=6)),
                (
                    "owner",
                    fields.CharField(
                        default="", description="whose property it is (产权单位)", max_length=60
                    ),
                ),
                (
                    "maintainer",
                    fields.CharField(default="", description="who maintains it (维保单位)", max_length=60),
                ),
                (
                    "maintainer_phone",
                    fields.CharField(default="", description="a business number", max_length=20),
                ),
                ("installed_on", fields.DateField(null=True)),
                (
                    "state",
                    fields.CharField(
                        description="in_store | in_service | out_of_order | retired", max_length=12
                    ),
                ),
                ("is_online", fields.BooleanField(null=True, description="null until it is first heard")),
                (
                    "last_seen_at",
                    fields.DatetimeField(
                        null=True,
                        description="our time, to about half a minute",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "offline_since",
                    fields.DatetimeField(
                        null=True,
                        description="when it said good-bye; null once heard again",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "silent_after_s",
                    fields.IntField(
                        null=True, description="silence that counts as offline; null where none does"
                    ),
                ),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "device",
                "app": "devices",
                "unique_together": (("compound", "code"),),
                "indexes": [Index(fields=["building_id", "code", "id"], name="device_building_code")],
                "pk_attr": "id",
                "table_description": "A device of a compound (设备): what it is, where it stands, who answers for it, whether it is heard.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Alarm",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="alarms",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "building",
                    fields.ForeignKeyField(
                        "estate.Building",
                        source_field="building_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="alarms",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "device",
                    fields.ForeignKeyField(
                        "devices.Device",
                        source_field="device_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="alarms",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharField(description="see kinds.ALARM_KINDS", max_length=20)),
                ("level", fields.CharField(description="critical | major | minor", max_length=8)),
                ("state", fields.CharField(description="open | acknowledged | cleared", max_length=12)),
                (
                    "detail",
                    fields.CharField(
                        default="", description="the device's own words, the last ones", max_length=200
                    ),
                ),
                ("opened_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "said_at",
                    fields.DatetimeField(
                        null=True,
                        description="when the device says that it began",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "reported_at",
                    fields.DatetimeField(
                        description="the last report of it", auto_now=False, auto_now_add=False
                    ),
                ),
                ("reports", fields.BigIntField(default=1)),
                (
                    "flaps",
                    fields.IntField(
                        default=0, description="how often it ended and came back before it was cleared"
                    ),
                ),
                (
                    "calm_since",
                    fields.DatetimeField(
                        null=True,
                        description="the device says that it ended; cleared once the off-delay has passed",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "shelved_until",
                    fields.DatetimeField(
                        null=True,
                        description="cleared by hand while it lasted: repeated reports open no other until then",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("acknowledged_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("acknowledged_by", fields.UUIDField(null=True)),
                ("cleared_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "cleared_by",
                    fields.UUIDField(null=True, description="null where the condition ended by itself"),
                ),
                ("is_false", fields.BooleanField(default=False, description="误报: somebody found nothing")),
                (
                    "note",
                    fields.CharField(default="", description="what who cleared it found", max_length=200),
                ),
            ],
            options={
                "table": "alarm",
                "app": "devices",
                "indexes": [
                    Index(fields=["compound_id", "opened_at", "id"], name="alarm_compound_opened"),
                    Index(fields=["device_id", "opened_at", "id"], name="alarm_device_opened"),
                ],
                "pk_attr": "id",
                "table_description": "A condition of a device that somebody has to see to (告警): one open row per device and kind.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AssetEntry",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "device",
                    fields.ForeignKeyField(
                        "devices.Device",
                        source_field="device_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="ledger",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharField(description="see kinds.ENTRY_KINDS", max_length=20)),
                ("on_day", fields.DateField(description="when it happened")),
                ("note", fields.CharField(default="", max_length=300)),
                ("vendor", fields.CharField(default="", description="who did the work", max_length=60)),
                ("cost_fen", fields.BigIntField(null=True)),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("recorded_by", fields.UUIDField(null=True)),
            ],
            options={
                "table": "asset_entry",
                "app": "devices",
                "indexes": [Index(fields=["device_id", "recorded_at", "id"], name="asset_entry_device")],
                "pk_attr": "id",
                "table_description": "A line of a device's life (资产台账): added, never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DeviceKey",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "device",
                    fields.ForeignKeyField(
                        "devices.Device",
                        source_field="device_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="keys",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "key_id",
                    fields.CharField(
                        unique=True, description="first 16 hex digits of the key's SHA-256", max_length=16
                    ),
                ),
                ("public_key", fields.BinaryField(description="Ed25519, 32 bytes")),
                ("issued_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("issued_by", fields.UUIDField(null=True)),
                ("revoked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("revoked_by", fields.UUIDField(null=True)),
            ],
            options={
                "table": "device_key",
                "app": "devices",
                "indexes": [Index(fields=["device_id"], name="device_key_device")],
                "pk_attr": "id",
                "table_description": "A public key by which a device signs its requests (设备密钥); the private half never comes here.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DeviceRefusal",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "device",
                    fields.ForeignKeyField(
                        "devices.Device",
                        source_field="device_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="refusals",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("on_day", fields.DateField()),
                ("way", fields.CharField(description="http | mqtt", max_length=4)),
                ("code", fields.CharField(max_length=40)),
                ("count", fields.BigIntField()),
                ("last_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "device_refusal",
                "app": "devices",
                "unique_together": (("device", "on_day", "way", "code"),),
                "pk_attr": "id",
                "table_description": "What was refused of a device, counted by day and reason (拒收记录): a flood is one row.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Latest",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "device",
                    fields.ForeignKeyField(
                        "devices.Device",
                        source_field="device_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="latest",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("metric", fields.CharField(max_length=40)),
                ("value", fields.DecimalField(max_digits=18, decimal_places=6)),
                ("measured_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("received_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "latest_reading",
                "app": "devices",
                "unique_together": (("device", "metric"),),
                "pk_attr": "id",
                "table_description": "The newest value of a device's metric (最新值).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Reading",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "device",
                    fields.ForeignKeyField(
                        "devices.Device",
                        source_field="device_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="readings",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "metric",
                    fields.CharField(description="for example level_m, pm25, temperature_c", max_length=40),
                ),
                ("value", fields.DecimalField(max_digits=18, decimal_places=6)),
                (
                    "measured_at",
                    fields.DatetimeField(
                        description="by the device's clock", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "received_at",
                    fields.DatetimeField(description="by ours", auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "reading",
                "app": "devices",
                "unique_together": (("device", "metric", "measured_at"),),
                "pk_attr": "id",
                "table_description": "A value that a device measured (遥测数据); kept for a term.",
            },
            bases=["Model"],
        ),
    ]
