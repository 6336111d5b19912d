"""Reads of devices and alarms, by noun."""
