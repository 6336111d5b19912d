"""Building lines (楼栋行) into buildings."""

from __future__ import annotations

from domains.residents.register import cells
from domains.residents.register.addresses import Addresses
from domains.residents.register.cells import LineReader, measure, whole, words
from domains.residents.register.fields import Field
from domains.residents.register.lines import Line
from domains.residents.register.problems import Problems
from domains.residents.register.rows import BuildingRow


def read_building(line: Line, addresses: Addresses, problems: Problems) -> BuildingRow | None:
    """The building of a line, or None after noting its errors."""
    reader = LineReader(line, problems)
    written = reader.take(Field.BUILDING, words(50, fold=True), required=True)
    name, key = addresses.building(written) if written else ("", "")
    row = BuildingRow(
        sheet=line.sheet,
        row=line.number,
        name=name,
        key=key,
        code=reader.take(Field.BUILDING_CODE, words(50)),
        built_year=reader.take(Field.BUILT_YEAR, cells.year),
        use=reader.take(Field.USE, words(50)),
        structure=reader.take(Field.STRUCTURE, words(50)),
        floors_above=reader.take(Field.FLOORS_ABOVE, whole(0, 200)),
        floors_below=reader.take(Field.FLOORS_BELOW, whole(0, 20)),
        height_m=reader.take(Field.HEIGHT, measure(0, 1_000)),
        area=reader.take(Field.AREA, measure(1, 10_000_000)),
        service_life_years=reader.take(Field.SERVICE_LIFE, whole(1, 200)),
        standard_address=reader.take(Field.STANDARD_ADDRESS, words(200)),
        police_station=reader.take(Field.POLICE_STATION, words(100)),
        street=reader.take(Field.STREET, words(100)),
        longitude=reader.take(Field.LONGITUDE, measure(-180, 180, "0.000001")),
        latitude=reader.take(Field.LATITUDE, measure(-90, 90, "0.000001")),
    )
    return None if reader.failed else row
