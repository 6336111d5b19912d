"""Identifiers made by statements that write many rows: UUIDv7, as the program's own (RFC 9562)."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
CREATE FUNCTION make_uuid7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- Where the database makes them itself (PostgreSQL 18), it does so faster and in the order of the rows.
DO $$ BEGIN
    IF current_setting('server_version_num')::int >= 180000 THEN
        EXECUTE 'CREATE OR REPLACE FUNCTION make_uuid7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS '
            || quote_literal('SELECT uuidv7()');
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0003_jobs_by_hand")]
    operations = [ops.RunSQL(FORWARD)]
