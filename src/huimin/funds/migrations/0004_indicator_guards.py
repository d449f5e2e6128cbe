"""Indicators move by two people and never exceed themselves, whoever writes (FUND-01).

- allotment_confirmed_by_another: an indicator comes in registered, with nothing bound; another person puts it in force
  or refuses it, once; one that was issued or carried is made by an approved move alone.
- allotment_move_decided_by_another: a move comes in proposed; another person decides it, once.
- Approving is the effect: the counters of the indicator, of its issuer where something issued is cut, and the indicator that
  is made, in the same statement. `allotment_never_overspent` refuses what is too much; issued, carried and cut can be
  written by nobody else.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION funds_guard_allotment() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF pg_trigger_depth() > 1 THEN
            RETURN NEW;
        END IF;
        IF NEW.state <> 'registered' OR NEW.parent_id IS NOT NULL OR NEW.carried_from_id IS NOT NULL
           OR NEW.confirmed_by IS NOT NULL THEN
            RAISE EXCEPTION 'an indicator comes in registered'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'allotment_confirmed_by_another';
        END IF;
    ELSIF OLD.state <> 'registered' OR NEW.confirmed_by IS NULL OR NEW.confirmed_on IS NULL
          OR NEW.state = 'in_force' AND NEW.signature_id IS NULL OR ledger_same_person(NEW.confirmed_by, OLD.received_by) THEN
        RAISE EXCEPTION 'confirmed before, or by who registered it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'allotment_confirmed_by_another';
    END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER guard_allotment BEFORE INSERT ON funds_allotment FOR EACH ROW EXECUTE FUNCTION funds_guard_allotment();
CREATE TRIGGER guard_confirmed BEFORE UPDATE OF state, confirmed_by ON funds_allotment FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state OR OLD.confirmed_by IS DISTINCT FROM NEW.confirmed_by)
    EXECUTE FUNCTION funds_guard_allotment();

CREATE FUNCTION funds_guard_move() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $body$
BEGIN
    IF NEW.state <> 'proposed' OR NEW.made_id IS NOT NULL OR NOT EXISTS (
           SELECT 1 FROM funds_allotment a WHERE a.id = NEW.allotment_id AND a.division = NEW.division) THEN
        RAISE EXCEPTION 'a move comes in proposed, at its indicator''s place'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'allotment_move_decided_by_another';
    END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER guard_move BEFORE INSERT ON funds_allotmentmove FOR EACH ROW EXECUTE FUNCTION funds_guard_move();

CREATE FUNCTION funds_apply_move() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $body$
DECLARE
    source funds_allotment%ROWTYPE;
BEGIN
    IF OLD.state <> 'proposed' OR NEW.state NOT IN ('approved', 'refused')
       OR ledger_same_person(NEW.decided_by, OLD.proposed_by) THEN
        RAISE EXCEPTION 'decided before, or by who proposed it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'allotment_move_decided_by_another';
    END IF;
    IF NEW.state = 'refused' THEN
        RETURN NEW;
    END IF;
    UPDATE funds_allotment SET
           issued_fen = issued_fen + CASE NEW.kind WHEN 'issue' THEN NEW.amount_fen ELSE 0 END,
           cut_fen = cut_fen + CASE NEW.kind WHEN 'cut' THEN NEW.amount_fen ELSE 0 END,
           carried_fen = carried_fen + CASE NEW.kind WHEN 'carry' THEN NEW.amount_fen ELSE 0 END
     WHERE id = NEW.allotment_id RETURNING * INTO STRICT source;
    IF NEW.kind = 'cut' AND source.parent_id IS NOT NULL THEN
        UPDATE funds_allotment SET issued_fen = issued_fen - NEW.amount_fen WHERE id = source.parent_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the issuer is not of this place'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'allotment_cut_by_issuer';
        END IF;
    END IF;
    IF NEW.kind IN ('issue', 'carry') THEN
        INSERT INTO funds_allotment (division, programme, year, document_no, kind, issuer, parent_id, carried_from_id,
            amount_fen, reserved_fen, spent_fen, issued_fen, carried_fen, cut_fen, state, received_by, received_on,
            confirmed_by, confirmed_on, refusal, signature_id)
        SELECT CASE NEW.kind WHEN 'issue' THEN NEW.target ELSE source.division END, source.programme,
               source.year + CASE NEW.kind WHEN 'carry' THEN 1 ELSE 0 END, NEW.document_no,
               CASE NEW.kind WHEN 'carry' THEN 'carried' ELSE NEW.target_kind END,
               CASE NEW.kind WHEN 'carry' THEN source.issuer
                    ELSE (SELECT max(d.level) FROM divisions_division d WHERE d.code = source.division) END,
               CASE NEW.kind WHEN 'issue' THEN source.id END, CASE NEW.kind WHEN 'carry' THEN source.id END,
               NEW.amount_fen, 0, 0, 0, 0, 0, 'in_force', NEW.proposed_by, NEW.proposed_on,
               NEW.decided_by, NEW.decided_on, '', NEW.signature_id
        RETURNING id INTO NEW.made_id;
    END IF;
    RETURN NEW;
END
$body$;
REVOKE ALL ON FUNCTION funds_apply_move() FROM PUBLIC;
CREATE TRIGGER apply_move BEFORE UPDATE ON funds_allotmentmove FOR EACH ROW EXECUTE FUNCTION funds_apply_move();
"""

UNDO = """
DROP TRIGGER apply_move ON funds_allotmentmove;
DROP TRIGGER guard_move ON funds_allotmentmove;
DROP TRIGGER guard_confirmed ON funds_allotment;
DROP TRIGGER guard_allotment ON funds_allotment;
DROP FUNCTION funds_apply_move();
DROP FUNCTION funds_guard_move();
DROP FUNCTION funds_guard_allotment();
"""


class Migration(migrations.Migration):
    dependencies = [("funds", "0003_indicators"), ("ledger", "0004_guards"), ("divisions", "0001_initial")]
    operations = [migrations.RunSQL(GUARDS, UNDO)]
