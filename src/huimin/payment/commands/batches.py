"""Batches for the agent bank: prepared by one person, released by another, written once (PAY-03, PAY-04, FUND-03).

    confirmed roster ──apply_for_funds──► (funds: reserve, transfer) ──prepare_batch──► prepared
        prepared ──release_batch──► released ──write_batch_files (payment.commands.sending)──► written
        prepared ──cancel_batch──► cancelled

Release is the one step that makes money move: in one transaction it signs the batch, adds the instructions (the
database's gate checks each), marks the lines and posts the voucher. Locks are taken roster first, then batch. The file
is written afterwards from what was stored, so a crash between the two loses nothing: writing again writes the same
bytes. Law: 皖政办〔2008〕23号 附件4 第16、20–22条.
"""

import os
from datetime import date, timedelta

from huimin.database.bulk import fetch, run, streamed
from huimin.funds.commands import apply_funding
from huimin.funds.models import FundingApplication
from huimin.kernel.bankfile import Format
from huimin.kernel.digests import digest_rows
from huimin.kernel.periods import add_months
from huimin.ledger.commands import post_event
from huimin.ledger.models import Voucher
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.payment.commands.checks import hold_unchecked, require_checked
from huimin.payment.commands.roster_digest import require_unchanged
from huimin.payment.commands.rosters import EXCEPTION_DAYS, payable
from huimin.payment.commands.settling import event_of
from huimin.payment.commands.states import WrongState, get_roster
from huimin.payment.deadlines import answer_due_on
from huimin.payment.exchange.composing import PAYEE_NAME, batch_header, batch_rows, write_rows
from huimin.payment.exchange.formats import format_of, setting_of
from huimin.payment.models import Batch, Roster, RosterLine
from huimin.payment.routing import payer_of_roster
from huimin.policy.models import Programme
from huimin.registry.accounts import line_in_force
from huimin.registry.commands.cooling import put_due_in_force

refused_by_constraint("roster_one_live_batch", AlreadyDone, "这份清册已经有批次", "请在批次列表中打开")
refused_by_constraint("line_one_live_instruction", AlreadyDone, "有的行已经送过银行", "请刷新后查看，不要重复放行")
refused_by_constraint("payment_gate", WrongState, "数据库不允许发放", "请核对决定、公示、签批和放行是否齐全")
refused_by_constraint("payment_checked_gate", WrongState, "有的账户没有通过户名核验", "请撤销批次后重新编制")


@command(Post.SETTLEMENT)
def apply_for_funds(*, by: Actor, on: date, roster_id: int) -> FundingApplication:
    """The township's funding application (拨款申请书) for a confirmed roster; due by the 15th of the third month.

    Again when the one before was taken back.
    """
    roster = get_roster(roster_id, Roster.State.CONFIRMED)
    require_place(by, roster.division)
    if roster.has_asked:
        raise AlreadyDone("这份清册已经提出拨款申请", remedy="请在拨款申请中查看")
    lines, amount_fen = payable(roster)
    if not lines:
        raise WrongState("清册没有可发放的行", remedy="请核对缓发原因")
    application = apply_funding(
        by=by, on=on, division=roster.division, programme=roster.programme, subject=f"roster:{roster.pk}",
        year=roster.period_from.year, amount_fen=amount_fen, due_on=add_months(roster.period_until, -1).replace(day=15),
    )  # fmt: skip
    Roster.objects.filter(pk=roster.pk).update(application=application)
    return application


_CONTENT = """
SELECT l.id, l.amount_fen, encode(c.account_hash, 'hex')
FROM payment_rosterline l JOIN registry_card c ON c.id = l.card_id
WHERE l.roster_id = %s AND l.state = 'listed' ORDER BY l.line_no
"""


