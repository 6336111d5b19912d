"""Devices, and what hangs on them, for the types that point at them; one statement however many point."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from domains.devices.queries import devices, ledger, readings
from domains.devices.queries import keys as device_keys
from schema.context import Loader
from schema.relay import PageRequest

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Part:
    """A page of what hangs on a device; of readings those of one metric."""

    device_id: UUID
    page: PageRequest
    metric: str = ""


class DeviceLoader(Loader[UUID, devices.Device]):
    """Devices the caller may see, by id."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, devices.Device]:
        """One statement for all that were asked for."""
        return await devices.by_id(self.context.actor, keys)


class KeysLoader(Loader[UUID, list[device_keys.DeviceKey]]):
    """Keys of a device."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[device_keys.DeviceKey]]:
        """One statement for all devices."""
        return await device_keys.of_devices(self.context.actor, keys)


class LatestLoader(Loader[UUID, list[readings.Reading]]):
    """The newest values of a device."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[readings.Reading]]:
        """One statement for all devices."""
        return await readings.latest(self.context.actor, keys)


class RefusalsLoader(Loader[UUID, list[readings.DeviceRefusal]]):
    """What was refused of a device."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[readings.DeviceRefusal]]:
        """One statement for all devices."""
        return await readings.refusals(self.context.actor, keys)


class _PartLoader(Loader[Part, list[Row]], Generic[Row]):
    """Pages of devices: those that begin at the same place are one statement."""

    async def fetch(self, keys: list[Part]) -> Mapping[Part, list[Row]]:
        """One statement for all devices of a list, whose pages are all asked for alike."""
        alike: defaultdict[tuple[PageRequest, str], list[Part]] = defaultdict(list)
        for key in keys:
            alike[key.page, key.metric].append(key)
        found: dict[Part, list[Row]] = {}
        for (page, metric), parts in alike.items():
            rows = await self.read([part.device_id for part in parts], page, metric)
            found |= {part: rows.get(part.device_id, []) for part in parts}
        return found

    @abstractmethod
    async def read(self, device_ids: list[UUID], page: PageRequest, metric: str) -> Mapping[UUID, list[Row]]:
        """The rows of these devices on that page."""


class LedgerLoader(_PartLoader[ledger.AssetEntry]):
    """The asset ledger of a device."""

    async def read(
        self, device_ids: list[UUID], page: PageRequest, metric: str
    ) -> Mapping[UUID, list[ledger.AssetEntry]]:
        """One statement."""
        return await ledger.of_devices(self.context.actor, device_ids, after=page.after, limit=page.limit)


class HistoryLoader(_PartLoader[readings.Reading]):
    """What a device measured."""

    async def read(
        self, device_ids: list[UUID], page: PageRequest, metric: str
    ) -> Mapping[UUID, list[readings.Reading]]:
        """One statement."""
        return await readings.history(
            self.context.actor, device_ids, metric, after=page.after, limit=page.limit
        )
