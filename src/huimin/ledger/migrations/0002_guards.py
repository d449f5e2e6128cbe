"""What must hold of the books whoever writes (LED-01, FUND-02), checked once per INSERT, over its rows as a set:

- ledger_month_closed: no line in or before a closed month of its place;
- ledger_event_accounts: place and date are the voucher's, and the accounts are those its event moves, so that money
  leaves the special account (1002) only to beneficiaries (SENT);
- ledger_voucher_whole: a voucher's lines are as many, and worth as much, as the voucher says; none can be added later;
- ledger_never_overdrawn: neither the special account nor what is in transit falls below zero.

A lock per place puts postings and the closing of a month one after the other.
"""

from django.db import migrations

_MAKE = """
CREATE FUNCTION ledger_guard_lines() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $body$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('ledger:' || p.division, 0))
        FROM (SELECT DISTINCT division FROM new_rows ORDER BY division) AS p;

    IF EXISTS (SELECT 1 FROM (SELECT DISTINCT division, occurred_on FROM new_rows) AS n
               JOIN ledger_monthclose c ON c.division = n.division
                AND c.month >= date_trunc('month', n.occurred_on)) THEN
        RAISE EXCEPTION 'the month is closed' USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_month_closed';
    END IF;

    IF EXISTS (SELECT 1
               FROM (SELECT DISTINCT voucher_id, division, occurred_on, debit_id, credit_id FROM new_rows) AS n
               LEFT JOIN ledger_voucher v
                 ON v.id = n.voucher_id AND v.division = n.division AND v.occurred_on = n.occurred_on
               LEFT JOIN ledger_ledgeraccount d ON d.id = n.debit_id AND d.division = n.division
               LEFT JOIN ledger_ledgeraccount c ON c.id = n.credit_id AND c.division = n.division
               WHERE ((v.event, d.code, c.code) IN (
                   ('funds_received', '1002', '3001'), ('sent', '1003', '1002'),
                   ('paid', '5001', '1003'), ('returned', '1002', '1003'))) IS NOT TRUE) THEN
        RAISE EXCEPTION 'the event does not move these accounts'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_event_accounts';
    END IF;

    IF EXISTS (SELECT 1 FROM (SELECT DISTINCT voucher_id FROM new_rows) AS n
               JOIN ledger_voucher v ON v.id = n.voucher_id
               JOIN ledger_ledgerline l ON l.voucher_id = v.id
               GROUP BY v.id HAVING count(*) <> v.lines_count OR sum(l.amount_fen) <> v.amount_fen) THEN
        RAISE EXCEPTION 'the lines are not those of the voucher'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_voucher_whole';
    END IF;

    IF EXISTS (SELECT 1 FROM ledger_ledgeraccount a
               JOIN (SELECT DISTINCT credit_id FROM new_rows) AS n ON n.credit_id = a.id
               WHERE a.kind = 'asset'
                 AND (SELECT coalesce(sum(amount_fen), 0) FROM ledger_ledgerline WHERE debit_id = a.id)
                   < (SELECT sum(amount_fen) FROM ledger_ledgerline WHERE credit_id = a.id)) THEN
        RAISE EXCEPTION 'the account would be overdrawn'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_never_overdrawn';
    END IF;
    RETURN NULL;
END
$body$;

CREATE FUNCTION ledger_lock_close() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('ledger:' || NEW.division, 0));
    RETURN NEW;
END
$body$;

CREATE TRIGGER guard_lines AFTER INSERT ON ledger_ledgerline REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_lines();
CREATE TRIGGER lock_close BEFORE INSERT ON ledger_monthclose FOR EACH ROW EXECUTE FUNCTION ledger_lock_close();
"""

_UNMAKE = """
DROP TRIGGER lock_close ON ledger_monthclose;
DROP TRIGGER guard_lines ON ledger_ledgerline;
DROP FUNCTION ledger_lock_close();
DROP FUNCTION ledger_guard_lines();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunSQL(_MAKE, _UNMAKE)]
