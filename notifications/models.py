"""Rows of notifications: what happened, whom it concerns, how each was reached (消息通知).

Accounts and compounds belong to layers above: their ids stand here without a foreign key.
"""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.indexes import Index
from tortoise.models import Model

from domains.kernel.ids import uuid7


class Recipient(Model):
    """An account as somebody who is told things (接收人); written by identity."""

    account_id = fields.UUIDField(primary_key=True)
    language = fields.CharField(max_length=5, default="zh")
    is_quiet_at_night = fields.BooleanField(default=True, description="whether quiet hours hold")
    quiet_from = fields.SmallIntField(
        default=1320, description="minute of the day in Asia/Shanghai, included"
    )
    quiet_until = fields.SmallIntField(default=420, description="minute of the day, not included")
    closed_at = fields.DatetimeField(null=True, description="told nothing any more")
    updated_at = fields.DatetimeField()

    class Meta:
        table = "recipient"


class Contact(Model):
    """Where a channel reaches an account (联系方式): a phone, or who it is in a mini-program."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    account_id = fields.UUIDField()
    channel = fields.CharField(max_length=10, description="sms | wechat | alipay")
    app_id = fields.CharField(max_length=40, default="", description="the mini-program; empty for a phone")
    address_sealed = fields.BinaryField(description="SM4-GCM, purpose contact.address")
    updated_at = fields.DatetimeField()

    class Meta:
        table = "contact"
        unique_together = (("account_id", "channel"),)


class PushSubscription(Model):
    """A browser that takes Web Push (RFC 8030). It goes with the session that registered it."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    account_id = fields.UUIDField()
    session_id = fields.UUIDField()
    endpoint_sealed = fields.BinaryField(description="SM4-GCM, purpose push.endpoint")
    endpoint_index = fields.BinaryField(description="HMAC-SM3, unique: a browser has one owner")
    keys_sealed = fields.BinaryField(description="SM4-GCM, purpose push.keys: p256dh and auth, as JSON")
    created_at = fields.DatetimeField()

    class Meta:
        table = "push_subscription"
        indexes = (
            Index(fields=("account_id",), name="push_subscription_account"),
            Index(fields=("session_id",), name="push_subscription_session"),
        )


class Preference(Model):
    """That a person wants, or does not want, a kind by a channel; without a row the kind's default holds."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    account_id = fields.UUIDField()
    kind = fields.CharField(max_length=60)
    channel = fields.CharField(max_length=10)
    is_on = fields.BooleanField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "notification_preference"
        unique_together = (("account_id", "kind", "channel"),)


class Consent(Model):
    """One consent to one message of a template (一次性订阅): spent by one delivery and never again."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    account_id = fields.UUIDField()
    channel = fields.CharField(max_length=10, description="wechat | alipay")
    template_id = fields.CharField(max_length=80, description="the platform's id of the template")
    state = fields.CharField(max_length=8, default="free", description="free | held | spent | void")
    delivery_id = fields.UUIDField(null=True, description="who holds or has spent it; holds one at a time")
    granted_at = fields.DatetimeField()
    settled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "message_consent"


class Notice(Model):
    """One thing that happened, as it is told to everybody it concerns (一件事)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    kind = fields.CharField(max_length=60, description="name in the registry of kinds")
    dedupe_key = fields.CharField(max_length=200, description="the same key of a kind is the same notice")
    compound_id = fields.UUIDField(null=True, description="null only for what concerns no compound")
    urgency = fields.CharField(max_length=8, description="low | normal | high | urgent")
    data = fields.JSONField[dict[str, Any]]()  # Any: the kind's own fields; no phone, no document number
    subject_type = fields.CharField(max_length=40, default="", description="GraphQL type of what it is about")
    subject_id = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(description="from then on not worth sending")

    class Meta:
        table = "notice"
        unique_together = (("kind", "dedupe_key"),)


class Notification(Model):
    """A notice in the inbox of one account (收件箱)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    notice: fields.ForeignKeyRelation[Notice] = fields.ForeignKeyField(
        "notifications.Notice", related_name="notifications", on_delete=fields.RESTRICT
    )
    account_id = fields.UUIDField()
    kind = fields.CharField(max_length=60)
    created_at = fields.DatetimeField()
    read_at = fields.DatetimeField(null=True)

    class Meta:
        table = "notification"
        unique_together = (("notice", "account_id"),)
        indexes = (
            Index(fields=("account_id", "created_at", "id"), name="notification_inbox"),
            Index(fields=("account_id", "kind", "created_at", "id"), name="notification_kind"),
        )


