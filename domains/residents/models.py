"""People, occupancy, registration, invitations, vehicles, imports (人房关系)."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.indexes import Index
from tortoise.models import Model

from domains.estate.models import Compound, House
from domains.identity.models import Account
from domains.kernel.ids import uuid7


class Person(Model):
    """A person in a compound's register (人口登记). The same human in two compounds is two records:
    each property company keeps its own, joined only by the account that signs in."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="people", on_delete=fields.RESTRICT
    )
    account: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "identity.Account", related_name="people", null=True, on_delete=fields.RESTRICT
    )
    name = fields.CharField(max_length=60)
    phone_sealed = fields.BinaryField(null=True, description="SM4-GCM, purpose person.phone")
    phone_index = fields.BinaryField(null=True, description="HMAC-SM3 of the number")
    phone_tail_index = fields.BinaryField(null=True, description="HMAC-SM3 of the last four digits")
    document_kind = fields.CharField(max_length=20, null=True)
    document_sealed = fields.BinaryField(null=True, description="SM4-GCM, purpose person.document")
    document_index = fields.BinaryField(null=True)
    sex = fields.CharField(max_length=6, null=True, description="male | female")
    born_on = fields.DateField(null=True)
    nationality = fields.CharField(max_length=30, default="")
    ethnicity = fields.CharField(max_length=20, default="")
    native_place = fields.CharField(max_length=60, default="")
    registered_address = fields.CharField(max_length=200, default="", description="户籍地址")
    population_kind = fields.CharField(
        max_length=10, null=True, description="permanent | floating | attention"
    )
    tags: fields.Field[list[str]] = ArrayField(element_type="text", default=list)
    work_unit = fields.CharField(max_length=80, default="")
    photo_key = fields.CharField(max_length=120, null=True, description="key in the file store")
    source = fields.CharField(max_length=20, description="import | registration | invitation | staff")
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "person"
        indexes = (
            Index(fields=("compound_id", "name", "id"), name="person_compound_name"),
            Index(fields=("compound_id", "phone_index"), name="person_phone"),
            Index(fields=("compound_id", "phone_tail_index"), name="person_phone_tail"),
            Index(fields=("compound_id", "document_index"), name="person_document"),
            Index(fields=("account_id",), name="person_account"),
        )


class Occupancy(Model):
    """Who has a house, in which capacity, from when until when (居住关系). Rows are ended, never deleted."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="occupancies", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="occupancies", on_delete=fields.RESTRICT
    )
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "residents.Person", related_name="occupancies", on_delete=fields.RESTRICT
    )
    capacity = fields.CharField(max_length=8, description="owner | family | tenant")
    relation = fields.CharField(
        max_length=20, default="", description="to the owner, as registered: 配偶, 子女, 父母"
    )
    since_on = fields.DateField(null=True, description="null where the register does not say")
    lease_until_on = fields.DateField(
        null=True, description="a tenancy's last day, included; it ends by itself"
    )
    verified_by = fields.CharField(max_length=12, description="register | staff | owner")
    recorded_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True, description="counts from the next request on")
    end_reason = fields.CharField(
        max_length=100, null=True, description="for the people of the house to read"
    )
    ended_by = fields.UUIDField(
        null=True, description="the account that ended it; null where it ended by itself"
    )

    class Meta:
        table = "occupancy"
        indexes = (
            Index(fields=("house_id", "ended_at"), name="occupancy_house"),
            Index(fields=("person_id", "ended_at"), name="occupancy_person"),
        )


class Registration(Model):
    """A resident's own registration, reviewed by staff (自助登记)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="registrations", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="registrations", on_delete=fields.RESTRICT
    )
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "identity.Account", related_name="registrations", on_delete=fields.RESTRICT
    )
    place = fields.CharField(max_length=120, description="the house as the resident typed it")
    name = fields.CharField(max_length=60)
    capacity = fields.CharField(max_length=8, description="owner | family | tenant")
    phone_sealed = fields.BinaryField(description="SM4-GCM, purpose registration.phone")
    phone_index = fields.BinaryField(description="as person.phone_index")
    document_kind = fields.CharField(max_length=20, null=True)
    document_sealed = fields.BinaryField(null=True, description="SM4-GCM, purpose registration.document")
    document_index = fields.BinaryField(null=True, description="as person.document_index")
    note = fields.CharField(max_length=200, default="")
    lease_until_on = fields.DateField(null=True)
    state = fields.CharField(max_length=10, description="pending | approved | rejected | withdrawn")
    submitted_at = fields.DatetimeField()
    reviewed_at = fields.DatetimeField(null=True)
    reviewed_by = fields.UUIDField(null=True)
    reason = fields.CharField(max_length=200, null=True, description="what the resident reads when refused")

    class Meta:
        table = "registration"
        indexes = (
            Index(fields=("compound_id", "state", "submitted_at", "id"), name="registration_review"),
            Index(fields=("account_id", "submitted_at"), name="registration_account"),
        )


