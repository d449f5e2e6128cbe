"""What must hold of what is told, whoever writes (CASE-05, CASE-06, CASE-11, SEC-07).

owe_letters        with every decision that must be told, its letter is owed: refusals, reductions, stops; grants and increases of
                   what somebody asked for, and of what the county publishes long-term
guard_letter       a letter goes from owed to written to delivered; what was written, and how it was delivered, never changes
guard_certificate  what was lost or taken back stays so; a certificate shows an entitlement of its own household and programme
guard_told_act     no step of a case is taken, in no direction, while an objection to its notice is open; none is passed
                   before its notice ended, or after an objection was upheld
"""

from django.db import migrations

# As notices.rules has it where a county set nothing.
_LONG_TERM = "ARRAY['dibao-rural', 'dibao-urban', 'dibao-single', 'tekun']"

_MAKE = f"""
CREATE FUNCTION telling_owe_letters() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    INSERT INTO telling_letter (decision_id, division, household_id, programme, kind, office, decided_on, effective_from, state,
        number, name, digest, delivered_how, receiver, note, scan_sha256, scan_type)
    SELECT f.id, f.division, f.household_id, f.programme, k.kind, a.office_id, f.decided_on, f.effective_from, 'owed',
           '', '', '', '', '', '', '', ''
    FROM fresh f
    JOIN organisation_appointment a ON a.id = f.decided_by
    LEFT JOIN screening_proposal p ON p.id = f.proposal_id
    CROSS JOIN LATERAL (SELECT CASE
        WHEN f.outcome = 'refused' AND (p.kind IS NULL OR p.kind = 'enter') THEN 'refused'
        WHEN f.outcome <> 'granted' THEN NULL
        WHEN p.kind IS NULL OR p.kind = 'enter' THEN 'granted'
        WHEN p.kind = 'increase' THEN 'increased'
        WHEN p.kind = 'decrease' THEN 'decreased'
        WHEN p.kind = 'phase_out' THEN 'phased_out'
        WHEN p.kind = 'leave' THEN 'stopped' END AS kind) k
    WHERE k.kind IN ('refused', 'decreased', 'phased_out', 'stopped')
       OR k.kind IN ('granted', 'increased') AND (
            f.programme = ANY (CASE WHEN EXISTS (SELECT 1 FROM notices_noticerule r WHERE r.division = left(f.division, 6) || '000000')
                THEN (SELECT r.programmes::text[] FROM notices_noticerule r WHERE r.division = left(f.division, 6) || '000000'
                      ORDER BY r.id DESC LIMIT 1)
                ELSE {_LONG_TERM} END)
            OR EXISTS (SELECT 1 FROM cases_case c WHERE c.id = f.case_number AND c.household_id IS NOT NULL));
    RETURN NULL;
END
$body$;

CREATE FUNCTION telling_guard_letter() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NOT (OLD.state = NEW.state OR OLD.state = 'owed' AND NEW.state = 'issued' OR OLD.state = 'issued' AND NEW.state = 'delivered')
       OR OLD.state <> 'owed' AND (NEW.year, NEW.serial, NEW.number, NEW.name, NEW.issued_on, NEW.issued_by, NEW.due_on,
            NEW.payload_hash, NEW.digest) IS DISTINCT FROM (OLD.year, OLD.serial, OLD.number, OLD.name, OLD.issued_on,
            OLD.issued_by, OLD.due_on, OLD.payload_hash, OLD.digest)
       OR OLD.state = 'delivered' AND (NEW.delivered_on, NEW.delivered_how, NEW.receiver, NEW.note, NEW.delivered_by,
            NEW.scan_sha256) IS DISTINCT FROM (OLD.delivered_on, OLD.delivered_how, OLD.receiver, OLD.note, OLD.delivered_by,
            OLD.scan_sha256) THEN
        RAISE EXCEPTION 'letter % is written', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'letter_final';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION telling_guard_certificate() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state <> 'valid' AND (NEW.state, NEW.ended_on, NEW.ended_by, NEW.reason, NEW.prints)
         IS DISTINCT FROM (OLD.state, OLD.ended_on, OLD.ended_by, OLD.reason, OLD.prints) THEN
        RAISE EXCEPTION 'certificate % is over', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'certificate_final';
    END IF;
    IF TG_OP = 'INSERT' AND (NEW.state <> 'valid' OR NOT EXISTS (
        SELECT 1 FROM casework_entitlement e WHERE e.id = NEW.entitlement_id AND e.household_id = NEW.household_id
        AND e.programme = NEW.programme AND e.person_id IS NOT DISTINCT FROM NEW.person_id)) THEN
        RAISE EXCEPTION 'a certificate without its entitlement'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'certificate_of_its_entitlement';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION telling_guard_act() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    named text := 'case:' || NEW.case_id || ':' || NEW.round || ':' || NEW.step;
BEGIN
    IF NEW.outcome = 'extended' THEN
        RETURN NEW;
    END IF;
    IF EXISTS (SELECT 1 FROM notices_notice n JOIN notices_objection o ON o.notice_id = n.id
               WHERE n.subject = named AND n.state <> 'withdrawn' AND o.state = 'open') THEN
        RAISE EXCEPTION 'case % has an open objection', NEW.case_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'case_act_not_while_objected';
    END IF;
    IF NEW.outcome = 'passed' AND EXISTS (
        SELECT 1 FROM notices_notice n WHERE n.subject = named AND n.state <> 'withdrawn' AND (n.state = 'open' OR EXISTS (
            SELECT 1 FROM notices_objection o WHERE o.notice_id = n.id AND o.state = 'upheld'))) THEN
        RAISE EXCEPTION 'case % is still on notice', NEW.case_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'case_act_after_its_notice';
    END IF;
    RETURN NEW;
END
$body$;

CREATE TRIGGER owe_letters AFTER INSERT ON casework_decision REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION telling_owe_letters();
CREATE TRIGGER guard_letter BEFORE UPDATE ON telling_letter FOR EACH ROW EXECUTE FUNCTION telling_guard_letter();
CREATE TRIGGER guard_certificate BEFORE INSERT OR UPDATE ON telling_certificate
    FOR EACH ROW EXECUTE FUNCTION telling_guard_certificate();
CREATE TRIGGER guard_told_act BEFORE INSERT ON cases_caseact FOR EACH ROW EXECUTE FUNCTION telling_guard_act();
"""

_UNMAKE = """
DROP TRIGGER guard_told_act ON cases_caseact;
DROP TRIGGER guard_certificate ON telling_certificate;
DROP TRIGGER guard_letter ON telling_letter;
DROP TRIGGER owe_letters ON casework_decision;
DROP FUNCTION telling_guard_act();
DROP FUNCTION telling_guard_certificate();
DROP FUNCTION telling_guard_letter();
DROP FUNCTION telling_owe_letters();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("telling", "0001_initial"), ("cases", "0002_guards"), ("casework", "0005_decisions_of_cases"),
        ("notices", "0004_boards"), ("organisation", "0001_initial"), ("screening", "0004_proposals_by_sets"),
    ]  # fmt: skip
    operations = [migrations.RunSQL(_MAKE, _UNMAKE)]