@command(Post.SETTLEMENT, Post.FINANCE_RELEASER)
def prepare_batch(*, by: Actor, on: date, roster_id: int) -> Batch:
    """One batch of every payable line of a roster whose money has arrived."""
    roster = get_roster(roster_id, Roster.State.CONFIRMED, Roster.State.FUNDED)
    require_place(by, roster.division)
    if roster.kind == Roster.Kind.BASE:
        require_money(roster)
        require_unchanged(roster)
    put_due_in_force(by, on)
    withhold_without_account(on, roster)
    payer = payer_of_roster(roster)
    setting = setting_of(payer.bank_office_id, on)
    form = format_of(setting)
    _withhold_unwritable(on, roster, form)
    hold_unchecked(on, roster, setting)
    lines, amount_fen = payable(roster)
    if not lines:
        raise WrongState("清册没有可发放的行", why="都已缓发，或账户都不能用", remedy="账户更正后，请直接编制重发清册")
    if lines > form.rows_max:
        raise WrongState(
            f"这家银行一份文件最多 {form.rows_max} 笔", why=f"清册有 {lines} 笔", remedy="请与银行商定上限"
        )
    number = Batch.objects.filter(roster=roster).count() + 1
    batch = Batch.objects.create(
        division=roster.division, batch_no=f"{roster.division[:9]}{on:%Y%m%d}{roster.pk:08d}{number:02d}",
        roster=roster, programme=roster.programme, programme_name=Programme.objects.get(code=roster.programme).name,
        bank_office_id=payer.bank_office_id, payer=payer, setting=setting, format=form.key,
        lines_count=lines, amount_fen=amount_fen, digest=_content_digest(roster), prepared_by=by.appointment,
        prepared_on=on,
    )  # fmt: skip
    _require_writable(batch, form)
    Roster.objects.filter(pk=roster.pk).update(state=Roster.State.FUNDED)
    return batch


_TRIED_ROWS = f"""
SELECT row_number() OVER (ORDER BY l.line_no), c.account_enc, {PAYEE_NAME}, p.id_number_enc, l.amount_fen, l.id
FROM payment_rosterline l JOIN registry_card c ON c.id = l.card_id JOIN registry_person p ON p.id = l.payee_id
WHERE l.roster_id = %s AND l.state = 'listed' ORDER BY l.line_no
"""  # noqa: S608
_NAMES = f"""
SELECT l.id, {PAYEE_NAME} FROM payment_rosterline l JOIN registry_person p ON p.id = l.payee_id
WHERE l.roster_id = %s AND l.state = 'listed'
"""  # noqa: S608


def _require_writable(batch: Batch, form: Format) -> None:
    """What the bank's format cannot carry is known before anybody releases: the file is made once and thrown away."""
    law = Programme.objects.get(code=batch.programme)
    header = batch_header(form, batch, law.abbreviation)
    rows = batch_rows(batch, law.abbreviation, streamed(_TRIED_ROWS, [batch.roster_id]))
    with open(os.devnull, "wb") as nowhere:
        write_rows(form, nowhere, header, batch.bank_office.name, rows)


def _withhold_unwritable(on: date, roster: Roster, form: Format) -> None:
    """A name the bank's encoding has no characters for is not sent under another name; the line waits for a person."""
    if form.encoding != "gbk":
        return
    wrong = [line for line, name in streamed(_NAMES, [roster.pk]) if not _encodes(name, form.encoding)]
    if wrong:
        reason = RosterLine.NOT_WRITABLE
        where = {"roster": roster.pk, "on": on, "reason": reason, "due": on + timedelta(days=EXCEPTION_DAYS)}
        RosterLine.objects.filter(pk__in=wrong).update(state=RosterLine.State.WITHHELD, withheld_reason=reason)
        run(_UNLINK, where)
        run(_LIST, where)


def _encodes(name: str, encoding: str) -> bool:
    try:
        name.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


_WITHHOLD = f"""
UPDATE payment_rosterline l SET state = 'withheld', withheld_reason = %(reason)s
WHERE l.roster_id = %(roster)s AND l.state = 'listed' AND NOT ({line_in_force("l")})
"""  # noqa: S608
_UNLINK = """
UPDATE payment_linedue x SET live = false FROM payment_rosterline l
WHERE l.id = x.line_id AND x.live AND l.roster_id = %(roster)s AND l.state = 'withheld'
"""
_LIST = """
INSERT INTO payment_paymentexception (division, kind, roster_id, line_id, entitlement_id, row_no, code, reason,
    amount_fen, state, resolution, opened_on, due_on)
SELECT l.division, 'no_card', roster_id, l.id, entitlement_id, 0, '',
       CASE WHEN c.state = 'frozen' THEN left(c.evidence, 100) || '，账户已冻结' ELSE withheld_reason END, amount_fen, 'open', '',
       %(on)s, %(due)s
FROM payment_rosterline l JOIN registry_card c ON c.id = l.card_id WHERE roster_id = %(roster)s AND l.state = 'withheld' AND withheld_reason = %(reason)s
ON CONFLICT DO NOTHING
"""


def withhold_without_account(on: date, roster: Roster) -> int:
    """Lines whose frozen account is in force no more wait on the exceptions list; how many. Money stays where it is."""
    reason = RosterLine.NOT_IN_FORCE
    where = {"roster": roster.pk, "on": on, "reason": reason, "due": on + timedelta(days=EXCEPTION_DAYS)}
    if not (withheld := run(_WITHHOLD, where)):
        return 0
    run(_UNLINK, where)
    run(_LIST, where)
    return withheld


