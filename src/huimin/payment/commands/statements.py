"""A bank's statement of a special account: what left it and what came back, entry by entry (PAY-05, FUND-04).

in    a camt.053 with its signature
out   the statement stored; lines that waited settled by it; every entry that is none of ours an exception of its account

A statement confirms what a status report said, or says it first: the same line is settled once, whichever comes first.
A debit and its return within one statement come to a returned line. Money that moved by a transfer order of ours is known
by its number, what was given back (缴回) or paid back of a recovery by the bank's receipt; none is an exception. Any other credit is one. Locks: rosters, then batches, by rising id.
"""

from datetime import date
from typing import BinaryIO

from huimin.database.bulk import fetch, fetch_one, run
from huimin.database.personal import ACCOUNT, keyring
from huimin.funds.models import SpecialAccount
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import Actor, AlreadyDone, refused_by_constraint
from huimin.payment.commands.matching import copy_answer, match_statement, settle
from huimin.payment.commands.settling import advance, confirm_sent, exception_days, post_settled
from huimin.payment.exchange.formats import setting_of
from huimin.payment.exchange.incoming import Named, opened, require_past, require_signed
from huimin.payment.exchange.iso_answers import Statement
from huimin.payment.models import BankStatement, Batch, Roster
from huimin.payment.publicity import check_publicity

refused_by_constraint("statement_once", AlreadyDone, "这个账户的这一号对账单已经收过，内容却不同", "请与银行核对")
# What our own transfer orders brought in, or took out of the account they drew on, is known.
_FUNDED = """
DELETE FROM answer a USING funds_fundingapplication f
WHERE f.transfer_no <> '' AND f.amount_fen = a.amount_fen
  AND (a.status = 'C' AND f.division = %(division)s OR a.status <> 'C' AND f.payer_id = %(account)s)
  AND (a.batch_no = f.transfer_no OR position(f.transfer_no IN a.reason) > 0)
"""
# So is what went back or came in by a receipt that a second person held against its paper; of an application, also where
# it came back to.
_GIVEN = """
DELETE FROM answer a USING funds_moneymove m LEFT JOIN funds_fundingapplication f ON f.id = m.application_id
WHERE m.state = 'confirmed' AND m.amount_fen = a.amount_fen AND a.line = 0
  AND CASE WHEN a.status = 'C' THEN %(special)s AND m.division = %(division)s AND m.kind = 'in' OR f.payer_id = %(account)s
           ELSE CASE WHEN %(special)s THEN m.division = %(division)s AND m.kind <> 'in' ELSE m.kind = 'in' END END
  AND (m.receipt_no IN (a.serial, a.batch_no) OR position(m.receipt_no IN a.reason) > 0
       OR position(m.document_no IN a.reason) > 0)
"""

# And what somebody paid back of a recovery, once a second person held the entry against the bank's slip.
_REPAID = """
DELETE FROM answer a USING payment_recoveryreceipt p
WHERE %(special)s AND p.state = 'confirmed' AND p.division = %(division)s AND p.amount_fen = a.amount_fen AND a.status = 'C' AND a.line = 0
  AND (p.bank_serial IN (a.serial, a.batch_no) OR position(p.bank_serial IN a.reason) > 0)
"""


def take_statement(
    by: Actor,
    on: date,
    told: Named,
    source: BinaryIO,
    file_name: str,
    signature: bytes | None,
    bank_office: int | None,
) -> BankStatement:
    """A step of `take_result`. The same statement again is the same."""
    came: Statement = opened(told, source, file_name)
    account = _account_of(came, file_name, bank_office)
    require_signed(setting_of(account.bank_office_id, on), on, file_name, came, signature)
    if earlier := BankStatement.objects.filter(sha256=came.sha256).first():
        earlier.taken_before = True
        return earlier
    copy_answer(came.rows())
    require_past(came.period_until, on, "对账单的截止日", file_name)
    require_past(*fetch_one("SELECT max(booked_on) FROM answer"), on, "入账日期", file_name)
    _lock(account)
    leave_out_known(account)
    batches = match_statement(account.pk)
    assert came.period_from is not None and came.period_until is not None
    made = BankStatement.objects.create(
        division=account.division, bank_office_id=account.bank_office_id, account=account, sha256=came.sha256,
        file_name=file_name, reference=came.reference, period_from=came.period_from, period_until=came.period_until,
        opening_fen=came.opening_fen, closing_fen=came.closing_fen, entries_count=came.count, debit_fen=came.debit_fen,
        credit_fen=came.credit_fen, taken_by=by.appointment, taken_on=on,
    )  # fmt: skip
    _settle(by, on, made, batches)
    return made


def leave_out_known(account: SpecialAccount) -> None:
    """Entries of `answer` that acts of ours explain are no exceptions."""
    special = account.kind == SpecialAccount.Kind.SPECIAL
    where = {"division": account.division, "account": account.pk, "special": special}
    run(_FUNDED, where)
    run(_GIVEN, where)
    run(_REPAID, where)


def _account_of(came: Statement, file_name: str, bank_office: int | None) -> SpecialAccount:
    account_hash = keyring().lookup(came.account, ACCOUNT)
    account = SpecialAccount.objects.filter(account_hash=account_hash).first()
    if account is None:
        raise BadInput("不是本县登记的账户", where=f"{file_name} 账号", remedy="整份不收，请与银行核对")
    if bank_office is not None and account.bank_office_id != bank_office:
        raise BadInput("这个账户开在另一家银行", where=f"{file_name} 账号", remedy="整份不收，请与银行核对")
    return account


def _lock(account: SpecialAccount) -> None:
    """Every batch of the account that may still move; a statement is taken alone."""
    open_batches = Batch.objects.filter(payer=account).exclude(state__in=[Batch.State.PREPARED, Batch.State.CANCELLED])
    rosters = open_batches.values_list("roster_id", flat=True)
    list(Roster.objects.select_for_update().filter(pk__in=list(rosters)).order_by("id").values_list("id"))
    list(open_batches.select_for_update().order_by("id").values_list("id"))


def _settle(by: Actor, on: date, made: BankStatement, numbers: list[int]) -> None:
    settle(exception_days(by, on) | {
        "batch": None, "roster": None, "result": None, "statement": made.pk, "division": made.division,
    })  # fmt: skip
    batches = Batch.objects.in_bulk(numbers)
    subject = f"statement:{made.pk}"
    post_settled(by, on, subject, batches)
    moved = {number for (number,) in fetch("SELECT DISTINCT batch_id FROM matched WHERE verdict = 'settle'")}
    for number in sorted(moved):
        confirm_sent(batches[number])
        advance(on, batches[number])
        check_publicity(by, on, batches[number].roster)
