"""What no event posts by itself: red vouchers and right ones, 项目间调整, 核销, 利息, 期初; always by two people (LED-02).

    propose_correction, propose_manual      one person says what and why           proposed
    approve_manual                          another one approves; it is posted      approved
    refuse_manual                           or not, with the reason                 refused

Always true when a function of this module returns:

- Nothing stands in the books that was not approved by another person than proposed it (constraint, trigger over people).
- A voucher is reversed at most once, by its mirror with the signs turned, in a month that is open; what takes its
  place is its next edition. A red voucher and a 年终结转 are not reversed.
- A 项目间调整 leaves every account as it was; 期初 comes before anything else; 核销 names its authority.

The approval is the review: what was posted by hand needs no second one.
"""

from collections.abc import Sequence
from datetime import date

from huimin.database.bulk import fetch, run
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.ledger.chart import ACCOUNTS, DEPOSIT, EVENTS, SPENT
from huimin.ledger.commands import Head, Line, WrongAccounts, add_heads, require_books
from huimin.ledger.models import ManualVoucher, Voucher
from huimin.ledger.reviewing import NoSuchVoucher, add_review
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    SamePerson,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.policy.queries import programme_names

LINES_MAX = 200
Kind, State = ManualVoucher.Kind, ManualVoucher.State
BY_HAND = (Kind.RECLASSIFIED, Kind.WRITTEN_OFF, Kind.INTEREST, Kind.OPENING)
WITHOUT_PROGRAMME = (Kind.INTEREST,)


class NotReversible(Refusal):
    """A red voucher, a 年终结转, or one that was reversed."""


class NotProposed(Refusal):
    """There is no such proposal in the actor's place, or it was decided."""


class BooksInUse(Refusal):
    """Opening balances come before anything else."""


refused_by_constraint("manual_decided_by_another", SamePerson, "提出人不能审定自己的凭证", "请由另一人审定")
refused_by_constraint("voucher_corrected_once", AlreadyDone, "这张凭证已经冲销，或正等待审定", "请在手工凭证中查看")
refused_by_constraint("manual_proposed_once", AlreadyDone, "同样的凭证正等待审定", "请在手工凭证中查看")
refused_by_constraint("ledger_manual_approved", NotProposed, "手工凭证没有审定", "请由另一人审定")
refused_by_constraint("ledger_mirror", NotReversible, "红字凭证必须与原凭证一致", "请从原凭证的页面冲销")
refused_by_constraint(
    "ledger_between_programmes", WrongAccounts, "项目间调整不能改变科目的余额", "请核对转出和转入的金额"
)


def between_programmes(code: str, out_of: str, into: str, amount_fen: int) -> list[Line]:
    """The lines that move an amount of an account (拨入专款, 专款结余, 专款支出) with its money to another programme."""
    away, back = (code, DEPOSIT.code), (DEPOSIT.code, code)
    first, second = (back, away) if code == SPENT.code else (away, back)
    return [(*first, amount_fen, out_of, ""), (*second, amount_fen, into, "")]


@command(Post.ACCOUNTANT, Post.FINANCE_OFFICER)
def propose_manual(
    *,
    by: Actor,
    on: date,
    division: str,
    kind: str,
    summary: str,
    reason: str,
    lines: Sequence[Line],
    authority: str = "",
) -> ManualVoucher:
    """Propose a voucher of a listed kind; the same again is AlreadyDone while it waits. BadInput names what is wrong."""
    require_place(by, division)
    if kind not in BY_HAND:
        raise BadInput(
            "不能手工制作这类凭证",
            where="凭证种类",
            remedy=f"可以手工制作：{'、'.join(each.label for each in BY_HAND)}",
        )
    require_books(on, {division})
    checked = _checked(kind, lines)
    authority = _text(authority, "依据文号", 0 if kind != Kind.WRITTEN_OFF else 2, 120)
    return _propose(by, on, division, kind, _text(summary, "摘要", 2, 160), reason, authority, None, checked)


