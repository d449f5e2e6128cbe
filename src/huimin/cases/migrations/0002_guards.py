"""What must hold of cases whoever writes (CASE-04, SEC-02, SEC-07).

guard_act       an act is at the step and round its case stands at, along an edge of its process, by a holder of one of the
                step's posts who did none of the steps it must differ from; a step is passed only with its evidence
guard_case      a case moves only as its latest act says; a state follows another only as listed; what is over is over;
                granted only when every step its process demands was passed and not sent back since
guard_decision  a decision that names a case belongs to it and agrees with its state; a proposal that lies in a live case is
                decided by that case and by nothing else
"""

from django.db import migrations

_MAKE = """
CREATE FUNCTION cases_standing(wanted bigint) RETURNS TABLE (step text, account bigint, id bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $body$
    -- Steps that were passed and not sent back since: a return to a step undoes it and all that stand after it.
    WITH places AS (
        SELECT s.value ->> 'key' AS key, s.ordinality AS place
        FROM cases_case c JOIN processes_process p ON p.id = c.process_id,
             jsonb_array_elements(p.steps) WITH ORDINALITY AS s(value, ordinality)
        WHERE c.id = wanted
    )
    SELECT a.step, a.account, a.id FROM cases_caseact a JOIN places o ON o.key = a.step
    WHERE a.case_id = wanted AND a.outcome = 'passed' AND NOT EXISTS (
        SELECT 1 FROM cases_caseact r JOIN places t ON t.key = r.to_step
        WHERE r.case_id = wanted AND r.outcome = 'returned' AND r.id > a.id AND t.place <= o.place)
$body$;

CREATE FUNCTION cases_guard_act() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
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
    IF EXISTS (SELECT 1 FROM cases_standing(NEW.case_id) s WHERE s.account = NEW.account AND rule -> 'another' ? s.step) THEN
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

CREATE FUNCTION cases_guard_case() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    latest record;
    lacking text;
BEGIN
    IF OLD.step = '' AND (NEW.step <> '' OR NEW.state <> OLD.state) THEN
        RAISE EXCEPTION 'case % is over', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'case_final';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state) = ANY (ARRAY[
        'asked>papers', 'asked>open', 'asked>out_of_scope', 'asked>withdrawn', 'papers>open', 'papers>out_of_scope',
        'papers>withdrawn', 'open>granted', 'open>refused', 'open>withdrawn']) THEN
        RAISE EXCEPTION 'case %: no way from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'case_state_follows';
    END IF;
    IF (NEW.step, NEW.round) <> (OLD.step, OLD.round) AND NEW.state NOT IN ('withdrawn', 'out_of_scope') THEN
        SELECT a.step, a.round, a.outcome, a.to_step INTO latest FROM cases_caseact a
        WHERE a.case_id = NEW.id AND a.outcome <> 'extended' ORDER BY a.id DESC LIMIT 1;
        IF NOT FOUND OR (latest.step, latest.round) <> (OLD.step, OLD.round) OR latest.to_step <> NEW.step
           OR NEW.round <> OLD.round + (latest.outcome = 'returned')::int THEN
            RAISE EXCEPTION 'case % moves without its act', OLD.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'case_moves_by_its_act';
        END IF;
    END IF;
    IF NEW.state = 'granted' AND OLD.state <> 'granted' THEN
        SELECT d INTO lacking FROM processes_process p, unnest(p.demanded) AS d
        WHERE p.id = NEW.process_id AND d NOT IN (SELECT s.step FROM cases_standing(NEW.id) s) LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'case % was not taken through %', NEW.id, lacking
                USING ERRCODE = 'check_violation', CONSTRAINT = 'case_granted_with_every_step';
        END IF;
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION cases_guard_new() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NEW.state <> 'asked' OR NEW.round <> 1
       OR NOT EXISTS (SELECT 1 FROM processes_process p WHERE p.id = NEW.process_id AND p.superseded_at IS NULL
                      AND p.steps -> 0 ->> 'key' = NEW.step) THEN
        RAISE EXCEPTION 'a case begins at the first step of a process in use'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'case_begins_at_the_first_step';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION cases_guard_decision() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF EXISTS (SELECT 1 FROM fresh f WHERE f.case_number IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM cases_case c WHERE c.id = f.case_number AND c.programme = f.programme
            AND c.state = CASE f.outcome WHEN 'granted' THEN 'granted' ELSE 'refused' END
            AND ((c.household_id, c.person_id) IS NOT DISTINCT FROM (f.household_id, f.person_id)
                 OR EXISTS (SELECT 1 FROM cases_caseline l WHERE l.case_id = c.id AND l.proposal_id = f.proposal_id
                            AND l.left_out = '')))) THEN
        RAISE EXCEPTION 'a decision names a case that did not come to it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_of_its_case';
    END IF;
    IF EXISTS (SELECT 1 FROM fresh f JOIN cases_case c ON c.proposal_id = f.proposal_id AND c.step <> ''
               WHERE f.case_number IS DISTINCT FROM c.id)
       OR EXISTS (SELECT 1 FROM fresh f JOIN cases_caseline l ON l.proposal_id = f.proposal_id AND l.left_out = ''
                  JOIN cases_case c ON c.id = l.case_id AND c.step <> '' WHERE f.case_number IS DISTINCT FROM c.id) THEN
        RAISE EXCEPTION 'a proposal lies in a case'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_not_beside_a_case';
    END IF;
    RETURN NULL;
END
$body$;

CREATE TRIGGER guard_act BEFORE INSERT ON cases_caseact FOR EACH ROW EXECUTE FUNCTION cases_guard_act();
CREATE TRIGGER guard_new BEFORE INSERT ON cases_case FOR EACH ROW EXECUTE FUNCTION cases_guard_new();
CREATE TRIGGER guard_case BEFORE UPDATE ON cases_case FOR EACH ROW EXECUTE FUNCTION cases_guard_case();
CREATE TRIGGER guard_decision AFTER INSERT ON casework_decision REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION cases_guard_decision();
"""

_UNMAKE = """
DROP TRIGGER guard_decision ON casework_decision;
DROP TRIGGER guard_case ON cases_case;
DROP TRIGGER guard_new ON cases_case;
DROP TRIGGER guard_act ON cases_caseact;
DROP FUNCTION cases_guard_decision();
DROP FUNCTION cases_guard_new();
DROP FUNCTION cases_guard_case();
DROP FUNCTION cases_guard_act();
DROP FUNCTION cases_standing(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial"), ("casework", "0005_decisions_of_cases"), ("organisation", "0001_initial")]
    operations = [migrations.RunSQL(_MAKE, _UNMAKE)]
