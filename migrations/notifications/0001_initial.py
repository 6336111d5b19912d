from uuid import uuid4

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

    operations = [
        ops.CreateModel(
            name="Consent",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("account_id", fields.UUIDField()),
                ("channel", fields.CharField(description="wechat | alipay", max_length=10)),
                (
                    "template_id",
                    fields.CharField(description="the platform's id of the template", max_length=80),
                ),
                (
                    "state",
                    fields.CharField(default="free", description="free | held | spent | void", max_length=8),
                ),
                (
                    "delivery_id",
                    fields.UUIDField(null=True, description="who holds or has spent it; holds one at a time"),
                ),
                ("granted_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("settled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "message_consent",
                "app": "notifications",
                "pk_attr": "id",
                "table_description": "One consent to one message of a template (一次性订阅): spent by one delivery and never again.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Contact",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("account_id", fields.UUIDField()),
                ("channel", fields.CharField(description="sms | wechat | alipay", max_length=10)),
                (
                    "app_id",
                    fields.CharField(
                        default="", description="the mini-program; empty for a phone", max_length=40
                    ),
                ),
                ("address_sealed", fields.BinaryField(description="SM4-GCM, purpose contact.address")),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "contact",
                "app": "notifications",
                "unique_together": (("account_id", "channel"),),
                "pk_attr": "id",
                "table_description": "Where a channel reaches an account (联系方式): a phone, or who it is in a mini-program.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Notice",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("kind", fields.CharField(description="name in the registry of kinds", max_length=60)),
                (
                    "dedupe_key",
                    fields.CharField(description="the same key of a kind is the same notice", max_length=200),
                ),
                (
                    "compound_id",
                    fields.UUIDField(null=True, description="null only for what concerns no compound"),
                ),
                ("urgency", fields.CharField(description="low | normal | high | urgent", max_length=8)),
                ("data", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                (
                    "subject_type",
                    fields.CharField(
                        default="", description="GraphQL type of what it is about", max_length=40
                    ),
                ),
                ("subject_id", fields.UUIDField(null=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "expires_at",
                    fields.DatetimeField(
                        description="from then on not worth sending", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "notice",
                "app": "notifications",
                "unique_together": (("kind", "dedupe_key"),),
                "pk_attr": "id",
                "table_description": "One thing that happened, as it is told to everybody it concerns (一件事).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Notification",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "notice",
                    fields.ForeignKeyField(
                        "notifications.Notice",
                        source_field="notice_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="notifications",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("account_id", fields.UUIDField()),
                ("kind", fields.CharField(max_length=60)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("read_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "notification",
                "app": "notifications",
                "unique_together": (("notice", "account_id"),),
                "indexes": [
                    Index(fields=["account_id", "created_at", "id"], name="notification_inbox"),
                    Index(fields=["account_id", "kind", "created_at", "id"], name="notification_kind"),
                ],
                "pk_attr": "id",
                "table_description": "A notice in the inbox of one account (收件箱).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Delivery",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "notice",
                    fields.ForeignKeyField(
                        "notifications.Notice",
                        source_field="notice_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="deliveries",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "notification",
                    fields.ForeignKeyField(
                        "notifications.Notification",
                        source_field="notification_id",
                        null=True,
                        description="null for a webhook",
                        db_constraint=True,
                        to_field="id",
                        related_name="deliveries",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("account_id", fields.UUIDField(null=True, description="null for a webhook")),
                ("compound_id", fields.UUIDField(null=True, description="as in the notice")),
                ("kind", fields.CharField(max_length=60)),
                (
                    "channel",
                    fields.CharField(
                        description="wechat | alipay | sms | voice | webpush | webhook", max_length=10
                    ),
                ),
                (
                    "target_id",
                    fields.UUIDField(
                        null=True, description="the push subscription, or the webhook's endpoint"
                    ),
                ),
                (
                    "is_urgent",
                    fields.BooleanField(default=False, description="does not queue behind the rest"),
                ),
                (
                    "is_digest",
                    fields.BooleanField(
                        default=False, description="stands for all of its kind since it was made"
                    ),
                ),
                (
                    "is_climb",
                    fields.BooleanField(default=False, description="sent only if nobody has read by then"),
                ),
                ("state", fields.CharField(default="pending", max_length=10)),
                (
                    "reason",
                    fields.CharField(
                        null=True, description="code of why it stands where it stands", max_length=60
                    ),
                ),
                ("attempts", fields.IntField(default=0)),
                (
                    "due_at",
                    fields.DatetimeField(description="not sent before", auto_now=False, auto_now_add=False),
                ),
                (
                    "expires_at",
                    fields.DatetimeField(
                        description="not sent from then on", auto_now=False, auto_now_add=False
                    ),
                ),
                ("lease_id", fields.UUIDField(null=True, description="the claim that may settle it")),
                ("leased_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "platform_id",
                    fields.CharField(
                        null=True, description="the platform's id of the message", max_length=120
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "settled_at",
                    fields.DatetimeField(
                        null=True, description="sent or given up", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "delivery",
                "app": "notifications",
                "indexes": [
                    Index(fields=["compound_id", "created_at", "id"], name="delivery_log"),
                    Index(fields=["account_id", "created_at"], name="delivery_account"),
                    Index(fields=["notice_id"], name="delivery_notice"),
                ],
                "pk_attr": "id",
                "table_description": "A notice on its way by one channel outside of the app (投递). State by the table in rules.py.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DeliveryAttempt",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "delivery",
                    fields.ForeignKeyField(
                        "notifications.Delivery",
                        source_field="delivery_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="tries",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("number", fields.IntField(description="from 1 on, counted anew after a resend")),
                ("outcome", fields.CharField(description="sent | retry | refused | unknown", max_length=8)),
                (
                    "code",
                    fields.CharField(default="", description="the platform's code, or ours", max_length=60),
                ),
                (
                    "detail",
                    fields.CharField(
                        default="", description="what the platform said, without secrets", max_length=300
                    ),
                ),
                ("began_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "delivery_attempt",
                "app": "notifications",
                "indexes": [Index(fields=["delivery_id", "began_at"], name="delivery_attempt_delivery")],
                "pk_attr": "id",
                "table_description": "One try of a delivery and what the platform said. Added, never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Preference",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("account_id", fields.UUIDField()),
                ("kind", fields.CharField(max_length=60)),
                ("channel", fields.CharField(max_length=10)),
                ("is_on", fields.BooleanField()),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "notification_preference",
                "app": "notifications",
                "unique_together": (("account_id", "kind", "channel"),),
                "pk_attr": "id",
                "table_description": "That a person wants, or does not want, a kind by a channel; without a row the kind's default holds.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PushSubscription",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("account_id", fields.UUIDField()),
                ("session_id", fields.UUIDField()),
                ("endpoint_sealed", fields.BinaryField(description="SM4-GCM, purpose push.endpoint")),
                (
                    "endpoint_index",
                    fields.BinaryField(description="HMAC-SM3, unique: a browser has one owner"),
                ),
                (
                    "keys_sealed",
                    fields.BinaryField(description="SM4-GCM, purpose push.keys: p256dh and auth, as JSON"),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "push_subscription",
                "app": "notifications",
                "indexes": [
                    Index(fields=["account_id"], name="push_subscription_account"),
                    Index(fields=["session_id"], name="push_subscription_session"),
                ],
                "pk_attr": "id",
                "table_description": "A browser that takes Web Push (RFC 8030). It goes with the session that registered it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Recipient",
            fields=[
                ("account_id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("language", fields.CharField(default="zh", max_length=5)),
                (
                    "is_quiet_at_night",
                    fields.BooleanField(default=True, description="whether quiet hours hold"),
                ),
                (
                    "quiet_from",
                    fields.SmallIntField(
                        default=1320, description="minute of the day in Asia/Shanghai, included"
                    ),
                ),
                (
                    "quiet_until",
                    fields.SmallIntField(default=420, description="minute of the day, not included"),
                ),
                (
                    "closed_at",
                    fields.DatetimeField(
                        null=True, description="told nothing any more", auto_now=False, auto_now_add=False
                    ),
                ),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "recipient",
                "app": "notifications",
                "pk_attr": "account_id",
                "table_description": "An account as somebody who is told things (接收人); written by identity.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Throttle",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("account_id", fields.UUIDField()),
                ("kind", fields.CharField(max_length=60)),
                ("channel", fields.CharField(max_length=10)),
                (
                    "target_id",
                    fields.UUIDField(null=True, description="the device, where a channel has several"),
                ),
                ("sent_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("delivery_id", fields.UUIDField(null=True, description="who holds it")),
                ("held_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "message_throttle",
                "app": "notifications",
                "pk_attr": "id",
                "table_description": "When a person was last sent a kind by a channel, on a device; held by the delivery that is being",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ViewerEvent",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("account_id", fields.UUIDField()),
                (
                    "name",
                    fields.CharField(description="such as inbox.added, registration.changed", max_length=60),
                ),
                (
                    "subject_type",
                    fields.CharField(default="", description="GraphQL type of what changed", max_length=40),
                ),
                ("subject_id", fields.UUIDField(null=True)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "viewer_event",
                "app": "notifications",
                "indexes": [Index(fields=["at"], name="viewer_event_at")],
                "pk_attr": "id",
                "table_description": "Something of an account's that changed, for whoever is looking (实时事件). Kept for some days, so",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="WebhookEndpoint",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("compound_id", fields.UUIDField()),
                ("name", fields.CharField(max_length=60)),
                ("url", fields.CharField(max_length=400)),
                ("secret_sealed", fields.BinaryField(description="SM4-GCM, purpose webhook.secret")),
                ("kinds", ArrayField(description="names of kinds", element_type="TEXT")),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "created_by",
                    fields.UUIDField(null=True, description="account; null from the command line"),
                ),
                ("disabled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "webhook_endpoint",
                "app": "notifications",
                "indexes": [Index(fields=["compound_id"], name="webhook_endpoint_compound")],
                "pk_attr": "id",
                "table_description": "Another system that is told what happens in a compound (系统对接).",
            },
            bases=["Model"],
        ),
    ]
