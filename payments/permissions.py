"""Permissions over the ledger (功能权限)."""

from __future__ import annotations

LEDGER_READ = "ledger.read"
BALANCES_WRITE = "balances.write"
PAYMENTS_READ = "payments.read"
DESK_WRITE = "desk.write"
REFUNDS_REQUEST = "refunds.request"
REFUNDS_DECIDE = "refunds.decide"

LABELS = {
    LEDGER_READ: "查看总账与凭证",
    BALANCES_WRITE: "录入期初余额",
    PAYMENTS_READ: "查看缴费与退款",
    DESK_WRITE: "柜台收款",
    REFUNDS_REQUEST: "申请退款",
    REFUNDS_DECIDE: "审批退款",
}
