"""What an answer claims and what was booked of it; files somebody uploaded; a batch has its programme's name (PAY-04, PAY-05)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('organisation', '0001_initial'),
        ('payment', '0014_guard_by_line'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='exchangefile',
            name='exchange_name_once',
        ),
        migrations.AddField(
            model_name='batch',
            name='programme_name',
            field=models.CharField(max_length=80, null=True),
        ),
        migrations.AddField(
            model_name='exchangefile',
            name='uploaded_by',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='resultfile',
            name='back_fen',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='resultfile',
            name='back_rows',
            field=models.IntegerField(null=True),
        ),
        migrations.AddField(
            model_name='resultfile',
            name='booked_fen',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='resultfile',
            name='booked_rows',
            field=models.IntegerField(null=True),
        ),
        migrations.AddField(
            model_name='resultfile',
            name='known_rows',
            field=models.IntegerField(null=True),
        ),
        migrations.AddField(
            model_name='resultfile',
            name='listed_rows',
            field=models.IntegerField(null=True),
        ),
        migrations.AddField(
            model_name='resultfile',
            name='pending_rows',
            field=models.IntegerField(null=True),
        ),
        migrations.AlterField(
            model_name='exchangefile',
            name='bank_office',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='organisation.office'),
        ),
        migrations.AddConstraint(
            model_name='exchangefile',
            constraint=models.UniqueConstraint(condition=models.Q(('uploaded_by', None)), fields=('bank_office', 'direction', 'file_name'), name='exchange_name_once'),
        ),
        migrations.AddConstraint(
            model_name='exchangefile',
            constraint=models.UniqueConstraint(condition=models.Q(('uploaded_by__isnull', False)), fields=('uploaded_by', 'file_name', 'sha256', 'state', 'last_error', 'created_on'), name='upload_once_a_day'),
        ),
        migrations.AddConstraint(
            model_name='exchangefile',
            constraint=models.CheckConstraint(condition=models.Q(('bank_office__isnull', False), ('uploaded_by__isnull', False), _connector='OR'), name='exchange_of_a_bank'),
        ),
    ]
