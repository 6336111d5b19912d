"""The places: organisation tree, company, compound, building, unit, house (房屋台账)."""

from __future__ import annotations

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from domains.kernel import clock
from domains.kernel.ids import uuid7


class Region(Model):
    """A node of the organisation tree (组织架构): province, city, district, street, committee."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    parent: fields.ForeignKeyNullableRelation[Region] = fields.ForeignKeyField(
        "estate.Region", related_name="children", null=True, on_delete=fields.RESTRICT
    )
    kind = fields.CharField(max_length=10, description="province | city | district | street | committee")
    name = fields.CharField(max_length=60)
    path = fields.CharField(
        max_length=400, description="ids from the root to this node, /-separated: a prefix is a subtree"
    )

    class Meta:
        table = "region"
        unique_together = (("parent", "name"),)


class Company(Model):
    """A property company (物业公司): staff and roles belong to it."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    name = fields.CharField(max_length=80, unique=True)

    class Meta:
        table = "company"


class Compound(Model):
    """A residential compound (小区), under a neighbourhood committee, run by a company."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    region: fields.ForeignKeyRelation[Region] = fields.ForeignKeyField(
        "estate.Region", related_name="compounds", on_delete=fields.RESTRICT
    )
    company: fields.ForeignKeyRelation[Company] = fields.ForeignKeyField(
        "estate.Company", related_name="compounds", on_delete=fields.RESTRICT
    )
    name = fields.CharField(max_length=60)
    code = fields.CharField(max_length=12, unique=True, description="what residents scan to register")
    address = fields.CharField(max_length=200, default="")
    service_phone = fields.CharField(
        max_length=20, default="", description="the front desk's number (服务电话)"
    )
    latitude = fields.DecimalField(max_digits=9, decimal_places=6, null=True)
    longitude = fields.DecimalField(max_digits=9, decimal_places=6, null=True)

    class Meta:
        table = "compound"
        unique_together = (("region", "name"),)


class Building(Model):
    """A building (楼栋)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="buildings", on_delete=fields.RESTRICT
    )
    name = fields.CharField(max_length=80, description="as people write it: 3号楼")
    key = fields.CharField(max_length=80, description="the same building however it is written: 3")
    sort = fields.CharField(max_length=300, description="numbers padded, so that 10 comes after 9")
    code = fields.CharField(max_length=50, default="", description="code in the authorities' register")
    built_year = fields.IntField(null=True)
    use = fields.CharField(max_length=50, default="", description="住宅, 商业, 办公 … as registered")
    structure = fields.CharField(max_length=50, default="", description="钢混, 砖混 … as registered")
    storeys_above = fields.IntField(null=True)
    storeys_below = fields.IntField(null=True)
    height_m = fields.DecimalField(max_digits=6, decimal_places=2, null=True)
    area_m2 = fields.DecimalField(max_digits=12, decimal_places=2, null=True)
    service_life_years = fields.IntField(null=True, description="design working life (设计使用年限)")
    standard_address = fields.CharField(max_length=200, default="")
    police_station = fields.CharField(max_length=100, default="")
    street_in_charge = fields.CharField(max_length=100, default="")
    latitude = fields.DecimalField(max_digits=9, decimal_places=6, null=True)
    longitude = fields.DecimalField(max_digits=9, decimal_places=6, null=True)
    source = fields.CharField(max_length=20, description="import | staff")
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "building"
        unique_together = (("compound", "key"),)


class Unit(Model):
    """A unit of a building (单元): a staircase with its door. A building without units has one, unnamed."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="units", on_delete=fields.RESTRICT
    )
    building: fields.ForeignKeyRelation[Building] = fields.ForeignKeyField(
        "estate.Building", related_name="units", on_delete=fields.RESTRICT
    )
    name = fields.CharField(max_length=30)
    key = fields.CharField(max_length=30)
    sort = fields.CharField(max_length=120)
    source = fields.CharField(max_length=20, default="staff", description="import | staff")
    recorded_at = fields.DatetimeField(default=clock.now)

    class Meta:
        table = "unit"
        unique_together = (("building", "key"),)


class House(Model):
    """A house (房屋), the thing that is owned, lived in and charged for."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="houses", on_delete=fields.RESTRICT
    )
    building: fields.ForeignKeyRelation[Building] = fields.ForeignKeyField(
        "estate.Building", related_name="houses", on_delete=fields.RESTRICT
    )
    unit: fields.ForeignKeyRelation[Unit] = fields.ForeignKeyField(
        "estate.Unit", related_name="houses", on_delete=fields.RESTRICT
    )
    room = fields.CharField(max_length=60, description="房号 without its suffix: 101")
    room_key = fields.CharField(max_length=60, description="the same room however it is written")
    number = fields.CharField(max_length=170, description="as it is spoken: 3号楼1单元101")
    sort = fields.CharField(max_length=640, description="building, unit and room, padded")
    floor = fields.IntField(null=True)
    built_area_m2 = fields.DecimalField(max_digits=10, decimal_places=2, description="建筑面积")
    inner_area_m2 = fields.DecimalField(max_digits=10, decimal_places=2, null=True, description="套内面积")
    use = fields.CharField(
        max_length=12, description="residential | shop | office | parking | storage | other"
    )
    state = fields.CharField(max_length=16, description="self_occupied | rented | vacant | unsold")
    is_rented = fields.BooleanField(default=False, description="出租屋标识")
    handed_over_on = fields.DateField(null=True)
    title_document = fields.CharField(
        max_length=60, default="", description="number of the title deed (产权证号)"
    )
    source = fields.CharField(max_length=20, description="import | staff")
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "house"
        unique_together = (("unit", "room_key"),)
        indexes = (
            Index(fields=("compound_id", "sort", "id"), name="house_compound_sort"),
            Index(fields=("building_id", "sort", "id"), name="house_building_sort"),
            Index(fields=("compound_id", "recorded_at", "id"), name="house_compound_recorded"),
        )
