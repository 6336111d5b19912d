"""What is due is looked up by channel: one that hangs has a long list of its own, and no other reads it."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
DROP INDEX payment_attempt_due;
CREATE INDEX payment_attempt_due ON payment_attempt (channel, next_query_at) WHERE next_query_at IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_exceptions")]
    operations = [ops.RunSQL(FORWARD)]
