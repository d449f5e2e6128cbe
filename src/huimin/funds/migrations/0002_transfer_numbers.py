"""Transfer orders are numbered by a sequence: a number is never given twice, also after a refusal by the bank."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("funds", "0001_initial")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE funds_transfer_number", "DROP SEQUENCE funds_transfer_number"),
    ]
