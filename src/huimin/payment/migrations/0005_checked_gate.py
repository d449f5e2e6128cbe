"""No money to an account the bank has not called right, where the bank's setting demands it; whoever writes (PAY-04, SEC-07)."""

from django.db import migrations

GATE = """
CREATE OR REPLACE FUNCTION payment_checked_gate() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $body$
DECLARE
    refused record;
BEGIN
    SELECT i.line_id INTO refused
      FROM new_rows i
      JOIN payment_batch b ON b.id = i.batch_id
      JOIN payment_banksetting s ON s.id = b.setting_id AND s.name_check
      JOIN payment_rosterline l ON l.id = i.line_id
      JOIN registry_person p ON p.id = l.payee_id
      LEFT JOIN LATERAL (
           SELECT k.state FROM payment_namecheckline k
            WHERE k.bank_office_id = b.bank_office_id AND k.account_hash = i.account_hash
              AND k.name = CASE WHEN l.authority_id IS NULL THEN l.name ELSE p.name END
            ORDER BY k.id DESC LIMIT 1) k ON true
     WHERE k.state IS DISTINCT FROM 'right'
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'payment line % refused: account not checked', refused.line_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_checked_gate';
    END IF;
    RETURN NULL;
END
$body$;
CREATE TRIGGER payment_checked_gate AFTER INSERT ON payment_instruction
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION payment_checked_gate();
"""

UNDO = "DROP TRIGGER payment_checked_gate ON payment_instruction; DROP FUNCTION payment_checked_gate();"


class Migration(migrations.Migration):
    dependencies = [("payment", "0004_exchange")]
    operations = [migrations.RunSQL(GATE, UNDO)]
