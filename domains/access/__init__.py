"""Doors, commands, records and passes (门禁与访客)."""
