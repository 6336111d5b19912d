"""Doors, their commands, what was tried at them, and visitors' passes (门禁、通行记录、访客通行证)."""

from __future__ import annotations

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.indexes import Index
from tortoise.models import Model

from domains.devices.models import Alarm, Device
from domains.estate.models import Building, Compound, House, Unit
from domains.identity.models import Account
from domains.kernel.ids import uuid7
from domains.residents.models import Person


class AccessRules(Model):
    """What a compound allows (通行规则), its number in passes and the state of its revocation list."""

    compound: fields.OneToOneRelation[Compound] = fields.OneToOneField(
        "estate.Compound", related_name="access_rules", primary_key=True, on_delete=fields.RESTRICT
    )
    number = fields.IntField(unique=True, description="the community in a pass (CWT aud); from a sequence")
    longest_window_h = fields.IntField(default=72, description="longest validity of a pass, hours")
    most_uses = fields.IntField(default=20, description="most uses a pass may allow")
    daily_passes_per_house = fields.IntField(default=20)
    visitor_cars = fields.IntField(
        null=True, description="visitors' cars with a valid pass at a time; null is no limit"
    )
    approver = fields.CharField(
        max_length=8, default="either", description="resident | guard | either decides what visitors ask for"
    )
    daily_openings = fields.IntField(
        null=True, default=200, description="remote openings per person and day; null is no limit"
    )
    counts_offline = fields.BooleanField(
        default=False, description="gates without a network count uses themselves instead of asking the guard"
    )
    records_kept_days = fields.IntField(default=180)
    vehicle_records_kept_days = fields.IntField(default=180)
    screen_key_sealed = fields.BinaryField(description="SM4-GCM, purpose access.screen: makes rotating codes")
    revocation_sequence = fields.BigIntField(default=0)

    class Meta:
        table = "access_rules"


class PassKey(Model):
    """A key that signs passes, lists and commands (签发密钥); gates and controllers hold the public half."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    kid = fields.BinaryField(description="4 bytes, COSE key id")
    public_key = fields.BinaryField(description="Ed25519, 32 bytes")
    private_sealed = fields.BinaryField(description="SM4-GCM, purpose access.pass_key")
    made_at = fields.DatetimeField()
    retired_at = fields.DatetimeField(null=True, description="signs nothing any more; what it signed counts")

    class Meta:
        table = "pass_key"


class Door(Model):
    """A door or gate (门禁点位): where it leads, how it opens, and what is known of it."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="doors", on_delete=fields.RESTRICT
    )
    building: fields.ForeignKeyNullableRelation[Building] = fields.ForeignKeyField(
        "estate.Building", related_name="doors", null=True, on_delete=fields.RESTRICT
    )
    unit: fields.ForeignKeyNullableRelation[Unit] = fields.ForeignKeyField(
        "estate.Unit", related_name="doors", null=True, on_delete=fields.RESTRICT
    )
    device: fields.ForeignKeyRelation[Device] = fields.ForeignKeyField(
        "devices.Device", related_name="doors", on_delete=fields.RESTRICT,
        description="its controller; free for another door once this one is removed",
    )  # fmt: skip
    number = fields.IntField(description="the gate in a pass; unique in the compound, never used again")
    name = fields.CharField(max_length=60)
    kind = fields.CharField(max_length=12, description="gate | vehicle_gate | unit_door | facility")
    direction = fields.CharField(max_length=4, description="in | out | both")
    methods: fields.Field[list[str]] = ArrayField(element_type="text", description="see rules.METHODS")
    is_for_visitors = fields.BooleanField(default=True)
    needs_screen = fields.BooleanField(default=False, description="takes visitors' rotating codes only")
    mode = fields.CharField(max_length=10, default="normal", description="normal | held_open | closed")
    released_by: fields.ForeignKeyNullableRelation[Alarm] = fields.ForeignKeyField(
        "devices.Alarm", related_name="released_doors", null=True, on_delete=fields.RESTRICT,
        description="the fire alarm that unlocked it; nobody locks it before that is cleared",
    )  # fmt: skip
    position = fields.CharField(max_length=8, default="unknown", description="open | closed | unknown")
    position_at = fields.DatetimeField(null=True)
    list_sequence = fields.BigIntField(null=True, description="the revocation list its gate has confirmed")
    listed_at = fields.DatetimeField(null=True)
    event_sequence = fields.BigIntField(null=True, description="the last event its gate has told of")
    recorded_at = fields.DatetimeField()
    removed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "door"
        unique_together = (("compound", "number"),)
        indexes = (Index(fields=("building_id",), name="door_building"),)


