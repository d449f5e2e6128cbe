"""Where the three sides differ: one row a beneficiary and kind, with what each side says and why, in words (VER-04).

in    the tables `compared_line` and `compared` (comparison.sides); open exceptions of the bank's answers and statements
out   the table `differing`, and rows of ComparisonDifference, with the explanations an earlier comparison gave to the same difference

A beneficiary may differ twice: his roster line from his approval, and the bank from the line. One statement each.
"""

from datetime import date

from huimin.comparison.models import CODES, ComparisonDifference
from huimin.database.bulk import run, temporary
from huimin.kernel.periods import add_months

Kind = ComparisonDifference.Kind
assert len(CODES) == len(Kind)
BANK_KINDS = ("unmatched", "duplicate", "amount", "reversed", "conflict")
"""Exceptions that say the bank's detail is not ours: nobody sent it, or not so."""

# One row a beneficiary and kind, with the roster line it is seen on.
_KINDS = """
SELECT c.*, k.kind, k.line FROM compared c CROSS JOIN LATERAL (
    SELECT CASE WHEN approved_fen > 0 AND listed_fen + waiting_fen = 0 AND withheld_fen = 0 THEN 'missing'
                WHEN approved_fen > 0 AND listed_fen + waiting_fen = 0 THEN 'withheld'
                WHEN approved_fen <= 0 AND listed_fen + waiting_fen > 0 THEN 'unapproved'
                WHEN listed_fen + waiting_fen > 0 AND approved_fen <> listed_fen + waiting_fen THEN 'amount' END, line_id
    UNION ALL SELECT 'unconfirmed', line_id WHERE waiting_fen > 0
    UNION ALL SELECT 'unsent', unsent_line WHERE unsent_line IS NOT NULL
    UNION ALL SELECT 'flight', flight_line WHERE flight_line IS NOT NULL
    UNION ALL SELECT 'returned', returned_line WHERE returned_line IS NOT NULL
    UNION ALL SELECT 'unlisted', unlisted_line WHERE unlisted_line IS NOT NULL
    UNION ALL SELECT 'paid_other', other_line WHERE other_line IS NOT NULL
) AS k(kind, line) WHERE k.kind IS NOT NULL
"""
# Lines whose account is neither the beneficiary's nor that of somebody who may draw for him, or that were sent to another account.
_PAYEES = """
SELECT l.programme, l.household_id, l.person, l.id AS line, l.name, l.division, (
    CASE WHEN c.holder_id <> l.payee_id THEN '账户的户主不是清册上的收款人'
         WHEN l.accounts IS NOT NULL AND c.account_hash <> ALL(l.accounts) THEN '送银行的账号与清册不同'
         WHEN l.authority_id IS NOT NULL THEN CASE WHEN a.agent_id <> l.payee_id
              OR l.person <> 0 AND a.beneficiary_id <> l.person THEN '收款人不是代领授权里的人' END
         WHEN l.person <> 0 AND l.payee_id <> l.person THEN '收款人不是本人，也没有代领授权'
         WHEN l.person = 0 AND NOT EXISTS (
              SELECT FROM registry_membership m WHERE m.household_id = l.household_id AND m.person_id = l.payee_id
                 AND m.recorded_to IS NULL) THEN '收款人不是这一户的人' END) AS words
FROM compared_line l JOIN registry_card c ON c.id = l.card_id LEFT JOIN registry_cardauthority a ON a.id = l.authority_id
WHERE l.live
"""
_FOUND = f"""
WITH kinds AS ({_KINDS}), payees AS (SELECT DISTINCT ON (programme, household_id, person) * FROM ({_PAYEES}) p WHERE words IS NOT NULL
                                     ORDER BY programme, household_id, person, line DESC)
SELECT k.kind, k.programme, k.household_id, k.person, k.line, NULL::bigint AS exception, k.name, k.entitlement_id, k.division,
       k.approved_fen, k.listed_fen + k.waiting_fen AS listed_fen, k.paid_fen, k.withheld_fen, k.withheld_reason, '' AS words
FROM kinds k
UNION ALL
SELECT 'payee', p.programme, p.household_id, p.person, p.line, NULL, p.name, c.entitlement_id, p.division, c.approved_fen,
       c.listed_fen + c.waiting_fen, c.paid_fen, c.withheld_fen, '', p.words
FROM payees p JOIN compared c USING (programme, household_id, person)
UNION ALL
SELECT 'bank', coalesce(r.programme, b.programme, ''), l.household_id, coalesce(l.person_id, 0), l.id, x.id, l.name, l.entitlement_id, x.division,
       NULL, NULL, x.amount_fen, 0, '', x.reason
FROM payment_paymentexception x LEFT JOIN payment_roster r ON r.id = x.roster_id LEFT JOIN payment_batch b ON b.id = x.batch_id
LEFT JOIN payment_rosterline l ON l.id = x.line_id
WHERE x.division >= %(low)s AND x.division < %(high)s AND x.state = 'open' AND x.kind = ANY(%(bank)s)
  AND CASE WHEN r.id IS NULL THEN x.opened_on >= %(month)s AND x.opened_on < %(until)s ELSE r.period_until = %(until)s END
"""  # noqa: S608
# Why, in words: what the place knows of it. Only of what differs, which is little.
_DETAIL = """
CASE f.kind
WHEN 'missing' THEN coalesce(
    (SELECT x.reason FROM payment_paymentexception x WHERE x.entitlement_id = f.entitlement_id AND x.kind = 'no_card' AND x.state = 'open' LIMIT 1),
    (SELECT CASE WHEN bool_or(d.state = 'owed') THEN '应发已生成，没有编入清册' WHEN bool_or(d.state = 'withdrawn') THEN '应发已撤销'
                 WHEN bool_or(d.state = 'paid') THEN '应发已在别的清册发放' ELSE '应发已停' END
     FROM payment_due d WHERE d.entitlement_id = f.entitlement_id AND d.kind <> 'recovery' AND d.period_until <= %(until)s
       AND d.period_until > %(month)s HAVING count(*) > 0),
    '没有生成应发')
WHEN 'unapproved' THEN coalesce(
    (SELECT CASE WHEN e.valid_to IS NOT NULL THEN '待遇止于 ' || e.valid_to ELSE '待遇不包括这一期' END
     FROM casework_entitlement e WHERE e.id = f.entitlement_id), '户已迁出本乡镇，待遇不在这里')
WHEN 'withheld' THEN f.withheld_reason
WHEN 'amount' THEN CASE WHEN f.withheld_fen > 0 THEN '另有缓发：' || f.withheld_reason ELSE '' END
WHEN 'returned' THEN coalesce(
    (SELECT nullif(concat_ws(' ', nullif(x.code, ''), x.reason), '') FROM payment_paymentexception x WHERE x.line_id = f.line AND x.kind = 'returned'
     ORDER BY x.id DESC LIMIT 1), l.withheld_reason)
WHEN 'flight' THEN CASE l.state WHEN 'unknown' THEN '银行处理中' ELSE '已送银行，没有回盘' END
WHEN 'unsent' THEN CASE l.state WHEN 'paid' THEN '清册写已发放，银行没有入账' ELSE '清册没有编批次，或批次没有放行' END
WHEN 'unconfirmed' THEN '财政还没有核定'
ELSE f.words END
"""
_DIFFERING = f"""
SELECT f.kind, f.programme, f.household_id, nullif(f.person, 0) AS person_id, f.line AS line_id, f.exception AS exception_id,
       f.approved_fen, f.listed_fen, f.paid_fen, left(coalesce({_DETAIL}, ''), 200) AS detail,
       coalesce(f.division, e.division, h.division) AS division, coalesce(h.household_no, '') AS household_no,
       coalesce(f.name, q.name, w.name, '') AS name, coalesce(own.name, '') AS holder
FROM found f
LEFT JOIN payment_rosterline l ON l.id = f.line
LEFT JOIN registry_card c ON c.id = l.card_id LEFT JOIN registry_person own ON own.id = c.holder_id
LEFT JOIN casework_entitlement e ON e.id = f.entitlement_id
LEFT JOIN registry_household h ON h.id = f.household_id
LEFT JOIN registry_person q ON q.id = nullif(f.person, 0)
LEFT JOIN LATERAL (SELECT p.name FROM registry_membership m JOIN registry_person p ON p.id = m.person_id
                   WHERE m.household_id = f.household_id AND m.relation = '户主' AND m.recorded_to IS NULL
                   ORDER BY m.valid_from DESC LIMIT 1) w ON f.name IS NULL AND q.id IS NULL
"""  # noqa: S608
_SAME = """
o.kind = n.kind AND o.programme = n.programme AND o.household_id IS NOT DISTINCT FROM n.household_id
AND o.person_id IS NOT DISTINCT FROM n.person_id AND o.exception_id IS NOT DISTINCT FROM n.exception_id AND o.detail = n.detail
AND (o.approved_fen, o.listed_fen, o.paid_fen) IS NOT DISTINCT FROM (n.approved_fen, n.listed_fen, n.paid_fen)
"""
_ADD = f"""
INSERT INTO comparison_comparisondifference (comparison_id, division, kind, programme, household_id, household_no, person_id, name,
    holder, line_id, exception_id, approved_fen, listed_fen, paid_fen, detail, explanation, explained_by, explained_on)
SELECT %(comparison)s, n.division, n.kind, n.programme, n.household_id, n.household_no, n.person_id, n.name, n.holder, n.line_id,
       n.exception_id, n.approved_fen, n.listed_fen, n.paid_fen, n.detail, coalesce(o.explanation, ''), o.explained_by, o.explained_on
FROM differing n
LEFT JOIN comparison_comparisondifference o ON o.comparison_id = %(earlier)s AND o.explanation <> '' AND {_SAME}
ORDER BY n.division, n.household_no, n.programme, n.kind
"""  # noqa: S608


def find_differences(low: str, high: str, month: date) -> None:
    """The table `differing`, as rows of ComparisonDifference; after `find_sides`."""
    where = {"low": low, "high": high, "month": month, "until": add_months(month, 1), "bank": list(BANK_KINDS)}
    temporary("found", _FOUND, where)
    temporary("differing", _DIFFERING, where)


def add_differences(comparison: int, earlier: int) -> int:
    """The rows of `differing` for a comparison; those an `earlier` one has explained keep the words. How many."""
    return run(_ADD, {"comparison": comparison, "earlier": earlier})
