"""What must hold of the books whoever writes (LED-01, LED-02, FUND-02); takes the place of 0002's function.

Vouchers: numbered without gaps per place, word and month, when they are posted; none without lines.
Lines, checked once per INSERT over its rows as a set:

- ledger_month_closed: no line in or before a closed month of its place;
- ledger_event_accounts: place and date are the voucher's, the accounts are those its event moves (ledger/chart.yaml), so
  that money leaves the special account (1002) only to beneficiaries or back where it came from; red only to reverse;
- ledger_mirror: a red voucher is its original with the signs turned, of one that is no reversal and no 年终结转;
- ledger_between_programmes: a 项目间调整 leaves each account as it was;
- ledger_manual_approved: what is posted by hand was approved, as much as was approved;
- ledger_voucher_whole: a voucher's lines are as many, and worth as much, as the voucher says; none can be added later.

Turnovers by day and balances of closed months are kept by the database alone; from them ledger_never_overdrawn: no
account of money falls below zero, under any programme. A month closes with every voucher reviewed by another person,
with the bank's balance explained, in order, and a year's December only when income and expenses were carried over.
A lock per place puts postings and the closing of a month one after the other.
"""

from django.db import migrations

_NUMBERS = """
CREATE FUNCTION ledger_number_voucher() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $body$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('ledger:' || NEW.division, 0));
    NEW.word := CASE NEW.event WHEN 'carried_over' THEN '转' ELSE '记' END;
    NEW.month := date_trunc('month', NEW.occurred_on)::date;
    -- Volatile, so that rows of the same INSERT are seen; a row ON CONFLICT leaves out takes no number.
    NEW.number := 1 + coalesce((SELECT v.number FROM ledger_voucher v
        WHERE v.division = NEW.division AND v.word = NEW.word AND v.month = NEW.month
        ORDER BY v.number DESC LIMIT 1), 0);
    RETURN NEW;
END
$body$;
CREATE TRIGGER number_voucher BEFORE INSERT ON ledger_voucher FOR EACH ROW EXECUTE FUNCTION ledger_number_voucher();

CREATE FUNCTION ledger_no_empty_voucher() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $body$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM ledger_ledgerline l WHERE l.voucher_id = NEW.id) THEN
        RAISE EXCEPTION 'the voucher has no lines' USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_voucher_empty';
    END IF;
    RETURN NULL;
END
$body$;
CREATE CONSTRAINT TRIGGER no_empty_voucher AFTER INSERT ON ledger_voucher DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ledger_no_empty_voucher();
"""