class Delivery(Model):
    """A notice on its way by one channel outside of the app (投递). State by the table in rules.py.

    To an account there is one per channel and device; to a webhook one per endpoint and notice.
    """

    id = fields.UUIDField(primary_key=True, default=uuid7)
    notice: fields.ForeignKeyRelation[Notice] = fields.ForeignKeyField(
        "notifications.Notice", related_name="deliveries", on_delete=fields.RESTRICT
    )
    notification: fields.ForeignKeyNullableRelation[Notification] = fields.ForeignKeyField(
        "notifications.Notification", related_name="deliveries", null=True, on_delete=fields.RESTRICT,
        description="null for a webhook",
    )  # fmt: skip
    account_id = fields.UUIDField(null=True, description="null for a webhook")
    compound_id = fields.UUIDField(null=True, description="as in the notice")
    kind = fields.CharField(max_length=60)
    channel = fields.CharField(max_length=10, description="wechat | alipay | sms | voice | webpush | webhook")
    target_id = fields.UUIDField(null=True, description="the push subscription, or the webhook's endpoint")
    is_urgent = fields.BooleanField(default=False, description="does not queue behind the rest")
    is_digest = fields.BooleanField(default=False, description="stands for all of its kind since it was made")
    is_climb = fields.BooleanField(default=False, description="sent only if nobody has read by then")
    state = fields.CharField(max_length=10, default="pending")
    reason = fields.CharField(max_length=60, null=True, description="code of why it stands where it stands")
    attempts = fields.IntField(default=0)
    due_at = fields.DatetimeField(description="not sent before")
    expires_at = fields.DatetimeField(description="not sent from then on")
    lease_id = fields.UUIDField(null=True, description="the claim that may settle it")
    leased_until = fields.DatetimeField(null=True)
    platform_id = fields.CharField(max_length=120, null=True, description="the platform's id of the message")
    created_at = fields.DatetimeField()
    settled_at = fields.DatetimeField(null=True, description="sent or given up")

    class Meta:
        table = "delivery"
        indexes = (
            Index(fields=("compound_id", "created_at", "id"), name="delivery_log"),
            Index(fields=("account_id", "created_at"), name="delivery_account"),
            Index(fields=("notice_id",), name="delivery_notice"),
        )


class DeliveryAttempt(Model):
    """One try of a delivery and what the platform said. Added, never changed."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    delivery: fields.ForeignKeyRelation[Delivery] = fields.ForeignKeyField(
        "notifications.Delivery", related_name="tries", on_delete=fields.CASCADE
    )
    number = fields.IntField(description="from 1 on, counted anew after a resend")
    outcome = fields.CharField(max_length=8, description="sent | retry | refused | unknown")
    code = fields.CharField(max_length=60, default="", description="the platform's code, or ours")
    detail = fields.CharField(
        max_length=300, default="", description="what the platform said, without secrets"
    )
    began_at = fields.DatetimeField()
    ended_at = fields.DatetimeField()

    class Meta:
        table = "delivery_attempt"
        indexes = (Index(fields=("delivery_id", "began_at"), name="delivery_attempt_delivery"),)


class Throttle(Model):
    """When a person was last sent a kind by a channel, on a device; held by the delivery that is being
    sent (限频). One per account, kind, channel and device."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    account_id = fields.UUIDField()
    kind = fields.CharField(max_length=60)
    channel = fields.CharField(max_length=10)
    target_id = fields.UUIDField(null=True, description="the device, where a channel has several")
    sent_at = fields.DatetimeField(null=True)
    delivery_id = fields.UUIDField(null=True, description="who holds it")
    held_until = fields.DatetimeField(null=True)

    class Meta:
        table = "message_throttle"


class WebhookEndpoint(Model):
    """Another system that is told what happens in a compound (系统对接)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound_id = fields.UUIDField()
    name = fields.CharField(max_length=60)
    url = fields.CharField(max_length=400)
    secret_sealed = fields.BinaryField(description="SM4-GCM, purpose webhook.secret")
    kinds: fields.Field[list[str]] = ArrayField(element_type="text", description="names of kinds")
    created_at = fields.DatetimeField()
    created_by = fields.UUIDField(null=True, description="account; null from the command line")
    disabled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "webhook_endpoint"
        indexes = (Index(fields=("compound_id",), name="webhook_endpoint_compound"),)


class ViewerEvent(Model):
    """Something of an account's that changed, for whoever is looking (实时事件). Kept for some days, so
    that a listener who was away reads what it missed; ids and facts, no personal data."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    account_id = fields.UUIDField()
    name = fields.CharField(max_length=60, description="such as inbox.added, registration.changed")
    subject_type = fields.CharField(max_length=40, default="", description="GraphQL type of what changed")
    subject_id = fields.UUIDField(null=True)
    at = fields.DatetimeField()

    class Meta:
        table = "viewer_event"
        indexes = (Index(fields=("at",), name="viewer_event_at"),)
