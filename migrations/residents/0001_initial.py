from orjson import loads
from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from domains.kernel.ids import uuid7


class Migration(migrations.Migration):
    initial = True
    dependencies = [("estate", "0001_initial"), ("identity", "0001_initial")]

    operations = [
        ops.CreateModel(
            name="Invitation",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="invitations",
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
                        related_name="invitations",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "inviter",
                    fields.ForeignKeyField(
                        "identity.Account",
                        source_field="inviter_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="invitations",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("capacity", fields.CharField(description="family | tenant", max_length=8)),
                ("name", fields.CharField(description="whom the owner means", max_length=60)),
                ("phone_sealed", fields.BinaryField(description="SM4-GCM, purpose invitation.phone")),
                (
                    "phone_index",
                    fields.BinaryField(
                        description="as account.phone_index: only that account may take it up"
                    ),
                ),
                ("code_hash", fields.BinaryField(description="SHA-256 of the code in the link")),
                ("lease_until_on", fields.DateField(null=True)),
                (
                    "state",
                    fields.CharField(description="open | accepted | withdrawn | expired", max_length=10),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("accepted_by", fields.UUIDField(null=True)),
            ],
            options={
                "table": "invitation",
                "app": "residents",
                "indexes": [Index(fields=["house_id", "state"], name="invitation_house")],
                "pk_attr": "id",
                "table_description": "An owner's invitation to a house; taking it up binds (邀请家人、租客).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Person",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="people",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "account",
                    fields.ForeignKeyField(
                        "identity.Account",
                        source_field="account_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="people",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("name", fields.CharField(max_length=60)),
                ("phone_sealed", fields.BinaryField(null=True, description="SM4-GCM, purpose person.phone")),
                ("phone_index", fields.BinaryField(null=True, description="HMAC-SM3 of the number")),
                (
                    "phone_tail_index",
                    fields.BinaryField(null=True, description="HMAC-SM3 of the last four digits"),
                ),
                ("document_kind", fields.CharField(null=True, max_length=20)),
                (
                    "document_sealed",
                    fields.BinaryField(null=True, description="SM4-GCM, purpose person.document"),
                ),
                ("document_index", fields.BinaryField(null=True)),
                ("sex", fields.CharField(null=True, description="male | female", max_length=6)),
                ("born_on", fields.DateField(null=True)),
                ("nationality", fields.CharField(default="", max_length=30)),
                ("ethnicity", fields.CharField(default="", max_length=20)),
                ("native_place", fields.CharField(default="", max_length=60)),
                ("registered_address", fields.CharField(default="", description="户籍地址", max_length=200)),
                (
                    "population_kind",
                    fields.CharField(
                        null=True, description="permanent | floating | attention", max_length=10
                    ),
                ),
                ("tags", ArrayField(default=list, element_type="TEXT")),
                ("work_unit", fields.CharField(default="", max_length=80)),
                (
                    "photo_key",
                    fields.CharField(null=True, description="key in the file store", max_length=120),
                ),
                (
                    "source",
                    fields.CharField(description="import | registration | invitation | staff", max_length=20),
                ),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "person",
                "app": "residents",
                "indexes": [
                    Index(fields=["compound_id", "name", "id"], name="person_compound_name"),
                    Index(fields=["compound_id", "phone_index"], name="person_phone"),
                    Index(fields=["compound_id", "phone_tail_index"], name="person_phone_tail"),
                    Index(fields=["compound_id", "document_index"], name="person_document"),
                    Index(fields=["account_id"], name="person_account"),
                ],
                "pk_attr": "id",
                "table_description": "A person in a compound's register (人口登记). The same human in two compounds is two records:",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Occupancy",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="occupancies",
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
                        related_name="occupancies",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "person",
                    fields.ForeignKeyField(
                        "residents.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="occupancies",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("capacity", fields.CharField(description="owner | family | tenant", max_length=8)),
                (
                    "relation",
                    fields.CharField(
                        default="", description="to the owner, as registered: 配偶, 子女, 父母", max_length=20
                    ),
                ),
                ("since_on", fields.DateField(null=True, description="null where the register does not say")),
                (
                    "lease_until_on",
                    fields.DateField(
                        null=True, description="a tenancy's last day, included; it ends by itself"
                    ),
                ),
                ("verified_by", fields.CharField(description="register | staff | owner", max_length=12)),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "ended_at",
                    fields.DatetimeField(
                        null=True,
                        description="counts from the next request on",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "end_reason",
                    fields.CharField(
                        null=True, description="for the people of the house to read", max_length=100
                    ),
                ),
                (
                    "ended_by",
                    fields.UUIDField(
                        null=True, description="the account that ended it; null where it ended by itself"
                    ),
                ),
            ],
            options={
                "table": "occupancy",
                "app": "residents",
                "indexes": [
                    Index(fields=["house_id", "ended_at"], name="occupancy_house"),
                    Index(fields=["person_id", "ended_at"], name="occupancy_person"),
                ],
                "pk_attr": "id",
                "table_description": "Who has a house, in which capacity, from when until when (居住关系). Rows are ended, never deleted.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RegisterImport",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="imports",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("file_name", fields.CharField(max_length=200)),
                ("file_key", fields.CharField(description="key in the file store", max_length=120)),
                ("sha256", fields.CharField(max_length=64)),
                ("state", fields.CharField(description="staged | refused | applied", max_length=10)),
                ("sheets", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("errors", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("error_count", fields.IntField(default=0)),
                (
                    "counts",
                    fields.JSONField(
                        default=dict,
                        description="created and updated per kind of row",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("uploaded_by", fields.UUIDField(null=True)),
                ("uploaded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("applied_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "register_import",
                "app": "residents",
                "indexes": [Index(fields=["compound_id", "uploaded_at"], name="register_import_compound")],
                "pk_attr": "id",
                "table_description": "One upload of a register: staged with its mapping, then applied whole or not at all (台账导入).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Registration",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="registrations",
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
                        related_name="registrations",
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
                        related_name="registrations",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("place", fields.CharField(description="the house as the resident typed it", max_length=120)),
                ("name", fields.CharField(max_length=60)),
                ("capacity", fields.CharField(description="owner | family | tenant", max_length=8)),
                ("phone_sealed", fields.BinaryField(description="SM4-GCM, purpose registration.phone")),
                ("phone_index", fields.BinaryField(description="as person.phone_index")),
                ("document_kind", fields.CharField(null=True, max_length=20)),
                (
                    "document_sealed",
                    fields.BinaryField(null=True, description="SM4-GCM, purpose registration.document"),
                ),
                ("document_index", fields.BinaryField(null=True, description="as person.document_index")),
                ("note", fields.CharField(default="", max_length=200)),
                ("lease_until_on", fields.DateField(null=True)),
                (
                    "state",
                    fields.CharField(description="pending | approved | rejected | withdrawn", max_length=10),
                ),
                ("submitted_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("reviewed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("reviewed_by", fields.UUIDField(null=True)),
                (
                    "reason",
                    fields.CharField(
                        null=True, description="what the resident reads when refused", max_length=200
                    ),
                ),
            ],
            options={
                "table": "registration",
                "app": "residents",
                "indexes": [
                    Index(fields=["compound_id", "state", "submitted_at", "id"], name="registration_review"),
                    Index(fields=["account_id", "submitted_at"], name="registration_account"),
                ],
                "pk_attr": "id",
                "table_description": "A resident's own registration, reviewed by staff (自助登记).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Vehicle",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="vehicles",
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
                        related_name="vehicles",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "person",
                    fields.ForeignKeyField(
                        "residents.Person",
                        source_field="person_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="vehicles",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharField(description="car | ebike", max_length=8)),
                ("plate", fields.CharField(max_length=16)),
                (
                    "plate_colour",
                    fields.CharField(
                        default="", description="blue | green | yellow | white | black", max_length=8
                    ),
                ),
                ("brand", fields.CharField(default="", max_length=40)),
                ("model", fields.CharField(default="", max_length=40)),
                ("colour", fields.CharField(default="", max_length=20)),
                ("photo_key", fields.CharField(null=True, max_length=120)),
                (
                    "flag",
                    fields.CharField(null=True, description="stolen | cloned (被盗、套牌)", max_length=8),
                ),
                ("source", fields.CharField(max_length=20)),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("removed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "vehicle",
                "app": "residents",
                "indexes": [Index(fields=["house_id"], name="vehicle_house")],
                "pk_attr": "id",
                "table_description": "A car or an e-bike of a house (车辆、电动自行车登记).",
            },
            bases=["Model"],
        ),
    ]
