"""The import as statements over whole sets: rows are staged, matched with what is there, then written.

Every statement touches only what differs, so that importing the same file again changes nothing.
"""

from __future__ import annotations

STAGE_BUILDINGS = """
CREATE TEMP TABLE staged_building ON COMMIT DROP AS
SELECT * FROM jsonb_to_recordset($1::jsonb) AS x(
    id uuid, key text, name text, sort text, code text, built_year int, use text, structure text,
    storeys_above int, storeys_below int, height_m numeric, area_m2 numeric, service_life_years int,
    standard_address text, police_station text, street_in_charge text, latitude numeric, longitude numeric)
"""

WRITE_BUILDINGS = """
INSERT INTO building AS b (id, compound_id, key, name, sort, code, built_year, use, structure, storeys_above,
    storeys_below, height_m, area_m2, service_life_years, standard_address, police_station, street_in_charge,
    latitude, longitude, source, recorded_at)
SELECT id, $1, key, name, sort, coalesce(code, ''), built_year, coalesce(use, ''), coalesce(structure, ''),
    storeys_above, storeys_below, height_m, area_m2, service_life_years, coalesce(standard_address, ''),
    coalesce(police_station, ''), coalesce(street_in_charge, ''), latitude, longitude, 'import', $2
FROM staged_building
ON CONFLICT (compound_id, key) DO NOTHING
"""

UPDATE_BUILDINGS = """
UPDATE building b SET code = coalesce(s.code, b.code), built_year = coalesce(s.built_year, b.built_year),
    use = coalesce(s.use, b.use), structure = coalesce(s.structure, b.structure),
    storeys_above = coalesce(s.storeys_above, b.storeys_above),
    storeys_below = coalesce(s.storeys_below, b.storeys_below), height_m = coalesce(s.height_m, b.height_m),
    area_m2 = coalesce(s.area_m2, b.area_m2),
    service_life_years = coalesce(s.service_life_years, b.service_life_years),
    standard_address = coalesce(s.standard_address, b.standard_address),
    police_station = coalesce(s.police_station, b.police_station),
    street_in_charge = coalesce(s.street_in_charge, b.street_in_charge),
    latitude = coalesce(s.latitude, b.latitude), longitude = coalesce(s.longitude, b.longitude)
FROM staged_building s WHERE b.compound_id = $1 AND b.key = s.key
  AND row(coalesce(s.code, b.code), coalesce(s.built_year, b.built_year), coalesce(s.use, b.use),
      coalesce(s.structure, b.structure), coalesce(s.storeys_above, b.storeys_above),
      coalesce(s.storeys_below, b.storeys_below), coalesce(s.height_m, b.height_m), coalesce(s.area_m2, b.area_m2),
      coalesce(s.service_life_years, b.service_life_years), coalesce(s.standard_address, b.standard_address),
      coalesce(s.police_station, b.police_station), coalesce(s.street_in_charge, b.street_in_charge),
      coalesce(s.latitude, b.latitude), coalesce(s.longitude, b.longitude))
    IS DISTINCT FROM row(b.code, b.built_year, b.use, b.structure, b.storeys_above, b.storeys_below, b.height_m,
      b.area_m2, b.service_life_years, b.standard_address, b.police_station, b.street_in_charge, b.latitude, b.longitude)
"""

WRITE_UNITS = """
INSERT INTO unit (id, compound_id, building_id, key, name, sort, source, recorded_at)
SELECT x.id, $1, b.id, x.key, x.name, x.sort, 'import', $3
FROM jsonb_to_recordset($2::jsonb) AS x(id uuid, building_key text, key text, name text, sort text)
JOIN building b ON b.compound_id = $1 AND b.key = x.building_key
ON CONFLICT (building_id, key) DO NOTHING
"""

STAGE_HOUSES = """
CREATE TEMP TABLE staged_house ON COMMIT DROP AS
SELECT x.*, u.id AS unit_id, b.id AS building_id
FROM jsonb_to_recordset($2::jsonb) AS x(
    id uuid, building_key text, unit_key text, room_key text, room text, room_sort text, floor int, built_area_m2 numeric,
    inner_area_m2 numeric, use text, state text, handed_over_on date)
JOIN building b ON b.compound_id = $1 AND b.key = x.building_key
JOIN unit u ON u.building_id = b.id AND u.key = x.unit_key
"""

