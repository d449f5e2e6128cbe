"""Who entered an application counts as having done its first step, also when a colleague accepted it later (SEC-02): where a
step must be taken by somebody else than the first, it is not by him. The rest is as in 0002.
"""

from django.db import migrations

_MAKE = """
CREATE OR REPLACE FUNCTION cases_guard_act() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    stand record;
    rule jsonb;
    missing text;
BEGIN
    SELECT c.step, c.round, c.state, p.steps, p.edges INTO stand
    FROM cases_case c JOIN processes_process p ON p.id = c.process_id WHERE c.id = NEW.case_id FOR SHARE OF c;
    IF NOT FOUND OR stand.step = '' OR (stand.step, stand.round) <> (NEW.step, NEW.round) THEN
        RAISE EXCEPTION 'case % does not stand at this step', NEW.case_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'case_act_where_it_stands';
    END IF;
    IF NEW.outcome <> 'extended' AND NOT (NEW.outcome || ':' || NEW.step || '>' || NEW.to_step) = ANY (stand.edges) THEN
        RAISE EXCEPTION 'no such way from %', NEW.step
            USING ERRCODE = 'check_violation', CONSTRAINT = 'case_act_along_an_edge';
    END IF;
    SELECT value INTO rule FROM jsonb_array_elements(stand.steps) WHERE value ->> 'key' = NEW.step;
    IF NOT EXISTS (SELECT 1 FROM organisation_appointment o WHERE o.id = NEW.appointment AND o.account_id = NEW.account
                   AND rule -> 'posts' ? o.post) THEN
        RAISE EXCEPTION 'not a post of this step'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'case_act_by_its_post';
    END IF;
    IF EXISTS (SELECT 1 FROM cases_standing(NEW.case_id) s WHERE s.account = NEW.account AND rule -> 'another' ? s.step)
       OR (rule -> 'another' ? (stand.steps -> 0 ->> 'key') AND EXISTS (
           SELECT 1 FROM cases_case c JOIN organisation_appointment o ON o.id = c.asked_by
           WHERE c.id = NEW.case_id AND o.account_id = NEW.account)) THEN
        RAISE EXCEPTION 'the same person did an earlier step'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'case_act_by_another';
    END IF;
    IF NEW.outcome = 'passed' THEN
        SELECT d INTO missing FROM jsonb_array_elements_text(rule -> 'demands') AS d
        WHERE NOT EXISTS (SELECT 1 FROM cases_caseevidence e WHERE e.case_id = NEW.case_id AND e.step = NEW.step
                          AND e.round = NEW.round AND e.kind = d) LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'step % lacks %', NEW.step, missing
                USING ERRCODE = 'check_violation', CONSTRAINT = 'case_act_with_its_evidence';
        END IF;
    END IF;
    RETURN NEW;
END
$body$;
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0007_escalations_end")]
    operations = [migrations.RunSQL(_MAKE, migrations.RunSQL.noop)]
