"""Accounts, sign-in, sessions, staff, roles (身份与权限)."""

from __future__ import annotations

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.indexes import Index
from tortoise.models import Model

from domains.estate.models import Building, Company, Compound, Region
from domains.kernel.ids import uuid7


class Account(Model):
    """Somebody who can sign in: a resident by phone or platform, a staff member by password."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    kind = fields.CharField(max_length=10, description="resident | staff")
    name = fields.CharField(max_length=60, default="")
    phone_sealed = fields.BinaryField(null=True, description="SM4-GCM, purpose account.phone")
    phone_index = fields.BinaryField(null=True, description="HMAC-SM3 of the number; unique among residents")
    language = fields.CharField(max_length=5, default="zh")
    created_at = fields.DatetimeField(auto_now_add=True)
    disabled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "account"


class PlatformIdentity(Model):
    """An account as WeChat or Alipay knows it."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "identity.Account", related_name="platform_identities", on_delete=fields.RESTRICT
    )
    platform = fields.CharField(max_length=10, description="wechat | alipay")
    app_id = fields.CharField(max_length=40)
    open_id = fields.CharField(max_length=80, description="the platform's id of the person in this app")
    union_id = fields.CharField(max_length=80, null=True)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "platform_identity"
        unique_together = (("platform", "app_id", "open_id"),)


class SmsCode(Model):
    """The last sign-in code sent to a phone: 6 digits, 5 minutes, 5 tries, once. A new one replaces it."""

    id = fields.UUIDField(primary_key=True, default=uuid7, description="new with every code")
    phone_index = fields.BinaryField(description="HMAC-SM3 of the number; one live code per phone")
    code_hash = fields.BinaryField(description="HMAC of code and row id: useless without the key")
    tries = fields.IntField(default=0)
    sent_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "sms_code"


class Session(Model):
    """A signed-in device (登录设备)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "identity.Account", related_name="sessions", on_delete=fields.RESTRICT
    )
    method = fields.CharField(max_length=10, description="wechat | alipay | sms | password")
    device = fields.CharField(max_length=200, description="what the client says it is")
    ip = fields.CharField(max_length=45)
    created_at = fields.DatetimeField()
    last_seen_at = fields.DatetimeField(description="refreshed at most once a minute")
    expires_at = fields.DatetimeField()
    idle_timeout_s = fields.IntField(null=True, description="staff: ends by itself when idle that long")
    ended_at = fields.DatetimeField(null=True)
    end_reason = fields.CharField(
        max_length=20, null=True, description="signed_out | revoked | reuse | disabled | password | joined"
    )

    class Meta:
        table = "session"
        indexes = (Index(fields=("account_id", "ended_at"), name="session_account"),)


class RefreshToken(Model):
    """One link of a session's chain of refresh tokens; each is used once (刷新令牌轮换)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    session: fields.ForeignKeyRelation[Session] = fields.ForeignKeyField(
        "identity.Session", related_name="refresh_tokens", on_delete=fields.RESTRICT
    )
    token_hash = fields.BinaryField(description="SHA-256 of the token")
    previous_id = fields.UUIDField(null=True, description="the link this one was given for")
    issued_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "refresh_token"


class StaffMember(Model):
    """What a staff account has beyond an account (员工账号)."""

    account: fields.OneToOneRelation[Account] = fields.OneToOneField(
        "identity.Account", related_name="staff", primary_key=True, on_delete=fields.RESTRICT
    )
    company: fields.ForeignKeyRelation[Company] = fields.ForeignKeyField(
        "estate.Company", related_name="staff", on_delete=fields.RESTRICT
    )
    login = fields.CharField(max_length=40, unique=True, description="lower case")
    password_hash = fields.CharField(max_length=200, description="argon2id")
    must_change_password = fields.BooleanField(default=True)
    valid_from = fields.DateField()
    valid_until = fields.DateField(null=True, description="last day, included")
    idle_timeout_s = fields.IntField(default=1800)
    max_failures = fields.IntField(default=5)
    failures = fields.IntField(default=0, description="wrong passwords in a row")
    locked_until = fields.DatetimeField(null=True)
    totp_sealed = fields.BinaryField(null=True, description="SM4-GCM, purpose staff.totp")
    totp_confirmed_at = fields.DatetimeField(null=True, description="asked for from then on")
    totp_last_step = fields.BigIntField(null=True, description="a code is accepted once")
    is_operator = fields.BooleanField(
        default=False,
        db_default=False,
        description="runs the installation (系统运维); given at its command line",
    )

    class Meta:
        table = "staff_member"


class Role(Model):
    """A named set of permissions of a company (角色)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    company: fields.ForeignKeyRelation[Company] = fields.ForeignKeyField(
        "estate.Company", related_name="roles", on_delete=fields.RESTRICT
    )
    name = fields.CharField(max_length=40)
    permissions: fields.Field[list[str]] = ArrayField(element_type="text")
    updated_at = fields.DatetimeField(auto_now=True)

    class Meta:
        table = "role"
        unique_together = (("company", "name"),)


class RoleAssignment(Model):
    """A role held by a staff member over data: the company, a region's subtree, a compound or a building."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "identity.Account", related_name="assignments", on_delete=fields.RESTRICT
    )
    role: fields.ForeignKeyRelation[Role] = fields.ForeignKeyField(
        "identity.Role", related_name="assignments", on_delete=fields.RESTRICT
    )
    scope = fields.CharField(max_length=10, description="company | region | compound | building")
    region: fields.ForeignKeyNullableRelation[Region] = fields.ForeignKeyField(
        "estate.Region", related_name="assignments", null=True, on_delete=fields.RESTRICT
    )
    compound: fields.ForeignKeyNullableRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="assignments", null=True, on_delete=fields.RESTRICT
    )
    building: fields.ForeignKeyNullableRelation[Building] = fields.ForeignKeyField(
        "estate.Building", related_name="assignments", null=True, on_delete=fields.RESTRICT
    )
    assigned_at = fields.DatetimeField()

    class Meta:
        table = "role_assignment"
        indexes = (Index(fields=("account_id",), name="role_assignment_account"),)