# The number is put together from the names that are in the tables: 1栋 stays 1号楼 if it was first.
WRITE_HOUSES = """
INSERT INTO house (id, compound_id, building_id, unit_id, room, room_key, number, sort, floor, built_area_m2,
    inner_area_m2, use, state, is_rented, handed_over_on, title_document, source, recorded_at)
SELECT s.id, $1, s.building_id, s.unit_id, s.room, s.room_key, b.name || u.name || s.room,
    b.sort || '/' || u.sort || '/' || s.room_sort,
    s.floor, s.built_area_m2, s.inner_area_m2, coalesce(s.use, 'residential'), coalesce(s.state, 'self_occupied'),
    coalesce(s.state, '') = 'rented', s.handed_over_on, '', 'import', $2
FROM staged_house s JOIN building b ON b.id = s.building_id JOIN unit u ON u.id = s.unit_id
ON CONFLICT (unit_id, room_key) DO NOTHING
"""

# An inner area that an older register gave cannot be larger than the built area that counts now.
UPDATE_HOUSES = """
UPDATE house h SET floor = coalesce(s.floor, h.floor), built_area_m2 = s.built_area_m2,
    inner_area_m2 =
        coalesce(s.inner_area_m2, CASE WHEN h.inner_area_m2 <= s.built_area_m2 THEN h.inner_area_m2 END),
    use = coalesce(s.use, h.use),
    state = coalesce(s.state, h.state), is_rented = coalesce(s.state, h.state) = 'rented',
    handed_over_on = coalesce(s.handed_over_on, h.handed_over_on)
FROM staged_house s WHERE h.unit_id = s.unit_id AND h.room_key = s.room_key
  AND row(coalesce(s.floor, h.floor), s.built_area_m2,
      coalesce(s.inner_area_m2, CASE WHEN h.inner_area_m2 <= s.built_area_m2 THEN h.inner_area_m2 END),
      coalesce(s.use, h.use), coalesce(s.state, h.state), coalesce(s.handed_over_on, h.handed_over_on))
    IS DISTINCT FROM row(h.floor, h.built_area_m2, h.inner_area_m2, h.use, h.state, h.handed_over_on)
"""

STAGE_PEOPLE = """
CREATE TEMP TABLE staged_person ON COMMIT DROP AS
SELECT x.n, x.id, x.name, decode(x.phone_sealed, 'hex') AS phone_sealed, decode(x.phone_index, 'hex') AS phone_index,
    decode(x.phone_tail_index, 'hex') AS phone_tail_index, x.document_kind,
    decode(x.document_sealed, 'hex') AS document_sealed, decode(x.document_index, 'hex') AS document_index,
    x.sex, x.born_on, x.nationality, x.ethnicity, x.native_place, x.registered_address, x.population_kind,
    x.tags, x.work_unit, NULL::uuid AS person_id
FROM jsonb_to_recordset($1::jsonb) AS x(
    n int, id uuid, name text, phone_sealed text, phone_index text, phone_tail_index text, document_kind text,
    document_sealed text, document_index text, sex text, born_on date, nationality text, ethnicity text,
    native_place text, registered_address text, population_kind text, tags text[], work_unit text)
"""

STAGE_OCCUPANCIES = """
CREATE TEMP TABLE staged_occupancy ON COMMIT DROP AS
SELECT x.id, x.n, x.capacity, x.relation, x.since_on, x.listed, h.id AS house_id, x.sheet, x.line,
    x.building_key, x.unit_key, x.room_key
FROM jsonb_to_recordset($2::jsonb) AS x(
    id uuid, n int, building_key text, unit_key text, room_key text, capacity text, relation text, since_on date,
    listed bool, sheet text, line int)
LEFT JOIN building b ON b.compound_id = $1 AND b.key = x.building_key
LEFT JOIN unit u ON u.building_id = b.id AND u.key = x.unit_key
LEFT JOIN house h ON h.unit_id = u.id AND h.room_key = x.room_key
"""

