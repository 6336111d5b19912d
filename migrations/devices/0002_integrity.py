"""What the ORM does not write: checks, one open alarm of a kind, journals, and that rows stay in their compound."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
ALTER TABLE device ADD CONSTRAINT device_of_compound UNIQUE (id, compound_id);
ALTER TABLE device ADD CONSTRAINT device_state CHECK (state IN ('in_store', 'in_service', 'out_of_order', 'retired'));
ALTER TABLE device ADD CONSTRAINT device_silence CHECK (silent_after_s BETWEEN 30 AND 604800);
ALTER TABLE device ADD CONSTRAINT device_in_compound
    FOREIGN KEY (building_id, compound_id) REFERENCES building (id, compound_id);
CREATE INDEX device_kind ON device (compound_id, kind, code, id);
CREATE INDEX device_expected ON device (last_seen_at)
    WHERE state = 'in_service' AND (silent_after_s IS NOT NULL OR offline_since IS NOT NULL);

ALTER TABLE device_key ADD CONSTRAINT device_key_size CHECK (octet_length(public_key) = 32);
ALTER TABLE device_key ADD CONSTRAINT device_key_form CHECK (key_id ~ '^[0-9a-f]{16}$');

ALTER TABLE device_refusal ADD CONSTRAINT device_refusal_way CHECK (way IN ('http', 'mqtt'));
ALTER TABLE device_refusal ADD CONSTRAINT device_refusal_count CHECK (count > 0);

ALTER TABLE asset_entry ADD CONSTRAINT asset_entry_cost CHECK (cost_fen >= 0);
CREATE TRIGGER asset_entry_is_a_journal BEFORE UPDATE OR DELETE OR TRUNCATE ON asset_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE INDEX reading_received ON reading USING brin (received_at);

ALTER TABLE alarm ADD CONSTRAINT alarm_level CHECK (level IN ('critical', 'major', 'minor'));
ALTER TABLE alarm ADD CONSTRAINT alarm_state CHECK (state IN ('open', 'acknowledged', 'cleared'));
ALTER TABLE alarm ADD CONSTRAINT alarm_counts CHECK (reports > 0 AND flaps >= 0);
ALTER TABLE alarm ADD CONSTRAINT alarm_acknowledged
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL) AND (state <> 'acknowledged' OR acknowledged_at IS NOT NULL));
ALTER TABLE alarm ADD CONSTRAINT alarm_cleared CHECK ((state = 'cleared') = (cleared_at IS NOT NULL));
ALTER TABLE alarm ADD CONSTRAINT alarm_by_hand
    CHECK ((cleared_by IS NOT NULL OR NOT is_false) AND (shelved_until IS NULL OR cleared_by IS NOT NULL));
ALTER TABLE alarm ADD CONSTRAINT alarm_of_compound_device
    FOREIGN KEY (device_id, compound_id) REFERENCES device (id, compound_id);
ALTER TABLE alarm ADD CONSTRAINT alarm_building_in_compound
    FOREIGN KEY (building_id, compound_id) REFERENCES building (id, compound_id);
CREATE UNIQUE INDEX alarm_once ON alarm (device_id, kind) WHERE state <> 'cleared';
CREATE INDEX alarm_open ON alarm (compound_id, opened_at, id) WHERE state <> 'cleared';
CREATE INDEX alarm_kind ON alarm (compound_id, kind, opened_at, id);
CREATE INDEX alarm_calm ON alarm (calm_since) WHERE state <> 'cleared' AND calm_since IS NOT NULL;
CREATE INDEX alarm_shelved ON alarm (device_id, kind) WHERE shelved_until IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("devices", "0001_initial"), ("estate", "0002_integrity"), ("kernel", "0002_integrity")]
    operations = [ops.RunSQL(FORWARD)]
