"""Permissions over people (功能权限)."""

from __future__ import annotations

READ = "residents.read"
REVEAL = "residents.reveal"
REVIEW = "residents.review"
WRITE = "residents.write"

LABELS = {
    READ: "查看住户(脱敏)",
    REVEAL: "查看住户完整证件与电话",
    REVIEW: "审核住户登记",
    WRITE: "维护住户与车辆",
}