# Who is already known: by document, else by name and phone, else by name in the same house; a
# document that differs is never overruled, and one record is never taken for two people.
MATCH_PEOPLE = (
    """
UPDATE staged_person s SET person_id = m.id FROM (
    SELECT DISTINCT ON (p.id) s.n, p.id FROM staged_person s
    JOIN person p ON p.compound_id = $1 AND p.document_index = s.document_index
    ORDER BY p.id, s.n) m
WHERE m.n = s.n
""",
    """
UPDATE staged_person s SET person_id = m.id FROM (
    SELECT DISTINCT ON (p.id) s.n, p.id FROM staged_person s
    JOIN person p ON p.compound_id = $1 AND p.phone_index = s.phone_index AND p.name = s.name
    WHERE s.person_id IS NULL AND (s.document_index IS NULL OR p.document_index IS NULL)
      AND NOT EXISTS (SELECT 1 FROM staged_person t WHERE t.person_id = p.id)
    ORDER BY p.id, s.n) m
WHERE m.n = s.n
""",
    """
UPDATE staged_person s SET person_id = m.id FROM (
    SELECT DISTINCT ON (p.id) s.n, p.id FROM staged_person s
    JOIN staged_occupancy x ON x.n = s.n
    JOIN occupancy o ON o.house_id = x.house_id AND o.ended_at IS NULL
    JOIN person p ON p.id = o.person_id AND p.name = s.name
    WHERE s.person_id IS NULL AND (s.document_index IS NULL OR p.document_index IS NULL)
      AND NOT EXISTS (SELECT 1 FROM staged_person t WHERE t.person_id = p.id)
    ORDER BY p.id, s.n) m
WHERE m.n = s.n
""",
)

WRITE_PEOPLE = """
INSERT INTO person (id, compound_id, name, phone_sealed, phone_index, phone_tail_index, document_kind,
    document_sealed, document_index, sex, born_on, nationality, ethnicity, native_place, registered_address,
    population_kind, tags, work_unit, source, recorded_at)
SELECT id, $1, name, phone_sealed, phone_index, phone_tail_index, document_kind, document_sealed, document_index,
    sex, born_on, coalesce(nationality, ''), coalesce(ethnicity, ''), coalesce(native_place, ''),
    coalesce(registered_address, ''), population_kind, coalesce(tags, '{}'), coalesce(work_unit, ''), 'import', $2
FROM staged_person WHERE person_id IS NULL
"""

UPDATE_PEOPLE = """
UPDATE person p SET
    phone_sealed = CASE WHEN s.phone_index IS NULL OR s.phone_index = p.phone_index
        THEN p.phone_sealed ELSE s.phone_sealed END,
    phone_tail_index = coalesce(s.phone_tail_index, p.phone_tail_index),
    phone_index = coalesce(s.phone_index, p.phone_index),
    document_sealed = CASE WHEN s.document_index IS NULL OR s.document_index = p.document_index
        THEN p.document_sealed ELSE s.document_sealed END,
    document_kind = coalesce(s.document_kind, p.document_kind),
    document_index = coalesce(s.document_index, p.document_index),
    sex = coalesce(s.sex, p.sex), born_on = coalesce(s.born_on, p.born_on),
    nationality = coalesce(s.nationality, p.nationality), ethnicity = coalesce(s.ethnicity, p.ethnicity),
    native_place = coalesce(s.native_place, p.native_place),
    registered_address = coalesce(s.registered_address, p.registered_address),
    population_kind = coalesce(s.population_kind, p.population_kind), tags = coalesce(s.tags, p.tags),
    work_unit = coalesce(s.work_unit, p.work_unit)
FROM staged_person s WHERE p.id = s.person_id
  AND row(coalesce(s.phone_index, p.phone_index), coalesce(s.document_index, p.document_index),
      coalesce(s.sex, p.sex), coalesce(s.born_on, p.born_on), coalesce(s.nationality, p.nationality),
      coalesce(s.ethnicity, p.ethnicity), coalesce(s.native_place, p.native_place),
      coalesce(s.registered_address, p.registered_address), coalesce(s.population_kind, p.population_kind),
      coalesce(s.tags, p.tags), coalesce(s.work_unit, p.work_unit))
    IS DISTINCT FROM row(p.phone_index, p.document_index, p.sex, p.born_on, p.nationality, p.ethnicity,
      p.native_place, p.registered_address, p.population_kind, p.tags, p.work_unit)
"""

UNKNOWN_HOUSES = """
SELECT sheet, line, building_key, unit_key, room_key FROM staged_occupancy WHERE house_id IS NULL
UNION ALL
SELECT sheet, line, building_key, unit_key, room_key FROM staged_vehicle WHERE house_id IS NULL
ORDER BY sheet, line
"""

