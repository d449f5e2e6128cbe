"""Accounts asked about before money goes to them (户名核验): only what the bank called right is paid (PAY-04, PAY-06).

    ask_name_check   the new or changed accounts of a roster, in one file of their own      asked
    take_check       the bank's answer: each account right, wrong, or without a result      right · wrong · unknown
    hold_unchecked   before a batch: wrong ones wait as exceptions; unasked ones stop it

An account is new while this office of the bank has not called it right under this name. Nothing is paid to try it: a
check moves no money, unlike a credit of 0.01 元, which would be a payment nobody decided. Whether checks are demanded is
a setting of the bank's office; the database refuses an instruction to an unchecked account where they are (migration
0005). An answer that is wrong in itself changes nothing.
"""

from datetime import date, timedelta
from typing import Any, BinaryIO

from huimin.calendars.queries import calendar_of
from huimin.database.bulk import copy_rows, fetch_one, run, temporary
from huimin.funds.routes import NoPayer
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import Actor, AlreadyDone, command, require_place
from huimin.organisation.posts import Post
from huimin.payment.commands.rosters import EXCEPTION_DAYS
from huimin.payment.commands.states import WrongState, get_roster
from huimin.payment.deadlines import CHECK_WORKING_DAYS
from huimin.payment.exchange.composing import PAYEE_NAME
from huimin.payment.exchange.formats import setting_of
from huimin.payment.exchange.incoming import Named, opened, require_signed
from huimin.payment.models import BankSetting, NameCheck, NameCheckLine, Roster, RosterLine
from huimin.payment.routing import payer_of_roster

State = NameCheckLine.State

# What the bank said last of an account under a name.
_LAST = """
(SELECT k.id, k.state, k.code, k.reason FROM payment_namecheckline k
  WHERE k.bank_office_id = %(bank)s AND k.account_hash = c.account_hash AND k.name = w.name ORDER BY k.id DESC LIMIT 1)
"""
_ACCOUNTS = f"""
FROM payment_rosterline l
JOIN registry_card c ON c.id = l.card_id
JOIN registry_person p ON p.id = l.payee_id
CROSS JOIN LATERAL (SELECT {PAYEE_NAME} AS name) w
LEFT JOIN LATERAL {_LAST} k ON true
WHERE l.roster_id = %(roster)s AND l.state = 'listed'
"""
_STANDING = f"""
SELECT count(*) FILTER (WHERE k.state IS NULL OR k.state = 'unknown')::int,
       count(*) FILTER (WHERE k.state = 'asked')::int, count(*) FILTER (WHERE k.state = 'wrong')::int
{_ACCOUNTS}
"""
_NEW = f"""
SELECT DISTINCT ON (c.account_hash, w.name) l.division, l.line_no, l.payee_id, w.name, c.account_enc, c.account_hash
{_ACCOUNTS} AND (k.state IS NULL OR k.state = 'unknown') ORDER BY c.account_hash, w.name, l.line_no
"""
_ASK = """
INSERT INTO payment_namecheckline (check_file_id, bank_office_id, division, sequence, payee_id, name, account_enc,
    account_hash, state)
SELECT %(check)s, %(bank)s, division, row_number() OVER (ORDER BY line_no), payee_id, name, account_enc, account_hash, 'asked'
FROM new_accounts
"""


def standing(roster: Roster, bank_office: int) -> tuple[int, int, int]:
    """(never asked or without a result, asked and waiting, wrong) of a roster's payable lines."""
    unasked, waiting, wrong = fetch_one(_STANDING, {"roster": roster.pk, "bank": bank_office})
    return unasked, waiting, wrong


def demanded_of(roster: Roster, on: date) -> BankSetting | None:
    """The setting that demands checks for this roster's bank; None where none does."""
    try:
        setting = setting_of(payer_of_roster(roster).bank_office_id, on)
    except NoPayer:
        return None
    return setting if setting is not None and setting.name_check else None


