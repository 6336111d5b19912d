"""A device that opens a door stays what it is: another kind would neither open it nor raise its alarms."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
CREATE FUNCTION refuse_kind_of_controller() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM door WHERE device_id = NEW.id AND removed_at IS NULL) THEN
        RAISE EXCEPTION 'the device is a door''s controller'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'device_kind_of_controller';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER device_kind_of_controller BEFORE UPDATE OF kind ON device
    FOR EACH ROW WHEN (OLD.kind <> NEW.kind) EXECUTE FUNCTION refuse_kind_of_controller();
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0002_integrity"), ("devices", "0002_integrity")]
    operations = [ops.RunSQL(FORWARD)]
