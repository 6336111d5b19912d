"""What people do about payment trouble: what one of them wants, what was done, and that it may come up again."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# One of a kind is open at a time; of what a channel numbers, one of a number.
FORWARD = """
UPDATE payment_exception SET kind = 'refund_stuck' WHERE kind = 'stuck' AND refund_id IS NOT NULL;
UPDATE payment_exception SET number = left(note, 64) WHERE kind = 'channel_refund' AND refund_id IS NOT NULL;
DROP INDEX payment_exception_once;
CREATE UNIQUE INDEX payment_exception_once ON payment_exception (kind, attempt_id, refund_id, number) NULLS NOT DISTINCT
    WHERE closed_at IS NULL AND (attempt_id IS NOT NULL OR refund_id IS NOT NULL);
CREATE INDEX payment_exception_closed ON payment_exception (compound_id, id) WHERE closed_at IS NOT NULL;
CREATE INDEX payment_exception_attempt ON payment_exception (attempt_id) WHERE attempt_id IS NOT NULL;
ALTER TABLE payment_exception ADD CONSTRAINT payment_exception_action
    CHECK (action IN ('refund', 'prepay', 'apply', 'book', 'write_off', 'ask', 'retry', 'give_up', 'note'));
ALTER TABLE payment_exception ADD CONSTRAINT payment_exception_closed
    CHECK ((closed_by IS NULL) = (action IS NULL) AND (closed_by IS NULL OR closed_at IS NOT NULL));
ALTER TABLE payment_exception ADD CONSTRAINT payment_exception_asked
    CHECK (num_nonnulls(asked_action, asked_by, asked_at) IN (0, 3));
ALTER TABLE payment_exception ADD CONSTRAINT payment_exception_two_people
    CHECK ((asked_action <> action OR asked_by <> closed_by)
        AND (action <> 'write_off' OR asked_action IS NOT DISTINCT FROM 'write_off'));
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0004_order_integrity")]
    operations = [
        ops.AddField(
            model_name="PaymentException",
            name="number",
            field=fields.CharField(
                default="",
                db_default="",
                max_length=64,
                description="the channel's, where one payment may have several of its kind",
            ),
        ),
        ops.AddField(
            model_name="PaymentException",
            name="asked_action",
            field=fields.CharField(
                null=True, max_length=12, description="what one person wants and another has to confirm"
            ),
        ),
        ops.AddField(model_name="PaymentException", name="asked_by", field=fields.UUIDField(null=True)),
        ops.AddField(
            model_name="PaymentException",
            name="asked_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="PaymentException",
            name="action",
            field=fields.CharField(
                null=True,
                max_length=12,
                description="see payments.exception_rules.ACTIONS; null as closed_by is",
            ),
        ),
        ops.AddField(
            model_name="PaymentException",
            name="decision_note",
            field=fields.CharField(default="", db_default="", max_length=200),
        ),
        ops.AlterField(
            model_name="PaymentException",
            name="kind",
            field=fields.CharField(max_length=20, description="see payments.exception_rules.EXCEPTIONS"),
        ),
        ops.AlterField(
            model_name="PaymentException",
            name="closed_by",
            field=fields.UUIDField(null=True, description="null where it came right by itself"),
        ),
        ops.RunSQL(FORWARD),
    ]