@command(Post.SETTLEMENT, Post.FINANCE_RELEASER)
def ask_name_check(*, by: Actor, on: date, roster_id: int) -> NameCheck:
    """One file with every account of a confirmed roster that the bank has not called right; AlreadyDone when there is none."""
    roster = get_roster(roster_id, Roster.State.CONFIRMED, Roster.State.FUNDED)
    require_place(by, roster.division)
    setting = demanded_of(roster, on)
    if setting is None:
        raise WrongState("这家银行不要求先核验户名", why="银行设置里没有要求", remedy="可以直接编制批次")
    unasked, waiting, _ = standing(roster, setting.bank_office_id)
    if not unasked:
        why = f"{waiting} 个账户已送核验，在等银行" if waiting else "账户都核验过了"
        raise AlreadyDone("没有要送核验的账户", why=why, remedy="请看清册里的核验情况")
    number = NameCheck.objects.filter(roster=roster).count() + 1
    temporary("new_accounts", _NEW, {"bank": setting.bank_office_id, "roster": roster.pk})
    [count] = fetch_one("SELECT count(*)::int FROM new_accounts")
    check = NameCheck.objects.create(
        division=roster.division, bank_office_id=setting.bank_office_id, setting=setting, roster=roster,
        check_no=f"{roster.division[:9]}{on:%Y%m%d}{roster.pk:08d}H{number:02d}", lines_count=count, asked_by=by.appointment,
        asked_on=on, answer_due_on=calendar_of(by.division).add(on, CHECK_WORKING_DAYS),
    )  # fmt: skip
    run(_ASK, {"check": check.pk, "bank": setting.bank_office_id})
    return check


_HOLD = f"""
UPDATE payment_rosterline l SET state = 'withheld', withheld_reason = %(reason)s
FROM (SELECT l.id {_ACCOUNTS} AND k.state = 'wrong') x WHERE l.id = x.id
"""  # noqa: S608
_UNLINK = """
UPDATE payment_linedue x SET live = false FROM payment_rosterline l
WHERE l.id = x.line_id AND x.live AND l.roster_id = %(roster)s AND l.state = 'withheld'
"""
_LIST = f"""
INSERT INTO payment_paymentexception (division, kind, roster_id, line_id, entitlement_id, row_no, code, reason, amount_fen,
    state, resolution, opened_on, due_on)
SELECT l.division, 'check', l.roster_id, l.id, l.entitlement_id, 0, coalesce(k.code, ''), left(coalesce(k.reason, ''), 120),
       l.amount_fen, 'open', '', %(on)s, %(due)s
{_ACCOUNTS.replace("l.state = 'listed'", "l.state = 'withheld' AND l.withheld_reason = %(reason)s")}
  AND NOT EXISTS (SELECT 1 FROM payment_paymentexception e WHERE e.line_id = l.id AND e.kind = 'check')
"""  # noqa: S608


def hold_unchecked(on: date, roster: Roster, setting: BankSetting | None) -> int:
    """Before a batch: accounts the bank called wrong wait as exceptions. Refused while any is unasked or unanswered."""
    if setting is None or not setting.name_check:
        return 0
    unasked, waiting, wrong = standing(roster, setting.bank_office_id)
    if unasked or waiting:
        raise WrongState(
            f"{unasked + waiting} 个账户还没有核验结果", why=f"没送核验 {unasked} 个，在等银行 {waiting} 个",
            remedy="请先送户名核验，收到结果再编制批次" if unasked else "请等银行的核验结果",
        )  # fmt: skip
    if not wrong:
        return 0
    where: dict[str, Any] = {
        "roster": roster.pk, "bank": setting.bank_office_id, "on": on, "reason": RosterLine.NOT_CHECKED,
        "due": on + timedelta(days=EXCEPTION_DAYS),
    }  # fmt: skip
    held = run(_HOLD, where)
    run(_UNLINK, where)
    run(_LIST, where)
    return held


def require_checked(roster: Roster, setting: BankSetting | None) -> None:
    """At release, once more: the bank may have taken its word back since the batch was prepared."""
    if setting is None or not setting.name_check:
        return
    if any(standing(roster, setting.bank_office_id)):
        raise WrongState(
            "有的账户户名核验的结果变了",
            why="银行在编制批次后回了不符",
            remedy="请撤销批次后重新编制，这些行会转到待处理",
        )


