"""The statements over the places.

$1, $2 and $3 of a scoped read are what the caller reaches: whole compounds, buildings, own houses.
"""

from __future__ import annotations

# Who writes to the places of a compound waits for its imports, and an import for them.
TAKE_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('register:' || $1::text, 0))"

COMPOUND_COLUMNS = "c.id, c.name, c.code, c.address, c.service_phone, c.region_id, c.latitude, c.longitude"

_BUILDING = """b.id, b.compound_id, b.name, b.code, b.sort, b.built_year, b.use, b.structure, b.storeys_above,
    b.storeys_below, b.height_m, b.area_m2, b.service_life_years, b.standard_address, b.police_station,
    b.street_in_charge, b.latitude, b.longitude, b.source, b.recorded_at"""

HOUSE_COLUMNS = """h.id, h.compound_id, h.building_id, h.unit_id, b.name AS building_name, u.name AS unit_name, h.room,
    h.number, h.sort, h.floor, h.built_area_m2, h.inner_area_m2, h.use, h.state, h.is_rented, h.handed_over_on,
    h.title_document, h.source, h.recorded_at,
    coalesce(h.floor > b.storeys_above OR h.floor < -b.storeys_below, false) AS floor_is_doubtful"""

_HOUSE_JOINS = "house h JOIN building b ON b.id = h.building_id JOIN unit u ON u.id = h.unit_id"

_SEES_BUILDING = """(b.compound_id = ANY($1::uuid[]) OR b.id = ANY($2::uuid[])
    OR b.id IN (SELECT building_id FROM house WHERE id = ANY($3::uuid[])))"""

_SEES_UNIT = """(u.compound_id = ANY($1::uuid[]) OR u.building_id = ANY($2::uuid[])
    OR u.id IN (SELECT unit_id FROM house WHERE id = ANY($3::uuid[])))"""

_SEES_HOUSE = "(h.compound_id = ANY($1::uuid[]) OR h.building_id = ANY($2::uuid[]) OR h.id = ANY($3::uuid[]))"

COMPOUNDS = (
    f"SELECT {COMPOUND_COLUMNS} FROM compound c WHERE c.id = ANY($1::uuid[]) ORDER BY c.name, c.id LIMIT 500"
)

COMPOUND_BY_CODE = f"SELECT {COMPOUND_COLUMNS} FROM compound c WHERE c.code = $1"

COMPOUNDS_OF_REGIONS = f"""
SELECT {COMPOUND_COLUMNS} FROM compound c
WHERE c.id = ANY($1::uuid[]) AND c.region_id = ANY($2::uuid[]) ORDER BY c.name, c.id
"""

BUILDINGS_BY_ID = f"SELECT {_BUILDING} FROM building b WHERE b.id = ANY($4::uuid[]) AND {_SEES_BUILDING}"

BUILDINGS_OF_COMPOUNDS = f"""
SELECT {_BUILDING} FROM (
    SELECT b.*, row_number() OVER (PARTITION BY b.compound_id ORDER BY b.sort, b.id) AS place
    FROM building b WHERE b.compound_id = ANY($4::uuid[]) AND {_SEES_BUILDING}) AS b
WHERE b.place <= 500 ORDER BY b.compound_id, b.sort, b.id
"""

_UNIT = f"""u.id, u.compound_id, u.building_id, u.name, u.source, u.recorded_at,
    (SELECT count(*) FROM house h WHERE h.unit_id = u.id AND {_SEES_HOUSE}) AS house_count"""

UNITS_BY_ID = f"SELECT {_UNIT} FROM unit u WHERE u.id = ANY($4::uuid[]) AND {_SEES_UNIT}"

UNITS_OF_BUILDINGS = f"""
SELECT {_UNIT} FROM (
    SELECT u.*, row_number() OVER (PARTITION BY u.building_id ORDER BY u.sort, u.id) AS place
    FROM unit u WHERE u.building_id = ANY($4::uuid[]) AND {_SEES_UNIT}) AS u
WHERE u.place <= 100 ORDER BY u.building_id, u.sort, u.id
"""

HOUSES_BY_ID = f"SELECT {HOUSE_COLUMNS} FROM {_HOUSE_JOINS} WHERE h.id = ANY($4::uuid[]) AND {_SEES_HOUSE}"

HOUSES_OF_BUILDINGS = f"""
SELECT h.building_id AS id, count(*) AS houses FROM house h
WHERE h.building_id = ANY($4::uuid[]) AND {_SEES_HOUSE} GROUP BY h.building_id
"""

COUNTS_OF_COMPOUNDS = f"""
SELECT c.id, (SELECT count(*) FROM building b WHERE b.compound_id = c.id AND {_SEES_BUILDING}) AS buildings,
    (SELECT count(*) FROM house h WHERE h.compound_id = c.id AND {_SEES_HOUSE}) AS houses
FROM compound c WHERE c.id = ANY($4::uuid[])
"""

# A whole house number as people say it (3-1-101) names its house exactly; anything else is a part of one.
NUMBER_IS = """(h.number LIKE {} OR (h.room_key = {} AND h.unit_id IN (
    SELECT u.id FROM unit u JOIN building b ON b.id = u.building_id
    WHERE b.compound_id = $1 AND b.key = {} AND ({}::text = '' OR u.key = {}))))"""

# From the compounds up to the province; a node is seen where a compound below it is.
REGIONS = """
SELECT r.id, r.parent_id, r.kind, r.name, r.path, count(*) AS compound_count
FROM compound c JOIN region leaf ON leaf.id = c.region_id
JOIN region r ON r.id = ANY(string_to_array(trim(BOTH '/' FROM leaf.path), '/')::uuid[])
WHERE c.id = ANY($1::uuid[]) AND ($2::uuid[] IS NULL OR r.id = ANY($2::uuid[]))
  AND ($3::uuid[] IS NULL OR r.parent_id = ANY($3::uuid[])) AND (NOT $4 OR r.parent_id IS NULL)
GROUP BY r.id ORDER BY r.name, r.id
"""

PATHS_OF_COMPOUNDS = """
SELECT c.id, r.path FROM compound c JOIN region r ON r.id = c.region_id WHERE c.id = ANY($1::uuid[])
"""

# What follows the building in a house's sort stays: $4 is the building's sort until now.
RENUMBER = """
UPDATE house h SET number = $2 || u.name || h.room, sort = $3 || substr(h.sort, length($4) + 1)
FROM unit u WHERE u.id = h.unit_id AND h.building_id = $1
"""


def houses_page(conditions: str, order: str, limit: str) -> str:
    """A page of houses under conditions of its own: a filter that is not there costs the plan nothing."""
    return f"SELECT {HOUSE_COLUMNS} FROM {_HOUSE_JOINS} WHERE {conditions} ORDER BY {order} LIMIT {limit}"


def houses_count(conditions: str) -> str:
    """How many houses there are under the conditions."""
    return f"SELECT count(*) FROM house h WHERE {conditions}"
