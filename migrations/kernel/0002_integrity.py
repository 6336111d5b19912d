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

ALTER TABLE audit_entry ADD COLUMN transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX audit_entry_transaction ON audit_entry (transaction_id);
ALTER TABLE audit_entry ADD CONSTRAINT audit_entry_outcome CHECK (outcome IN ('done', 'refused'));

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
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
    RETURN NEW;
END $$;
CREATE TRIGGER audit_entry_stamp BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION stamp_transaction();
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_initial")]
    operations = [ops.RunSQL(FORWARD)]
