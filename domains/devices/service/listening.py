"""What devices say over the broker (设备上行消息), by the last part of the topic."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from domains.devices import readings
from domains.devices.link import Handler, Message
from domains.devices.readings import Said
from domains.devices.service import telemetry
from domains.devices.service.alarm_reports import hear_alarms
from domains.devices.service.presence import Sighting, seen
from domains.devices.service.refusals import Way, refuse
from domains.devices.service.telemetry import Measured
from domains.kernel.errors import Invalid

_WAY: Way = "mqtt"


async def hear_telemetry(messages: list[Message]) -> None:
    """Readings, as `readings.read` has them; what cannot be read is refused and holds up nothing."""
    measured = [
        Measured(each.device_id, said.values, each.received_at, _WAY)
        for each in messages
        if (said := _readings(each)) is not None
    ]
    await telemetry.take(measured)


async def hear_states(messages: list[Message]) -> None:
    """`{"online": bool, …}`, from the device, or from the broker when the device is lost."""
    sightings = (_sighting(each) for each in messages)
    await seen(each for each in sightings if each is not None)


ROUTES: Mapping[str, Handler] = {"telemetry": hear_telemetry, "state": hear_states, "alarm": hear_alarms}


def _readings(message: Message) -> Said | None:
    try:
        said = readings.read(message.payload)
    except Invalid as error:
        refuse(message.device_id, _WAY, error.code)
        return None
    for code in said.refused.values():
        refuse(message.device_id, _WAY, code)
    return said


def _sighting(message: Message) -> Sighting | None:
    try:
        online = orjson.loads(message.payload)["online"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        online = None
    if not isinstance(online, bool):
        refuse(message.device_id, _WAY, "PAYLOAD_INVALID")
        return None
    # What the broker kept says that the device was there, and not when.
    if online and message.retained:
        return None
    return Sighting(message.device_id, message.received_at, online)
