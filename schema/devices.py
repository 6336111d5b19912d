"""Devices, their asset ledger, keys and readings in the API (设备台账)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.devices import kinds
from domains.devices.queries import devices as queries
from domains.devices.queries import ledger, readings
from schema.alarms import Alarm, OpenAlarmsLoader
from schema.context import Context, Info
from schema.device_loaders import HistoryLoader, KeysLoader, LatestLoader, LedgerLoader, Part, RefusalsLoader
from schema.estate import Building
from schema.limits.cost import cost
from schema.permissions import staff_only
from schema.place_loaders import BuildingLoader
from schema.relay import After, Connection, First, Key, Node, connection, decode, encode, page_request
from schema.scalars import Long, Money

SORT = "devices:code"
LEDGER_SORT = "ledger:recorded"
READINGS_SORT = "readings:measured"


@strawberry.enum(description="What a device is (设备类型). New values may appear: keep a default branch.")
class DeviceKind(Enum):
    _ignore_ = "name label"
    for name, label in kinds.DEVICE_KINDS.items():
        locals()[name.upper()] = strawberry.enum_value(name, description=f"{label.zh}: {label.en}")


@strawberry.enum(description="Where in its life a device is (设备状态).")
class DeviceState(Enum):
    IN_STORE = strawberry.enum_value("in_store", description="在库")
    IN_SERVICE = strawberry.enum_value("in_service", description="在用")
    OUT_OF_ORDER = strawberry.enum_value("out_of_order", description="停用")
    RETIRED = strawberry.enum_value("retired", description="报废; for good")


@strawberry.enum(description="What a line of the asset ledger tells (台账事项).")
class AssetEntryKind(Enum):
    _ignore_ = "name label"
    for name, label in kinds.ENTRY_KINDS.items():
        locals()[name.upper()] = strawberry.enum_value(name, description=f"{label.zh}: {label.en}")


@strawberry.enum(description="How a device reached us (上报方式).")
class DeviceWay(Enum):
    HTTP = strawberry.enum_value("http", description="By a signed request.")
    MQTT = strawberry.enum_value("mqtt", description="Over the broker.")


def _cost(root: ledger.AssetEntry) -> Money | None:
    return None if root.cost_fen is None else Money(fen=Long(root.cost_fen))


def _bought(root: ledger.AssetCount | ledger.AssetAge) -> Money:
    return Money(fen=Long(root.bought_fen))


def _spent(root: ledger.AssetCount | ledger.AssetAge) -> Money:
    return Money(fen=Long(root.spent_fen))


def _compound_id(root: queries.Device) -> strawberry.ID:
    return strawberry.ID(encode("Compound", root.compound_id))


@strawberry.type(description="A line of a device's life (资产台账): added, never changed.")
class AssetEntry:
    kind: AssetEntryKind = strawberry.field(description="What happened.")
    on_day: date = strawberry.field(description="When it happened.")
    note: str = strawberry.field(description="In words; of a correction what it was and what it is.")
    vendor: str = strawberry.field(description="Who did the work or sold it; empty if that is not recorded.")
    cost: Money | None = strawberry.field(
        resolver=_cost, description="What it cost; null if not recorded.", metadata=cost(own=0)
    )
    recorded_at: datetime = strawberry.field(description="When it was written.")
    recorded_by: str | None = strawberry.field(description="Who wrote it; null for the system.")


@strawberry.type(description="A key by which a device signs (设备密钥).")
class DeviceKey:
    key_id: str = strawberry.field(description="What the device names it by: 16 hex digits.")
    issued_at: datetime = strawberry.field(description="Since when it counts.")
    revoked_at: datetime | None = strawberry.field(
        description="Since when it counts no more; null while in use."
    )


@strawberry.type(description="A value that a device measured (遥测数据).")
class Reading:
    metric: str = strawberry.field(description="What was measured, for example `level_m` or `temperature_c`.")
    value: Decimal = strawberry.field(description="The value, to six decimals, in the unit of the metric.")
    measured_at: datetime = strawberry.field(
        description="When, by the device's clock; where that cannot be believed, when it came."
    )
    received_at: datetime = strawberry.field(description="When it came, by ours.")


@strawberry.type(description="What was refused of a device on a day, for one reason (拒收记录).")
class DeviceRefusal:
    on_day: date = strawberry.field(description="The day.")
    way: DeviceWay = strawberry.field(description="How it came.")
    code: str = strawberry.field(description="Why it was refused, as the guide for devices lists it.")
    count: Long = strawberry.field(description="How often.")
    last_at: datetime = strawberry.field(description="When last.")


@strawberry.type(
    description="A device of a compound (设备): what it is, where it stands, whether it is heard."
)
class Device(Node):
    id: strawberry.Private[UUID]
    building_id: strawberry.Private[UUID | None]
    compound: strawberry.ID = strawberry.field(resolver=_compound_id, description="Id of the compound.")
    code: str = strawberry.field(description="As its label says (设备编号).")
    name: str = strawberry.field(description="Name for people.")
    kind: DeviceKind = strawberry.field(description="What it is.")
    maker: str = strawberry.field(description="生产厂家; empty if not recorded.")
    model: str = strawberry.field(description="型号; empty if not recorded.")
    serial: str = strawberry.field(description="出厂编号; empty if not recorded.")
    place: str = strawberry.field(description="Where it stands, in words (安装位置).")
    latitude: Decimal | None = strawberry.field(description="Degrees, GCJ-02.")
    longitude: Decimal | None = strawberry.field(description="Degrees, GCJ-02.")
    owner: str = strawberry.field(description="Whose property it is (产权单位).")
    maintainer: str = strawberry.field(description="Who maintains it (维保单位).")
    maintainer_phone: str = strawberry.field(description="The maintainer's business number (维保电话).")
    installed_on: date | None = strawberry.field(description="When it was installed (安装日期).")
    state: DeviceState = strawberry.field(description="Where in its life it is.")
    is_online: bool | None = strawberry.field(
        description="Whether it is heard; null until it is for the first time."
    )
    last_seen_at: datetime | None = strawberry.field(
        description="When it was heard last, to half a minute; null if never."
    )
    offline_since: datetime | None = strawberry.field(
        description="When its connection ended; null while it is heard, or silent."
    )
    silent_after_s: int | None = strawberry.field(
        description="Seconds of silence after which it counts as offline; null where none does."
    )
    recorded_at: datetime = strawberry.field(description="When it was entered into the register.")

    @strawberry.field(description="The building it belongs to; null for the compound's own.")
    async def building(self, info: Info) -> Building | None:
        if self.building_id is None:
            return None
        return cast("Building | None", await info.context.loader(BuildingLoader).load(self.building_id))

    @strawberry.field(description="Its asset ledger (资产台账), the last line first.")
    async def ledger(self, info: Info, first: First = 20, after: After = None) -> Connection[AssetEntry]:
        page = page_request(first, after, LEDGER_SORT, datetime, UUID)
        rows = await info.context.loader(LedgerLoader).load(Part(self.id, page)) or []
        return connection(page, rows, lambda row: (row.recorded_at, row.id), _as_entry)

    @strawberry.field(
        description="The newest value of each of its metrics; at most 100.", metadata=cost(assumed=5)
    )
    async def latest(self, info: Info) -> list[Reading]:
        return cast("list[Reading]", await info.context.loader(LatestLoader).load(self.id) or [])

    @strawberry.field(description="Its values of a metric, the newest first; kept for 90 days.")
    async def readings(
        self,
        info: Info,
        metric: Annotated[str, strawberry.argument(description="Which metric.")],
        first: First = 20,
        after: After = None,
    ) -> Connection[Reading]:
        page = page_request(first, after, READINGS_SORT, datetime, UUID)
        rows = await info.context.loader(HistoryLoader).load(Part(self.id, page, metric)) or []
        return connection(page, rows, lambda row: (row.measured_at, row.id), _as_reading)

    @strawberry.field(description="Its keys, those in use first; at most 20.", metadata=cost(assumed=2))
    async def keys(self, info: Info) -> list[DeviceKey]:
        return cast("list[DeviceKey]", await info.context.loader(KeysLoader).load(self.id) or [])

    @strawberry.field(
        description="Its alarms that are not cleared, at most one of a kind; for staff with alarms.read or alarms.handle.",
        metadata=cost(assumed=2),
    )
    async def open_alarms(self, info: Info) -> list[Alarm]:
        return cast("list[Alarm]", await info.context.loader(OpenAlarmsLoader).load(self.id) or [])

    @strawberry.field(
        description="What was refused of it in the last 30 days; at most 100.", metadata=cost(assumed=5)
    )
    async def refusals(self, info: Info) -> list[DeviceRefusal]:
        return cast("list[DeviceRefusal]", await info.context.loader(RefusalsLoader).load(self.id) or [])

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Device)


@strawberry.type(description="How many devices there are of a kind in a state.")
class AssetCount:
    kind: DeviceKind = strawberry.field(description="The kind.")
    state: DeviceState = strawberry.field(description="The state.")
    count: int = strawberry.field(description="How many.")
    bought: Money = strawberry.field(
        resolver=_bought, description="What they were bought for, as far as recorded.", metadata=cost(own=0)
    )
    spent: Money = strawberry.field(
        resolver=_spent, description="What was spent on them since.", metadata=cost(own=0)
    )


@strawberry.type(description="Devices of an age, those that are retired left out.")
class AssetAge:
    years: int | None = strawberry.field(description="Whole years since installed; null if not recorded.")
    count: int = strawberry.field(description="How many.")
    bought: Money = strawberry.field(
        resolver=_bought, description="What they were bought for, as far as recorded.", metadata=cost(own=0)
    )
    spent: Money = strawberry.field(
        resolver=_spent, description="What was spent on them since.", metadata=cost(own=0)
    )


@strawberry.type(description="A compound's devices, counted (资产统计).")
class AssetStatistics:
    by_kind: list[AssetCount] = strawberry.field(
        description="By kind and state, at most 80.", metadata=cost(assumed=20)
    )
    by_age: list[AssetAge] = strawberry.field(
        description="By age, the newest first; at most 100.", metadata=cost(assumed=10)
    )


@strawberry.input(description="What a list of devices is narrowed to.")
class DeviceFilter:
    kind: DeviceKind | None = strawberry.field(default=None, description="Only of this kind.")
    state: DeviceState | None = strawberry.field(default=None, description="Only in this state.")
    building: strawberry.ID | None = strawberry.field(default=None, description="Only of this building.")
    is_online: bool | None = strawberry.field(
        default=None,
        description="Only those that are heard, or that are not any more; never heard is neither.",
    )
    search: str | None = strawberry.field(
        default=None, description="A part of the code, name, serial number or place."
    )

    def narrowed(self) -> queries.DeviceFilter:
        """As the query takes it; an id of another type is refused."""
        return queries.DeviceFilter(
            str(self.kind.value) if self.kind else None,
            str(self.state.value) if self.state else None,
            decode(self.building, "Building", "filter.building") if self.building else None,
            self.is_online,
            self.search,
        )


def _as_device(row: queries.Device) -> Device:
    return row  # type: ignore[return-value]  # rows stand for the type


def _as_entry(row: ledger.AssetEntry) -> AssetEntry:
    return row  # type: ignore[return-value]  # as above


def _as_reading(row: readings.Reading) -> Reading:
    return row  # type: ignore[return-value]  # as above


def _keys(row: queries.Device) -> tuple[Key, ...]:
    return row.code, row.id


@strawberry.type
class DevicesQuery:
    """Root fields of devices."""

    @strawberry.field(
        description="A compound's devices by code; for staff with devices.read.", extensions=[staff_only]
    )
    async def devices(
        self,
        info: Info,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        filter: Annotated[DeviceFilter | None, strawberry.argument(description="What to narrow to.")] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Device] | None:
        compound_id, page = decode(compound, "Compound", "compound"), page_request(first, after, SORT)
        actor, narrowed = info.context.actor, (filter or DeviceFilter()).narrowed()
        rows = await queries.devices(actor, compound_id, narrowed, after=page.after, limit=page.limit)

        async def count() -> int:
            return await queries.count_devices(actor, compound_id, narrowed)

        return connection(page, rows, _keys, _as_device, count)

    @strawberry.field(
        description="A compound's devices, counted by kind, state and age; for staff with devices.read.",
        extensions=[staff_only],
    )
    async def asset_statistics(
        self,
        info: Info,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
    ) -> AssetStatistics | None:
        compound_id = decode(compound, "Compound", "compound")
        return cast("AssetStatistics", await ledger.statistics(info.context.actor, compound_id))


async def device_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Devices by id, those the caller may see."""
    return await queries.by_id(context.actor, ids)


NODES = {"Device": device_nodes}
