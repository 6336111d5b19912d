"""A run keeps what it was previewed with, so that nothing else is posted; lines by fee item, promises by state."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

# A run of an earlier version that waits to be posted has no parts: it is previewed and approved again.
FORWARD = """
ALTER TABLE billing_run ADD CONSTRAINT billing_run_parts CHECK (parts_done >= 0
    AND (parts IS NULL) = (due_on IS NULL) AND due_on >= issued_on);
CREATE INDEX bill_line_fee_item ON bill_line (fee_item_id, period_until);
CREATE INDEX payment_promise_standing ON payment_promise (compound_id, promised_on, id) WHERE withdrawn_at IS NULL;
CREATE INDEX payment_promise_withdrawn ON payment_promise (compound_id, promised_on, id) WHERE withdrawn_at IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_integrity")]
    operations = [
        ops.AddField(
            model_name="BillingRun",
            name="due_on",
            field=fields.DateField(
                null=True, description="the due date of its bills; null before it was kept"
            ),
        ),
        ops.AddField(
            model_name="BillingRun",
            name="late_fee_rule",
            field=fields.ForeignKeyField(
                "billing.LateFeeRule",
                source_field="late_fee_rule_id",
                null=True,
                description="of its bills; null bears no late fee",
                db_constraint=True,
                to_field="id",
                related_name="billing_runs",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField(
            model_name="BillingRun",
            name="parts",
            field=fields.JSONField(
                null=True,
                description="houses, last sort key and id, digest of each, as previewed; see run_parts",
            ),
        ),
        ops.AddField(
            model_name="BillingRun",
            name="parts_done",
            field=fields.IntField(default=0, db_default=0),
        ),
        ops.AddField(
            model_name="BillingRun",
            name="returned_at",
            field=fields.DatetimeField(
                null=True,
                description="when it was last sent back for approval, its charges having changed",
                auto_now=False,
                auto_now_add=False,
            ),
        ),
        ops.RunSQL(FORWARD),
    ]
