"""What the ORM does not write: checks, and that a house, its unit and its building are of one compound."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
ALTER TABLE region ADD CONSTRAINT region_kind
    CHECK (kind IN ('province', 'city', 'district', 'street', 'committee'));
ALTER TABLE region ADD CONSTRAINT region_root CHECK ((parent_id IS NULL) = (kind = 'province'));
CREATE UNIQUE INDEX region_root_name ON region (name) WHERE parent_id IS NULL;
CREATE INDEX region_path ON region (path text_pattern_ops);
CREATE INDEX compound_company ON compound (company_id);
CREATE INDEX compound_region ON compound (region_id);

ALTER TABLE building ADD CONSTRAINT building_of_compound UNIQUE (id, compound_id);
ALTER TABLE unit ADD CONSTRAINT unit_of_building UNIQUE (id, building_id, compound_id);
ALTER TABLE unit ADD CONSTRAINT unit_in_building
    FOREIGN KEY (building_id, compound_id) REFERENCES building (id, compound_id);
ALTER TABLE house ADD CONSTRAINT house_in_unit
    FOREIGN KEY (unit_id, building_id, compound_id) REFERENCES unit (id, building_id, compound_id);
ALTER TABLE house ADD CONSTRAINT house_of_compound UNIQUE (id, compound_id);

ALTER TABLE compound ADD CONSTRAINT compound_position
    CHECK (latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180);
ALTER TABLE building ADD CONSTRAINT building_position
    CHECK (latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180);
ALTER TABLE building ADD CONSTRAINT building_size
    CHECK (storeys_above BETWEEN 0 AND 200 AND storeys_below BETWEEN 0 AND 20 AND height_m BETWEEN 0 AND 1000
           AND area_m2 BETWEEN 1 AND 10000000);
ALTER TABLE building ADD CONSTRAINT building_age
    CHECK (built_year BETWEEN 1900 AND 2100 AND service_life_years BETWEEN 1 AND 200);
ALTER TABLE building ADD CONSTRAINT building_source CHECK (source IN ('import', 'staff'));
ALTER TABLE unit ADD CONSTRAINT unit_source CHECK (source IN ('import', 'staff'));
ALTER TABLE house ADD CONSTRAINT house_source CHECK (source IN ('import', 'staff'));
ALTER TABLE house ADD CONSTRAINT house_floor CHECK (floor BETWEEN -200 AND 200);
ALTER TABLE house ADD CONSTRAINT house_let CHECK (state <> 'rented' OR is_rented);

ALTER TABLE house ADD CONSTRAINT house_use
    CHECK (use IN ('residential', 'shop', 'office', 'parking', 'storage', 'other'));
ALTER TABLE house ADD CONSTRAINT house_state CHECK (state IN ('self_occupied', 'rented', 'vacant', 'unsold'));
ALTER TABLE house ADD CONSTRAINT house_area
    CHECK (built_area_m2 > 0 AND (inner_area_m2 IS NULL OR (inner_area_m2 > 0 AND inner_area_m2 <= built_area_m2)));
"""


class Migration(migrations.Migration):
    dependencies = [("estate", "0001_initial")]
    operations = [ops.RunSQL(FORWARD)]
