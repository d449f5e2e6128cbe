"""A line, an instruction and a due change their state where they lie: no index is written for it (PAY-05).

PostgreSQL writes a new entry into every index of a table when any column an index names has changed. The state of a line and of an
instruction is named by no index any more, but by columns computed from it that stay what they are on the usual way (`aside`, `live`);
pages are filled to less than a half, so that the next state of a row fits beside it. Base dues are compared with those that are owed by
the exclusion constraint and with those that are paid by a trigger, which looks once when a due arises and not again when it is paid.
"""

import django.contrib.postgres.constraints
import huimin.database.tables
from django.db import migrations, models

FILLED = "ALTER TABLE payment_rosterline SET (fillfactor = 45); ALTER TABLE payment_instruction SET (fillfactor = 45)"
AS_BEFORE = "ALTER TABLE payment_rosterline RESET (fillfactor); ALTER TABLE payment_instruction RESET (fillfactor)"
_OVERLAPS = """EXISTS (SELECT 1 FROM payment_due d WHERE d.entitlement_id = {n}.entitlement_id AND d.kind = 'base'
         AND d.state IN ('owed', 'paid') AND d.period_from < {n}.period_until AND d.period_until > {n}.period_from AND d.id <> {n}.id)"""
# Over all places, as a constraint looks. READ COMMITTED: what another transaction paid meanwhile is seen, the exclusion constraint
# has waited for it.
NEVER_OVERLAP = f"""
CREATE FUNCTION payment_guard_overlap() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $body$
DECLARE
    audience text := coalesce(current_setting('app.audience', true), '');
    low text := coalesce(current_setting('app.scope_from', true), '');
    high text := coalesce(current_setting('app.scope_to', true), '');
    wrong bigint;
BEGIN
    PERFORM set_config('app.audience', 'system', true), set_config('app.scope_from', '0', true),
            set_config('app.scope_to', '~', true);
    IF TG_OP = 'INSERT' THEN
        SELECT n.id INTO wrong FROM new_rows n
         WHERE n.kind = 'base' AND n.state IN ('owed', 'paid') AND {_OVERLAPS.format(n="n")} LIMIT 1;
    ELSIF {_OVERLAPS.format(n="NEW")} THEN
        wrong := NEW.id;
    END IF;
    PERFORM set_config('app.audience', audience, true), set_config('app.scope_from', low, true),
            set_config('app.scope_to', high, true);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'due % overlaps another of its entitlement (base_dues_never_overlap)', wrong
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'base_dues_never_overlap';
    END IF;
    RETURN NULL;
END
$body$;
CREATE TRIGGER never_overlap AFTER INSERT ON payment_due
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION payment_guard_overlap();
CREATE TRIGGER never_overlap_again AFTER UPDATE ON payment_due FOR EACH ROW
    WHEN (NEW.kind = 'base' AND NEW.state IN ('owed', 'paid')
          AND (OLD.state NOT IN ('owed', 'paid') OR OLD.period_from <> NEW.period_from OR OLD.period_until <> NEW.period_until
               OR OLD.entitlement_id <> NEW.entitlement_id OR OLD.kind <> NEW.kind))
    EXECUTE FUNCTION payment_guard_overlap();
"""
MAY_OVERLAP = """
DROP TRIGGER never_overlap ON payment_due;
DROP TRIGGER never_overlap_again ON payment_due;
DROP FUNCTION payment_guard_overlap();
"""


class Migration(migrations.Migration):
    dependencies = [("payment", "0015_told_and_booked")]
    operations = [
        migrations.RunSQL(FILLED, AS_BEFORE),
        migrations.RemoveConstraint(
            model_name='due',
            name='base_dues_never_overlap',
        ),
        migrations.RemoveConstraint(
            model_name='instruction',
            name='line_one_live_instruction',
        ),
        migrations.RemoveIndex(
            model_name='rosterline',
            name='roster_line_list',
        ),
        migrations.AddField(
            model_name='instruction',
            name='live',
            field=models.GeneratedField(db_persist=True, expression=models.Case(models.When(state__in=('sent', 'paid', 'unknown'), then=True), default=False), output_field=models.BooleanField()),
        ),
        migrations.AddField(
            model_name='rosterline',
            name='aside',
            field=models.GeneratedField(db_persist=True, expression=models.Case(models.When(state__in=('listed', 'sent', 'paid'), then=None), default=models.F('state')), output_field=models.CharField(max_length=10, null=True)),
        ),
        migrations.AlterField(
            model_name='due',
            name='recovery',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='dues', to='payment.recovery'),
        ),
        migrations.AlterField(
            model_name='instruction',
            name='bank_office',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='organisation.office'),
        ),
        migrations.AlterField(
            model_name='rosterline',
            name='authority',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.cardauthority'),
        ),
        migrations.AlterField(
            model_name='rosterline',
            name='noticed',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payment.rosterline'),
        ),
        migrations.AlterField(
            model_name='rosterline',
            name='person',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.person'),
        ),
        migrations.AddIndex(
            model_name='due',
            index=models.Index(condition=models.Q(('recovery__isnull', False)), fields=['recovery'], name='due_of_recovery'),
        ),
        migrations.AddIndex(
            model_name='rosterline',
            index=models.Index(fields=['division', 'id'], name='roster_line_list'),
        ),
        migrations.AddIndex(
            model_name='rosterline',
            index=models.Index(condition=models.Q(('aside__isnull', False)), fields=['division', 'aside', 'id'], name='roster_line_aside'),
        ),
        migrations.AddIndex(
            model_name='rosterline',
            index=models.Index(condition=models.Q(('person__isnull', False)), fields=['person'], name='line_of_person'),
        ),
        migrations.AddIndex(
            model_name='rosterline',
            index=models.Index(condition=models.Q(('authority__isnull', False)), fields=['authority'], name='line_of_authority'),
        ),
        migrations.AddIndex(
            model_name='rosterline',
            index=models.Index(condition=models.Q(('noticed__isnull', False)), fields=['noticed'], name='line_of_noticed'),
        ),
        migrations.AddConstraint(
            model_name='due',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('kind', 'base'), ('state', 'owed')), expressions=[(models.F('entitlement'), '='), (huimin.database.tables.DateRange('period_from', 'period_until'), '&&')], name='base_dues_never_overlap'),
        ),
        migrations.AddConstraint(
            model_name='instruction',
            constraint=models.UniqueConstraint(condition=models.Q(('live', True)), fields=('line',), name='line_one_live_instruction'),
        ),
        migrations.RunSQL(NEVER_OVERLAP, MAY_OVERLAP),
    ]
