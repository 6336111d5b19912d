"""What notifications keep encrypted (加密存储)."""

from __future__ import annotations

from domains.kernel.sealing import SealedColumn

CONTACT_ADDRESS = "contact.address"
PUSH_ENDPOINT = "push.endpoint"
PUSH_KEYS = "push.keys"
WEBHOOK_SECRET = "webhook.secret"  # noqa: S105  # a purpose

COLUMNS = (
    SealedColumn("contact", "address_sealed", CONTACT_ADDRESS),
    SealedColumn("push_subscription", "endpoint_sealed", PUSH_ENDPOINT),
    SealedColumn("push_subscription", "keys_sealed", PUSH_KEYS),
    SealedColumn("webhook_endpoint", "secret_sealed", WEBHOOK_SECRET),
)
