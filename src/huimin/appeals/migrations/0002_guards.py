"""What must hold of appeals whoever writes (issue 5 point 8, SEC-02).

guard_new      an appeal begins filed, against a decision (or case) of its household that is as old as it says
guard_appeal   moves as declared; what was told when it was filed, and what was ruled, is not edited; who made the decision or
               did a step of its case does not rule
"""

from django.db import migrations

_MAKE = """
CREATE FUNCTION appeals_guard_new() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NEW.state <> 'filed' OR NEW.signature_id IS NOT NULL THEN
        RAISE EXCEPTION 'an appeal begins filed' USING ERRCODE = 'check_violation', CONSTRAINT = 'appeal_begins_filed';
    END IF;
    IF NOT (CASE WHEN NEW.decision_id IS NOT NULL
                 THEN EXISTS (SELECT 1 FROM casework_decision d WHERE d.id = NEW.decision_id AND d.household_id = NEW.household_id
                              AND d.programme = NEW.programme AND d.decided_on = NEW.decided_on)
                 ELSE EXISTS (SELECT 1 FROM cases_case c WHERE c.id = NEW.case_id AND c.household_id = NEW.household_id
                              AND c.programme = NEW.programme AND c.state = 'out_of_scope' AND c.ended_on = NEW.decided_on) END) THEN
        RAISE EXCEPTION 'an appeal against nothing of this household'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'appeal_of_its_household';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION appeals_guard_appeal() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NEW.state = OLD.state THEN
        IF OLD.state NOT IN ('filed', 'accepted') AND (NEW.ruling, NEW.ruled_on, NEW.document, NEW.reason, NEW.new_case_id,
            NEW.new_decision_id, NEW.due_on) IS DISTINCT FROM (OLD.ruling, OLD.ruled_on, OLD.document, OLD.reason,
            OLD.new_case_id, OLD.new_decision_id, OLD.due_on) THEN
            RAISE EXCEPTION 'what was ruled is not edited' USING ERRCODE = 'check_violation', CONSTRAINT = 'appeal_moves_on';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT (OLD.state || '>' || NEW.state) = ANY (ARRAY['filed>accepted', 'filed>refused', 'filed>withdrawn', 'accepted>withdrawn',
            'accepted>upheld', 'accepted>partly', 'accepted>dismissed', 'upheld>corrected', 'partly>corrected']) THEN
        RAISE EXCEPTION 'appeal %: no way from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'appeal_moves_on';
    END IF;
    IF NEW.state IN ('upheld', 'partly', 'dismissed') AND (
            EXISTS (SELECT 1 FROM casework_decision d JOIN organisation_appointment o ON o.id = d.decided_by
                    WHERE d.id = NEW.decision_id AND o.account_id = NEW.ruled_account)
            OR EXISTS (SELECT 1 FROM cases_caseact a WHERE a.account = NEW.ruled_account AND a.case_id = coalesce(NEW.case_id,
                       (SELECT d.case_number FROM casework_decision d WHERE d.id = NEW.decision_id)))) THEN
        RAISE EXCEPTION 'ruled by who decided' USING ERRCODE = 'check_violation', CONSTRAINT = 'appeal_judged_by_another';
    END IF;
    RETURN NEW;
END
$body$;

CREATE TRIGGER guard_new BEFORE INSERT ON appeals_appeal FOR EACH ROW EXECUTE FUNCTION appeals_guard_new();
CREATE TRIGGER guard_appeal BEFORE UPDATE ON appeals_appeal FOR EACH ROW EXECUTE FUNCTION appeals_guard_appeal();
"""

_UNMAKE = """
DROP TRIGGER guard_appeal ON appeals_appeal;
DROP TRIGGER guard_new ON appeals_appeal;
DROP FUNCTION appeals_guard_appeal();
DROP FUNCTION appeals_guard_new();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("appeals", "0001_initial"), ("cases", "0002_guards"), ("casework", "0005_decisions_of_cases"),
        ("organisation", "0001_initial"),
    ]
    operations = [migrations.RunSQL(_MAKE, _UNMAKE)]
