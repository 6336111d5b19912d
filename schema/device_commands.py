"""Keeping the register of devices by staff, in the API (设备台账维护)."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from domains.devices.facts import DeviceFacts
from domains.devices.queries import devices as queries
from domains.devices.service import exporting, keys, ledger, registry
from domains.estate.facts import Position
from domains.kernel.sheets import Form
from schema.context import Info
from schema.devices import Device, DeviceFilter, DeviceKind, DeviceState
from schema.errors import Payload, refusals_as_data
from schema.estate_commands import PositionInput
from schema.exports import ExportedFile, ExportPayload, SheetFormat
from schema.permissions import staff_only
from schema.relay import decode
from schema.scalars import Long

UNSET = strawberry.UNSET
FIRM = frozenset({"code", "name", "kind"})
"""Facts that every device has; null leaves them."""


@strawberry.enum(description="In which state a device enters the register.")
class FirstDeviceState(Enum):
    IN_STORE = strawberry.enum_value("in_store", description="在库")
    IN_SERVICE = strawberry.enum_value("in_service", description="在用")


@strawberry.enum(description="Work on a device that is written into its ledger (台账事项).")
class AssetWork(Enum):
    INSPECTED = strawberry.enum_value("inspected", description="巡检")
    MAINTAINED = strawberry.enum_value("maintained", description="维护保养")
    REPAIRED = strawberry.enum_value("repaired", description="维修")
    PART_REPLACED = strawberry.enum_value("part_replaced", description="更换部件")


@strawberry.input
class DeviceFactsInput:
    """What both inputs of a device share: what is left out stays, null clears."""

    building: strawberry.ID | None = strawberry.field(
        default=UNSET, description="The building it belongs to; null for the compound's own."
    )
    maker: str | None = strawberry.field(default=UNSET, description="生产厂家, up to 60 characters.")
    model: str | None = strawberry.field(default=UNSET, description="型号, up to 60 characters.")
    serial: str | None = strawberry.field(default=UNSET, description="出厂编号, up to 60 characters.")
    place: str | None = strawberry.field(
        default=UNSET, description="Where it stands (安装位置), up to 120 characters."
    )
    position: PositionInput | None = strawberry.field(default=UNSET, description="Where on the map.")
    owner: str | None = strawberry.field(default=UNSET, description="产权单位, up to 60 characters.")
    maintainer: str | None = strawberry.field(default=UNSET, description="维保单位, up to 60 characters.")
    maintainer_phone: str | None = strawberry.field(
        default=UNSET, description="The maintainer's mobile number, or a fixed line with its area code."
    )
    installed_on: date | None = strawberry.field(default=UNSET, description="安装日期, not after today.")
    silent_after_s: int | None = strawberry.field(
        default=UNSET,
        description="Seconds of silence after which it counts as offline, 30 to 604,800; null: none does.",
    )

    def facts(self) -> DeviceFacts:
        """As the service takes them. Invalid BAD_ID for an id of another type."""
        names = (DeviceFacts.__annotations__.keys() - {"building_id"}) | {"building"}
        given: dict[str, Any] = {name: getattr(self, name) for name in names}  # Any: values of inputs
        given = {
            name: value
            for name, value in given.items()
            if value is not UNSET and (value is not None or name not in FIRM)
        }
        if "building" in given:
            within = given.pop("building")
            given["building_id"] = decode(within, "Building", "building") if within else None
        if place := given.get("position"):
            given["position"] = Position(place.latitude, place.longitude)
        if kind := given.get("kind"):
            given["kind"] = kind.value
        return cast("DeviceFacts", given)


@strawberry.input(description="A device to enter into the register (设备登记).")
class RegisterDeviceInput(DeviceFactsInput):
    compound: strawberry.ID = strawberry.field(description="The compound it is in.")
    code: str = strawberry.field(description="As its label says, up to 40 characters; once in a compound.")
    name: str = strawberry.field(description="Name for people, up to 60 characters.")
    kind: DeviceKind = strawberry.field(description="What it is.")
    state: FirstDeviceState = strawberry.field(
        default=FirstDeviceState.IN_SERVICE, description="In service, or in store."
    )
    vendor: str = strawberry.field(default="", description="Who sold it, up to 60 characters.")
    cost_fen: Long | None = strawberry.field(
        default=None, description="What it was bought for, in fen, up to 10,000,000,000."
    )


@strawberry.input(description="What to change of a device: what is left out stays, null clears.")
class UpdateDeviceInput(DeviceFactsInput):
    device: strawberry.ID = strawberry.field(description="The device.")
    code: str | None = strawberry.field(default=None, description="Another code, up to 40 characters.")
    name: str | None = strawberry.field(default=None, description="Another name, up to 60 characters.")
    kind: DeviceKind | None = strawberry.field(default=None, description="Another kind.")


@strawberry.input(description="A state to put a device into.")
class ChangeDeviceStateInput:
    device: strawberry.ID = strawberry.field(description="The device.")
    state: DeviceState = strawberry.field(description="The state. Nothing follows upon RETIRED.")
    reason: str = strawberry.field(
        default="", description="Why, for the ledger, up to 200 characters; needed to retire it."
    )
    on_day: date | None = strawberry.field(default=None, description="When that was; today unless given.")


@strawberry.input(description="Work on a device, for its ledger.")
class RecordAssetEntryInput:
    device: strawberry.ID = strawberry.field(description="The device.")
    kind: AssetWork = strawberry.field(description="What was done.")
    on_day: date | None = strawberry.field(default=None, description="When; today unless given.")
    note: str = strawberry.field(default="", description="In words, up to 300 characters.")
    vendor: str = strawberry.field(default="", description="Who did it, up to 60 characters.")
    cost_fen: Long | None = strawberry.field(
        default=None, description="What it cost, in fen, up to 10,000,000,000."
    )
    idempotency_key: UUID | None = strawberry.field(
        default=None, description="Made anew for each line and sent again with a repeated request."
    )


@strawberry.input(description="A key for a device.")
class IssueDeviceKeyInput:
    device: strawberry.ID = strawberry.field(description="The device.")
    public_key: str | None = strawberry.field(
        default=None,
        description="The device's Ed25519 public key, 32 bytes in Base64; without it a pair is made.",
    )


@strawberry.input(description="The key to withdraw.")
class RevokeDeviceKeyInput:
    device: strawberry.ID = strawberry.field(description="The device.")
    key_id: str = strawberry.field(description="The key's id: 16 hex digits.")


@strawberry.input(description="Which devices' ledger to make a file of.")
class ExportAssetLedgerInput:
    compound: strawberry.ID = strawberry.field(description="The compound.")
    filter: DeviceFilter | None = strawberry.field(default=None, description="What it is narrowed to.")
    format: SheetFormat = strawberry.field(default=SheetFormat.XLSX, description="Kind of file.")


@strawberry.type(description="Result of a command on a device.")
class DevicePayload(Payload):
    device: Device | None = strawberry.field(
        default=None, description="The device as it is now; null when refused."
    )


@strawberry.type(description="Result of issuing a key.")
class DeviceKeyPayload(Payload):
    device: Device | None = strawberry.field(default=None, description="The device; null when refused.")
    key_id: str | None = strawberry.field(default=None, description="What the device names the key by.")
    private_key: str | None = strawberry.field(
        default=None,
        description="The private half in PEM (PKCS #8), shown this once and kept nowhere; null where the device "
        "has its own.",
    )


async def _device(info: Info, id: UUID) -> Device | None:
    found = await queries.by_id(info.context.actor, [id])
    return cast("Device | None", found.get(id))


@strawberry.type
class DevicesMutation:
    """Mutations of devices, for staff with devices.write where the device is."""

    @strawberry.mutation(
        description="Enter a device into the register; for staff with devices.write there.",
        extensions=[staff_only],
    )
    @refusals_as_data(DevicePayload)
    async def register_device(
        self,
        info: Info,
        input: Annotated[RegisterDeviceInput, strawberry.argument(description="The device.")],
    ) -> DevicePayload:
        id = await registry.register_device(
            info.context.actor, compound_id=decode(input.compound, "Compound", "compound"), facts=input.facts(),
            state=cast("registry.FirstState", input.state.value), vendor=input.vendor, cost_fen=input.cost_fen,
        )  # fmt: skip
        return DevicePayload(device=await _device(info, id))

    @strawberry.mutation(
        description="Change a device; its ledger says what changed. For staff with devices.write there.",
        extensions=[staff_only],
    )
    @refusals_as_data(DevicePayload)
    async def update_device(
        self, info: Info, input: Annotated[UpdateDeviceInput, strawberry.argument(description="The changes.")]
    ) -> DevicePayload:
        id = decode(input.device, "Device", "device")
        await registry.update_device(info.context.actor, device_id=id, facts=input.facts())
        return DevicePayload(device=await _device(info, id))

    @strawberry.mutation(
        description="Put a device into another state. Retiring it (报废) withdraws its keys and ends its alarms. "
        "For staff with devices.write there.",
        extensions=[staff_only],
    )
    @refusals_as_data(DevicePayload)
    async def change_device_state(
        self, info: Info, input: Annotated[ChangeDeviceStateInput, strawberry.argument(description="Which.")]
    ) -> DevicePayload:
        id, state = decode(input.device, "Device", "device"), cast("registry.State", input.state.value)
        await registry.change_device_state(
            info.context.actor, device_id=id, state=state, reason=input.reason, on_day=input.on_day
        )
        return DevicePayload(device=await _device(info, id))

    @strawberry.mutation(
        description="Write work on a device into its ledger; for staff with devices.write there.",
        extensions=[staff_only],
    )
    @refusals_as_data(DevicePayload)
    async def record_asset_entry(
        self,
        info: Info,
        input: Annotated[RecordAssetEntryInput, strawberry.argument(description="The work.")],
    ) -> DevicePayload:
        id = decode(input.device, "Device", "device")
        await ledger.record_asset_entry(
            info.context.actor, device_id=id, kind=cast("ledger.Work", input.kind.value), on_day=input.on_day,
            note=input.note, vendor=input.vendor, cost_fen=input.cost_fen, idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return DevicePayload(device=await _device(info, id))

    @strawberry.mutation(
        description="Make a file of the asset ledger (导出资产台账), up to 100,000 lines; for staff with devices.read, "
        "audited.",
        extensions=[staff_only],
    )
    @refusals_as_data(ExportPayload)
    async def export_asset_ledger(
        self,
        info: Info,
        input: Annotated[ExportAssetLedgerInput, strawberry.argument(description="Which, and how.")],
    ) -> ExportPayload:
        made = await exporting.export_asset_ledger(
            info.context.actor, compound_id=decode(input.compound, "Compound", "compound"),
            narrowed=(input.filter or DeviceFilter()).narrowed(), form=cast("Form", input.format.value),
        )  # fmt: skip
        return ExportPayload(file=cast("ExportedFile", made))

    @strawberry.mutation(
        description="Let a device sign its requests by a key (设备密钥); for staff with devices.write there.",
        extensions=[staff_only],
    )
    @refusals_as_data(DeviceKeyPayload)
    async def issue_device_key(
        self, info: Info, input: Annotated[IssueDeviceKeyInput, strawberry.argument(description="The key.")]
    ) -> DeviceKeyPayload:
        id = decode(input.device, "Device", "device")
        made = await keys.issue_device_key(info.context.actor, device_id=id, public_key=input.public_key)
        device = await _device(info, id)
        return DeviceKeyPayload(device=device, key_id=made.key_id, private_key=made.private_pem)

    @strawberry.mutation(
        description="Let a key count no more, at once; for staff with devices.write there.",
        extensions=[staff_only],
    )
    @refusals_as_data(DevicePayload)
    async def revoke_device_key(
        self, info: Info, input: Annotated[RevokeDeviceKeyInput, strawberry.argument(description="Which.")]
    ) -> DevicePayload:
        id = decode(input.device, "Device", "device")
        await keys.revoke_device_key(info.context.actor, device_id=id, key_id=input.key_id)
        return DevicePayload(device=await _device(info, id))
