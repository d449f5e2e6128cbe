"""What lines and their dues refer to is looked up once a statement; a constraint's trigger looks once a row and reference (PAY-01)."""

import django.db.models.deletion
from django.db import migrations, models


# (column, table it refers to): of a line, and of a due on a line.
LINE = (
    ("roster_id", "payment_roster"), ("entitlement_id", "casework_entitlement"), ("household_id", "registry_household"),
    ("payee_id", "registry_person"), ("card_id", "registry_card"), ("person_id", "registry_person"),
    ("authority_id", "registry_cardauthority"),
)  # fmt: skip
LINE_DUE = (("line_id", "payment_rosterline"), ("due_id", "payment_due"))

# A subquery a reference, so that each is looked up by key whatever the planner believes of tables filled a minute ago; over all
# places, as a foreign key looks.
ADDED = """
CREATE FUNCTION {table}_refers() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off AS $body$
DECLARE
    audience text := coalesce(current_setting('app.audience', true), '');
    low text := coalesce(current_setting('app.scope_from', true), '');
    high text := coalesce(current_setting('app.scope_to', true), '');
    wrong bigint;
BEGIN
    PERFORM set_config('app.audience', 'system', true), set_config('app.scope_from', '0', true),
            set_config('app.scope_to', '~', true);
    SELECT n.id INTO wrong FROM new_rows n WHERE {missing} LIMIT 1;
    PERFORM set_config('app.audience', audience, true), set_config('app.scope_from', low, true),
            set_config('app.scope_to', high, true);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'row % of {table} refers to what is not there', wrong
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = '{table}_refers';
    END IF;
    RETURN NULL;
END
$body$;
CREATE TRIGGER refers AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION {table}_refers();
"""
# Nobody may remove rows but the highest rights, and they not what a line rests on.
REMOVED = """
CREATE FUNCTION {table}_keeps_{column}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $body$
DECLARE
    audience text := coalesce(current_setting('app.audience', true), '');
    low text := coalesce(current_setting('app.scope_from', true), '');
    high text := coalesce(current_setting('app.scope_to', true), '');
    rests boolean;
BEGIN
    PERFORM set_config('app.audience', 'system', true), set_config('app.scope_from', '0', true),
            set_config('app.scope_to', '~', true);
    SELECT EXISTS (SELECT 1 FROM old_rows o JOIN {table} l ON l.{column} = o.id) INTO rests;
    PERFORM set_config('app.audience', audience, true), set_config('app.scope_from', low, true),
            set_config('app.scope_to', high, true);
    IF rests THEN
        RAISE EXCEPTION 'rows of {table} refer to it'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = '{table}_refers';
    END IF;
    RETURN NULL;
END
$body$;
CREATE TRIGGER kept_for_{column} AFTER DELETE ON {parent} REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT
    EXECUTE FUNCTION {table}_keeps_{column}();
"""


def guards() -> str:
    made = []
    for table, references in (("payment_rosterline", LINE), ("payment_linedue", LINE_DUE)):
        missing = " OR ".join(
            f"n.{column} IS NOT NULL AND (SELECT p.id FROM {parent} p WHERE p.id = n.{column}) IS NULL"
            for column, parent in references
        )
        made.append(ADDED.format(table=table, missing=missing))
        made += [REMOVED.format(table=table, column=column, parent=parent) for column, parent in references]
    return "".join(made)


def undo() -> str:
    made = []
    for table, references in (("payment_rosterline", LINE), ("payment_linedue", LINE_DUE)):
        made.append(f"DROP TRIGGER refers ON {table}; DROP FUNCTION {table}_refers();")
        made += [
            f"DROP TRIGGER kept_for_{column} ON {parent}; DROP FUNCTION {table}_keeps_{column}();"
            for column, parent in references
        ]
    return "".join(made)


class Migration(migrations.Migration):

    dependencies = [
        ('casework', '0007_entitlements_by_place'),
        ('payment', '0012_gate_by_row'),
        ('registry', '0012_frozen_and_agreed'),
    ]

    operations = [
        migrations.AlterField(
            model_name='linedue',
            name='due',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='line_dues', to='payment.due'),
        ),
        migrations.AlterField(
            model_name='linedue',
            name='line',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='line_dues', to='payment.rosterline'),
        ),
        migrations.AlterField(
            model_name='rosterline',
            name='authority',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.cardauthority'),
        ),
        migrations.AlterField(
            model_name='rosterline',
            name='card',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, to='registry.card'),
        ),
        migrations.AlterField(
            model_name='rosterline',
            name='entitlement',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='casework.entitlement'),
        ),
        migrations.AlterField(
            model_name='rosterline',
            name='household',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, to='registry.household'),
        ),
        migrations.AlterField(
            model_name='rosterline',
            name='payee',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.person'),
        ),
        migrations.AlterField(
            model_name='rosterline',
            name='person',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.person'),
        ),
        migrations.AlterField(
            model_name='rosterline',
            name='roster',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='payment.roster'),
        ),
        migrations.RunSQL(guards(), undo()),
    ]
