"""Everything below /device/v1: each request is signed by the device that sends it, save for the time."""

from __future__ import annotations

from uuid import UUID

from starlette.routing import BaseRoute

from api.devices import alarms, gates, readings, telemetry
from api.devices.signed import TIME, SignedCalls
from api.instance import cache
from domains.devices.queries import keys
from domains.devices.service.refusals import refuse


def routes() -> list[BaseRoute]:
    """The routes, over slots that are filled."""
    signed = SignedCalls(cache(), keys.find, _note)
    parts = (telemetry, readings, alarms, gates)
    return [TIME, *(route for part in parts for route in part.routes(signed))]


async def _note(device_id: UUID, code: str) -> None:
    refuse(device_id, "http", code)