WRITE_OCCUPANCIES = """
INSERT INTO occupancy (id, compound_id, house_id, person_id, capacity, relation, since_on, verified_by, recorded_at)
SELECT x.id, $1, x.house_id, coalesce(s.person_id, s.id), x.capacity, x.relation, x.since_on, 'register', $2
FROM staged_occupancy x JOIN staged_person s ON s.n = x.n
ON CONFLICT (house_id, person_id) WHERE ended_at IS NULL DO NOTHING
"""

UPDATE_OCCUPANCIES = """
UPDATE occupancy o SET capacity = x.capacity,
    lease_until_on = CASE WHEN x.capacity = 'tenant' THEN o.lease_until_on END,
    relation = CASE WHEN x.relation = '' THEN o.relation ELSE x.relation END,
    since_on = coalesce(x.since_on, o.since_on)
FROM staged_occupancy x JOIN staged_person s ON s.n = x.n
WHERE o.house_id = x.house_id AND o.person_id = coalesce(s.person_id, s.id) AND o.ended_at IS NULL
  AND o.verified_by = 'register'
  AND row(x.capacity, CASE WHEN x.relation = '' THEN o.relation ELSE x.relation END, coalesce(x.since_on, o.since_on))
    IS DISTINCT FROM row(o.capacity, o.relation, o.since_on)
"""

# A house row names its owners; one that an earlier register named and this one does not has sold.
# What staff or an owner verified is not the register's to end.
END_FORMER_OWNERS = """
UPDATE occupancy o SET ended_at = $1, end_reason = 'register'
WHERE o.ended_at IS NULL AND o.capacity = 'owner' AND o.verified_by = 'register'
  AND o.house_id IN (SELECT house_id FROM staged_occupancy WHERE capacity = 'owner' AND listed)
  AND NOT EXISTS (
      SELECT 1 FROM staged_occupancy x JOIN staged_person s ON s.n = x.n
      WHERE x.house_id = o.house_id AND coalesce(s.person_id, s.id) = o.person_id)
"""

STAGE_VEHICLES = """
CREATE TEMP TABLE staged_vehicle ON COMMIT DROP AS
SELECT x.id, x.plate, x.kind, x.plate_colour, x.brand, x.model, x.colour, x.owner_name, h.id AS house_id, x.sheet,
    x.line, x.building_key, x.unit_key, x.room_key
FROM jsonb_to_recordset($2::jsonb) AS x(
    id uuid, plate text, kind text, plate_colour text, brand text, model text, colour text, owner_name text,
    building_key text, unit_key text, room_key text, sheet text, line int)
LEFT JOIN building b ON b.compound_id = $1 AND b.key = x.building_key
LEFT JOIN unit u ON u.building_id = b.id AND u.key = x.unit_key
LEFT JOIN house h ON h.unit_id = u.id AND h.room_key = x.room_key
"""

WRITE_VEHICLES = """
INSERT INTO vehicle (id, compound_id, house_id, person_id, kind, plate, plate_colour, brand, model, colour, source,
    recorded_at)
SELECT s.id, $1, s.house_id, (
        SELECT p.id FROM occupancy o JOIN person p ON p.id = o.person_id
        WHERE o.house_id = s.house_id AND o.ended_at IS NULL AND p.name = s.owner_name ORDER BY p.id LIMIT 1),
    s.kind, s.plate, coalesce(s.plate_colour, ''), coalesce(s.brand, ''), coalesce(s.model, ''),
    coalesce(s.colour, ''), 'import', $2
FROM staged_vehicle s
ON CONFLICT (compound_id, plate) WHERE removed_at IS NULL DO NOTHING
"""

UPDATE_VEHICLES = """
UPDATE vehicle v SET house_id = s.house_id, kind = s.kind, plate_colour = coalesce(s.plate_colour, v.plate_colour),
    brand = coalesce(s.brand, v.brand), model = coalesce(s.model, v.model), colour = coalesce(s.colour, v.colour)
FROM staged_vehicle s WHERE v.compound_id = $1 AND v.plate = s.plate AND v.removed_at IS NULL
  AND row(s.house_id, s.kind, coalesce(s.plate_colour, v.plate_colour), coalesce(s.brand, v.brand),
      coalesce(s.model, v.model), coalesce(s.colour, v.colour))
    IS DISTINCT FROM row(v.house_id, v.kind, v.plate_colour, v.brand, v.model, v.colour)
"""