_COLUMNS = (("line", "int8"), ("sequence", "int4"), ("status", "text"), ("code", "text"), ("reason", "text"))
_ANSWER = """
UPDATE payment_namecheckline k SET state = CASE a.status WHEN 'S' THEN 'right' WHEN 'F' THEN 'wrong' ELSE 'unknown' END,
       code = a.code, reason = left(a.reason, 120), answered_on = %(on)s
FROM checked a WHERE k.check_file_id = %(check)s AND {reference}
  AND (k.state, k.code, k.reason) IS DISTINCT FROM
      (CASE a.status WHEN 'S' THEN 'right' WHEN 'F' THEN 'wrong' ELSE 'unknown' END, a.code, left(a.reason, 120))
"""
_STRANGERS = """
SELECT count(*), count(k.id), count(DISTINCT k.id)
FROM checked a LEFT JOIN payment_namecheckline k ON k.check_file_id = %(check)s AND {reference}
"""


def take_check(
    by: Actor,
    on: date,
    told: Named,
    source: BinaryIO,
    file_name: str,
    signature: bytes | None,
    bank_office: int | None,
) -> NameCheck:
    """A step of `results.take_result`. Every asked account answered once, or nothing is taken; again is the same."""
    check = (
        NameCheck.objects.select_for_update(of=("self",)).select_related("setting").filter(check_no=told.number).first()
    )
    if check is None:
        raise BadInput(f"没有户名核验 {told.number}", where=file_name, remedy="请核对是否为本县的回盘文件")
    if bank_office is not None and check.bank_office_id != bank_office:
        raise BadInput("这份核验是另一家银行的", where=file_name, remedy="整份不收，请与银行核对")
    if check.setting.format != told.form.key:
        raise BadInput("这份核验不是按这种格式送的", where=file_name, remedy="请与银行核对")
    if check.state == NameCheck.State.PREPARED:
        raise BadInput("这份核验还没有送银行", where=file_name, remedy="请核对文件")
    came = opened(told, source, file_name)
    require_signed(check.setting, on, file_name, came, signature)
    if (order := came.header.get("order_sha256")) is not None and order != check.file_sha256:
        raise BadInput("回盘所附的原文件校验码与送出的不同", where=f"{file_name} 表头", remedy="请与银行核对")
    if told.kind.key == "check_refusal":
        list(came.rows())
        return _refused(check, came.header)
    changed = _store(on, check, came, file_name)
    check.refresh_from_db()
    check.taken_before = not changed
    return check


def _refused(check: NameCheck, header: dict[str, Any]) -> NameCheck:
    """The bank took no line of it: its accounts count as never asked."""
    NameCheckLine.objects.filter(check_file=check, state=State.ASKED).update(state=State.UNKNOWN)
    check.state, check.refusal = NameCheck.State.REJECTED, f"{header['refusal_code']} {header['refusal_reason']}"[:200]
    check.save(update_fields=["state", "refusal"])
    return check


def _store(on: date, check: NameCheck, came: Any, file_name: str) -> bool:
    """Whether the bank said anything new."""
    names = came.kind.row.names
    by_line = "row_id" in names
    copy_rows("checked", _COLUMNS, (
        (
            int(row["row_id"]) if by_line and row["row_id"].isdigit() and len(row["row_id"]) < 19 else 0,
            row.get("sequence") or 0, row["row_state"], row.get("failure_code") or "", row.get("failure_reason") or "",
        )
        for piece in came.rows() for row in piece
    ))  # fmt: skip
    reference = "k.id = a.line" if by_line else "k.sequence = a.sequence"
    rows, known, different = fetch_one(_STRANGERS.format(reference=reference), {"check": check.pk})
    if not rows == known == different == check.lines_count:
        raise BadInput(
            f"送核验 {check.lines_count} 个账户，回盘 {rows} 行，其中对得上的 {different} 个", where=file_name,
            why="有缺的、多的或重复的行", remedy="整份不收，请银行重发",
        )  # fmt: skip
    changed = run(_ANSWER.format(reference=reference), {"check": check.pk, "on": on})
    if not changed and check.state == NameCheck.State.ANSWERED:
        return False
    check.state, check.answered_on = NameCheck.State.ANSWERED, on
    check.save(update_fields=["state", "answered_on"])
    return True
