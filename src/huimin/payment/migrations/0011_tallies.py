"""What the lines of rosters come to, kept by the statements that change them (PAY-01)."""

import django.db.models.deletion
import huimin.database.tables
from django.db import migrations, models


# A statement is counted once, by village and state; what was there before is counted by FILL.
KEEP = """
CREATE FUNCTION payment_tally_lines() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO payment_rostertally AS t (roster_id, division, state, lines, amount_fen)
        SELECT n.roster_id, left(n.division, 12), n.state, count(*), sum(n.amount_fen) FROM new_rows n GROUP BY 1, 2, 3
        ON CONFLICT (roster_id, division, state)
        DO UPDATE SET lines = t.lines + excluded.lines, amount_fen = t.amount_fen + excluded.amount_fen;
    ELSE
        INSERT INTO payment_rostertally AS t (roster_id, division, state, lines, amount_fen)
        SELECT n.roster_id, left(n.division, 12), n.state, 0, 0 FROM new_rows n GROUP BY 1, 2, 3
        ON CONFLICT (roster_id, division, state) DO NOTHING;
        UPDATE payment_rostertally t SET lines = t.lines + c.lines, amount_fen = t.amount_fen + c.fen
        FROM (SELECT roster_id, division, state, sum(lines) AS lines, sum(fen) AS fen
              FROM (SELECT o.roster_id, left(o.division, 12) AS division, o.state, -count(*) AS lines, -sum(o.amount_fen) AS fen
                    FROM old_rows o GROUP BY 1, 2, 3
                    UNION ALL
                    SELECT n.roster_id, left(n.division, 12), n.state, count(*), sum(n.amount_fen) FROM new_rows n GROUP BY 1, 2, 3) each
              GROUP BY 1, 2, 3) c
        WHERE t.roster_id = c.roster_id AND t.division = c.division AND t.state = c.state AND (c.lines <> 0 OR c.fen <> 0);
    END IF;
    RETURN NULL;
END
$body$;
CREATE TRIGGER tally_added AFTER INSERT ON payment_rosterline
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION payment_tally_lines();
CREATE TRIGGER tally_changed AFTER UPDATE ON payment_rosterline
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION payment_tally_lines();
"""
UNDO = """
DROP TRIGGER tally_added ON payment_rosterline;
DROP TRIGGER tally_changed ON payment_rosterline;
DROP FUNCTION payment_tally_lines();
"""
FILL = """
SELECT set_config('app.audience', 'system', true), set_config('app.scope_from', '0', true),
       set_config('app.scope_to', '~', true);
INSERT INTO payment_rostertally (roster_id, division, state, lines, amount_fen)
SELECT roster_id, left(division, 12), state, count(*), sum(amount_fen) FROM payment_rosterline GROUP BY 1, 2, 3
"""


class Migration(migrations.Migration):

    dependencies = [
        ('payment', '0010_guards'),
    ]

    operations = [
        migrations.CreateModel(
            name='RosterTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('division', huimin.database.tables.DivisionField(db_collation='C', max_length=15)),
                ('state', models.CharField(max_length=10)),
                ('lines', models.IntegerField()),
                ('amount_fen', models.BigIntegerField()),
                ('roster', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tallies', to='payment.roster')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('roster', 'division', 'state'), name='roster_tally_once'), models.CheckConstraint(condition=models.Q(('amount_fen__gte', 0), ('lines__gte', 0)), name='roster_tally_counts')],
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(KEEP, UNDO),
    ]
