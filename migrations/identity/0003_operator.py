"""Who runs the installation itself: nobody, until it is given at the command line."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("identity", "0002_integrity")]
    operations = [
        ops.AddField(
            model_name="StaffMember",
            name="is_operator",
            field=fields.BooleanField(
                default=False,
                db_default=False,
                description="runs the installation (系统运维); given at its command line",
            ),
        ),
        # A permission of this name was in roles and opened nothing: what runs the installation is no role's.
        ops.RunSQL("UPDATE role SET permissions = array_remove(permissions, 'system.operate')"),
    ]
