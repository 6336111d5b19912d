from uuid import uuid4

from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from domains.kernel.ids import uuid7


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0001_initial"),
        ("estate", "0001_initial"),
        ("estate", "0002_integrity"),
        ("identity", "0003_operator"),
        ("residents", "0002_integrity"),
    ]

    initial = True

    operations = [
        ops.CreateModel(
            name="AccessRules",
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
                        related_name="access_rules",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "number",
                    fields.IntField(
                        unique=True, description="the community in a pass (CWT aud); from a sequence"
                    ),
                ),
                (
                    "longest_window_h",
                    fields.IntField(default=72, description="longest validity of a pass, hours"),
                ),
                ("most_uses", fields.IntField(default=20, description="most uses a pass may allow")),
                ("daily_passes_per_house", fields.IntField(default=20)),
                (
                    "visitor_cars",
                    fields.IntField(
                        null=True, description="visitors' cars with a valid pass at a time; null is no limit"
                    ),
                ),
                (
                    "approver",
                    fields.CharField(
                        default="either",
                        description="resident | guard | either decides what visitors ask for",
                        max_length=8,
                    ),
                ),
                (
                    "daily_openings",
                    fields.IntField(
                        null=True,
                        default=200,
                        description="remote openings per person and day; null is no limit",
                    ),
                ),
                (
                    "counts_offline",
                    fields.BooleanField(
                        default=False,
                        description="gates without a network count uses themselves instead of asking the guard",
                    ),
                ),
                ("records_kept_days", fields.IntField(default=180)),
                ("vehicle_records_kept_days", fields.IntField(default=180)),
                (
                    "screen_key_sealed",
                    fields.BinaryField(description="SM4-GCM, purpose access.screen: makes rotating codes"),
                ),
                ("revocation_sequence", fields.BigIntField(default=0)),
            ],
            options={
                "table": "access_rules",
                "app": "access",
                "pk_attr": "compound_id",
                "table_description": "What a compound allows (通行规则), its number in passes and the state of its revocation list.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Door",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="doors",
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
                        related_name="doors",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "unit",
                    fields.ForeignKeyField(
                        "estate.Unit",
                        source_field="unit_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="doors",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "device",
                    fields.ForeignKeyField(
                        "devices.Device",
                        source_field="device_id",
                        description="its controller; free for another door once this one is removed",
                        db_constraint=True,
                        to_field="id",
                        related_name="doors",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "number",
                    fields.IntField(
                        description="the gate in a pass; unique in the compound, never used again"
                    ),
                ),
                ("name", fields.CharField(max_length=60)),
                (
                    "kind",
                    fields.CharField(description="gate | vehicle_gate | unit_door | facility", max_length=12),
                ),
                ("direction", fields.CharField(description="in | out | both", max_length=4)),
                ("methods", ArrayField(description="see rules.METHODS", element_type="TEXT")),
                ("is_for_visitors", fields.BooleanField(default=True)),
                (
                    "needs_screen",
                    fields.BooleanField(default=False, description="takes visitors' rotating codes only"),
                ),
                (
                    "mode",
                    fields.CharField(
                        default="normal", description="normal | held_open | closed", max_length=10
                    ),
                ),
                (
                    "released_by",
                    fields.ForeignKeyField(
                        "devices.Alarm",
                        source_field="released_by_id",
                        null=True,
                        description="the fire alarm that unlocked it; nobody locks it before that is cleared",
                        db_constraint=True,
                        to_field="id",
                        related_name="released_doors",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "position",
                    fields.CharField(default="unknown", description="open | closed | unknown", max_length=8),
                ),
                ("position_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "list_sequence",
                    fields.BigIntField(null=True, description="the revocation list its gate has confirmed"),
                ),
                ("listed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "event_sequence",
                    fields.BigIntField(null=True, description="the last event its gate has told of"),
                ),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("removed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "door",
                "app": "access",
                "unique_together": (("compound", "number"),),
                "indexes": [Index(fields=["building_id"], name="door_building")],
                "pk_attr": "id",
                "table_description": "A door or gate (门禁点位): where it leads, how it opens, and what is known of it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DoorCommand",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="door_commands",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "door",
                    fields.ForeignKeyField(
                        "access.Door",
                        source_field="door_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="commands",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "account",
                    fields.ForeignKeyField(
                        "identity.Account",
                        source_field="account_id",
                        null=True,
                        description="null where the house itself orders it, as at a fire",
                        db_constraint=True,
                        to_field="id",
                        related_name="door_commands",
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
                        related_name="door_commands",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("action", fields.CharField(description="open | hold_open | normal | closed", max_length=10)),
                (
                    "state",
                    fields.CharField(
                        description="requested | sent | opened | refused | expired | unknown", max_length=10
                    ),
                ),
                (
                    "reason",
                    fields.CharField(default="", description="code of why it was refused", max_length=40),
                ),
                ("requested_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "expires_at",
                    fields.DatetimeField(
                        description="at most 10 seconds later", auto_now=False, auto_now_add=False
                    ),
                ),
                ("sent_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("settled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "acted_at",
                    fields.DatetimeField(
                        null=True,
                        description="the relay fired, by the controller's clock",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "moved_at",
                    fields.DatetimeField(
                        null=True,
                        description="the door moved, by the controller's clock",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "door_command",
                "app": "access",
                "indexes": [
                    Index(fields=["door_id", "requested_at"], name="door_command_door"),
                    Index(fields=["account_id", "requested_at"], name="door_command_account"),
                ],
                "pk_attr": "id",
                "table_description": "One order to a door (开门指令): signed, short-lived, carried out once or not at all.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PassKey",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("kid", fields.BinaryField(description="4 bytes, COSE key id")),
                ("public_key", fields.BinaryField(description="Ed25519, 32 bytes")),
                ("private_sealed", fields.BinaryField(description="SM4-GCM, purpose access.pass_key")),
                ("made_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "retired_at",
                    fields.DatetimeField(
                        null=True,
                        description="signs nothing any more; what it signed counts",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "pass_key",
                "app": "access",
                "pk_attr": "id",
                "table_description": "A key that signs passes, lists and commands (签发密钥); gates and controllers hold the public half.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PassTemplate",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="pass_templates",
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
                        related_name="pass_templates",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "host",
                    fields.ForeignKeyField(
                        "identity.Account",
                        source_field="host_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="pass_templates",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("guest_name", fields.CharField(max_length=60)),
                (
                    "phone_sealed",
                    fields.BinaryField(null=True, description="SM4-GCM, purpose template.phone"),
                ),
                ("plate", fields.CharField(default="", max_length=16)),
                ("companions", fields.IntField(default=0)),
                ("purpose", fields.CharField(description="see rules.PURPOSES", max_length=10)),
                ("message", fields.CharField(default="", max_length=200)),
                ("weekdays", fields.IntField(description="bit 0 is Monday")),
                ("from_minute", fields.IntField(description="of the day in Asia/Shanghai")),
                ("until_minute", fields.IntField()),
                ("uses_allowed", fields.IntField(null=True)),
                ("until_on", fields.DateField(description="its last day, included")),
                ("link_hash", fields.BinaryField(description="SHA-256 of the secret in its link")),
                ("link_sealed", fields.BinaryField(description="SM4-GCM, purpose template.link")),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "pass_template",
                "app": "access",
                "indexes": [Index(fields=["house_id"], name="pass_template_house")],
                "pk_attr": "id",
                "table_description": "A visit that repeats (常访模板): the cleaner, Tuesdays 9 to 11. One link for all its passes.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RecordExport",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="record_exports",
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
                        related_name="record_exports",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("file_key", fields.CharField(description="key in the file store", max_length=120)),
                ("made_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "record_export",
                "app": "access",
                "indexes": [Index(fields=["made_at"], name="record_export_made")],
                "pk_attr": "id",
                "table_description": "A file of records that somebody asked for (通行记录导出); the file and its row are soon forgotten.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ResidentCode",
            fields=[
                (
                    "id",
                    fields.UUIDField(
                        primary_key=True,
                        default=uuid4,
                        unique=True,
                        db_index=True,
                        description="the 16 random bytes that are its cti",
                    ),
                ),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="resident_codes",
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
                        related_name="resident_codes",
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
                        related_name="resident_codes",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("issued_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "resident_code",
                "app": "access",
                "indexes": [Index(fields=["issued_at"], name="resident_code_issued")],
                "pk_attr": "id",
                "table_description": "Whose a resident's own code is (住户码): the code itself says nothing of the person.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Revocation",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="revocations",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("sequence", fields.BigIntField()),
                ("pass_id", fields.UUIDField(description="the cti of what was signed")),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("revoked_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "revocation",
                "app": "access",
                "unique_together": (("compound", "sequence"),),
                "pk_attr": "id",
                "table_description": "A line of a compound's revocation list (吊销名单): numbered without gaps, never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="VisitorPass",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="visitor_passes",
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
                        related_name="visitor_passes",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "host",
                    fields.ForeignKeyField(
                        "identity.Account",
                        source_field="host_id",
                        null=True,
                        description="who invited or approved; null until then, and where a guard did",
                        db_constraint=True,
                        to_field="id",
                        related_name="visitor_passes",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "template",
                    fields.ForeignKeyField(
                        "access.PassTemplate",
                        source_field="template_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="passes",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("origin", fields.CharField(description="host | visitor | guard | template", max_length=8)),
                (
                    "state",
                    fields.CharField(
                        description="requested | active | used_up | expired | revoked | rejected",
                        max_length=10,
                    ),
                ),
                ("guest_name", fields.CharField(max_length=60)),
                ("phone_sealed", fields.BinaryField(null=True, description="SM4-GCM, purpose pass.phone")),
                ("phone_index", fields.BinaryField(null=True, description="HMAC-SM3 of the number")),
                (
                    "phone_tail_index",
                    fields.BinaryField(null=True, description="HMAC-SM3 of the last four digits"),
                ),
                ("plate", fields.CharField(default="", max_length=16)),
                (
                    "is_car_refused",
                    fields.BooleanField(
                        default=False,
                        description="the compound is full of visitors' cars: the person may enter, the car not",
                    ),
                ),
                ("companions", fields.IntField(default=0)),
                ("purpose", fields.CharField(description="see rules.PURPOSES", max_length=10)),
                (
                    "message",
                    fields.CharField(default="", description="the host's words to the guest", max_length=200),
                ),
                ("starts_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("ends_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("uses_allowed", fields.IntField(null=True, description="null is any number")),
                ("uses", fields.IntField(default=0)),
                (
                    "offline_door",
                    fields.ForeignKeyField(
                        "access.Door",
                        source_field="offline_door_id",
                        null=True,
                        description="the one gate that may count it without a network",
                        db_constraint=True,
                        to_field="id",
                        related_name="bound_passes",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("link_hash", fields.BinaryField(description="SHA-256 of the secret in its link")),
                ("link_sealed", fields.BinaryField(description="SM4-GCM, purpose pass.link")),
                ("requested_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("decided_by", fields.UUIDField(null=True)),
                (
                    "reason",
                    fields.CharField(
                        default="", description="why it was rejected or revoked", max_length=200
                    ),
                ),
                (
                    "ended_at",
                    fields.DatetimeField(
                        null=True,
                        description="used up, expired, revoked or rejected then",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("ended_by", fields.UUIDField(null=True)),
                (
                    "document_checked_at",
                    fields.DatetimeField(
                        null=True,
                        description="a guard has seen the document",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("document_checked_by", fields.UUIDField(null=True)),
                (
                    "inside_since",
                    fields.DatetimeField(
                        null=True,
                        description="admitted, and not seen to leave",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("last_used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "visitor_pass",
                "app": "access",
                "indexes": [
                    Index(fields=["compound_id", "starts_at", "id"], name="visitor_pass_compound"),
                    Index(fields=["house_id", "requested_at", "id"], name="visitor_pass_house"),
                ],
                "pk_attr": "id",
                "table_description": "A visitor's pass (访客通行证).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AccessRecord",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="access_records",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "door",
                    fields.ForeignKeyField(
                        "access.Door",
                        source_field="door_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="records",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "building_id",
                    fields.UUIDField(null=True, description="of the door; null for the compound's own"),
                ),
                (
                    "house",
                    fields.ForeignKeyField(
                        "estate.House",
                        source_field="house_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="access_records",
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
                        related_name="access_records",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("account_id", fields.UUIDField(null=True, description="who opened by phone")),
                (
                    "visitor_pass",
                    fields.ForeignKeyField(
                        "access.VisitorPass",
                        source_field="visitor_pass_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="records",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "command",
                    fields.ForeignKeyField(
                        "access.DoorCommand",
                        source_field="command_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="records",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("who", fields.CharField(default="", description="the name as it was then", max_length=60)),
                ("plate", fields.CharField(default="", max_length=16)),
                ("is_vehicle", fields.BooleanField(default=False)),
                (
                    "at",
                    fields.DatetimeField(
                        description="by the device's clock where that can be believed, else by ours",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "device_at",
                    fields.DatetimeField(
                        null=True,
                        description="what the device's clock said",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("received_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("direction", fields.CharField(description="in | out | unknown", max_length=7)),
                ("method", fields.CharField(description="see rules.METHODS", max_length=8)),
                ("result", fields.CharField(description="opened | refused | unknown", max_length=8)),
                ("reason", fields.CharField(default="", description="code of the refusal", max_length=40)),
                (
                    "guard_id",
                    fields.UUIDField(null=True, description="the staff account that admitted or refused"),
                ),
                ("note", fields.CharField(default="", max_length=200)),
                (
                    "event_key",
                    fields.CharField(null=True, description="the device's own number of it", max_length=80),
                ),
            ],
            options={
                "table": "access_record",
                "app": "access",
                "indexes": [
                    Index(fields=["compound_id", "at", "id"], name="access_record_compound"),
                    Index(fields=["door_id", "at", "id"], name="access_record_door"),
                ],
                "pk_attr": "id",
                "table_description": "What was tried at a door (通行记录): one row per attempt, opened or not.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="KeypadCode",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="keypad_codes",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "visitor_pass",
                    fields.ForeignKeyField(
                        "access.VisitorPass",
                        source_field="visitor_pass_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="codes",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("on_day", fields.DateField()),
                ("digits_index", fields.BinaryField(description="HMAC-SM3 of the digits")),
                ("digits_sealed", fields.BinaryField(description="SM4-GCM, purpose pass.digits")),
            ],
            options={
                "table": "keypad_code",
                "app": "access",
                "unique_together": (("compound", "on_day", "digits_index"), ("visitor_pass", "on_day")),
                "pk_attr": "id",
                "table_description": "Six digits that stand for a pass on one day (数字通行码); checked online only.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="VisitorPassDoor",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "visitor_pass",
                    fields.ForeignKeyField(
                        "access.VisitorPass",
                        source_field="visitor_pass_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="narrowed",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "door",
                    fields.ForeignKeyField(
                        "access.Door",
                        source_field="door_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="narrowed_passes",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "visitor_pass_door",
                "app": "access",
                "unique_together": (("visitor_pass", "door"),),
                "pk_attr": "id",
                "table_description": "A door that a pass is narrowed to; a pass without any opens every visitors' door on its way.",
            },
            bases=["Model"],
        ),
    ]
