"""What the ORM does not write: checks, one open row of a kind, and that rows stay in their compound."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
ALTER TABLE person ADD CONSTRAINT person_of_compound UNIQUE (id, compound_id);
ALTER TABLE person ADD CONSTRAINT person_source CHECK (source IN ('import', 'registration', 'invitation', 'staff'));
ALTER TABLE person ADD CONSTRAINT person_sex CHECK (sex IN ('male', 'female'));
ALTER TABLE person ADD CONSTRAINT person_population_kind CHECK (population_kind IN ('permanent', 'floating', 'attention'));
ALTER TABLE person ADD CONSTRAINT person_phone_whole CHECK (num_nonnulls(phone_sealed, phone_index, phone_tail_index) IN (0, 3));
ALTER TABLE person ADD CONSTRAINT person_document_whole
    CHECK (num_nonnulls(document_sealed, document_index, document_kind) IN (0, 3));
CREATE UNIQUE INDEX person_once_per_account ON person (compound_id, account_id) WHERE account_id IS NOT NULL;

ALTER TABLE occupancy ADD CONSTRAINT occupancy_capacity CHECK (capacity IN ('owner', 'family', 'tenant'));
ALTER TABLE occupancy ADD CONSTRAINT occupancy_verified_by CHECK (verified_by IN ('register', 'staff', 'owner'));
ALTER TABLE occupancy ADD CONSTRAINT occupancy_end CHECK ((ended_at IS NULL) = (end_reason IS NULL));
ALTER TABLE occupancy ADD CONSTRAINT occupancy_lease CHECK (lease_until_on IS NULL OR capacity = 'tenant');
ALTER TABLE occupancy ADD CONSTRAINT occupancy_in_compound
    FOREIGN KEY (house_id, compound_id) REFERENCES house (id, compound_id);
ALTER TABLE occupancy ADD CONSTRAINT occupancy_person_in_compound
    FOREIGN KEY (person_id, compound_id) REFERENCES person (id, compound_id);
CREATE UNIQUE INDEX occupancy_once ON occupancy (house_id, person_id) WHERE ended_at IS NULL;
CREATE INDEX occupancy_lease_end ON occupancy (lease_until_on) WHERE ended_at IS NULL AND lease_until_on IS NOT NULL;

ALTER TABLE registration ADD CONSTRAINT registration_state CHECK (state IN ('pending', 'approved', 'rejected', 'withdrawn'));
ALTER TABLE registration ADD CONSTRAINT registration_capacity CHECK (capacity IN ('owner', 'family', 'tenant'));
ALTER TABLE registration ADD CONSTRAINT registration_reviewed
    CHECK (state NOT IN ('approved', 'rejected') OR (reviewed_at IS NOT NULL AND reviewed_by IS NOT NULL));
ALTER TABLE registration ADD CONSTRAINT registration_in_compound
    FOREIGN KEY (house_id, compound_id) REFERENCES house (id, compound_id);
ALTER TABLE registration ADD CONSTRAINT registration_rejected CHECK (state <> 'rejected' OR reason <> '');
ALTER TABLE registration ADD CONSTRAINT registration_lease CHECK (lease_until_on IS NULL OR capacity = 'tenant');
ALTER TABLE registration ADD CONSTRAINT registration_document_whole
    CHECK (num_nonnulls(document_sealed, document_index, document_kind) IN (0, 3));
CREATE INDEX registration_submitted ON registration (compound_id, submitted_at, id);
CREATE INDEX registration_house ON registration (house_id);
CREATE UNIQUE INDEX registration_once ON registration (house_id, account_id) WHERE state = 'pending';

ALTER TABLE invitation ADD CONSTRAINT invitation_state CHECK (state IN ('open', 'accepted', 'withdrawn', 'expired'));
ALTER TABLE invitation ADD CONSTRAINT invitation_capacity CHECK (capacity IN ('family', 'tenant'));
ALTER TABLE invitation ADD CONSTRAINT invitation_accepted CHECK ((state = 'accepted') = (accepted_by IS NOT NULL));
ALTER TABLE invitation ADD CONSTRAINT invitation_lease CHECK (lease_until_on IS NULL OR capacity = 'tenant');
ALTER TABLE invitation ADD CONSTRAINT invitation_in_compound
    FOREIGN KEY (house_id, compound_id) REFERENCES house (id, compound_id);
CREATE UNIQUE INDEX invitation_code ON invitation (code_hash);
CREATE INDEX invitation_phone ON invitation (phone_index) WHERE state = 'open';
CREATE INDEX invitation_inviter ON invitation (inviter_id, created_at);
CREATE INDEX invitation_due ON invitation (expires_at) WHERE state = 'open';

ALTER TABLE vehicle ADD CONSTRAINT vehicle_kind CHECK (kind IN ('car', 'ebike'));
ALTER TABLE vehicle ADD CONSTRAINT vehicle_plate_colour
    CHECK (plate_colour IN ('', 'blue', 'green', 'yellow', 'white', 'black'));
ALTER TABLE vehicle ADD CONSTRAINT vehicle_flag CHECK (flag IN ('stolen', 'cloned'));
ALTER TABLE vehicle ADD CONSTRAINT vehicle_in_compound
    FOREIGN KEY (house_id, compound_id) REFERENCES house (id, compound_id);
CREATE UNIQUE INDEX vehicle_plate ON vehicle (compound_id, plate) WHERE removed_at IS NULL;

ALTER TABLE register_import ADD CONSTRAINT register_import_state CHECK (state IN ('staged', 'refused', 'applied'));
"""


class Migration(migrations.Migration):
    dependencies = [
        ("residents", "0001_initial"),
        ("estate", "0002_integrity"),
        ("identity", "0002_integrity"),
    ]
    operations = [ops.RunSQL(FORWARD)]
