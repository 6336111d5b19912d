"""Reads of doors, passes and records, by noun."""
