"""The application looks at the register's tables anew after a large import; only their owner may, elsewhere than here."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
CREATE FUNCTION analyze_register() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    ANALYZE building, unit, house, person, occupancy, vehicle;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("residents", "0002_integrity"), ("estate", "0002_integrity")]
    operations = [ops.RunSQL(FORWARD)]
