"""Permissions over accounts and the system (功能权限); roles, which hold them, are data."""

from __future__ import annotations

from collections.abc import Mapping

from domains.kernel.slots import Slot

STAFF_READ = "staff.read"
STAFF_WRITE = "staff.write"
ROLES_WRITE = "roles.write"
AUDIT_READ = "audit.read"

LABELS = {
    STAFF_READ: "查看员工账号",
    STAFF_WRITE: "维护员工账号",
    ROLES_WRITE: "维护角色与授权",
    AUDIT_READ: "查看审计日志",
}

catalogue: Slot[Mapping[str, str]] = Slot("permissions")
"""Every permission of the installation with its name for people; the domains' own put together."""