class Invitation(Model):
    """An owner's invitation to a house; taking it up binds (邀请家人、租客)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="invitations", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="invitations", on_delete=fields.RESTRICT
    )
    inviter: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "identity.Account", related_name="invitations", on_delete=fields.RESTRICT
    )
    capacity = fields.CharField(max_length=8, description="family | tenant")
    name = fields.CharField(max_length=60, description="whom the owner means")
    phone_sealed = fields.BinaryField(description="SM4-GCM, purpose invitation.phone")
    phone_index = fields.BinaryField(description="as account.phone_index: only that account may take it up")
    code_hash = fields.BinaryField(description="SHA-256 of the code in the link")
    lease_until_on = fields.DateField(null=True)
    state = fields.CharField(max_length=10, description="open | accepted | withdrawn | expired")
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    accepted_by = fields.UUIDField(null=True)

    class Meta:
        table = "invitation"
        indexes = (Index(fields=("house_id", "state"), name="invitation_house"),)


class Vehicle(Model):
    """A car or an e-bike of a house (车辆、电动自行车登记)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="vehicles", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="vehicles", on_delete=fields.RESTRICT
    )
    person: fields.ForeignKeyNullableRelation[Person] = fields.ForeignKeyField(
        "residents.Person", related_name="vehicles", null=True, on_delete=fields.RESTRICT
    )
    kind = fields.CharField(max_length=8, description="car | ebike")
    plate = fields.CharField(max_length=16)
    plate_colour = fields.CharField(
        max_length=8, default="", description="blue | green | yellow | white | black"
    )
    brand = fields.CharField(max_length=40, default="")
    model = fields.CharField(max_length=40, default="")
    colour = fields.CharField(max_length=20, default="")
    photo_key = fields.CharField(max_length=120, null=True)
    flag = fields.CharField(max_length=8, null=True, description="stolen | cloned (被盗、套牌)")
    source = fields.CharField(max_length=20)
    recorded_at = fields.DatetimeField()
    removed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "vehicle"
        indexes = (Index(fields=("house_id",), name="vehicle_house"),)


class RegisterImport(Model):
    """One upload of a register: staged with its mapping, then applied whole or not at all (台账导入)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="imports", on_delete=fields.RESTRICT
    )
    file_name = fields.CharField(max_length=200)
    file_key = fields.CharField(max_length=120, description="key in the file store")
    sha256 = fields.CharField(max_length=64)
    state = fields.CharField(max_length=10, description="staged | refused | applied")
    sheets = fields.JSONField[Any]()  # Any: per sheet the recognised mapping, as shown to the person
    errors = fields.JSONField[Any]()  # Any: row errors, bounded
    error_count = fields.IntField(default=0)
    counts = fields.JSONField[dict[str, int]](default=dict, description="created and updated per kind of row")
    uploaded_by = fields.UUIDField(null=True)
    uploaded_at = fields.DatetimeField()
    applied_at = fields.DatetimeField(null=True)

    class Meta:
        table = "register_import"
        indexes = (Index(fields=("compound_id", "uploaded_at"), name="register_import_compound"),)
