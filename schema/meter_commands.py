"""Keeping the register of meters by staff, in the API (仪表台账维护)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.billing.queries import meters as queries
from domains.billing.service import meter_imports, meters
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.imports import RowError
from schema.meters import Meter, MeterKind
from schema.permissions import staff_only
from schema.relay import decode
from schema.scalars import Upload

UNSET = strawberry.UNSET


@strawberry.input
class InstalledMeter:
    """What inputs of a meter that is put in share."""

    number: str = strawberry.field(description="As its plate says (表号), up to 40 characters.")
    digits: int = strawberry.field(
        description="Whole digits of the register, 3 to 9: 5 begins again after 99999."
    )
    installed_on: date = strawberry.field(description="Since when it counts, not after today.")
    first_value: Decimal = strawberry.field(
        default=Decimal(0), description="What its register shows when it is put in (底数)."
    )
    multiplier: Decimal = strawberry.field(
        default=Decimal(1), description="Units for one of the register (倍率), up to 99999; for good."
    )
    daily_most: Decimal | None = strawberry.field(
        default=None, description="Units a day beyond which a reading waits for review."
    )
    device: strawberry.ID | None = strawberry.field(
        default=None, description="The collector (采集器) that reads it."
    )

    def made(
        self, kind: str = "", house_id: UUID | None = None, building_id: UUID | None = None
    ) -> meters.NewMeter:
        """As the command takes it."""
        return meters.NewMeter(
            kind, self.number, self.digits, self.installed_on, self.first_value, self.multiplier, self.daily_most,
            decode(self.device, "Device", "device") if self.device else None, house_id, building_id,
        )  # fmt: skip


@strawberry.input(description="A meter to enter into the register (装表).")
class RegisterMeterInput(InstalledMeter):
    compound: strawberry.ID = strawberry.field(description="The compound.")
    kind: MeterKind = strawberry.field(description="What it measures.")
    house: strawberry.ID | None = strawberry.field(default=None, description="The house whose meter it is.")
    building: strawberry.ID | None = strawberry.field(
        default=None, description="The building whose meter it is; without house and building the compound's."
    )


@strawberry.input(description="What to change of a meter: what is left out stays.")
class UpdateMeterInput:
    meter: strawberry.ID = strawberry.field(description="The meter.")
    number: str | None = strawberry.field(default=UNSET, description="Another number.")
    digits: int | None = strawberry.field(default=UNSET, description="Whole digits of the register, 3 to 9.")
    daily_most: Decimal | None = strawberry.field(
        default=UNSET, description="Units a day beyond which a reading waits; null for none."
    )
    device: strawberry.ID | None = strawberry.field(
        default=UNSET, description="The collector that reads it; null for none."
    )

    def facts(self) -> meters.MeterFacts:
        """As the command takes them."""
        names = ("number", "digits", "daily_most", "device")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not UNSET}
        given = {
            name: value
            for name, value in given.items()
            if value is not None or name in ("daily_most", "device")
        }
        if "device" in given:
            within = given.pop("device")
            given["device_id"] = decode(within, "Device", "device") if within else None
        return cast("meters.MeterFacts", given)


@strawberry.input(description="Another meter in the place of one (换表), on the day of its installation.")
class ReplaceMeterInput(InstalledMeter):
    meter: strawberry.ID = strawberry.field(description="The meter that goes.")
    final_value: Decimal = strawberry.field(description="What its register shows at last.")


@strawberry.input(description="A meter to take out (拆表).")
class RemoveMeterInput:
    meter: strawberry.ID = strawberry.field(description="The meter.")
    on_day: date = strawberry.field(description="When, not after today.")
    final_value: Decimal = strawberry.field(description="What its register shows at last.")


@strawberry.input(description="A file of meters or readings.")
class ImportMetersInput:
    compound: strawberry.ID = strawberry.field(description="The compound.")
    file: Upload = strawberry.field(
        description="A .xlsx or .csv file of at most 10 MB and 50,000 rows, the header first."
    )


@strawberry.type(description="Result of a command on a meter.")
class MeterPayload(Payload):
    meter: Meter | None = strawberry.field(
        default=None, description="The meter as it is now; null when refused."
    )


@strawberry.type(description="Result of importing meters or readings: with problems nothing was kept.")
class MeterImportPayload(Payload):
    rows: int | None = strawberry.field(default=None, description="Rows below the header.")
    imported: int | None = strawberry.field(default=None, description="Meters entered, or readings accepted.")
    held: int | None = strawberry.field(default=None, description="Readings that wait for review.")
    known: int | None = strawberry.field(default=None, description="Readings that were known already.")
    problems: list[RowError] | None = strawberry.field(
        default=None, description="What to correct in the file, at most 500."
    )
    problem_count: int | None = strawberry.field(default=None, description="How many things that are.")


async def _payload(info: Info, id: UUID) -> MeterPayload:
    found = await queries.by_id(info.context.actor, [id])
    return MeterPayload(meter=cast("Meter | None", found.get(id)))


def _import_payload(imported: meter_imports.Imported) -> MeterImportPayload:
    return MeterImportPayload(
        rows=imported.rows, imported=imported.imported, held=imported.held, known=imported.known,
        problems=[RowError(**asdict(each)) for each in imported.problems], problem_count=imported.problem_count,
    )  # fmt: skip


@strawberry.type
class MetersMutation:
    """Mutations of meters."""

    @strawberry.mutation(
        description="Enter a meter of a house, a building or the compound; for staff with meters.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(MeterPayload)
    async def register_meter(
        self, info: Info, input: Annotated[RegisterMeterInput, strawberry.argument(description="The meter.")]
    ) -> MeterPayload:
        house_id = decode(input.house, "House", "house") if input.house else None
        building_id = decode(input.building, "Building", "building") if input.building else None
        id = await meters.register_meter(
            info.context.actor, compound_id=decode(input.compound, "Compound", "compound"),
            meter=input.made(str(input.kind.value), house_id, building_id),
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(
        description="Correct a meter in use; for staff with meters.write.", extensions=[staff_only]
    )
    @refusals_as_data(MeterPayload)
    async def update_meter(
        self, info: Info, input: Annotated[UpdateMeterInput, strawberry.argument(description="What.")]
    ) -> MeterPayload:
        id = decode(input.meter, "Meter", "meter")
        await meters.update_meter(info.context.actor, meter_id=id, facts=input.facts())
        return await _payload(info, id)

    @strawberry.mutation(
        description="Put another meter in the place of one, with the last reading of the old and the first of the "
        "new; for staff with meters.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(MeterPayload)
    async def replace_meter(
        self, info: Info, input: Annotated[ReplaceMeterInput, strawberry.argument(description="Which.")]
    ) -> MeterPayload:
        id = await meters.replace_meter(
            info.context.actor, meter_id=decode(input.meter, "Meter", "meter"), final_value=input.final_value,
            successor=input.made(),
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(
        description="Take a meter out with its last reading; for staff with meters.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(MeterPayload)
    async def remove_meter(
        self, info: Info, input: Annotated[RemoveMeterInput, strawberry.argument(description="Which.")]
    ) -> MeterPayload:
        id = decode(input.meter, "Meter", "meter")
        await meters.remove_meter(
            info.context.actor, meter_id=id, on_day=input.on_day, final_value=input.final_value
        )
        return await _payload(info, id)

    @strawberry.mutation(
        description="Enter the meters of a file (multipart), all or none; for staff with meters.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(MeterImportPayload)
    async def import_meters(
        self, info: Info, input: Annotated[ImportMetersInput, strawberry.argument(description="The file.")]
    ) -> MeterImportPayload:
        imported = await meter_imports.import_meters(
            info.context.actor, compound_id=decode(input.compound, "Compound", "compound"),
            file_name=input.file.filename or "", data=await input.file.read(),
        )  # fmt: skip
        return _import_payload(imported)

    @strawberry.mutation(
        description="Keep the readings of a file (multipart), all or none; for staff with meters.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(MeterImportPayload)
    async def import_meter_readings(
        self, info: Info, input: Annotated[ImportMetersInput, strawberry.argument(description="The file.")]
    ) -> MeterImportPayload:
        imported = await meter_imports.import_readings(
            info.context.actor, compound_id=decode(input.compound, "Compound", "compound"),
            file_name=input.file.filename or "", data=await input.file.read(),
        )  # fmt: skip
        return _import_payload(imported)
