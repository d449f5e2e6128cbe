"""What must hold of re-checks and refusals of work whoever writes (CASE-09, REG-10, SEC-02).

rechecks_registered   the households of a place in which a declared near relative of an officer lives: one bit a household out
                      of the county's kinship file (单独登记备案, 57号 第11条), never whose relative it is
guard_new             a re-check begins open, of a household that draws
guard_recheck         moves open → concluded → confirmed, back to open with a higher round, or is cancelled; concluded only with
                      means of its round other than the household's own word; confirmed by nobody who looked or concluded;
                      what is over is over
guard_means           of the round of an open re-check and its household, not before it began; a visit is this re-check's, signed
guard_cut             a cut moves as declared, is decided after it was told, and not with an objection unanswered
guard_granted         nothing is granted anew to a household whose whole amount a cut stopped
personfacts_dead      an index to the few rows that tell of a death
"""

from django.db import migrations

_MAKE = """
CREATE FUNCTION rechecks_registered(low text, high text, day date) RETURNS SETOF bigint LANGUAGE plpgsql ROWS 200
SET search_path = pg_catalog, public AS $body$
DECLARE
    audience text := coalesce(current_setting('app.audience', true), '');
    own_low text := coalesce(current_setting('app.scope_from', true), '');
    own_high text := coalesce(current_setting('app.scope_to', true), '');
    found bigint[];
BEGIN
    IF audience NOT IN ('staff', 'system') OR own_low = '' OR own_high = '' THEN
        RETURN;
    END IF;
    -- The declarations stand in the county's file and the asker may be of a township: he learns which households of his
    -- own place are registered apart, and nothing else of the file.
    PERFORM set_config('app.audience', 'system', true), set_config('app.scope_from', '0', true),
            set_config('app.scope_to', '~', true);
    SELECT array_agg(DISTINCT m.household_id) INTO found
    FROM (SELECT coalesce(p.merged_into_id, p.id) AS id FROM kinship_relative r JOIN registry_person p ON p.id = r.person_id
          WHERE r.ended_on IS NULL AND r.declared_on <= day
          UNION
          SELECT p.id FROM kinship_relative r
          JOIN registry_person p ON p.id_number_hash = r.id_number_hash AND p.closed_on IS NULL
          WHERE r.ended_on IS NULL AND r.declared_on <= day) k
    JOIN registry_membership m ON m.person_id = k.id AND m.recorded_to IS NULL AND m.valid_from <= day
     AND (m.valid_to IS NULL OR m.valid_to > day)
    WHERE m.division >= greatest(low COLLATE "C", own_low COLLATE "C") AND m.division < least(high COLLATE "C", own_high COLLATE "C");
    PERFORM set_config('app.audience', audience, true), set_config('app.scope_from', own_low, true),
            set_config('app.scope_to', own_high, true);
    RETURN QUERY SELECT unnest(found);
END
$body$;

CREATE FUNCTION rechecks_guard_new() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NEW.state <> 'open' OR NEW.round <> 1 OR NEW.signature_id IS NOT NULL THEN
        RAISE EXCEPTION 'a re-check begins open' USING ERRCODE = 'check_violation', CONSTRAINT = 'recheck_begins_open';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM casework_entitlement e WHERE e.household_id = NEW.household_id AND e.valid_from <= NEW.begun_on
                   AND (e.valid_to IS NULL OR e.valid_to > NEW.begun_on)) THEN
        RAISE EXCEPTION 'household % draws nothing', NEW.household_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recheck_of_a_beneficiary';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION rechecks_guard_recheck() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NEW.state = OLD.state AND NEW.round = OLD.round THEN
        IF OLD.state IN ('concluded', 'confirmed') AND (NEW.outcome, NEW.findings, NEW.words, NEW.digest, NEW.concluded_account)
           IS DISTINCT FROM (OLD.outcome, OLD.findings, OLD.words, OLD.digest, OLD.concluded_account) THEN
            RAISE EXCEPTION 'what was concluded is not edited'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'recheck_moves_on';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT (OLD.state || '>' || NEW.state) = ANY (ARRAY['open>concluded', 'concluded>confirmed', 'concluded>open',
            'open>cancelled', 'concluded>cancelled']) OR NEW.round <> OLD.round + (NEW.state = 'open')::int THEN
        RAISE EXCEPTION 're-check %: no way from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recheck_moves_on';
    END IF;
    IF NEW.state = 'concluded' AND NOT EXISTS (SELECT 1 FROM rechecks_recheckmeans m WHERE m.recheck_id = NEW.id
                                               AND m.round = NEW.round AND m.kind <> 'declared') THEN
        RAISE EXCEPTION 're-check % was not looked into', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recheck_on_evidence';
    END IF;
    IF NEW.state = 'confirmed' AND EXISTS (SELECT 1 FROM rechecks_recheckmeans m WHERE m.recheck_id = NEW.id
                                           AND m.round = NEW.round AND m.account = NEW.confirmed_account) THEN
        RAISE EXCEPTION 'who looked into it does not confirm'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recheck_confirmed_by_no_looker';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION rechecks_guard_means() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    of record;
BEGIN
    SELECT r.state, r.round, r.household_id, r.begun_on INTO of FROM rechecks_recheck r WHERE r.id = NEW.recheck_id FOR SHARE;
    IF NOT FOUND OR of.state <> 'open' OR (of.round, of.household_id) <> (NEW.round, NEW.household_id)
       OR NEW.done_on < of.begun_on THEN
        RAISE EXCEPTION 're-check % is not open for this', NEW.recheck_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recheck_means_of_its_round';
    END IF;
    IF NEW.visit_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM visits_visit v WHERE v.id = NEW.visit_id AND v.subject = 'recheck:' || NEW.recheck_id
            AND v.round = NEW.round AND v.household_id = NEW.household_id AND v.state = 'signed') THEN
        RAISE EXCEPTION 'the visit is not this re-check''s, or not signed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recheck_visit_of_its_own';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION rechecks_guard_cut() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NEW.state = OLD.state THEN
        IF OLD.state IN ('confirmed', 'ended', 'dropped') AND (NEW.cut_fen, NEW.percent, NEW.decision_id, NEW.entitlement_id, NEW.reason)
           IS DISTINCT FROM (OLD.cut_fen, OLD.percent, OLD.decision_id, OLD.entitlement_id, OLD.reason) THEN
            RAISE EXCEPTION 'what was decided is not edited' USING ERRCODE = 'check_violation', CONSTRAINT = 'work_cut_moves_on';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT (OLD.state || '>' || NEW.state) = ANY (ARRAY['proposed>told', 'proposed>dropped', 'told>dropped', 'told>confirmed',
            'confirmed>ended']) OR (NEW.state = 'confirmed' AND NEW.objected_on IS NOT NULL AND NEW.upheld IS DISTINCT FROM false) THEN
        RAISE EXCEPTION 'cut %: no way from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'work_cut_moves_on';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION rechecks_guard_granted() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF EXISTS (
            SELECT 1 FROM fresh f JOIN rechecks_workcut w ON w.household_id = f.household_id AND w.programme = f.programme
            LEFT JOIN screening_proposal p ON p.id = f.proposal_id
            WHERE f.outcome = 'granted' AND f.person_id IS NULL AND w.state = 'confirmed' AND w.entitlement_id IS NULL
              AND w.decision_id <> f.id AND (f.proposal_id IS NULL OR p.kind = 'enter')) THEN
        RAISE EXCEPTION 'a stop for refusing work is in force'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'granted_beside_a_work_cut';
    END IF;
    RETURN NULL;
END
$body$;

CREATE TRIGGER guard_new BEFORE INSERT ON rechecks_recheck FOR EACH ROW EXECUTE FUNCTION rechecks_guard_new();
CREATE TRIGGER guard_recheck BEFORE UPDATE ON rechecks_recheck FOR EACH ROW EXECUTE FUNCTION rechecks_guard_recheck();
CREATE TRIGGER guard_means BEFORE INSERT ON rechecks_recheckmeans FOR EACH ROW EXECUTE FUNCTION rechecks_guard_means();
CREATE TRIGGER guard_cut BEFORE UPDATE ON rechecks_workcut FOR EACH ROW EXECUTE FUNCTION rechecks_guard_cut();
CREATE TRIGGER guard_granted AFTER INSERT ON casework_decision REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION rechecks_guard_granted();
CREATE INDEX personfacts_dead ON registry_personfacts (division, death_date)
    WHERE death_date IS NOT NULL AND recorded_to IS NULL;
"""

_UNMAKE = """
DROP INDEX personfacts_dead;
DROP TRIGGER guard_granted ON casework_decision;
DROP TRIGGER guard_cut ON rechecks_workcut;
DROP TRIGGER guard_means ON rechecks_recheckmeans;
DROP TRIGGER guard_recheck ON rechecks_recheck;
DROP TRIGGER guard_new ON rechecks_recheck;
DROP FUNCTION rechecks_guard_granted();
DROP FUNCTION rechecks_guard_cut();
DROP FUNCTION rechecks_guard_means();
DROP FUNCTION rechecks_guard_recheck();
DROP FUNCTION rechecks_guard_new();
DROP FUNCTION rechecks_registered(text, text, date);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("rechecks", "0001_initial"), ("kinship", "0001_initial"), ("registry", "0012_frozen_and_agreed"),
    ]
    operations = [migrations.RunSQL(_MAKE, _UNMAKE)]
