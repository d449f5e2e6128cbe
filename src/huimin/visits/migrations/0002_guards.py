"""What must hold of visits whoever writes (CASE-02, REG-10, SEC-02).

visits_related      whether a person declared a near relative who lives in a household on a day: one bit out of the county's
                    kinship file, whatever of the file the asker may read
guard_visit_new     of its household and case, in the case's round, not before it was asked
guard_investigator  in office that day at a place that holds the household, and no relative
guard_visit         moves recorded → signed → void only; signed with two or more investigators and both sides' signatures, or
                    a witnessed refusal; never void once a passed step rests on it
guard_written       nobody and no paper is added to a visit that is signed or void
"""

from django.db import migrations

_MAKE = """
CREATE FUNCTION visits_related(who bigint, house bigint, day date) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, public AS $body$
DECLARE
    audience text := coalesce(current_setting('app.audience', true), '');
    low text := coalesce(current_setting('app.scope_from', true), '');
    high text := coalesce(current_setting('app.scope_to', true), '');
    kin boolean;
BEGIN
    -- The declaration stands in the county's file and the asker may be of a village: he learns yes or no, nothing else.
    PERFORM set_config('app.audience', 'system', true), set_config('app.scope_from', '0', true),
            set_config('app.scope_to', '~', true);
    SELECT EXISTS (
        SELECT 1 FROM kinship_relative r
        JOIN registry_person p ON p.id = r.person_id OR p.id_number_hash = r.id_number_hash
        JOIN registry_membership m ON m.person_id IN (p.id, p.merged_into_id)
        WHERE r.account = who AND r.ended_on IS NULL AND m.household_id = house AND m.recorded_to IS NULL
          AND m.valid_from <= day AND (m.valid_to IS NULL OR m.valid_to > day)) INTO kin;
    PERFORM set_config('app.audience', audience, true), set_config('app.scope_from', low, true),
            set_config('app.scope_to', high, true);
    RETURN kin;
END
$body$;

CREATE FUNCTION visits_guard_new() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
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

CREATE FUNCTION visits_guard_investigator() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    seen record;
BEGIN
    SELECT v.household_id, v.division, v.visited_on, v.state INTO seen FROM visits_visit v WHERE v.id = NEW.visit_id FOR SHARE;
    IF NOT FOUND OR seen.state <> 'recorded' OR seen.division <> NEW.division THEN
        RAISE EXCEPTION 'visit % takes nobody any more', NEW.visit_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'home_visit_written_once';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM organisation_appointment a JOIN organisation_office f ON f.id = a.office_id
        WHERE a.id = NEW.appointment AND a.account_id = NEW.account AND a.valid_from <= seen.visited_on
          AND (a.valid_to IS NULL OR a.valid_to > seen.visited_on) AND a.post NOT IN ('bank_operator', 'administrator')
          AND left(seen.division, f.level) = left(f.division, f.level)) THEN
        RAISE EXCEPTION 'not in office there that day'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'home_visit_investigator_in_office';
    END IF;
    IF visits_related(NEW.account, seen.household_id, seen.visited_on) THEN
        RAISE EXCEPTION 'a relative lives there'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'home_visit_investigator_no_relative';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION visits_guard_visit() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    went integer;
    unsigned integer;
    formed boolean;
    housed boolean;
BEGIN
    IF NEW.state = OLD.state OR NOT (OLD.state || '>' || NEW.state) = ANY (ARRAY['recorded>signed', 'recorded>void', 'signed>void'])
    THEN
        RAISE EXCEPTION 'visit %: no way from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'home_visit_written_once';
    END IF;
    IF NEW.state = 'void' THEN
        IF EXISTS (SELECT 1 FROM cases_caseevidence e WHERE e.case_id = OLD.case_id AND e.reference = 'visits_visit:' || OLD.id)
        THEN
            RAISE EXCEPTION 'a step rests on visit %', OLD.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'home_visit_rested_on';
        END IF;
        IF (NEW.digest, NEW.signature_id, NEW.signed_on, NEW.refused, NEW.witness)
           IS DISTINCT FROM (OLD.digest, OLD.signature_id, OLD.signed_on, OLD.refused, OLD.witness) THEN
            RAISE EXCEPTION 'voiding changes nothing else'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'home_visit_written_once';
        END IF;
        RETURN NEW;
    END IF;
    SELECT coalesce(bool_or(p.kind = 'form'), false), coalesce(bool_or(p.kind IN ('form', 'household')), false)
    INTO formed, housed FROM visits_visitpaper p WHERE p.visit_id = OLD.id;
    SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (
        SELECT 1 FROM visits_visitpaper p WHERE p.visit_id = OLD.id AND p.kind = 'investigator' AND p.signer = i.appointment))
    INTO went, unsigned FROM visits_investigator i WHERE i.visit_id = OLD.id;
    IF went < 2 THEN
        RAISE EXCEPTION 'fewer than two went' USING ERRCODE = 'check_violation', CONSTRAINT = 'home_visit_by_two';
    END IF;
    IF (NOT formed AND unsigned > 0) OR (NEW.refused = '' AND NOT housed) THEN
        RAISE EXCEPTION 'not both sides signed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'home_visit_signed_by_both';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION visits_guard_written() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    seen record;
BEGIN
    SELECT v.state, v.division INTO seen FROM visits_visit v WHERE v.id = NEW.visit_id FOR SHARE;
    IF NOT FOUND OR seen.state <> 'recorded' OR seen.division <> NEW.division THEN
        RAISE EXCEPTION 'visit % takes nothing any more', NEW.visit_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'home_visit_written_once';
    END IF;
    RETURN NEW;
END
$body$;

CREATE TRIGGER guard_new BEFORE INSERT ON visits_visit FOR EACH ROW EXECUTE FUNCTION visits_guard_new();
CREATE TRIGGER guard_visit BEFORE UPDATE ON visits_visit FOR EACH ROW EXECUTE FUNCTION visits_guard_visit();
CREATE TRIGGER guard_investigator BEFORE INSERT ON visits_investigator FOR EACH ROW EXECUTE FUNCTION visits_guard_investigator();
CREATE TRIGGER guard_paper BEFORE INSERT ON visits_visitpaper FOR EACH ROW EXECUTE FUNCTION visits_guard_written();
CREATE TRIGGER guard_doubt BEFORE INSERT ON visits_doubt FOR EACH ROW EXECUTE FUNCTION visits_guard_written();
"""

_UNMAKE = """
DROP TRIGGER guard_doubt ON visits_doubt;
DROP TRIGGER guard_paper ON visits_visitpaper;
DROP TRIGGER guard_investigator ON visits_investigator;
DROP TRIGGER guard_visit ON visits_visit;
DROP TRIGGER guard_new ON visits_visit;
DROP FUNCTION visits_guard_written();
DROP FUNCTION visits_guard_visit();
DROP FUNCTION visits_guard_investigator();
DROP FUNCTION visits_guard_new();
DROP FUNCTION visits_related(bigint, bigint, date);
"""


class Migration(migrations.Migration):
    dependencies = [("visits", "0001_initial"), ("cases", "0003_due_index"), ("kinship", "0001_initial")]
    operations = [migrations.RunSQL(_MAKE, _UNMAKE)]
