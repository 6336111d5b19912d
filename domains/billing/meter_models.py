"""Meters, their readings, and what was billed of them (仪表)."""

from __future__ import annotations

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from domains.billing.bill_models import BillLine
from domains.devices.models import Device
from domains.estate.models import Building, Compound, House
from domains.kernel.ids import uuid7


class Meter(Model):
    """A meter (仪表) of a house, or of a building or compound where its consumption is pooled."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="meters", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyNullableRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="meters", null=True, on_delete=fields.RESTRICT
    )
    building: fields.ForeignKeyNullableRelation[Building] = fields.ForeignKeyField(
        "estate.Building", related_name="meters", null=True, on_delete=fields.RESTRICT,
        description="the house's, or that of a meter of the building",
    )  # fmt: skip
    device: fields.ForeignKeyNullableRelation[Device] = fields.ForeignKeyField(
        "devices.Device", related_name="meters", null=True, on_delete=fields.RESTRICT,
        description="the collector (采集器) that reads it",
    )  # fmt: skip
    kind = fields.CharField(max_length=12, description="see rules.METER_KINDS")
    number = fields.CharField(max_length=40, description="on its plate (表号)")
    multiplier = fields.DecimalField(max_digits=10, decimal_places=4, default=1, description="倍率")
    digits = fields.SmallIntField(description="whole digits of the register: 5 rolls over at 100000")
    daily_most = fields.DecimalField(
        max_digits=14,
        decimal_places=4,
        null=True,
        description="units a day beyond which a reading is not believed",
    )
    installed_on = fields.DateField()
    removed_on = fields.DateField(null=True)
    replaces: fields.ForeignKeyNullableRelation[Meter] = fields.ForeignKeyField(
        "billing.Meter", related_name="replaced_by", null=True, on_delete=fields.RESTRICT
    )
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "meter"


class MeterReading(Model):
    """What a meter showed (抄表读数); the first is of its installation, the last of its removal."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="readings", on_delete=fields.RESTRICT
    )
    meter: fields.ForeignKeyRelation[Meter] = fields.ForeignKeyField(
        "billing.Meter", related_name="readings", on_delete=fields.RESTRICT
    )
    read_at = fields.DatetimeField()
    read_on = fields.DateField(description="the day of read_at in Asia/Shanghai")
    value = fields.DecimalField(max_digits=16, decimal_places=4, description="as the register shows it")
    total = fields.DecimalField(
        max_digits=20, decimal_places=4, null=True,
        description="units since installation, roll-overs and multiplier counted; of accepted readings",
    )  # fmt: skip
    source = fields.CharField(max_length=9, description="collector | staff | resident | install | removal")
    account_id = fields.UUIDField(null=True, description="who read it; null for a collector")
    photo_key = fields.CharField(max_length=120, null=True)
    state = fields.CharField(max_length=8, description="accepted | held | rejected")
    problem = fields.CharField(
        max_length=20, default="", description="why it waits: see rules.READING_PROBLEMS"
    )
    note = fields.CharField(max_length=200, default="")
    reviewed_by = fields.UUIDField(null=True)
    reviewed_at = fields.DatetimeField(null=True)
    received_at = fields.DatetimeField()

    class Meta:
        table = "meter_reading"
        unique_together = (("meter", "read_at"),)
        indexes = (Index(fields=("meter_id", "read_on"), name="meter_reading_on"),)


class MeterUse(Model):
    """What a bill's line took of a meter (计量): from one reading to another, once and for ever."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    line: fields.ForeignKeyRelation[BillLine] = fields.ForeignKeyField(
        "billing.BillLine", related_name="meter_uses", on_delete=fields.RESTRICT
    )
    meter: fields.ForeignKeyRelation[Meter] = fields.ForeignKeyField(
        "billing.Meter", related_name="uses", on_delete=fields.RESTRICT
    )
    from_reading: fields.ForeignKeyRelation[MeterReading] = fields.ForeignKeyField(
        "billing.MeterReading", related_name="uses_after", on_delete=fields.RESTRICT
    )
    to_reading: fields.ForeignKeyRelation[MeterReading] = fields.ForeignKeyField(
        "billing.MeterReading", related_name="uses_before", on_delete=fields.RESTRICT
    )
    units = fields.DecimalField(max_digits=20, decimal_places=4)
    used_on = fields.DateField(description="the day of the closing reading: the tier's year")

    class Meta:
        table = "meter_use"
        unique_together = (("meter", "from_reading"),)
