"""Permissions of notifications (权限点)."""

from __future__ import annotations

from collections.abc import Mapping

DELIVERIES_READ = "notifications.deliveries"
DELIVERIES_RESEND = "notifications.resend"
WEBHOOKS = "notifications.webhooks"

LABELS: Mapping[str, str] = {
    DELIVERIES_READ: "查看消息投递记录",
    DELIVERIES_RESEND: "重新投递消息",
    WEBHOOKS: "管理系统对接(Webhook)",
}
