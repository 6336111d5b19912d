"""What the ORM does not write: checks, partial indexes, the journal's triggers."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
ALTER TABLE outbox_message ADD CONSTRAINT outbox_message_state CHECK (state IN ('pending', 'done', 'parked'));
CREATE INDEX outbox_message_due ON outbox_message (urgent, id) WHERE state = 'pending';
CREATE INDEX outbox_message_subject ON outbox_message (subject, id) WHERE state <> 'done';
CREATE INDEX outbox_message_done ON outbox_message (done_at) WHERE state = 'done';

ALTER TABLE idempotency_record ADD CONSTRAINT idempotency_record_state CHECK (state IN ('in_progress', 'done'));
ALTER TABLE idempotency_record ADD CONSTRAINT idempotency_record_answer
    CHECK (state <> 'done' OR (answer IS NOT NULL AND done_at IS NOT NULL));

ALTER TABLE job_run ADD CONSTRAINT job_run_state CHECK (state IN ('running', 'succeeded', 'failed'));

CREATE INDEX job_run_open ON job_run (job, due_at) WHERE state <> 'succeeded';

ALTER TABLE audit_entry ADD COLUMN cluster_id bigint NOT NULL, ADD COLUMN transaction_id xid8 NOT NULL;
CREATE INDEX audit_entry_staff ON audit_entry (at, id) WHERE compound_id IS NULL AND actor_kind = 'staff';
CREATE INDEX audit_entry_transaction ON audit_entry (cluster_id, transaction_id);
ALTER TABLE audit_entry ADD CONSTRAINT audit_entry_outcome CHECK (outcome IN ('done', 'refused'));

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'audit_entry' AND current_setting('linli.releasing', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is a journal: rows are added and never changed', TG_TABLE_NAME USING ERRCODE = 'LJ001';
END $$;
CREATE TRIGGER audit_entry_is_a_journal BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_seal_is_a_journal BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The transaction a row belongs to is what the seals go by: nobody may say it but the database.
CREATE FUNCTION stamp_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.transaction_id := pg_current_xact_id();
    NEW.cluster_id := (SELECT system_identifier FROM pg_control_system());
    RETURN NEW;
END $$;
CREATE TRIGGER audit_entry_stamp BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION stamp_transaction();

-- The one way out of the journal, run as its owner: whole batches whose rows are all past the least
-- term that the law sets (six months). The application's role may call it and may not delete.
CREATE FUNCTION release_audit(through bigint) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE released bigint; youngest timestamptz;
BEGIN
    PERFORM set_config('linli.releasing', 'on', true);
    WITH past AS (
        SELECT DISTINCT ON (cluster_id) cluster_id, to_snapshot::pg_snapshot AS snapshot FROM audit_seal
        WHERE number <= through AND to_snapshot IS NOT NULL ORDER BY cluster_id, number DESC),
    gone AS (
        DELETE FROM audit_entry e USING past
        WHERE e.cluster_id = past.cluster_id AND e.transaction_id < pg_snapshot_xmax(past.snapshot)
            AND pg_visible_in_snapshot(e.transaction_id, past.snapshot)
        RETURNING e.at)
    SELECT count(*), max(at) INTO released, youngest FROM gone;
    PERFORM set_config('linli.releasing', 'off', true);
    IF youngest > now() - interval '6 months' THEN
        RAISE EXCEPTION 'audit rows are kept for six months at least' USING ERRCODE = 'LJ002';
    END IF;
    RETURN released;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_initial")]
    operations = [ops.RunSQL(FORWARD)]
