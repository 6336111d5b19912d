"""A voucher's or a transfer's number counts once in a compound; the purpose of the money that a deduction used is no such
number, and is used every month."""

from tortoise import migrations
from tortoise.migrations import operations as ops

NARROWER = """
DROP INDEX payment_attempt_reference;
CREATE UNIQUE INDEX payment_attempt_reference ON payment_attempt (compound_id, channel, reference)
    WHERE reference <> '' AND channel <> 'balance' AND state = 'succeeded' AND given_back_fen < paid_fen
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0007_asked_notes")]
    operations = [ops.RunSQL(NARROWER)]
