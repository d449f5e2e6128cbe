"""The gate before money looks up each line's row on the notice by its key: as many lines as there are, each once (SEC-07, PAY-03)."""

from django.db import migrations

GATE = """
CREATE OR REPLACE FUNCTION payment_gate() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
-- Every line is looked up by key, whatever the planner believes of tables that were filled a minute ago.
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $body$
DECLARE
    refused record;
BEGIN
    SELECT i.line_id,
           CASE
             WHEN d.outcome IS DISTINCT FROM 'granted' THEN 'no approved decision'
             WHEN r.id IS NULL OR b.roster_id IS DISTINCT FROM r.id THEN 'not a line of this batch'
             WHEN b.released_by IS NULL OR b.state <> 'released' THEN 'batch not released'
             WHEN r.signed_by IS NULL OR r.department_by IS NULL OR r.finance_by IS NULL THEN 'roster not confirmed'
             WHEN l.state <> 'listed' THEN 'line not payable'
             WHEN i.amount_fen <> l.amount_fen OR i.account_hash <> c.account_hash THEN 'not what was frozen'
             WHEN w.id IS NULL THEN 'no ended notice'
             ELSE 'objection open or upheld'
           END AS obstacle
      INTO refused
      FROM new_rows i
      LEFT JOIN payment_batch b ON b.id = i.batch_id
      LEFT JOIN payment_rosterline l ON l.id = i.line_id
      LEFT JOIN payment_roster r ON r.id = l.roster_id
      LEFT JOIN registry_card c ON c.id = l.card_id
      LEFT JOIN casework_entitlement e ON e.id = l.entitlement_id
      LEFT JOIN casework_decision d ON d.id = e.decision_id
      LEFT JOIN LATERAL (
           -- CASE and not coalesce: row-level security takes coalesce for leaky and would not use the index.
           -- Its row first: from the notices of the roster, each line would read whole villages.
           SELECT w.id FROM (SELECT r.id, r.notice_id FROM notices_noticerow r
                              WHERE r.subject_line = CASE WHEN l.noticed_id IS NULL THEN l.id ELSE l.noticed_id END OFFSET 0) w
             JOIN notices_notice n ON n.id = w.notice_id
            WHERE n.subject = 'roster:' || coalesce(r.origin_id, r.id)
              AND n.state = 'ended' AND n.ended_on >= n.ends_on
            LIMIT 1) w ON true
     WHERE d.outcome IS DISTINCT FROM 'granted'
        OR r.id IS NULL OR b.roster_id IS DISTINCT FROM r.id
        OR b.released_by IS NULL OR b.state <> 'released'
        OR r.signed_by IS NULL OR r.department_by IS NULL OR r.finance_by IS NULL
        OR l.state <> 'listed'
        OR i.amount_fen <> l.amount_fen OR i.account_hash <> c.account_hash
        OR w.id IS NULL
        OR EXISTS (SELECT 1 FROM notices_objection o WHERE o.row_id = w.id AND o.state IN ('open', 'upheld'))
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'payment line % refused: %', refused.line_id, refused.obstacle
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_gate';
    END IF;
    RETURN NULL;
END
$body$;
"""


class Migration(migrations.Migration):
    dependencies = [("payment", "0011_tallies")]
    operations = [migrations.RunSQL(GATE, migrations.RunSQL.noop)]
