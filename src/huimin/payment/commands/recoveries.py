"""What was paid too much, found in sets, decided by another person, and what becomes of it (PAY-06, PAY-10, LED-01).

    propose_recoveries   every step of a programme for which more was paid than is owed        proposed
    decide_recoveries    another person of the department; 应收追回款 in the books             decided, or refused
    record_told          the household has the letter: from now on something may be withheld
    enter_receipt, settle_receipt        paid back at the bank, entered by one, confirmed by another
    propose_write_off, settle_write_off  given up, by a document, confirmed by finance
    (withheld from later dues: payment.commands.withholding)

Always true: the same step is not found twice; nobody decides what he proposed, nor for a relative; every amount is posted in the
transaction that makes it true; what is withheld, paid back and written off never exceeds what was decided. Law: S0 附件2 第28条.
"""

from collections.abc import Sequence
from datetime import date

from huimin.database.bulk import fetch, fetch_one, run, temporary
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.money import yuan
from huimin.kernel.periods import MONTHS, add_months, month_start
from huimin.kinship.recusal import require_not_related
from huimin.ledger.commands import EventRow, post_event, post_events
from huimin.ledger.models import Voucher
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    command,
    refused_by_constraint,
    require_another,
    require_place,
    require_programme,
)
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.payment.commands.dues import calendar_steps
from huimin.payment.models import Recovery, RecoveryReceipt, RecoveryWriteOff
from huimin.payment.standing import find_legal_stops, find_standing
from huimin.policy.models import Programme

MANY_MAX = 500
State = Recovery.State

refused_by_constraint("recovery_part_once", AlreadyDone, "这些多发已经提出追缴", "请刷新后查看")
refused_by_constraint("recovery_by_two_people", AlreadyDone, "提出的人不能审定", "请由另一人办理")
refused_by_constraint("receipt_once", AlreadyDone, "这笔银行流水已经登记过", "请核对流水号")
refused_by_constraint("receipt_two_people", AlreadyDone, "登记的人不能复核", "请由另一人办理")
refused_by_constraint("write_off_waits", AlreadyDone, "这一笔已提出核销，在等复核", "请先复核那一条")
refused_by_constraint("write_off_two_people", AlreadyDone, "提出的人不能复核", "请由另一人办理")


class MoreThanOwed(Refusal):
    """More than what is left of the recovery."""


refused_by_constraint("recovery_never_more", MoreThanOwed, "超过还没有追回的金额", "请核对还差多少")

# Steps of one beneficiary and one place's books go together.
_OVERPAID = """
SELECT w.household_id, nullif(w.person, 0) AS person_id, w.period_from, w.period_until, w.entitlement_id, w.paid_fen, w.owed_fen,
       w.paid_fen - w.owed_fen - w.seen_fen AS fen, h.division, w.township || '000' AS books,
       CASE WHEN EXISTS (SELECT 1 FROM legal_stop k JOIN casework_entitlement x ON x.id = k.entitlement_id
                         WHERE x.household_id = w.household_id AND coalesce(x.person_id, 0) = w.person
                           AND k.stops_on < w.period_until) THEN 'death'
            WHEN EXISTS (SELECT 1 FROM casework_decision c
                         WHERE c.household_id = w.household_id AND coalesce(c.person_id, 0) = w.person
                           AND c.programme = %(programme)s AND c.outcome = 'granted' AND c.effective_from <= c.decided_on)
            THEN 'changed' ELSE 'other' END AS ground,
       (SELECT extract(year FROM max(i.booked_on))::int
        FROM casework_entitlement x JOIN payment_due d ON d.entitlement_id = x.id AND d.state = 'paid'
        JOIN payment_linedue y ON y.due_id = d.id AND y.live JOIN payment_instruction i ON i.line_id = y.line_id AND i.state = 'paid'
        WHERE x.household_id = w.household_id AND coalesce(x.person_id, 0) = w.person AND x.programme = %(programme)s
          AND d.period_from >= w.period_from AND d.period_from < w.period_until) AS paid_year
FROM standing_now w JOIN registry_household h ON h.id = w.household_id
WHERE w.paid_fen - w.owed_fen - w.seen_fen > 0
"""
_ADD = """
INSERT INTO payment_recovery (division, books, programme, household_id, person_id, entitlement_id, ground, amount_fen, state,
    proposed_by, proposed_on, decision, told_how)
SELECT min(division), books, %(programme)s, household_id, person_id, (array_agg(entitlement_id ORDER BY period_from DESC))[1],
       (array_agg(ground ORDER BY period_from DESC))[1], sum(fen), 'proposed', %(by)s, %(on)s, '', ''
FROM overpaid GROUP BY household_id, person_id, books
"""
_ADD_PARTS = """
INSERT INTO payment_recoverypart (recovery_id, division, programme, household_id, person_id, period_from, period_until, number,
    paid_fen, owed_fen, amount_fen, paid_year)
SELECT r.id, r.division, r.programme, o.household_id, o.person_id, o.period_from, o.period_until,
       1 + (SELECT count(*) FROM payment_recoverypart q WHERE q.programme = r.programme AND q.household_id = o.household_id
              AND q.person_id IS NOT DISTINCT FROM o.person_id AND q.period_from = o.period_from),
       o.paid_fen, o.owed_fen, o.fen, coalesce(o.paid_year, extract(year FROM %(on)s::date))
FROM overpaid o JOIN payment_recovery r ON r.household_id = o.household_id AND r.person_id IS NOT DISTINCT FROM o.person_id
 AND r.books = o.books AND r.programme = %(programme)s AND r.proposed_by = %(by)s AND r.id > %(before)s
"""


