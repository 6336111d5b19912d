"""Devices, their keys, asset ledger, readings and alarms (设备台账与告警)."""

from __future__ import annotations

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from domains.estate.models import Building, Compound
from domains.identity.models import Account
from domains.kernel.ids import uuid7


class Device(Model):
    """A device of a compound (设备): what it is, where it stands, who answers for it, whether it is heard."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="devices", on_delete=fields.RESTRICT
    )
    building: fields.ForeignKeyNullableRelation[Building] = fields.ForeignKeyField(
        "estate.Building", related_name="devices", null=True, on_delete=fields.RESTRICT
    )
    code = fields.CharField(max_length=40, description="as its label says (设备编号)")
    name = fields.CharField(max_length=60)
    kind = fields.CharField(max_length=20, description="see kinds.DEVICE_KINDS")
    maker = fields.CharField(max_length=60, default="", description="生产厂家")
    model = fields.CharField(max_length=60, default="", description="型号")
    serial = fields.CharField(max_length=60, default="", description="出厂编号")
    place = fields.CharField(max_length=120, default="", description="where it stands, in words (安装位置)")
    latitude = fields.DecimalField(max_digits=9, decimal_places=6, null=True)
    longitude = fields.DecimalField(max_digits=9, decimal_places=6, null=True)
    owner = fields.CharField(max_length=60, default="", description="whose property it is (产权单位)")
    maintainer = fields.CharField(max_length=60, default="", description="who maintains it (维保单位)")
    maintainer_phone = fields.CharField(max_length=20, default="", description="a business number")
    installed_on = fields.DateField(null=True)
    state = fields.CharField(max_length=12, description="in_store | in_service | out_of_order | retired")
    is_online = fields.BooleanField(null=True, description="null until it is first heard")
    last_seen_at = fields.DatetimeField(null=True, description="our time, to about half a minute")
    offline_since = fields.DatetimeField(
        null=True, description="when it said good-bye; null once heard again"
    )
    silent_after_s = fields.IntField(
        null=True, description="silence that counts as offline; null where none does"
    )
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "device"
        unique_together = (("compound", "code"),)
        indexes = (Index(fields=("building_id", "code", "id"), name="device_building_code"),)


class DeviceKey(Model):
    """A public key by which a device signs its requests (设备密钥); the private half never comes here."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    device: fields.ForeignKeyRelation[Device] = fields.ForeignKeyField(
        "devices.Device", related_name="keys", on_delete=fields.RESTRICT
    )
    key_id = fields.CharField(
        max_length=16, unique=True, description="first 16 hex digits of the key's SHA-256"
    )
    public_key = fields.BinaryField(description="Ed25519, 32 bytes")
    issued_at = fields.DatetimeField()
    issued_by = fields.UUIDField(null=True)
    revoked_at = fields.DatetimeField(null=True)
    revoked_by = fields.UUIDField(null=True)

    class Meta:
        table = "device_key"
        indexes = (Index(fields=("device_id",), name="device_key_device"),)


class DeviceRefusal(Model):
    """What was refused of a device, counted by day and reason (拒收记录): a flood is one row."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    device: fields.ForeignKeyRelation[Device] = fields.ForeignKeyField(
        "devices.Device", related_name="refusals", on_delete=fields.RESTRICT
    )
    on_day = fields.DateField()
    way = fields.CharField(max_length=4, description="http | mqtt")
    code = fields.CharField(max_length=40)
    count = fields.BigIntField()
    last_at = fields.DatetimeField()

    class Meta:
        table = "device_refusal"
        unique_together = (("device", "on_day", "way", "code"),)


class AssetEntry(Model):
    """A line of a device's life (资产台账): added, never changed."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    device: fields.ForeignKeyRelation[Device] = fields.ForeignKeyField(
        "devices.Device", related_name="ledger", on_delete=fields.RESTRICT
    )
    kind = fields.CharField(max_length=20, description="see kinds.ENTRY_KINDS")
    on_day = fields.DateField(description="when it happened")
    note = fields.CharField(max_length=300, default="")
    vendor = fields.CharField(max_length=60, default="", description="who did the work")
    cost_fen = fields.BigIntField(null=True)
    recorded_at = fields.DatetimeField()
    recorded_by = fields.UUIDField(null=True)

    class Meta:
        table = "asset_entry"
        indexes = (Index(fields=("device_id", "recorded_at", "id"), name="asset_entry_device"),)


