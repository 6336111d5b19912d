"""Orders by MQTT: topic `linli/v1/{device}/cmd`, QoS 1, never retained, forgotten by the broker in time."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domains.devices.link import Link


@dataclass(frozen=True, slots=True)
class MqttControllers:
    """Controllers that listen at a broker."""

    link: Link

    async def send(self, device_id: UUID, order: bytes, *, expires_in_s: float) -> None:
        """See `port.Controllers`; the broker says whether anybody listens there."""
        await self.link.publish(device_id, "cmd", order, expires_in_s=expires_in_s)
