from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from domains.kernel.ids import uuid7


class Migration(migrations.Migration):
    initial = True
    dependencies = [("estate", "0001_initial")]

    operations = [
        ops.CreateModel(
            name="Account",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("kind", fields.CharField(description="resident | staff", max_length=10)),
                ("name", fields.CharField(default="", max_length=60)),
                ("phone_sealed", fields.BinaryField(null=True, description="SM4-GCM, purpose account.phone")),
                (
                    "phone_index",
                    fields.BinaryField(
                        null=True, description="HMAC-SM3 of the number; unique among residents"
                    ),
                ),
                ("language", fields.CharField(default="zh", max_length=5)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
                ("disabled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "account",
                "app": "identity",
                "pk_attr": "id",
                "table_description": "Somebody who can sign in: a resident by phone or platform, a staff member by password.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PlatformIdentity",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "account",
                    fields.ForeignKeyField(
                        "identity.Account",
                        source_field="account_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="platform_identities",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("platform", fields.CharField(description="wechat | alipay", max_length=10)),
                ("app_id", fields.CharField(max_length=40)),
                (
                    "open_id",
                    fields.CharField(
                        description="the platform's id of the person in this app", max_length=80
                    ),
                ),
                ("union_id", fields.CharField(null=True, max_length=80)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={
                "table": "platform_identity",
                "app": "identity",
                "unique_together": (("platform", "app_id", "open_id"),),
                "pk_attr": "id",
                "table_description": "An account as WeChat or Alipay knows it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Role",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "company",
                    fields.ForeignKeyField(
                        "estate.Company",
                        source_field="company_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="roles",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("name", fields.CharField(max_length=40)),
                ("permissions", ArrayField(element_type="TEXT")),
                ("updated_at", fields.DatetimeField(auto_now=True, auto_now_add=False)),
            ],
            options={
                "table": "role",
                "app": "identity",
                "unique_together": (("company", "name"),),
                "pk_attr": "id",
                "table_description": "A named set of permissions of a company (角色).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RoleAssignment",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "account",
                    fields.ForeignKeyField(
                        "identity.Account",
                        source_field="account_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="assignments",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "role",
                    fields.ForeignKeyField(
                        "identity.Role",
                        source_field="role_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="assignments",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "scope",
                    fields.CharField(description="company | region | compound | building", max_length=10),
                ),
                (
                    "region",
                    fields.ForeignKeyField(
                        "estate.Region",
                        source_field="region_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="assignments",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "compound",
                    fields.ForeignKeyField(
                        "estate.Compound",
                        source_field="compound_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="assignments",
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
                        related_name="assignments",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("assigned_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "role_assignment",
                "app": "identity",
                "indexes": [Index(fields=["account_id"], name="role_assignment_account")],
                "pk_attr": "id",
                "table_description": "A role held by a staff member over data: the company, a region's subtree, a compound or a building.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Session",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "account",
                    fields.ForeignKeyField(
                        "identity.Account",
                        source_field="account_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="sessions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("method", fields.CharField(description="wechat | alipay | sms | password", max_length=10)),
                ("device", fields.CharField(description="what the client says it is", max_length=200)),
                ("ip", fields.CharField(max_length=45)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "last_seen_at",
                    fields.DatetimeField(
                        description="refreshed at most once a minute", auto_now=False, auto_now_add=False
                    ),
                ),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "idle_timeout_s",
                    fields.IntField(null=True, description="staff: ends by itself when idle that long"),
                ),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "end_reason",
                    fields.CharField(
                        null=True,
                        description="signed_out | revoked | reuse | disabled | password | joined",
                        max_length=20,
                    ),
                ),
            ],
            options={
                "table": "session",
                "app": "identity",
                "indexes": [Index(fields=["account_id", "ended_at"], name="session_account")],
                "pk_attr": "id",
                "table_description": "A signed-in device (登录设备).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RefreshToken",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "session",
                    fields.ForeignKeyField(
                        "identity.Session",
                        source_field="session_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="refresh_tokens",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("token_hash", fields.BinaryField(description="SHA-256 of the token")),
                ("previous_id", fields.UUIDField(null=True, description="the link this one was given for")),
                ("issued_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "refresh_token",
                "app": "identity",
                "pk_attr": "id",
                "table_description": "One link of a session's chain of refresh tokens; each is used once (刷新令牌轮换).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SmsCode",
            fields=[
                (
                    "id",
                    fields.UUIDField(
                        primary_key=True,
                        default=uuid7,
                        unique=True,
                        db_index=True,
                        description="new with every code",
                    ),
                ),
                (
                    "phone_index",
                    fields.BinaryField(description="HMAC-SM3 of the number; one live code per phone"),
                ),
                (
                    "code_hash",
                    fields.BinaryField(description="HMAC of code and row id: useless without the key"),
                ),
                ("tries", fields.IntField(default=0)),
                ("sent_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "sms_code",
                "app": "identity",
                "pk_attr": "id",
                "table_description": "The last sign-in code sent to a phone: 6 digits, 5 minutes, 5 tries, once. A new one replaces it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StaffMember",
            fields=[
                (
                    "account",
                    fields.OneToOneField(
                        "identity.Account",
                        source_field="account_id",
                        primary_key=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="staff",
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
                        related_name="staff",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("login", fields.CharField(unique=True, description="lower case", max_length=40)),
                ("password_hash", fields.CharField(description="argon2id", max_length=200)),
                ("must_change_password", fields.BooleanField(default=True)),
                ("valid_from", fields.DateField()),
                ("valid_until", fields.DateField(null=True, description="last day, included")),
                ("idle_timeout_s", fields.IntField(default=1800)),
                ("max_failures", fields.IntField(default=5)),
                ("failures", fields.IntField(default=0, description="wrong passwords in a row")),
                ("locked_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("totp_sealed", fields.BinaryField(null=True, description="SM4-GCM, purpose staff.totp")),
                (
                    "totp_confirmed_at",
                    fields.DatetimeField(
                        null=True, description="asked for from then on", auto_now=False, auto_now_add=False
                    ),
                ),
                ("totp_last_step", fields.BigIntField(null=True, description="a code is accepted once")),
            ],
            options={
                "table": "staff_member",
                "app": "identity",
                "pk_attr": "account_id",
                "table_description": "What a staff account has beyond an account (员工账号).",
            },
            bases=["Model"],
        ),
    ]
