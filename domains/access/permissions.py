"""Permissions over doors, visitors and records (功能权限)."""

from __future__ import annotations

DOORS_READ = "doors.read"
DOORS_WRITE = "doors.write"
DOORS_OPEN = "doors.open"
VISITORS_READ = "visitors.read"
VISITORS_ADMIT = "visitors.admit"
RECORDS_READ = "access_records.read"
RULES_WRITE = "access_rules.write"

LABELS = {
    DOORS_READ: "查看门禁点位",
    DOORS_WRITE: "维护门禁点位与常开常闭",
    DOORS_OPEN: "远程开门",
    VISITORS_READ: "查看访客",
    VISITORS_ADMIT: "登记、审批与放行访客",
    RECORDS_READ: "查看通行记录",
    RULES_WRITE: "维护通行规则",
}
