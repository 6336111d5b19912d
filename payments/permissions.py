"""Permissions over the ledger (功能权限)."""

from __future__ import annotations

LEDGER_READ = "ledger.read"
BALANCES_WRITE = "balances.write"

LABELS = {
    LEDGER_READ: "查看总账与凭证",
    BALANCES_WRITE: "录入期初余额",
}