_LINES = """
CREATE OR REPLACE FUNCTION ledger_guard_lines() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $body$
DECLARE
    posted bigint[];
    events text[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('ledger:' || p.division, 0))
        FROM (SELECT DISTINCT division FROM new_rows ORDER BY division) AS p;
    posted := (SELECT array_agg(DISTINCT voucher_id) FROM new_rows);
    events := (SELECT array_agg(DISTINCT event) FROM ledger_voucher WHERE id = ANY (posted));

    IF EXISTS (SELECT 1 FROM (SELECT DISTINCT division, occurred_on FROM new_rows) AS n
               JOIN ledger_monthclose c ON c.division = n.division
                AND c.month >= date_trunc('month', n.occurred_on)) THEN
        RAISE EXCEPTION 'the month is closed' USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_month_closed';
    END IF;

    IF EXISTS (SELECT 1
               FROM (SELECT DISTINCT voucher_id, division, occurred_on, debit_id, credit_id, amount_fen > 0 AS black
                     FROM new_rows) AS n
               LEFT JOIN ledger_voucher v
                 ON v.id = n.voucher_id AND v.division = n.division AND v.occurred_on = n.occurred_on
               LEFT JOIN ledger_ledgeraccount d ON d.id = n.debit_id AND d.division = n.division
               LEFT JOIN ledger_ledgeraccount c ON c.id = n.credit_id AND c.division = n.division
               WHERE CASE WHEN v.event = 'reversal' THEN d.id IS NOT NULL AND c.id IS NOT NULL
                     ELSE n.black AND (v.event, d.code, c.code) IN (
                   ('funds_received', '1002', '3001'), ('funds_issued', '5002', '1002'),
                   ('returned_up', '3001', '1002'), ('returned_up', '3101', '1002'), ('returned_up', '2001', '1002'),
                   ('returned_below', '1002', '5002'), ('returned_below', '1002', '3101'),
                   ('sent', '1003', '1002'), ('paid', '5001', '1003'),
                   ('returned', '1002', '1003'), ('returned', '1002', '1004'), ('return_reported', '1004', '1003'),
                   ('paid_back', '1002', '5001'), ('paid_back', '1002', '3101'),
                   ('sent_direct', '1003', '3001'), ('returned_direct', '3001', '1003'),
                   ('recovery_raised', '1021', '5001'), ('recovery_raised', '1021', '3101'),
                   ('recovered', '1002', '1021'), ('recovery_offset', '5001', '1021'), ('written_off', '5003', '1021'),
                   ('carried_over', '3001', '3101'), ('carried_over', '3101', '5001'), ('carried_over', '3101', '5002'),
                   ('carried_over', '3101', '5003'), ('carried_over', '3101', '3001'), ('carried_over', '5001', '3101'),
                   ('carried_over', '5002', '3101'), ('carried_over', '5003', '3101'),
                   ('reclassified', '3001', '1002'), ('reclassified', '1002', '3001'),
                   ('reclassified', '5001', '1002'), ('reclassified', '1002', '5001'),
                   ('reclassified', '3101', '1002'), ('reclassified', '1002', '3101'),
                   ('interest', '1002', '2001'),
                   ('opening', '1002', '3101'), ('opening', '1003', '3101'), ('opening', '1021', '3101'),
                   ('opening', '1002', '2001')) END IS NOT TRUE) THEN
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

    -- Money is issued to the level below by a county or above only; the level is the division's, not its zeros'.
    IF 'funds_issued' = ANY (events) AND EXISTS (
            SELECT 1 FROM ledger_voucher v WHERE v.id = ANY (posted) AND v.event = 'funds_issued'
               AND NOT EXISTS (SELECT 1 FROM divisions_division g WHERE g.code = v.division AND g.level <= 6)) THEN
        RAISE EXCEPTION 'only a county issues funds'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_event_accounts';
    END IF;
    IF 'reclassified' = ANY (events) AND EXISTS (
            SELECT 1 FROM (SELECT voucher_id, debit_id AS account, amount_fen FROM new_rows
                           UNION ALL SELECT voucher_id, credit_id, -amount_fen FROM new_rows) AS n
            JOIN ledger_voucher v ON v.id = n.voucher_id AND v.event = 'reclassified'
            GROUP BY v.id, n.account HAVING sum(n.amount_fen) <> 0) THEN
        RAISE EXCEPTION 'the accounts are not left as they were'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_between_programmes';
    END IF;
    IF 'reversal' = ANY (events) AND (EXISTS (
            SELECT 1 FROM ledger_voucher v LEFT JOIN ledger_voucher o ON o.id = v.reverses_id
            WHERE v.id = ANY (posted) AND v.event = 'reversal'
              AND (o.division = v.division AND o.event NOT IN ('reversal', 'carried_over')) IS NOT TRUE)
        OR EXISTS (
            SELECT 1 FROM (
                SELECT v.id, l.debit_id, l.credit_id, l.programme, l.reference, l.amount_fen
                FROM ledger_voucher v JOIN ledger_ledgerline l ON l.voucher_id = v.id
                WHERE v.id = ANY (posted) AND v.event = 'reversal'
                UNION ALL
                SELECT v.id, l.debit_id, l.credit_id, l.programme, l.reference, l.amount_fen
                FROM ledger_voucher v JOIN ledger_ledgerline l ON l.voucher_id = v.reverses_id
                WHERE v.id = ANY (posted) AND v.event = 'reversal') AS both_
            GROUP BY id, debit_id, credit_id, programme, reference HAVING sum(amount_fen) <> 0)) THEN
        RAISE EXCEPTION 'not the mirror of what it reverses'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_mirror';
    END IF;
    IF EXISTS (SELECT 1 FROM ledger_voucher v
               LEFT JOIN ledger_manualvoucher m ON m.id = v.manual_id AND m.division = v.division AND m.state = 'approved'
               WHERE v.id = ANY (posted) AND v.manual_id IS NOT NULL
                 AND (v.event = 'reversal' AND m.original_id = v.reverses_id
                   OR v.event <> 'reversal' AND v.amount_fen = m.amount_fen) IS NOT TRUE) THEN
        RAISE EXCEPTION 'posted by hand without approval'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_manual_approved';
    END IF;
    RETURN NULL;
END
$body$;
"""

