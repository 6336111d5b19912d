"""Whoever confirms what another wants of payment trouble reads why, and it is kept beside what they write themselves."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("payments", "0006_lanes")]
    operations = [
        ops.AddField(
            model_name="PaymentException",
            name="asked_note",
            field=fields.CharField(default="", db_default="", max_length=200),
        ),
    ]