@command(Post.ACCOUNTANT, Post.FINANCE_OFFICER)
def propose_correction(
    *, by: Actor, on: date, voucher_id: int, reason: str, lines: Sequence[Line] = ()
) -> ManualVoucher:
    """Propose to take a voucher back, and with `lines` the right one in its place. NotReversible, NoSuchVoucher."""
    original = Voucher.objects.filter(pk=voucher_id).first()
    if original is None:
        raise NoSuchVoucher("没有这张凭证，或它不在您的辖区内", remedy="请从序时账进入")
    if original.event in (Voucher.Event.REVERSAL, Voucher.Event.CARRIED_OVER):
        raise NotReversible(
            f"{original.get_event_display()}凭证不能冲销",
            why="红字凭证和年终结转按规则产生",
            remedy="请另作一张正确的凭证",
        )
    if original.corrections.exclude(state=State.REFUSED).exists():
        raise AlreadyDone("这张凭证已经冲销，或正等待审定", remedy="请在手工凭证中查看")
    right = _checked(original.event, lines) if lines else []
    if right and sorted(right) == sorted(_lines_of(original, len(right) + 1)):
        raise BadInput("更正后的分录与原凭证一样", where="分录", remedy="请改成正确的科目、项目或金额")
    kind = Kind.CORRECTION if right else Kind.REVERSAL
    summary = f"冲销 {original.month:%Y年%m月}{original.title}：{original.summary}"[:160]
    return _propose(by, on, original.division, kind, summary, reason, "", original, right)


def _lines_of(voucher: Voucher, most: int) -> list[Line]:
    rows = voucher.lines.order_by("id").values_list(
        "debit__code", "credit__code", "amount_fen", "programme", "reference"
    )
    return list(rows[:most])


def _checked(event: str, lines: Sequence[Line]) -> list[Line]:
    """The lines as they may be posted for this event; BadInput with the number of the wrong one."""
    if not 0 < len(lines) <= LINES_MAX:
        raise BadInput(f"凭证要有 1 至 {LINES_MAX} 条分录", where="分录", remedy="请填写借方、贷方、项目和金额")
    allowed = {(debit.code, credit.code) for debit, credit in EVENTS[event].pairs}
    programmes = programme_names()
    for number, (debit, credit, fen, programme, _) in enumerate(lines, 1):
        where = f"第 {number} 条分录"
        if (debit, credit) not in allowed:
            named = f"借 {_named(debit)}、贷 {_named(credit)}"
            raise BadInput(
                f"“{EVENTS[event].name}”不能记 {named}", where=where, remedy="请看科目表里这类业务可记的分录"
            )
        if type(fen) is not int or not 0 < fen < 10**15:
            raise BadInput("金额要大于零", where=where, remedy="请填写金额")
        if programme not in programmes and not (event in WITHOUT_PROGRAMME and programme == ""):
            raise BadInput("没有选补贴项目", where=where, remedy="请从列表选择")
    return [(d, c, fen, programme, reference[:40]) for d, c, fen, programme, reference in lines]


def _named(code: str) -> str:
    return f"{code} {ACCOUNTS[code].name}" if code in ACCOUNTS else code


def _text(said: str, where: str, least: int, most: int) -> str:
    said = " ".join(said.split())
    if not least <= len(said) <= most:
        raise BadInput(f"{where}要写 {least} 至 {most} 个字", where=where, remedy="请补充或改短")
    return said


def _propose(
    by: Actor, on: date, division: str, kind: str, summary: str, reason: str, authority: str, original: Voucher | None,
    lines: list[Line],
) -> ManualVoucher:  # fmt: skip
    reason = _text(reason, "原因", 4, 200)
    amount = sum(line[2] for line in lines) if original is None else original.amount_fen
    content = [division, kind, summary, reason, authority, original.pk if original else None, lines]
    return ManualVoucher.objects.create(
        division=division, kind=kind, summary=summary, reason=reason, authority=authority, original=original,
        lines=[list(line) for line in lines], amount_fen=amount if kind != Kind.CORRECTION else sum(x[2] for x in lines),
        digest=digest(content), proposed_by=by.appointment, proposed_on=on,
    )  # fmt: skip


@command(Post.ACCOUNTANT, Post.FINANCE_OFFICER)
def approve_manual(*, by: Actor, on: date, manual_id: int) -> list[Voucher]:
    """Approve and post, dated `on`; the vouchers it became. NotProposed, SamePerson, MonthIsClosed, BooksInUse."""
    draft = _waiting(by, manual_id)
    accounts = require_books(on, {draft.division})
    if draft.kind == Kind.OPENING:
        _require_unused(draft.division)
    _decide(by, on, draft, State.APPROVED, "审定手工凭证")
    made = add_heads(on, draft.proposed_by, [*_red_head(draft), *_black_head(draft)])
    _add_lines(on, draft, {event: number for (event, _), (number, _) in made.items()}, accounts)
    vouchers = list(Voucher.objects.filter(pk__in=[number for number, _ in made.values()]).order_by("pk"))
    for voucher in vouchers:
        add_review(by, on, voucher, "审定手工凭证时审核")
    return vouchers