class DoorCommand(Model):
    """One order to a door (开门指令): signed, short-lived, carried out once or not at all."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="door_commands", on_delete=fields.RESTRICT
    )
    door: fields.ForeignKeyRelation[Door] = fields.ForeignKeyField(
        "access.Door", related_name="commands", on_delete=fields.RESTRICT
    )
    account: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "identity.Account", related_name="door_commands", null=True, on_delete=fields.RESTRICT,
        description="null where the house itself orders it, as at a fire",
    )  # fmt: skip
    house: fields.ForeignKeyNullableRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="door_commands", null=True, on_delete=fields.RESTRICT
    )
    action = fields.CharField(max_length=10, description="open | hold_open | normal | closed")
    state = fields.CharField(
        max_length=10, description="requested | sent | opened | refused | expired | unknown"
    )
    reason = fields.CharField(max_length=40, default="", description="code of why it was refused")
    requested_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(description="at most 10 seconds later")
    sent_at = fields.DatetimeField(null=True)
    settled_at = fields.DatetimeField(null=True)
    acted_at = fields.DatetimeField(null=True, description="the relay fired, by the controller's clock")
    moved_at = fields.DatetimeField(null=True, description="the door moved, by the controller's clock")

    class Meta:
        table = "door_command"
        indexes = (
            Index(fields=("door_id", "requested_at"), name="door_command_door"),
            Index(fields=("account_id", "requested_at"), name="door_command_account"),
        )


class PassTemplate(Model):
    """A visit that repeats (常访模板): the cleaner, Tuesdays 9 to 11. One link for all its passes."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="pass_templates", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="pass_templates", on_delete=fields.RESTRICT
    )
    host: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "identity.Account", related_name="pass_templates", on_delete=fields.RESTRICT
    )
    guest_name = fields.CharField(max_length=60)
    phone_sealed = fields.BinaryField(null=True, description="SM4-GCM, purpose template.phone")
    plate = fields.CharField(max_length=16, default="")
    companions = fields.IntField(default=0)
    purpose = fields.CharField(max_length=10, description="see rules.PURPOSES")
    message = fields.CharField(max_length=200, default="")
    weekdays = fields.IntField(description="bit 0 is Monday")
    from_minute = fields.IntField(description="of the day in Asia/Shanghai")
    until_minute = fields.IntField()
    uses_allowed = fields.IntField(null=True)
    until_on = fields.DateField(description="its last day, included")
    link_hash = fields.BinaryField(description="SHA-256 of the secret in its link")
    link_sealed = fields.BinaryField(description="SM4-GCM, purpose template.link")
    created_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "pass_template"
        indexes = (Index(fields=("house_id",), name="pass_template_house"),)


class VisitorPass(Model):
    """A visitor's pass (访客通行证)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="visitor_passes", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="visitor_passes", on_delete=fields.RESTRICT
    )
    host: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "identity.Account", related_name="visitor_passes", null=True, on_delete=fields.RESTRICT,
        description="who invited or approved; null until then, and where a guard did",
    )  # fmt: skip
    template: fields.ForeignKeyNullableRelation[PassTemplate] = fields.ForeignKeyField(
        "access.PassTemplate", related_name="passes", null=True, on_delete=fields.RESTRICT
    )
    origin = fields.CharField(max_length=8, description="host | visitor | guard | template")
    state = fields.CharField(
        max_length=10, description="requested | active | used_up | expired | revoked | rejected"
    )
    guest_name = fields.CharField(max_length=60)
    phone_sealed = fields.BinaryField(null=True, description="SM4-GCM, purpose pass.phone")
    phone_index = fields.BinaryField(null=True, description="HMAC-SM3 of the number")
    phone_tail_index = fields.BinaryField(null=True, description="HMAC-SM3 of the last four digits")
    plate = fields.CharField(max_length=16, default="")
    is_car_refused = fields.BooleanField(
        default=False, description="the compound is full of visitors' cars: the person may enter, the car not"
    )
    companions = fields.IntField(default=0)
    purpose = fields.CharField(max_length=10, description="see rules.PURPOSES")
    message = fields.CharField(max_length=200, default="", description="the host's words to the guest")
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()
    uses_allowed = fields.IntField(null=True, description="null is any number")
    uses = fields.IntField(default=0)
    offline_door: fields.ForeignKeyNullableRelation[Door] = fields.ForeignKeyField(
        "access.Door", related_name="bound_passes", null=True, on_delete=fields.RESTRICT,
        description="the one gate that may count it without a network",
    )  # fmt: skip
    link_hash = fields.BinaryField(description="SHA-256 of the secret in its link")
    link_sealed = fields.BinaryField(description="SM4-GCM, purpose pass.link")
    requested_at = fields.DatetimeField()
    decided_at = fields.DatetimeField(null=True)
    decided_by = fields.UUIDField(null=True)
    reason = fields.CharField(max_length=200, default="", description="why it was rejected or revoked")
    ended_at = fields.DatetimeField(null=True, description="used up, expired, revoked or rejected then")
    ended_by = fields.UUIDField(null=True)
    document_checked_at = fields.DatetimeField(null=True, description="a guard has seen the document")
    document_checked_by = fields.UUIDField(null=True)
    inside_since = fields.DatetimeField(null=True, description="admitted, and not seen to leave")
    last_used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "visitor_pass"
        indexes = (
            Index(fields=("compound_id", "starts_at", "id"), name="visitor_pass_compound"),
            Index(fields=("house_id", "requested_at", "id"), name="visitor_pass_house"),
        )


class VisitorPassDoor(Model):
    """A door that a pass is narrowed to; a pass without any opens every visitors' door on its way."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    visitor_pass: fields.ForeignKeyRelation[VisitorPass] = fields.ForeignKeyField(
        "access.VisitorPass", related_name="narrowed", on_delete=fields.CASCADE
    )
    door: fields.ForeignKeyRelation[Door] = fields.ForeignKeyField(
        "access.Door", related_name="narrowed_passes", on_delete=fields.RESTRICT
    )

    class Meta:
        table = "visitor_pass_door"
        unique_together = (("visitor_pass", "door"),)


