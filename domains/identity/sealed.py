"""What identity keeps encrypted (加密存储)."""

from __future__ import annotations

from domains.identity import contact, totp
from domains.kernel.sealing import SealedColumn

COLUMNS = (
    SealedColumn("account", "phone_sealed", contact.PURPOSE),
    SealedColumn("staff_member", "totp_sealed", totp.PURPOSE, key="account_id"),
)
