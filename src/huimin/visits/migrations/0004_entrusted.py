"""What must hold of entrusted visits whoever writes (CASE-02, SEC-03).

guard_entrustment   sent → answered → taken, or returned, or withdrawn; each side does its own part: the place of residence answers,
                    ours withdraws and takes, and takes only with the signed visit the answer became
Replaced: guards of 0002, for visits that others made for us (guard_visit_new, guard_investigator) and for doubts of letters.
"""

from django.db import migrations

_MAKE = """
CREATE FUNCTION visits_guard_entrustment() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    low text := nullif(current_setting('app.scope_from', true), '');
    high text := nullif(current_setting('app.scope_to', true), '');
    here text := NEW.division;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'sent' THEN
            RAISE EXCEPTION 'a letter begins sent' USING ERRCODE = 'check_violation', CONSTRAINT = 'entrustment_follows';
        END IF;
        IF NEW.to_division <> '' AND left(NEW.to_division, 6) <> left(NEW.division, 6) THEN
            RAISE EXCEPTION 'not a place of the county'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'entrustment_within_county';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT (OLD.state || '>' || NEW.state) = ANY (ARRAY['sent>answered', 'sent>returned', 'sent>withdrawn', 'answered>taken'])
       OR (NEW.state = 'taken' AND NOT EXISTS (
           SELECT 1 FROM visits_visit v WHERE v.entrustment_id = OLD.id AND v.state = 'signed')) THEN
        RAISE EXCEPTION 'letter %: no way from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entrustment_follows';
    END IF;
    -- Each side does its own part: they answer there, it is withdrawn and taken here.
    IF NEW.state IN ('answered', 'returned') AND NEW.to_division <> '' THEN
        here := NEW.to_division;
    END IF;
    IF (here >= low AND here < high) IS NOT TRUE THEN
        RAISE EXCEPTION 'letter %: that is for %', OLD.id, here
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entrustment_by_its_side';
    END IF;
    IF (NEW.household_id, NEW.subject, NEW.round) IS DISTINCT FROM (OLD.household_id, OLD.subject, OLD.round) THEN
        RAISE EXCEPTION 'letter % is of one matter', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entrustment_follows';
    END IF;
    RETURN NEW;
END
$body$;

CREATE OR REPLACE FUNCTION visits_guard_new() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    matter record;
BEGIN
    IF NEW.state <> 'recorded' OR NEW.signature_id IS NOT NULL THEN
        RAISE EXCEPTION 'a visit begins unsigned' USING ERRCODE = 'check_violation', CONSTRAINT = 'home_visit_begins_unsigned';
    END IF;
    IF NEW.purpose = 'application' AND (NEW.case_id IS NULL OR NEW.subject <> 'case:' || NEW.case_id) THEN
        RAISE EXCEPTION 'a visit for no application'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'home_visit_of_its_matter';
    END IF;
    IF NEW.entrustment_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM visits_entrustment e WHERE e.id = NEW.entrustment_id AND e.state = 'answered'
            AND (e.household_id, e.subject, e.visited_on, e.met) = (NEW.household_id, NEW.subject, NEW.visited_on, NEW.met)) THEN
        RAISE EXCEPTION 'a visit of another letter'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'home_visit_of_its_matter';
    END IF;
    IF NEW.case_id IS NOT NULL THEN
        SELECT c.household_id, c.round, c.asked_on INTO matter FROM cases_case c WHERE c.id = NEW.case_id FOR SHARE;
        IF NOT FOUND OR (matter.household_id, matter.round) IS DISTINCT FROM (NEW.household_id, NEW.round) THEN
            RAISE EXCEPTION 'a visit of another household or round'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'home_visit_of_its_matter';
        END IF;
        IF NEW.visited_on < matter.asked_on THEN
            RAISE EXCEPTION 'a visit before it was asked'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'home_visit_not_before_asked';
        END IF;
    END IF;
    RETURN NEW;
END
$body$;

CREATE OR REPLACE FUNCTION visits_guard_investigator() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public
AS $body$
DECLARE
    seen record;
BEGIN
    SELECT v.household_id, v.division, v.visited_on, v.state, v.entrustment_id, e.to_division,
           coalesce(nullif(e.to_division, ''), v.division) AS place INTO seen FROM visits_visit v LEFT JOIN visits_entrustment e ON e.id = v.entrustment_id
    WHERE v.id = NEW.visit_id FOR SHARE OF v;
    IF NOT FOUND OR seen.state <> 'recorded' OR seen.division <> NEW.division THEN
        RAISE EXCEPTION 'visit % takes nobody any more', NEW.visit_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'home_visit_written_once';
    END IF;
    -- People of a place outside the system have no appointment here: the paper with their signatures stands for them.
    IF seen.entrustment_id IS NOT NULL AND seen.to_division = '' THEN
        IF NEW.appointment IS NULL AND NEW.account IS NULL AND NEW.title <> '' THEN
            RETURN NEW;
        END IF;
    ELSIF EXISTS (
        SELECT 1 FROM organisation_appointment a JOIN organisation_office f ON f.id = a.office_id
        WHERE a.id = NEW.appointment AND a.account_id = NEW.account AND a.valid_from <= seen.visited_on
          AND (a.valid_to IS NULL OR a.valid_to > seen.visited_on) AND a.post NOT IN ('bank_operator', 'administrator')
          AND left(seen.place, f.level) = left(f.division, f.level)) THEN
        IF visits_related(NEW.account, seen.household_id, seen.visited_on) THEN
            RAISE EXCEPTION 'a relative lives there'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'home_visit_investigator_no_relative';
        END IF;
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'not in office there that day'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'home_visit_investigator_in_office';
END
$body$;

CREATE TRIGGER guard_entrustment BEFORE INSERT OR UPDATE ON visits_entrustment
    FOR EACH ROW EXECUTE FUNCTION visits_guard_entrustment();
DROP TRIGGER guard_doubt ON visits_doubt;
CREATE TRIGGER guard_doubt BEFORE INSERT ON visits_doubt FOR EACH ROW WHEN (NEW.visit_id IS NOT NULL)
    EXECUTE FUNCTION visits_guard_written();
"""

_UNMAKE = """
DROP TRIGGER guard_entrustment ON visits_entrustment;
DROP FUNCTION visits_guard_entrustment();
"""


class Migration(migrations.Migration):
    dependencies = [("visits", "0003_letters")]
    operations = [migrations.RunSQL(_MAKE, _UNMAKE)]