_NOT_IN_FORCE = f"""
SELECT count(*) FROM payment_rosterline l WHERE l.roster_id = %(roster)s AND l.state = 'listed' AND NOT ({line_in_force("l")})
"""  # noqa: S608


def _require_accounts_in_force(on: date, roster: Roster) -> None:
    [count] = fetch(_NOT_IN_FORCE, {"roster": roster.pk, "on": on})[0]
    if count:
        raise WrongState(
            f"{count} 行的账户今天已不能用", why="编制批次后账户挂失、销户、更换，或代领授权到期",
            remedy="请撤销批次后重新编制，这些行会转到待处理",
        )  # fmt: skip


def require_money(roster: Roster) -> None:
    application = roster.application
    if application is None or application.state != FundingApplication.State.TRANSFERRED:
        now = application.state_words if application else "尚未申请"
        raise WrongState("资金还没有到专户，不能编制批次", why=f"拨款申请：{now}", remedy="请等待资金拨付")


def _content_digest(roster: Roster) -> str:
    return digest_rows(streamed(_CONTENT, [roster.pk]))


def _get_batch(batch_id: int, *states: str) -> tuple[Roster, Batch]:
    """Roster and batch, locked in that order."""
    found = Batch.objects.filter(pk=batch_id).values_list("roster_id", flat=True).first()
    if found is None:
        raise WrongState("没有这个批次，或它不在您的辖区内", remedy="请从批次列表进入")
    roster = Roster.objects.select_for_update().get(pk=found)
    batch = Batch.objects.select_for_update(of=("self",)).select_related("setting").get(pk=batch_id)
    if batch.state not in states:
        raise AlreadyDone(f"批次现在是“{batch.get_state_display()}”", why="可能已有人办理", remedy="请刷新后查看")
    return roster, batch


_INSTRUCT = """
INSERT INTO payment_instruction (batch_id, bank_office_id, division, line_id, sequence, account_enc, account_hash,
    amount_fen, state, bank_serial, failure_code)
SELECT %(batch)s, %(bank)s, l.division, l.id, row_number() OVER (ORDER BY l.line_no), c.account_enc, c.account_hash,
       l.amount_fen, 'sent', '', ''
FROM payment_rosterline l JOIN registry_card c ON c.id = l.card_id
WHERE l.roster_id = %(roster)s AND l.state = 'listed'
"""


@command(Post.FINANCE_RELEASER)
def release_batch(*, by: Actor, on: date, batch_id: int) -> Batch:
    """Release a prepared batch. Never by who prepared it, and once, whoever clicks when."""
    roster, batch = _get_batch(batch_id, Batch.State.PREPARED)
    require_another(by, batch.prepared_by, "编制批次")
    put_due_in_force(by, on)
    _require_accounts_in_force(on, roster)
    require_checked(roster, batch.setting)
    if _content_digest(roster) != batch.digest:
        raise WrongState("批次内容与编制时不符", why="清册或账户在编制后有变动", remedy="请撤销批次后重新编制")
    signature = sign(
        by=by, on=on, act="放行批次", subject=f"batch:{batch.pk}", content_digest=batch.digest, division=batch.division
    )
    Batch.objects.filter(pk=batch.pk).update(
        state=Batch.State.RELEASED, released_by=by.appointment, released_on=on, signature=signature,
        answer_due_on=answer_due_on(by.division, batch.programme, on),
    )  # fmt: skip
    run(_INSTRUCT, {"batch": batch.pk, "bank": batch.bank_office_id, "roster": roster.pk})
    run("UPDATE payment_rosterline SET state = 'sent' WHERE roster_id = %s AND state = 'listed'", [roster.pk])
    Roster.objects.filter(pk=roster.pk).update(state=Roster.State.SENT)
    post_event(
        by=by, on=on, division=batch.division, event=event_of(batch, Voucher.Event.SENT), subject=f"batch:{batch.pk}",
        summary=f"批次 {batch.batch_no} 送银行", amount_fen=batch.amount_fen, programme=batch.programme,
        reference=batch.batch_no,
    )  # fmt: skip
    batch.refresh_from_db()
    return batch


@command(Post.SETTLEMENT, Post.FINANCE_RELEASER)
def cancel_batch(*, by: Actor, on: date, batch_id: int) -> Batch:
    """Take back a batch before it is released; the roster may then be batched anew."""
    _, batch = _get_batch(batch_id, Batch.State.PREPARED)
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.CANCELLED)
    batch.refresh_from_db()
    return batch
