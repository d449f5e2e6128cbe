"""Facts a county adds: decided once, and the text of one in use is the one that was proposed (REG-01, SEC-07)."""

import huimin.database.tables
from django.db import migrations, models


_MAKE = """
CREATE FUNCTION policy_guard_own_fact() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'proposed' OR NEW.sha256 <> encode(sha256(convert_to(NEW.text, 'UTF8')), 'hex') THEN
            RAISE EXCEPTION 'a fact begins as proposed, with the digest of its text'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'own_fact_begins';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state <> 'proposed' THEN
        RAISE EXCEPTION 'fact % is decided', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'own_fact_final';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION policy_guard_own_fact_text() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM policy_ownfact f
        WHERE f.state = 'in_use' AND f.division = NEW.division AND f.text = NEW.text AND f.sha256 = NEW.sha256
          AND NEW.path = 'local/' || f.division || '/fact-' || f.code || '.yaml'
    ) THEN
        RAISE EXCEPTION 'no fact in use has these words'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_text_from_fact';
    END IF;
    RETURN NEW;
END
$body$;

DROP TRIGGER guard_text ON policy_policytext;
CREATE TRIGGER guard_text BEFORE UPDATE ON policy_policytext FOR EACH ROW EXECUTE FUNCTION policy_guard_text();
CREATE TRIGGER guard_text_made BEFORE INSERT ON policy_policytext
    FOR EACH ROW WHEN (NEW.path !~ '^local/[0-9]+/fact-[^/]*$') EXECUTE FUNCTION policy_guard_text();
CREATE TRIGGER guard_text_of_fact BEFORE INSERT ON policy_policytext
    FOR EACH ROW WHEN (NEW.path ~ '^local/[0-9]+/fact-[^/]*$') EXECUTE FUNCTION policy_guard_own_fact_text();
CREATE TRIGGER guard_own_fact BEFORE INSERT OR UPDATE ON policy_ownfact
    FOR EACH ROW EXECUTE FUNCTION policy_guard_own_fact();
"""

_UNMAKE = """
DROP TRIGGER guard_own_fact ON policy_ownfact;
DROP TRIGGER guard_text_of_fact ON policy_policytext;
DROP TRIGGER guard_text_made ON policy_policytext;
DROP TRIGGER guard_text ON policy_policytext;
CREATE TRIGGER guard_text BEFORE INSERT OR UPDATE ON policy_policytext FOR EACH ROW EXECUTE FUNCTION policy_guard_text();
DROP FUNCTION policy_guard_own_fact_text();
DROP FUNCTION policy_guard_own_fact();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('policy', '0002_guards'),
    ]

    operations = [
        migrations.CreateModel(
            name='OwnFact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('division', huimin.database.tables.DivisionField(db_collation='C', max_length=15)),
                ('name', models.CharField(max_length=30)),
                ('code', models.CharField(max_length=40)),
                ('reason', models.CharField(max_length=300)),
                ('text', models.TextField()),
                ('sha256', models.CharField(max_length=64)),
                ('state', models.CharField(choices=[('proposed', '待审批'), ('in_use', '使用中'), ('refused', '不同意'), ('withdrawn', '已撤回')], default='proposed', max_length=10)),
                ('proposed_by', models.BigIntegerField()),
                ('proposed_account', models.BigIntegerField()),
                ('proposer', models.CharField(max_length=120)),
                ('proposed_on', models.DateField()),
                ('decided_by', models.BigIntegerField(null=True)),
                ('decided_account', models.BigIntegerField(null=True)),
                ('decider', models.CharField(default='', max_length=120)),
                ('decided_on', models.DateField(null=True)),
                ('answer', models.CharField(default='', max_length=300)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['proposed', 'in_use'])), fields=('division', 'name'), name='own_fact_once'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['in_use', 'refused']), _negated=True), models.Q(('decided_account', models.F('proposed_account')), _negated=True), _connector='OR'), name='own_fact_by_another'), models.CheckConstraint(condition=models.Q(models.Q(('decided_by', None), ('decided_on', None), ('state', 'proposed')), models.Q(models.Q(('state', 'proposed'), _negated=True), ('decided_account__isnull', False), ('decided_by__isnull', False), ('decided_on__isnull', False)), _connector='OR'), name='own_fact_decided_by_somebody')],
            },
        ),
        migrations.RunSQL(_MAKE, _UNMAKE),
    ]
