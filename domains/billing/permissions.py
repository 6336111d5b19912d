"""Permissions over fees, bills and the books (功能权限)."""

from __future__ import annotations

FEES_READ = "fees.read"
FEES_WRITE = "fees.write"
METERS_READ = "meters.read"
METERS_WRITE = "meters.write"
RUNS_START = "billing.start"
RUNS_APPROVE = "billing.approve"
BILLS_READ = "bills.read"
CORRECTIONS_REQUEST = "corrections.request"
CORRECTIONS_DECIDE = "corrections.decide"
DUNNING_WRITE = "dunning.write"
BOOKS_WRITE = "books.write"
BOOKS_PUBLISH = "books.publish"

LABELS = {
    FEES_READ: "查看收费项目与标准",
    FEES_WRITE: "维护收费项目与标准",
    METERS_READ: "查看仪表与读数",
    METERS_WRITE: "维护仪表、录入与审核读数",
    RUNS_START: "预览与发起出账",
    RUNS_APPROVE: "审批与取消出账",
    BILLS_READ: "查看账单与欠费",
    CORRECTIONS_REQUEST: "申请减免、调整与作废",
    CORRECTIONS_DECIDE: "审批减免、调整与作废",
    DUNNING_WRITE: "催缴与缴费承诺",
    BOOKS_WRITE: "登记支出",
    BOOKS_PUBLISH: "公示账目",
}
