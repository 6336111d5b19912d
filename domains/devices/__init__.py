"""Devices, what they measure and what they raise alarms about (设备)."""
