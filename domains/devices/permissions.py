"""Permissions over devices and alarms (功能权限)."""

from __future__ import annotations

READ = "devices.read"
WRITE = "devices.write"
ALARMS_READ = "alarms.read"
ALARMS_HANDLE = "alarms.handle"

LABELS = {
    READ: "查看设备台账",
    WRITE: "维护设备台账与设备密钥",
    ALARMS_READ: "查看设备告警",
    ALARMS_HANDLE: "处理设备告警",
}