@command(Post.ACCOUNTANT, Post.FINANCE_OFFICER)
def refuse_manual(*, by: Actor, on: date, manual_id: int, refusal: str) -> ManualVoucher:
    """Not to be posted, with the reason; the voucher may then be corrected otherwise."""
    draft = _waiting(by, manual_id)
    draft.refusal = _text(refusal, "不予记账的原因", 2, 200)
    return _decide(by, on, draft, State.REFUSED, "不予记账")


def _waiting(by: Actor, manual_id: int) -> ManualVoucher:
    """The proposal, locked; `by` is another person than proposed it."""
    draft = ManualVoucher.objects.select_for_update().filter(pk=manual_id).first()
    if draft is None or draft.state != State.PROPOSED:
        why = draft.get_state_display() if draft else "它不存在，或不在您的辖区内"
        raise NotProposed("没有等待审定的这张凭证", why=why, remedy="请从手工凭证列表进入")
    require_another(by, draft.proposed_by, "提出")
    return draft


def _decide(by: Actor, on: date, draft: ManualVoucher, state: str, act: str) -> ManualVoucher:
    draft.state, draft.decided_by, draft.decided_on = state, by.appointment, on
    draft.signature = sign(
        by=by, on=on, act=act, subject=f"manual:{draft.pk}", content_digest=draft.digest, division=draft.division
    )
    draft.save(update_fields=["state", "decided_by", "decided_on", "refusal", "signature"])
    return draft


def _require_unused(division: str) -> None:
    used = Voucher.objects.filter(division=division).exclude(event__in=[Voucher.Event.OPENING, Voucher.Event.REVERSAL])
    if used.exists():
        raise BooksInUse(
            "这套账已经记过业务，不能再记期初余额", why="期初余额在第一笔业务之前", remedy="请用别的凭证更正"
        )


def _red_head(draft: ManualVoucher) -> list[Head]:
    """The reversal of the original, if there is one."""
    original = draft.original
    if original is None:
        return []
    return [
        Head(
            original.division, Voucher.Event.REVERSAL, f"voucher:{original.pk}", draft.summary, original.lines_count,
            -original.amount_fen, 1, draft.pk, original.pk,
        )
    ]  # fmt: skip


def _black_head(draft: ManualVoucher) -> list[Head]:
    """What was typed: in the place of the original its next edition, else a voucher of the draft's own."""
    if draft.kind == Kind.REVERSAL:
        return []
    event, subject, edition, summary = draft.kind, f"manual:{draft.pk}", 1, draft.summary
    if draft.original is not None:
        event, subject = draft.original.event, draft.original.subject
        [(edition,)] = fetch(
            "SELECT max(edition) + 1 FROM ledger_voucher WHERE event = %s AND subject = %s", [event, subject]
        )
        summary = f"更正 {draft.original.title}：{draft.original.summary}"[:160]
    amount = sum(line[2] for line in draft.lines)
    return [Head(draft.division, event, subject, summary, len(draft.lines), amount, edition, draft.pk)]


# In one statement, so that what the red lines set free is there for the right ones, and the other way round.
_ADD = """
INSERT INTO ledger_ledgerline (voucher_id, division, debit_id, credit_id, amount_fen, programme, reference, occurred_on)
SELECT n.*, %(on)s FROM (
    SELECT * FROM (SELECT %(red)s::bigint, division, debit_id, credit_id, -amount_fen, programme, reference
                   FROM ledger_ledgerline WHERE voucher_id = %(original)s ORDER BY id) AS red
    UNION ALL
    SELECT %(black)s::bigint, %(division)s, l.* FROM unnest(%(debits)s::bigint[], %(credits)s::bigint[], %(fen)s::bigint[],
           %(programmes)s::text[], %(references)s::text[]) AS l) AS n
"""


def _add_lines(on: date, draft: ManualVoucher, made: dict[str, int], accounts: dict[tuple[str, str], int]) -> None:
    """Lines of the red voucher and of the black one; `made` is event -> id."""
    red = made.pop(Voucher.Event.REVERSAL, None)
    black = next(iter(made.values()), None)
    lines = draft.lines if black else []
    run(
        _ADD,
        {
            "on": on, "red": red, "original": draft.original_id if red else None, "black": black,
            "division": draft.division, "debits": [accounts[draft.division, line[0]] for line in lines],
            "credits": [accounts[draft.division, line[1]] for line in lines], "fen": [line[2] for line in lines],
            "programmes": [line[3] for line in lines], "references": [line[4] for line in lines],
        },
    )  # fmt: skip
