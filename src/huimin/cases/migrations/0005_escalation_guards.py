"""What must hold of tellings whoever writes (CASE-05): of a step only where the case stands past that day, or past a day promised
for it; an answer once, about nothing else than the answer.
"""

from django.db import migrations

_MAKE = """
CREATE FUNCTION cases_guard_escalation() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF EXISTS (SELECT 1 FROM fresh f JOIN cases_case c ON c.id = f.case_id WHERE c.division <> f.division
               OR (f.matter = 'step' AND ((c.step, c.round) <> (f.step, f.round) OR c.step = ''
                   OR NOT (c.step_due_on = f.due_on OR EXISTS (
                       SELECT 1 FROM cases_escalation e WHERE (e.case_id, e.matter, e.step, e.round, e.promised_on)
                           = (f.case_id, f.matter, f.step, f.round, f.due_on)))))) THEN
        RAISE EXCEPTION 'an escalation of what is not late'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'escalation_where_it_stands';
    END IF;
    RETURN NULL;
END
$body$;

CREATE FUNCTION cases_guard_answer() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF OLD.answered_on IS NOT NULL THEN
        RAISE EXCEPTION 'escalation % was answered', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'escalation_answered_once';
    END IF;
    RETURN NEW;
END
$body$;

CREATE TRIGGER guard_new AFTER INSERT ON cases_escalation REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION cases_guard_escalation();
CREATE TRIGGER guard_answer BEFORE UPDATE ON cases_escalation FOR EACH ROW EXECUTE FUNCTION cases_guard_answer();
"""

_UNMAKE = """
DROP TRIGGER guard_answer ON cases_escalation;
DROP TRIGGER guard_new ON cases_escalation;
DROP FUNCTION cases_guard_answer();
DROP FUNCTION cases_guard_escalation();
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0004_escalations")]
    operations = [migrations.RunSQL(_MAKE, _UNMAKE)]
