"""Routes and moves of money by two people, whoever writes (FUND-02, FUND-05).

- pay_route_decided_by_another, money_move_decided_by_another: in as proposed, decided once, by another person.
- A confirmed 缴回 takes its amount off what the application holds and off what its indicator has spent, in the same
  statement; `application_returned_of_its_own` and `allotment_never_overspent` refuse what is too much.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION funds_guard_route() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $body$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.state <> 'proposed'
       OR TG_OP = 'UPDATE' AND (OLD.state <> 'proposed' OR NEW.state NOT IN ('approved', 'refused')
                                OR ledger_same_person(NEW.decided_by, OLD.proposed_by)) THEN
        RAISE EXCEPTION 'decided before, or by who proposed it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'pay_route_decided_by_another';
    END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER guard_route BEFORE INSERT OR UPDATE ON funds_payroute FOR EACH ROW EXECUTE FUNCTION funds_guard_route();

CREATE FUNCTION funds_guard_money() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $body$
DECLARE
    met_from bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'proposed' OR NEW.application_id IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM funds_fundingapplication f WHERE f.id = NEW.application_id AND f.division = NEW.division
                  AND f.programme = NEW.programme AND f.state = 'transferred') THEN
            RAISE EXCEPTION 'a move comes in proposed, of money that was transferred there'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'money_move_decided_by_another';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state <> 'proposed' OR NEW.state NOT IN ('confirmed', 'refused')
       OR ledger_same_person(NEW.decided_by, OLD.proposed_by) THEN
        RAISE EXCEPTION 'decided before, or by who proposed it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'money_move_decided_by_another';
    END IF;
    IF NEW.state = 'confirmed' AND NEW.application_id IS NOT NULL THEN
        UPDATE funds_fundingapplication SET returned_fen = returned_fen + NEW.amount_fen
         WHERE id = NEW.application_id RETURNING allotment_id INTO STRICT met_from;
        UPDATE funds_allotment SET spent_fen = spent_fen - NEW.amount_fen WHERE id = met_from;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the indicator is not of this place'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'money_move_decided_by_another';
        END IF;
    END IF;
    RETURN NEW;
END
$body$;
REVOKE ALL ON FUNCTION funds_guard_money() FROM PUBLIC;
CREATE TRIGGER guard_money BEFORE INSERT OR UPDATE ON funds_moneymove FOR EACH ROW EXECUTE FUNCTION funds_guard_money();
"""

UNDO = """
DROP TRIGGER guard_money ON funds_moneymove;
DROP TRIGGER guard_route ON funds_payroute;
DROP FUNCTION funds_guard_money();
DROP FUNCTION funds_guard_route();
"""


class Migration(migrations.Migration):
    dependencies = [("funds", "0005_routes"), ("ledger", "0004_guards")]
    operations = [migrations.RunSQL(GUARDS, UNDO)]
