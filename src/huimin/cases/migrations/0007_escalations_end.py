"""What is not late any more stands no longer, whoever moved it (CASE-05): a step that was left or got a later day, papers that are
there, a result that was told. The application may end a row by these triggers only, and never begin it again.
"""

from django.db import migrations

_MAKE = """
CREATE FUNCTION cases_end_escalations() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    UPDATE cases_escalation e SET standing = false
    WHERE e.case_id = NEW.id AND e.standing AND (
        e.matter = 'step' AND ((e.step, e.round) <> (NEW.step, NEW.round) OR NEW.step_due_on > OLD.step_due_on)
        OR e.matter = 'telling' AND (NEW.answered_on IS NOT NULL OR NEW.state <> 'refused'));
    RETURN NULL;
END
$body$;

CREATE FUNCTION cases_end_paper_escalations() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    UPDATE cases_escalation e SET standing = false
    WHERE e.case_id = NEW.case_id AND e.standing AND e.matter = 'papers' AND NOT EXISTS (
        SELECT 1 FROM cases_casepaper p WHERE p.case_id = NEW.case_id AND p.state = 'later');
    RETURN NULL;
END
$body$;

CREATE OR REPLACE FUNCTION cases_guard_answer() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NEW.standing AND NOT OLD.standing THEN
        RAISE EXCEPTION 'escalation % has ended', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'escalation_ended';
    END IF;
    IF OLD.answered_on IS NOT NULL AND (NEW.reason, NEW.promised_on, NEW.answered_by, NEW.answerer, NEW.answered_on)
       IS DISTINCT FROM (OLD.reason, OLD.promised_on, OLD.answered_by, OLD.answerer, OLD.answered_on) THEN
        RAISE EXCEPTION 'escalation % was answered', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'escalation_answered_once';
    END IF;
    RETURN NEW;
END
$body$;

CREATE OR REPLACE FUNCTION cases_guard_escalation() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF EXISTS (SELECT 1 FROM fresh f JOIN cases_case c ON c.id = f.case_id
               WHERE (c.division, c.programme, c.process_id) <> (f.division, f.programme, f.process_number)
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

CREATE TRIGGER end_escalations AFTER UPDATE OF step, round, step_due_on, answered_on, state ON cases_case
    FOR EACH ROW EXECUTE FUNCTION cases_end_escalations();
CREATE TRIGGER end_escalations AFTER UPDATE OF state ON cases_casepaper
    FOR EACH ROW EXECUTE FUNCTION cases_end_paper_escalations();
"""

_UNMAKE = """
DROP TRIGGER end_escalations ON cases_casepaper;
DROP TRIGGER end_escalations ON cases_case;
DROP FUNCTION cases_end_paper_escalations();
DROP FUNCTION cases_end_escalations();
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0006_escalations_standing")]
    operations = [migrations.RunSQL(_MAKE, _UNMAKE)]
