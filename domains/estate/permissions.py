"""Permissions over the places (功能权限)."""

from __future__ import annotations

READ = "estate.read"
WRITE = "estate.write"
IMPORT = "estate.import"

LABELS = {READ: "查看房屋", WRITE: "维护楼栋与房屋", IMPORT: "导入台账"}
