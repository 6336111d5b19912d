"""What the money of a deduction is for stands in a column of its own, so that a reference is nothing but a number that
counts once in a compound. The program before this one is refused where it still writes a purpose as a reference: its
deduction is tried again by the one after it, and a refund finds the purpose."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

MOVE = """
UPDATE payment_attempt SET purpose = reference, reference = '' WHERE channel = 'balance' AND reference <> '';
DROP INDEX payment_attempt_reference;
CREATE UNIQUE INDEX payment_attempt_reference ON payment_attempt (compound_id, channel, reference)
    WHERE reference <> '' AND state = 'succeeded' AND given_back_fen < paid_fen;
ALTER TABLE payment_attempt ADD CONSTRAINT payment_attempt_purpose
    CHECK (CASE channel WHEN 'balance' THEN reference = '' ELSE purpose = '' END);
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0008_references")]
    operations = [
        ops.AddField(
            model_name="PaymentAttempt",
            name="purpose",
            field=fields.CharField(
                default="",
                db_default="",
                description="of a deduction: what the money it used is for",
                max_length=30,
            ),
        ),
        ops.RunSQL(MOVE),
    ]
