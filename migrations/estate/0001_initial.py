from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from domains.kernel.clock import now
from domains.kernel.ids import uuid7


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="Company",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("name", fields.CharField(unique=True, max_length=80)),
            ],
            options={
                "table": "company",
                "app": "estate",
                "pk_attr": "id",
                "table_description": "A property company (物业公司): staff and roles belong to it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Region",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "parent",
                    fields.ForeignKeyField(
                        "estate.Region",
                        source_field="parent_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="children",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "kind",
                    fields.CharField(
                        description="province | city | district | street | committee", max_length=10
                    ),
                ),
                ("name", fields.CharField(max_length=60)),
                (
                    "path",
                    fields.CharField(
                        description="ids from the root to this node, /-separated: a prefix is a subtree",
                        max_length=400,
                    ),
                ),
            ],
            options={
                "table": "region",
                "app": "estate",
                "unique_together": (("parent", "name"),),
                "pk_attr": "id",
                "table_description": "A node of the organisation tree (组织架构): province, city, district, street, committee.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Compound",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "region",
                    fields.ForeignKeyField(
                        "estate.Region",
                        source_field="region_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="compounds",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "company",
                    fields.ForeignKeyField(
                        "estate.Company",
                        source_field="company_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="compounds",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("name", fields.CharField(max_length=60)),
                (
                    "code",
                    fields.CharField(
                        unique=True, description="what residents scan to register", max_length=12
                    ),
                ),
                ("address", fields.CharField(default="", max_length=200)),
                (
                    "service_phone",
                    fields.CharField(
                        default="", description="the front desk's number (服务电话)", max_length=20
                    ),
                ),
                ("latitude", fields.DecimalField(null=True, max_digits=9, decimal_places=6)),
                ("longitude", fields.DecimalField(null=True, max_digits=9, decimal_places=6)),
            ],
            options={
                "table": "compound",
                "app": "estate",
                "unique_together": (("region", "name"),),
                "pk_attr": "id",
                "table_description": "A residential compound (小区), under a neighbourhood committee, run by a company.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Building",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="buildings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("name", fields.CharField(description="as people write it: 3号楼", max_length=80)),
                (
                    "key",
                    fields.CharField(description="the same building however it is written: 3", max_length=80),
                ),
                (
                    "sort",
                    fields.CharField(description="numbers padded, so that 10 comes after 9", max_length=300),
                ),
                (
                    "code",
                    fields.CharField(
                        default="", description="code in the authorities' register", max_length=50
                    ),
                ),
                ("built_year", fields.IntField(null=True)),
                (
                    "use",
                    fields.CharField(
                        default="", description="住宅, 商业, 办公 … as registered", max_length=50
                    ),
                ),
                (
                    "structure",
                    fields.CharField(default="", description="钢混, 砖混 … as registered", max_length=50),
                ),
                ("storeys_above", fields.IntField(null=True)),
                ("storeys_below", fields.IntField(null=True)),
                ("height_m", fields.DecimalField(null=True, max_digits=6, decimal_places=2)),
                ("area_m2", fields.DecimalField(null=True, max_digits=12, decimal_places=2)),
                (
                    "service_life_years",
                    fields.IntField(null=True, description="design working life (设计使用年限)"),
                ),
                ("standard_address", fields.CharField(default="", max_length=200)),
                ("police_station", fields.CharField(default="", max_length=100)),
                ("street_in_charge", fields.CharField(default="", max_length=100)),
                ("latitude", fields.DecimalField(null=True, max_digits=9, decimal_places=6)),
                ("longitude", fields.DecimalField(null=True, max_digits=9, decimal_places=6)),
                ("source", fields.CharField(description="import | staff", max_length=20)),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "building",
                "app": "estate",
                "unique_together": (("compound", "key"),),
                "pk_attr": "id",
                "table_description": "A building (楼栋).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Unit",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="units",
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
                        related_name="units",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("name", fields.CharField(max_length=30)),
                ("key", fields.CharField(max_length=30)),
                ("sort", fields.CharField(max_length=120)),
                ("source", fields.CharField(default="staff", description="import | staff", max_length=20)),
                ("recorded_at", fields.DatetimeField(default=now, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "unit",
                "app": "estate",
                "unique_together": (("building", "key"),),
                "pk_attr": "id",
                "table_description": "A unit of a building (单元): a staircase with its door. A building without units has one, unnamed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="House",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="houses",
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
                        related_name="houses",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "unit",
                    fields.ForeignKeyField(
                        "estate.Unit",
                        source_field="unit_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="houses",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("room", fields.CharField(description="房号 without its suffix: 101", max_length=60)),
                (
                    "room_key",
                    fields.CharField(description="the same room however it is written", max_length=60),
                ),
                ("number", fields.CharField(description="as it is spoken: 3号楼1单元101", max_length=170)),
                ("sort", fields.CharField(description="building, unit and room, padded", max_length=640)),
                ("floor", fields.IntField(null=True)),
                (
                    "built_area_m2",
                    fields.DecimalField(description="建筑面积", max_digits=10, decimal_places=2),
                ),
                (
                    "inner_area_m2",
                    fields.DecimalField(null=True, description="套内面积", max_digits=10, decimal_places=2),
                ),
                (
                    "use",
                    fields.CharField(
                        description="residential | shop | office | parking | storage | other", max_length=12
                    ),
                ),
                (
                    "state",
                    fields.CharField(description="self_occupied | rented | vacant | unsold", max_length=16),
                ),
                ("is_rented", fields.BooleanField(default=False, description="出租屋标识")),
                ("handed_over_on", fields.DateField(null=True)),
                (
                    "title_document",
                    fields.CharField(
                        default="", description="number of the title deed (产权证号)", max_length=60
                    ),
                ),
                ("source", fields.CharField(description="import | staff", max_length=20)),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "house",
                "app": "estate",
                "unique_together": (("unit", "room_key"),),
                "indexes": [
                    Index(fields=["compound_id", "sort", "id"], name="house_compound_sort"),
                    Index(fields=["building_id", "sort", "id"], name="house_building_sort"),
                    Index(fields=["compound_id", "recorded_at", "id"], name="house_compound_recorded"),
                ],
                "pk_attr": "id",
                "table_description": "A house (房屋), the thing that is owned, lived in and charged for.",
            },
            bases=["Model"],
        ),
    ]