class KeypadCode(Model):
    """Six digits that stand for a pass on one day (数字通行码); checked online only."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="keypad_codes", on_delete=fields.RESTRICT
    )
    visitor_pass: fields.ForeignKeyRelation[VisitorPass] = fields.ForeignKeyField(
        "access.VisitorPass", related_name="codes", on_delete=fields.CASCADE
    )
    on_day = fields.DateField()
    digits_index = fields.BinaryField(description="HMAC-SM3 of the digits")
    digits_sealed = fields.BinaryField(description="SM4-GCM, purpose pass.digits")

    class Meta:
        table = "keypad_code"
        unique_together = (("compound", "on_day", "digits_index"), ("visitor_pass", "on_day"))


class ResidentCode(Model):
    """Whose a resident's own code is (住户码): the code itself says nothing of the person."""

    id = fields.UUIDField(primary_key=True, description="the 16 random bytes that are its cti")
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="resident_codes", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="resident_codes", on_delete=fields.RESTRICT
    )
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "identity.Account", related_name="resident_codes", on_delete=fields.RESTRICT
    )
    issued_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()

    class Meta:
        table = "resident_code"
        indexes = (Index(fields=("issued_at",), name="resident_code_issued"),)


class Revocation(Model):
    """A line of a compound's revocation list (吊销名单): numbered without gaps, never changed."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="revocations", on_delete=fields.RESTRICT
    )
    sequence = fields.BigIntField()
    pass_id = fields.UUIDField(description="the cti of what was signed")
    expires_at = fields.DatetimeField()
    revoked_at = fields.DatetimeField()

    class Meta:
        table = "revocation"
        unique_together = (("compound", "sequence"),)


class AccessRecord(Model):
    """What was tried at a door (通行记录): one row per attempt, opened or not."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="access_records", on_delete=fields.RESTRICT
    )
    door: fields.ForeignKeyRelation[Door] = fields.ForeignKeyField(
        "access.Door", related_name="records", on_delete=fields.RESTRICT
    )
    building_id = fields.UUIDField(null=True, description="of the door; null for the compound's own")
    house: fields.ForeignKeyNullableRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="access_records", null=True, on_delete=fields.RESTRICT
    )
    person: fields.ForeignKeyNullableRelation[Person] = fields.ForeignKeyField(
        "residents.Person", related_name="access_records", null=True, on_delete=fields.RESTRICT
    )
    account_id = fields.UUIDField(null=True, description="who opened by phone")
    visitor_pass: fields.ForeignKeyNullableRelation[VisitorPass] = fields.ForeignKeyField(
        "access.VisitorPass", related_name="records", null=True, on_delete=fields.RESTRICT
    )
    command: fields.ForeignKeyNullableRelation[DoorCommand] = fields.ForeignKeyField(
        "access.DoorCommand", related_name="records", null=True, on_delete=fields.RESTRICT
    )
    who = fields.CharField(max_length=60, default="", description="the name as it was then")
    plate = fields.CharField(max_length=16, default="")
    is_vehicle = fields.BooleanField(default=False)
    at = fields.DatetimeField(description="by the device's clock where that can be believed, else by ours")
    device_at = fields.DatetimeField(null=True, description="what the device's clock said")
    received_at = fields.DatetimeField()
    direction = fields.CharField(max_length=7, description="in | out | unknown")
    method = fields.CharField(max_length=8, description="see rules.METHODS")
    result = fields.CharField(max_length=8, description="opened | refused | unknown")
    reason = fields.CharField(max_length=40, default="", description="code of the refusal")
    guard_id = fields.UUIDField(null=True, description="the staff account that admitted or refused")
    note = fields.CharField(max_length=200, default="")
    event_key = fields.CharField(max_length=80, null=True, description="the device's own number of it")

    class Meta:
        table = "access_record"
        indexes = (
            Index(fields=("compound_id", "at", "id"), name="access_record_compound"),
            Index(fields=("door_id", "at", "id"), name="access_record_door"),
        )


class RecordExport(Model):
    """A file of records that somebody asked for (通行记录导出); the file and its row are soon forgotten."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="record_exports", on_delete=fields.RESTRICT
    )
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "identity.Account", related_name="record_exports", on_delete=fields.RESTRICT
    )
    file_key = fields.CharField(max_length=120, description="key in the file store")
    made_at = fields.DatetimeField()

    class Meta:
        table = "record_export"
        indexes = (Index(fields=("made_at",), name="record_export_made"),)