class AssetExport(Model):
    """A file of the asset ledger that somebody asked for (台账导出); the file and its row are soon forgotten."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="asset_exports", on_delete=fields.RESTRICT
    )
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "identity.Account", related_name="asset_exports", on_delete=fields.RESTRICT
    )
    file_key = fields.CharField(max_length=120, description="key in the file store")
    made_at = fields.DatetimeField()

    class Meta:
        table = "asset_export"
        indexes = (Index(fields=("made_at",), name="asset_export_made"),)


class Reading(Model):
    """A value that a device measured (遥测数据); kept for a term."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    device: fields.ForeignKeyRelation[Device] = fields.ForeignKeyField(
        "devices.Device", related_name="readings", on_delete=fields.CASCADE
    )
    metric = fields.CharField(max_length=40, description="for example level_m, pm25, temperature_c")
    value = fields.DecimalField(max_digits=18, decimal_places=6)
    measured_at = fields.DatetimeField(description="by the device's clock")
    received_at = fields.DatetimeField(description="by ours")

    class Meta:
        table = "reading"
        unique_together = (("device", "metric", "measured_at"),)


class Latest(Model):
    """The newest value of a device's metric (最新值)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    device: fields.ForeignKeyRelation[Device] = fields.ForeignKeyField(
        "devices.Device", related_name="latest", on_delete=fields.CASCADE
    )
    metric = fields.CharField(max_length=40)
    value = fields.DecimalField(max_digits=18, decimal_places=6)
    measured_at = fields.DatetimeField()
    received_at = fields.DatetimeField()

    class Meta:
        table = "latest_reading"
        unique_together = (("device", "metric"),)


class Alarm(Model):
    """A condition of a device that somebody has to see to (告警): one open row per device and kind."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="alarms", on_delete=fields.RESTRICT
    )
    building: fields.ForeignKeyNullableRelation[Building] = fields.ForeignKeyField(
        "estate.Building", related_name="alarms", null=True, on_delete=fields.RESTRICT
    )
    device: fields.ForeignKeyRelation[Device] = fields.ForeignKeyField(
        "devices.Device", related_name="alarms", on_delete=fields.RESTRICT
    )
    kind = fields.CharField(max_length=20, description="see kinds.ALARM_KINDS")
    level = fields.CharField(max_length=8, description="critical | major | minor")
    state = fields.CharField(max_length=12, description="open | acknowledged | cleared")
    detail = fields.CharField(max_length=200, default="", description="the device's own words, the last ones")
    opened_at = fields.DatetimeField()
    said_at = fields.DatetimeField(null=True, description="when the device says that it began")
    reported_at = fields.DatetimeField(description="the last report of it")
    reports = fields.BigIntField(default=1)
    flaps = fields.IntField(default=0, description="how often it ended and came back before it was cleared")
    calm_since = fields.DatetimeField(
        null=True, description="the device says that it ended; cleared once the off-delay has passed"
    )
    shelved_until = fields.DatetimeField(
        null=True, description="cleared by hand while it lasted: repeated reports open no other until then"
    )
    acknowledged_at = fields.DatetimeField(null=True)
    acknowledged_by = fields.UUIDField(null=True)
    cleared_at = fields.DatetimeField(null=True)
    cleared_by = fields.UUIDField(null=True, description="null where the condition ended by itself")
    is_false = fields.BooleanField(default=False, description="误报: somebody found nothing")
    note = fields.CharField(max_length=200, default="", description="what who cleared it found")

    class Meta:
        table = "alarm"
        indexes = (
            Index(fields=("compound_id", "opened_at", "id"), name="alarm_compound_opened"),
            Index(fields=("device_id", "opened_at", "id"), name="alarm_device_opened"),
        )