_TURNOVERS = """
CREATE FUNCTION ledger_keep_turnover() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $body$
BEGIN
    INSERT INTO ledger_turnover AS t (division, account_id, programme, occurred_on, debit_fen, credit_fen)
    SELECT n.division, n.account, n.programme, n.occurred_on, sum(n.debit), sum(n.credit)
    FROM (SELECT division, debit_id AS account, programme, occurred_on, sum(amount_fen) AS debit, 0 AS credit
            FROM new_rows GROUP BY 1, 2, 3, 4
          UNION ALL
          SELECT division, credit_id, programme, occurred_on, 0, sum(amount_fen) FROM new_rows GROUP BY 1, 2, 3, 4) AS n
    GROUP BY 1, 2, 3, 4 ORDER BY 2, 3, 4
    ON CONFLICT (account_id, programme, occurred_on)
    DO UPDATE SET debit_fen = t.debit_fen + excluded.debit_fen, credit_fen = t.credit_fen + excluded.credit_fen;

    IF EXISTS (
        SELECT 1
        FROM (SELECT debit_id AS account, programme FROM new_rows UNION SELECT credit_id, programme FROM new_rows) AS n
        JOIN ledger_ledgeraccount a ON a.id = n.account AND a.kind = 'asset'
        WHERE ledger_balance_of(a.id, n.programme, 'infinity') < 0) THEN
        RAISE EXCEPTION 'the account would be overdrawn'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_never_overdrawn';
    END IF;
    RETURN NULL;
END
$body$;
REVOKE ALL ON FUNCTION ledger_keep_turnover() FROM PUBLIC;

-- Debits less credits of an account under a programme before a day: the last closed month's balance and what came since.
CREATE FUNCTION ledger_balance_of(account bigint, under text, before date) RETURNS bigint LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp AS $body$
DECLARE
    closed date := (SELECT c.month FROM ledger_monthclose c JOIN ledger_ledgeraccount a ON a.id = account
                    WHERE c.division = a.division AND c.month < date_trunc('month', before)
                    ORDER BY c.month DESC LIMIT 1);
BEGIN
    RETURN coalesce((SELECT b.balance_fen FROM ledger_monthbalance b
                     WHERE b.account_id = account AND b.programme = under AND b.month = closed), 0)
         + coalesce((SELECT sum(t.debit_fen - t.credit_fen) FROM ledger_turnover t
                     WHERE t.account_id = account AND t.programme = under AND t.occurred_on < before
                       AND t.occurred_on >= coalesce(closed + interval '1 month', '-infinity')), 0);
END
$body$;

CREATE TRIGGER keep_turnover AFTER INSERT ON ledger_ledgerline REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_keep_turnover();
"""

_PEOPLE = """
CREATE FUNCTION ledger_same_person(one bigint, other bigint) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $body$
    SELECT one = other OR EXISTS (SELECT 1 FROM organisation_appointment a
        JOIN organisation_appointment b ON b.account_id = a.account_id WHERE a.id = one AND b.id = other)
$body$;

CREATE FUNCTION ledger_guard_review() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $body$
BEGIN
    IF EXISTS (SELECT 1 FROM new_rows r LEFT JOIN ledger_voucher v ON v.id = r.voucher_id AND v.division = r.division
               WHERE v.id IS NULL OR ledger_same_person(r.reviewed_by, v.posted_by)) THEN
        RAISE EXCEPTION 'reviewed by who prepared it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_reviewed_by_another';
    END IF;
    RETURN NULL;
END
$body$;
CREATE TRIGGER guard_review AFTER INSERT ON ledger_voucherreview REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_review();

CREATE FUNCTION ledger_guard_manual() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $body$
BEGIN
    IF OLD.state <> 'proposed' OR ledger_same_person(NEW.decided_by, NEW.proposed_by) THEN
        RAISE EXCEPTION 'decided before, or by who proposed it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'manual_decided_by_another';
    END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER guard_manual BEFORE UPDATE ON ledger_manualvoucher FOR EACH ROW EXECUTE FUNCTION ledger_guard_manual();
"""

