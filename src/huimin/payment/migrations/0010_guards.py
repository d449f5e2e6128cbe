"""What must hold of dues, lines, recoveries and instructions whoever writes (PAY-06, PAY-10, SEC-07).

- due_one_live_instruction   no two live instructions pay one due, whatever lines it stood on
- line_is_its_dues           what is sent is the line's base and arrears less what is withheld, to the cent
- offset_of_its_recovery     a due of kind recovery belongs to a decided recovery of the same programme and beneficiary, of which the
                             household was told, and of the books that pay; nothing else is ever withheld
- recovery_withheld          what stands on rosters, was paid back and written off is never more than the recovery
"""

from django.db import migrations

_INSTRUCTIONS = """
CREATE FUNCTION payment_guard_instructions() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
-- Every due is looked up by key, whatever the planner believes of tables that were filled a minute ago.
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $body$
DECLARE
    wrong record;
BEGIN
    SELECT n.line_id INTO wrong
      FROM new_rows n JOIN payment_linedue x ON x.line_id = n.line_id
      JOIN payment_linedue y ON y.due_id = x.due_id AND y.line_id <> x.line_id
      JOIN payment_instruction i ON i.line_id = y.line_id AND i.state IN ('sent', 'paid', 'unknown')
     WHERE n.state IN ('sent', 'paid', 'unknown') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a due of line % is paid by another instruction', wrong.line_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'due_one_live_instruction';
    END IF;
    IF TG_OP = 'INSERT' THEN
        SELECT n.line_id INTO wrong
          FROM new_rows n
          CROSS JOIN LATERAL (
               SELECT sum(CASE d.kind WHEN 'recovery' THEN -d.amount_fen ELSE d.amount_fen END) AS fen, bool_or(d.state <> 'owed') AS over
                 FROM payment_linedue x JOIN payment_due d ON d.id = x.due_id WHERE x.line_id = n.line_id AND x.live) w
         WHERE w.fen IS DISTINCT FROM n.amount_fen OR w.over LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'line % is not what its dues are', wrong.line_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'line_is_its_dues';
        END IF;
    END IF;
    RETURN NULL;
END
$body$;
CREATE TRIGGER payment_line_gate AFTER INSERT ON payment_instruction
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION payment_guard_instructions();
CREATE FUNCTION payment_guard_revived() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $body$
BEGIN
    IF EXISTS (SELECT 1 FROM payment_linedue x
               JOIN payment_linedue y ON y.due_id = x.due_id AND y.line_id <> x.line_id
               JOIN payment_instruction i ON i.line_id = y.line_id AND i.state IN ('sent', 'paid', 'unknown')
               WHERE x.line_id = NEW.line_id) THEN
        RAISE EXCEPTION 'a due of line % is paid by another instruction', NEW.line_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'due_one_live_instruction';
    END IF;
    RETURN NULL;
END
$body$;
CREATE TRIGGER payment_line_revived AFTER UPDATE ON payment_instruction FOR EACH ROW
    WHEN (NEW.state IN ('sent', 'paid', 'unknown') AND OLD.state NOT IN ('sent', 'paid', 'unknown'))
    EXECUTE FUNCTION payment_guard_revived();
"""

_OFFSETS = """
CREATE FUNCTION payment_guard_offsets() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $body$
DECLARE
    owed record;
    held bigint;
BEGIN
    SELECT r.* INTO owed FROM payment_recovery r WHERE r.id = NEW.recovery_id FOR UPDATE;
    IF NOT FOUND OR owed.state NOT IN ('decided', 'settled') OR owed.told_on IS NULL OR owed.programme <> NEW.programme
       OR NEW.division NOT LIKE left(owed.books, 9) || '%' OR NOT EXISTS (
            SELECT 1 FROM casework_entitlement e WHERE e.id = NEW.entitlement_id AND e.household_id = owed.household_id
               AND e.person_id IS NOT DISTINCT FROM owed.person_id AND e.programme = owed.programme) THEN
        RAISE EXCEPTION 'not an offset of this recovery' USING ERRCODE = 'check_violation', CONSTRAINT = 'offset_of_its_recovery';
    END IF;
    SELECT coalesce(sum(d.amount_fen), 0) INTO held FROM payment_due d
     WHERE d.recovery_id = NEW.recovery_id AND d.state IN ('owed', 'paid');
    IF held + owed.repaid_fen + owed.written_off_fen > owed.amount_fen THEN
        RAISE EXCEPTION 'more than the recovery' USING ERRCODE = 'check_violation', CONSTRAINT = 'recovery_withheld';
    END IF;
    RETURN NULL;
END
$body$;
CREATE TRIGGER guard_offsets AFTER INSERT ON payment_due FOR EACH ROW WHEN (NEW.kind = 'recovery')
    EXECUTE FUNCTION payment_guard_offsets();
"""

_UNDO = """
DROP TRIGGER guard_offsets ON payment_due;
DROP FUNCTION payment_guard_offsets();
DROP TRIGGER payment_line_revived ON payment_instruction;
DROP FUNCTION payment_guard_revived();
DROP TRIGGER payment_line_gate ON payment_instruction;
DROP FUNCTION payment_guard_instructions();
"""


class Migration(migrations.Migration):
    dependencies = [("payment", "0009_recoveries"), ("casework", "0001_initial")]
    operations = [migrations.RunSQL(_INSTRUCTIONS + _OFFSETS, _UNDO)]
