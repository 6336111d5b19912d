"""Channels are tested over the stand-ins of the platforms."""

from __future__ import annotations

from tests.unit.platforms.conftest import reaching, stand

__all__ = ["reaching", "stand"]