_CLOSES = """
CREATE OR REPLACE FUNCTION ledger_lock_close() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $body$
DECLARE
    closed date;
    since date;
    until date := (NEW.month + interval '1 month')::date;
    year date := date_trunc('year', NEW.month)::date;
    broken text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('ledger:' || NEW.division, 0));
    closed := (SELECT max(c.month) FROM ledger_monthclose c WHERE c.division = NEW.division);
    since := coalesce((closed + interval '1 month')::date, '-infinity'::date);
    broken := CASE
        WHEN NEW.month < closed THEN 'ledger_close_order'
        WHEN EXISTS (SELECT 1 FROM ledger_voucher v WHERE v.division = NEW.division AND v.occurred_on < until
                       AND v.occurred_on >= since
                       AND NOT EXISTS (SELECT 1 FROM ledger_voucherreview r WHERE r.voucher_id = v.id))
            THEN 'ledger_all_reviewed'
        WHEN since < year AND EXISTS (SELECT 1 FROM ledger_voucher v WHERE v.division = NEW.division
                       AND v.occurred_on < year AND v.occurred_on >= since) THEN 'ledger_year_first'
        WHEN extract(month FROM NEW.month) = 12 AND EXISTS (
                SELECT 1 FROM ledger_turnover t JOIN ledger_ledgeraccount a ON a.id = t.account_id
                WHERE a.division = NEW.division AND a.code IN ('3001', '5001', '5002', '5003')
                  AND t.occurred_on < until AND t.occurred_on >= year
                GROUP BY a.id, t.programme HAVING sum(t.debit_fen - t.credit_fen) <> 0) THEN 'ledger_year_carried'
        WHEN NEW.signature_id IS NULL AND EXISTS (
                SELECT 1 FROM ledger_ledgeraccount a WHERE a.division = NEW.division) THEN 'ledger_close_signed'
        WHEN NEW.book_fen <> coalesce((
                SELECT sum(ledger_balance_of(a.id, p.programme, until)) FROM ledger_ledgeraccount a
                JOIN (SELECT DISTINCT t.account_id, t.programme FROM ledger_turnover t WHERE t.division = NEW.division) AS p
                  ON p.account_id = a.id
                WHERE a.division = NEW.division AND a.code = '1002'), 0) THEN 'ledger_close_books'
        END;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'the month cannot be closed: %', broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION ledger_keep_balances() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $body$
DECLARE
    closed date := (SELECT max(c.month) FROM ledger_monthclose c WHERE c.division = NEW.division AND c.month < NEW.month);
BEGIN
    INSERT INTO ledger_monthbalance (division, account_id, programme, month, balance_fen)
    SELECT NEW.division, account_id, programme, NEW.month, sum(balance)
    FROM (SELECT b.account_id, b.programme, b.balance_fen AS balance FROM ledger_monthbalance b
           WHERE b.division = NEW.division AND b.month = closed
          UNION ALL
          SELECT t.account_id, t.programme, t.debit_fen - t.credit_fen FROM ledger_turnover t
           WHERE t.division = NEW.division AND t.occurred_on < NEW.month + interval '1 month'
             AND t.occurred_on >= coalesce(closed + interval '1 month', '-infinity')) AS n
    GROUP BY account_id, programme HAVING sum(balance) <> 0;
    RETURN NULL;
END
$body$;
REVOKE ALL ON FUNCTION ledger_keep_balances() FROM PUBLIC;
CREATE TRIGGER keep_balances AFTER INSERT ON ledger_monthclose FOR EACH ROW EXECUTE FUNCTION ledger_keep_balances();
"""

# What an older instance holds already.
_KEPT = """
SELECT set_config('app.audience', 'system', true), set_config('app.scope_from', '0', true),
       set_config('app.scope_to', '~', true);
INSERT INTO ledger_turnover (division, account_id, programme, occurred_on, debit_fen, credit_fen)
SELECT division, account, programme, occurred_on, sum(debit), sum(credit)
FROM (SELECT division, debit_id AS account, programme, occurred_on, amount_fen AS debit, 0 AS credit FROM ledger_ledgerline
      UNION ALL SELECT division, credit_id, programme, occurred_on, 0, amount_fen FROM ledger_ledgerline) AS n
GROUP BY 1, 2, 3, 4;
INSERT INTO ledger_monthbalance (division, account_id, programme, month, balance_fen)
SELECT c.division, t.account_id, t.programme, c.month, sum(t.debit_fen - t.credit_fen)
FROM ledger_monthclose c JOIN ledger_turnover t
  ON t.division = c.division AND t.occurred_on < c.month + interval '1 month'
GROUP BY 1, 2, 3, 4 HAVING sum(t.debit_fen - t.credit_fen) <> 0;
"""

_UNMAKE = """
DROP TRIGGER keep_balances ON ledger_monthclose;
DROP TRIGGER guard_manual ON ledger_manualvoucher;
DROP TRIGGER guard_review ON ledger_voucherreview;
DROP TRIGGER keep_turnover ON ledger_ledgerline;
DROP TRIGGER no_empty_voucher ON ledger_voucher;
DROP TRIGGER number_voucher ON ledger_voucher;
DROP FUNCTION ledger_keep_balances();
DROP FUNCTION ledger_guard_manual();
DROP FUNCTION ledger_guard_review();
DROP FUNCTION ledger_same_person(bigint, bigint);
DROP FUNCTION ledger_keep_turnover();
DROP FUNCTION ledger_balance_of(bigint, text, date);
DROP FUNCTION ledger_no_empty_voucher();
DROP FUNCTION ledger_number_voucher();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0003_books"),
        ("divisions", "0001_initial"),
        ("organisation", "0001_initial"),
    ]
    operations = [
        migrations.RunSQL(_KEPT, migrations.RunSQL.noop),
        migrations.RunSQL(_NUMBERS + _LINES + _TURNOVERS + _PEOPLE + _CLOSES, _UNMAKE),
    ]
