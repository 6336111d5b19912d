"""What the ORM does not write: checks, one command under way, journals, and that rows stay in their compound."""

from tortoise import migrations
from tortoise.migrations import operations as ops

METHODS = "'app', 'qr', 'code', 'card', 'face', 'call', 'plate', 'guard', 'button', 'fire', 'remote', 'other'"
PURPOSES = "'visit', 'delivery', 'service', 'repair', 'moving', 'viewing', 'care', 'other'"

FORWARD = f"""
CREATE SEQUENCE access_community;

ALTER TABLE access_rules ADD CONSTRAINT access_rules_approver CHECK (approver IN ('resident', 'guard', 'either'));
ALTER TABLE access_rules ADD CONSTRAINT access_rules_bounds CHECK (longest_window_h BETWEEN 1 AND 8760
    AND most_uses BETWEEN 1 AND 999 AND daily_passes_per_house BETWEEN 1 AND 1000 AND visitor_cars >= 0
    AND daily_openings > 0 AND records_kept_days BETWEEN 30 AND 3660 AND vehicle_records_kept_days BETWEEN 180 AND 3660
    AND number > 0 AND revocation_sequence >= 0);

ALTER TABLE pass_key ADD CONSTRAINT pass_key_size CHECK (octet_length(kid) = 4 AND octet_length(public_key) = 32);
CREATE UNIQUE INDEX pass_key_kid ON pass_key (kid);

ALTER TABLE door ADD CONSTRAINT door_of_compound UNIQUE (id, compound_id);
ALTER TABLE door ADD CONSTRAINT door_kind CHECK (kind IN ('gate', 'vehicle_gate', 'unit_door', 'facility'));
ALTER TABLE door ADD CONSTRAINT door_direction CHECK (direction IN ('in', 'out', 'both'));
ALTER TABLE door ADD CONSTRAINT door_mode CHECK (mode IN ('normal', 'held_open', 'closed'));
ALTER TABLE door ADD CONSTRAINT door_position CHECK (position IN ('open', 'closed', 'unknown'));
ALTER TABLE door ADD CONSTRAINT door_methods CHECK (methods <@ ARRAY[{METHODS}]);
ALTER TABLE door ADD CONSTRAINT door_number CHECK (number > 0);
ALTER TABLE door ADD CONSTRAINT door_released_stays_open CHECK (released_by_id IS NULL OR mode = 'held_open');
ALTER TABLE door ADD CONSTRAINT door_unit_has_building CHECK (unit_id IS NULL OR building_id IS NOT NULL);
ALTER TABLE door ADD CONSTRAINT door_in_compound
    FOREIGN KEY (building_id, compound_id) REFERENCES building (id, compound_id);
ALTER TABLE door ADD CONSTRAINT door_unit_in_building
    FOREIGN KEY (unit_id, building_id, compound_id) REFERENCES unit (id, building_id, compound_id);
ALTER TABLE door ADD CONSTRAINT door_device_in_compound
    FOREIGN KEY (device_id, compound_id) REFERENCES device (id, compound_id);
CREATE INDEX door_compound ON door (compound_id, number) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX door_device ON door (device_id) WHERE removed_at IS NULL;
CREATE INDEX door_released ON door (released_by_id) WHERE released_by_id IS NOT NULL;

ALTER TABLE door_command ADD CONSTRAINT door_command_action CHECK (action IN ('open', 'hold_open', 'normal', 'closed'));
ALTER TABLE door_command ADD CONSTRAINT door_command_state
    CHECK (state IN ('requested', 'sent', 'opened', 'refused', 'expired', 'unknown'));
ALTER TABLE door_command ADD CONSTRAINT door_command_settled
    CHECK ((state IN ('requested', 'sent')) = (settled_at IS NULL) AND (state <> 'sent' OR sent_at IS NOT NULL));
ALTER TABLE door_command ADD CONSTRAINT door_command_life
    CHECK (expires_at > requested_at AND expires_at <= requested_at + interval '10 seconds');
ALTER TABLE door_command ADD CONSTRAINT door_command_in_compound
    FOREIGN KEY (door_id, compound_id) REFERENCES door (id, compound_id);
CREATE UNIQUE INDEX door_command_under_way ON door_command (door_id, account_id)
    WHERE state IN ('requested', 'sent') AND action = 'open' AND account_id IS NOT NULL;
CREATE INDEX door_command_house ON door_command (requested_at) WHERE account_id IS NULL;
CREATE INDEX door_command_due ON door_command (expires_at) WHERE state IN ('requested', 'sent');

ALTER TABLE pass_template ADD CONSTRAINT pass_template_purpose CHECK (purpose IN ({PURPOSES}));
ALTER TABLE pass_template ADD CONSTRAINT pass_template_bounds CHECK (weekdays BETWEEN 1 AND 127 AND from_minute >= 0
    AND from_minute < until_minute AND until_minute <= 1440 AND companions BETWEEN 0 AND 50 AND uses_allowed > 0);
ALTER TABLE pass_template ADD CONSTRAINT pass_template_in_compound
    FOREIGN KEY (house_id, compound_id) REFERENCES house (id, compound_id);
CREATE UNIQUE INDEX pass_template_link ON pass_template (link_hash);
CREATE INDEX pass_template_running ON pass_template (until_on) WHERE ended_at IS NULL;

ALTER TABLE visitor_pass ADD CONSTRAINT visitor_pass_origin CHECK (origin IN ('host', 'visitor', 'guard', 'template'));
ALTER TABLE visitor_pass ADD CONSTRAINT visitor_pass_state
    CHECK (state IN ('requested', 'active', 'used_up', 'expired', 'revoked', 'rejected'));
ALTER TABLE visitor_pass ADD CONSTRAINT visitor_pass_purpose CHECK (purpose IN ({PURPOSES}));
ALTER TABLE visitor_pass ADD CONSTRAINT visitor_pass_bounds CHECK (ends_at > starts_at AND companions BETWEEN 0 AND 50
    AND uses_allowed > 0 AND uses >= 0);
ALTER TABLE visitor_pass ADD CONSTRAINT visitor_pass_ended
    CHECK ((state IN ('requested', 'active')) = (ended_at IS NULL));
ALTER TABLE visitor_pass ADD CONSTRAINT visitor_pass_decided CHECK (state NOT IN ('active', 'rejected') OR decided_at IS NOT NULL);
ALTER TABLE visitor_pass ADD CONSTRAINT visitor_pass_phone_whole
    CHECK (num_nonnulls(phone_sealed, phone_index, phone_tail_index) IN (0, 3));
ALTER TABLE visitor_pass ADD CONSTRAINT visitor_pass_in_compound
    FOREIGN KEY (house_id, compound_id) REFERENCES house (id, compound_id);
ALTER TABLE visitor_pass ADD CONSTRAINT visitor_pass_of_compound UNIQUE (id, compound_id);
CREATE UNIQUE INDEX visitor_pass_link ON visitor_pass (link_hash) WHERE template_id IS NULL;
CREATE UNIQUE INDEX visitor_pass_of_template ON visitor_pass (template_id, starts_at) WHERE template_id IS NOT NULL;
CREATE INDEX visitor_pass_due ON visitor_pass (ends_at) WHERE state IN ('requested', 'active');
CREATE INDEX visitor_pass_tail ON visitor_pass (compound_id, phone_tail_index) WHERE state IN ('requested', 'active');
CREATE INDEX visitor_pass_plate ON visitor_pass (compound_id, plate) WHERE state = 'active' AND plate <> '';
CREATE INDEX visitor_pass_inside ON visitor_pass (compound_id, inside_since) WHERE inside_since IS NOT NULL;
CREATE INDEX visitor_pass_waiting ON visitor_pass (requested_at) WHERE state = 'requested';
CREATE INDEX visitor_pass_open ON visitor_pass (house_id) WHERE state IN ('requested', 'active');
CREATE INDEX visitor_pass_ending ON visitor_pass (compound_id, ends_at);
CREATE INDEX visitor_pass_long ON visitor_pass (compound_id, starts_at) WHERE ends_at - starts_at > interval '72 hours';
CREATE INDEX visitor_pass_to_forget ON visitor_pass (ends_at)
    WHERE guest_name <> '访客' OR phone_index IS NOT NULL OR plate <> '' OR message <> '' OR reason <> '';

ALTER TABLE resident_code ADD CONSTRAINT resident_code_life
    CHECK (expires_at > issued_at AND expires_at <= issued_at + interval '5 minutes');
ALTER TABLE resident_code ADD CONSTRAINT resident_code_in_compound
    FOREIGN KEY (house_id, compound_id) REFERENCES house (id, compound_id);

ALTER TABLE revocation ADD CONSTRAINT revocation_sequence CHECK (sequence > 0);
CREATE TRIGGER revocation_is_a_journal BEFORE UPDATE OR TRUNCATE ON revocation
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE access_record ADD CONSTRAINT access_record_direction CHECK (direction IN ('in', 'out', 'unknown'));
ALTER TABLE access_record ADD CONSTRAINT access_record_method CHECK (method IN ({METHODS}));
ALTER TABLE access_record ADD CONSTRAINT access_record_result CHECK (result IN ('opened', 'refused', 'unknown'));
ALTER TABLE access_record ADD CONSTRAINT access_record_in_compound
    FOREIGN KEY (door_id, compound_id) REFERENCES door (id, compound_id);
CREATE UNIQUE INDEX access_record_event ON access_record (door_id, event_key) WHERE event_key IS NOT NULL;
CREATE UNIQUE INDEX access_record_code ON access_record (door_id, left(event_key, 37)) WHERE event_key LIKE 'code:%';
CREATE UNIQUE INDEX access_record_command ON access_record (command_id, result) WHERE command_id IS NOT NULL;
CREATE INDEX access_record_person ON access_record (person_id, at, id) WHERE person_id IS NOT NULL;
CREATE INDEX access_record_house ON access_record (house_id, at, id) WHERE house_id IS NOT NULL;
CREATE INDEX access_record_pass ON access_record (visitor_pass_id, at) WHERE visitor_pass_id IS NOT NULL;
CREATE INDEX access_record_plate ON access_record (compound_id, plate, at) WHERE plate <> '';
CREATE INDEX access_record_guess ON access_record (compound_id, received_at) WHERE reason = 'CODE_WRONG';
CREATE TRIGGER access_record_is_a_journal BEFORE UPDATE OR TRUNCATE ON access_record
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0001_initial"),
        ("devices", "0002_integrity"),
        ("residents", "0002_integrity"),
        ("kernel", "0002_integrity"),
    ]
    operations = [ops.RunSQL(FORWARD)]