def find_overpaid(by: Actor, on: date, law: Programme) -> int:
    """Table `overpaid` of the transaction; how many steps. A programme that is paid once is not looked at."""
    steps = calendar_steps(by, law, add_months(month_start(on), 12)) if law.period != "once" else []
    find_legal_stops([law.code], on)
    if not steps:
        return 0
    run("SET LOCAL enable_nestloop = off")
    find_standing("standing_now", law.code, steps, MONTHS[law.period])
    run("SET LOCAL enable_nestloop = on")
    temporary("overpaid", _OVERPAID, {"programme": law.code})
    [count] = fetch_one("SELECT count(*)::int FROM overpaid")
    return int(count)


@command(Post.DEPARTMENT_OFFICER)
def propose_recoveries(*, by: Actor, on: date, programme: str) -> int:
    """Everybody who was paid too much under `programme` and was not found yet; how many. Again finds nobody."""
    law = Programme.objects.get(code=programme)
    require_programme(by, programme, law.name)
    if not find_overpaid(by, on, law):
        return 0
    [before] = fetch_one("SELECT coalesce(max(id), 0) FROM payment_recovery")
    values = {"programme": programme, "by": by.appointment, "on": on, "before": before}
    made = run(_ADD, values)
    run(_ADD_PARTS, values)
    return made


_YEARS = """
SELECT r.id, r.books, r.programme, h.household_no, q.paid_year, sum(q.amount_fen)::bigint
FROM payment_recovery r JOIN payment_recoverypart q ON q.recovery_id = r.id JOIN registry_household h ON h.id = r.household_id
WHERE r.id = ANY (%s) GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 5
"""


@command(Post.DEPARTMENT_APPROVER)
def decide_recoveries(
    *, by: Actor, on: date, numbers: Sequence[int], agreed: bool, reason: str, instalment_fen: int | None = None
) -> int:
    """Decide proposed ones; how many. `instalment_fen` is the most that one payment is cut by, under the county's limit anyway."""
    rows = _locked(by, numbers, State.PROPOSED)
    if len(reason.strip()) < 4:
        raise BadInput("没有写审定意见", where="意见", remedy="请写明查实的情况，至少四个字")
    if instalment_fen is not None and instalment_fen < 100:
        raise BadInput("每期抵扣的金额太小", where="每期最多抵扣", remedy="请填 1 元以上，或不填")
    require_not_related(by, on, [row.household_id for row in rows])
    for row in rows:
        require_another(by, row.proposed_by, "提出追缴")
    content = digest(
        [
            agreed,
            reason,
            instalment_fen,
            [[row.pk, row.programme, row.household_id, row.person_id, row.amount_fen] for row in rows],
        ]
    )
    subject = f"recovery:{rows[0].pk}" if len(rows) == 1 else f"recoveries:{rows[0].pk}-{rows[-1].pk}"
    act = "审定追缴" if agreed else "审定不追缴"
    signature = sign(by=by, on=on, act=act, subject=subject, content_digest=content, division=by.division)
    Recovery.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=State.DECIDED if agreed else State.REFUSED, decided_by=by.appointment, decided_on=on, decision=reason.strip()[:300],
        signature=signature, instalment_fen=instalment_fen,
    )  # fmt: skip
    if agreed:
        post_events(by=by, on=on, rows=[_raised(on, *row) for row in fetch(_YEARS, [[row.pk for row in rows]])])
    return len(rows)


def _raised(on: date, number: int, books: str, programme: str, household_no: str, year: int, fen: int) -> EventRow:
    """Taken off this year's expenses, or off what was carried over from the years before."""
    accounts = ("1021", "5001") if year == on.year else ("1021", "3101")
    return EventRow(
        books, Voucher.Event.RECOVERY_RAISED, f"recovery:{number}:{year}", f"第 {number} 号追缴 {household_no}", fen, programme,
        f"ZJ{number}", accounts,
    )  # fmt: skip


def _locked(by: Actor, numbers: Sequence[int], *states: str) -> list[Recovery]:
    """By rising number, of the office's own programmes; AlreadyDone when one of them is elsewhere by now."""
    ids = sorted(set(numbers))
    if not 0 < len(ids) <= MANY_MAX:
        raise BadInput(f"选了 {len(ids)} 条", where="追缴", remedy=f"请一次选 1 至 {MANY_MAX} 条")
    rows = list(Recovery.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    if len(rows) != len(ids) or any(row.state not in states for row in rows):
        raise AlreadyDone("所选的追缴已不在这一步", why="可能已有人办理，或不在您的辖区内", remedy="请刷新后再选")
    for row in rows:
        require_place(by, row.division)
        if by.post in (Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER):
            require_programme(by, row.programme)
    return rows


@command(Post.CLERK, Post.DEPARTMENT_OFFICER)
def record_told(*, by: Actor, on: date, number: int, told_on: date, how: str) -> Recovery:
    """The household was given the letter on a day, and how; before it nothing is withheld."""
    [row] = _locked(by, [number], State.DECIDED)
    if row.told_on is not None:
        raise AlreadyDone(f"已于 {row.told_on} 告知", remedy="请刷新后查看")
    if row.decided_on is None or not row.decided_on <= told_on <= on:
        raise BadInput("告知日期应在审定之后，不晚于今天", where="告知日期", remedy="请核对日期")
    if len(how.strip()) < 2:
        raise BadInput("没有写怎么告知的", where="告知方式", remedy="如：当面送达，本人签收")
    row.told_on, row.told_how, row.told_by = told_on, how.strip()[:100], by.appointment
    row.save(update_fields=["told_on", "told_how", "told_by"])
    return row


# Money paid back.


@command(Post.SETTLEMENT, Post.FINANCE_OFFICER)
def enter_receipt(
    *, by: Actor, on: date, number: int, amount_fen: int, paid_on: date, bank_serial: str
) -> RecoveryReceipt:
    """What was paid into the special account at the bank, by the bank's slip; booked when another person confirmed it."""
    [row] = _locked(by, [number], State.DECIDED)
    _require_left(row, amount_fen)
    if row.decided_on is None or not row.proposed_on <= paid_on <= on:
        raise BadInput("交款日期应在提出追缴之后，不晚于今天", where="交款日期", remedy="请核对银行回单")
    if not bank_serial.strip():
        raise BadInput("没有银行流水号", where="银行流水号", remedy="请按银行回单填写")
    return RecoveryReceipt.objects.create(
        division=row.books, recovery=row, amount_fen=amount_fen, paid_on=paid_on, bank_serial=bank_serial.strip()[:40],
        proposed_by=by.appointment, proposed_on=on,
    )  # fmt: skip


def _require_left(row: Recovery, amount_fen: int) -> None:
    if amount_fen <= 0:
        raise BadInput("金额应大于 0", where="金额", remedy="请核对金额")
    if amount_fen > row.outstanding_fen:
        raise MoreThanOwed(
            f"还没有追回的是 {yuan(row.outstanding_fen)} 元", why=f"填的是 {yuan(amount_fen)} 元，已编入清册抵扣的也算在内",
            remedy="请核对金额；多交的请银行原路退回",
        )  # fmt: skip


@command(Post.FINANCE_RELEASER, Post.ACCOUNTANT)
def settle_receipt(*, by: Actor, on: date, number: int, agreed: bool, refusal: str = "") -> RecoveryReceipt:
    """Another person holds the entry against the bank's slip; confirmed, it is in the books (收回追回款)."""
    found = RecoveryReceipt.objects.select_for_update().filter(pk=number).first()
    row, found = _settled(by, on, found, agreed, refusal)
    assert isinstance(found, RecoveryReceipt)
    if agreed:
        Recovery.objects.filter(pk=row.pk).update(repaid_fen=row.repaid_fen + found.amount_fen)
        _post(
            by,
            on,
            row,
            Voucher.Event.RECOVERED,
            f"receipt:{found.pk}",
            f"第 {row.pk} 号追缴，对象退回 {found.bank_serial}",
            found.amount_fen,
        )
        settle_recoveries([row.pk])
    return found


# What is given up.


@command(Post.DEPARTMENT_APPROVER)
def propose_write_off(
    *, by: Actor, on: date, number: int, amount_fen: int, reason: str, document_no: str
) -> RecoveryWriteOff:
    """What cannot be had back, with the reason and the document of the authority that allows it."""
    [row] = _locked(by, [number], State.DECIDED)
    _require_left(row, amount_fen)
    if len(reason.strip()) < 4 or len(document_no.strip()) < 4:
        raise BadInput(
            "没有写明核销的理由或批准文件", where="理由和文号", remedy="请写明理由，和批准核销的文件名、文号"
        )
    require_not_related(by, on, [row.household_id])
    return RecoveryWriteOff.objects.create(
        division=row.books, recovery=row, amount_fen=amount_fen, reason=reason.strip()[:300], document_no=document_no.strip()[:80],
        proposed_by=by.appointment, proposed_on=on,
    )  # fmt: skip


@command(Post.FINANCE_RELEASER)
def settle_write_off(*, by: Actor, on: date, number: int, agreed: bool, refusal: str = "") -> RecoveryWriteOff:
    """County finance holds it against the document; confirmed, it is in the books (核销追回款)."""
    found = RecoveryWriteOff.objects.select_for_update().filter(pk=number).first()
    row, found = _settled(by, on, found, agreed, refusal)
    assert isinstance(found, RecoveryWriteOff)
    if agreed:
        Recovery.objects.filter(pk=row.pk).update(written_off_fen=row.written_off_fen + found.amount_fen)
        content = digest([found.pk, row.pk, found.amount_fen, found.document_no, found.reason])
        sign(by=by, on=on, act="核销追回款", subject=f"recovery:{row.pk}", content_digest=content, division=by.division)
        _post(
            by,
            on,
            row,
            Voucher.Event.WRITTEN_OFF,
            f"writeoff:{found.pk}",
            f"第 {row.pk} 号追缴，按 {found.document_no} 核销"[:120],
            found.amount_fen,
        )
        settle_recoveries([row.pk])
    return found


def _settled(
    by: Actor, on: date, found: RecoveryReceipt | RecoveryWriteOff | None, agreed: bool, refusal: str
) -> tuple[Recovery, RecoveryReceipt | RecoveryWriteOff]:
    """The second person's word on a row that waits; the recovery, locked."""
    if found is None:
        raise BadInput("没有这一笔", where="编号", remedy="请从列表进入")
    require_place(by, found.division)
    if found.state != "proposed":
        raise AlreadyDone(f"这一笔已是“{found.get_state_display()}”", remedy="请刷新后查看")
    require_another(by, found.proposed_by, "登记这一笔")
    if not agreed and len(refusal.strip()) < 4:
        raise BadInput("没有写不通过的原因", where="原因", remedy="请写明，至少四个字")
    row = Recovery.objects.select_for_update().get(pk=found.recovery_id)
    require_not_related(by, on, [row.household_id])
    if agreed:
        _require_left(row, found.amount_fen)
    found.state = "confirmed" if agreed else "refused"
    found.settled_by, found.settled_on, found.refusal = by.appointment, on, refusal.strip()[:200]
    found.save(update_fields=["state", "settled_by", "settled_on", "refusal"])
    return row, found


def _post(by: Actor, on: date, row: Recovery, event: Voucher.Event, subject: str, summary: str, fen: int) -> None:
    post_event(
        by=by, on=on, division=row.books, event=event, subject=subject, summary=summary, amount_fen=fen, programme=row.programme,
        reference=f"ZJ{row.pk}",
    )  # fmt: skip


_SETTLE = """
UPDATE payment_recovery r SET state = CASE WHEN w.fen = r.amount_fen THEN 'settled' ELSE 'decided' END
FROM (SELECT q.id, q.repaid_fen + q.written_off_fen + coalesce((SELECT sum(d.amount_fen) FROM payment_due d
             WHERE d.recovery_id = q.id AND d.kind = 'recovery' AND d.state = 'paid'), 0) AS fen
      FROM payment_recovery q WHERE q.id = ANY (%s)) w
WHERE w.id = r.id AND r.state IN ('decided', 'settled') AND r.state <> CASE WHEN w.fen = r.amount_fen THEN 'settled' ELSE 'decided' END
"""


def settle_recoveries(numbers: Sequence[int]) -> int:
    """Settled when everything came back, was withheld from what was paid, or was given up; open again when not."""
    return run(_SETTLE, [list(numbers)]) if numbers else 0
