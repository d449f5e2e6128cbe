"""Why a due is what it is, in words: entitlement, determination, policy version, period, arithmetic, kind (PAY-06, DET-07).

in    a due; inside `reading(by)`
out   pairs of a label and a sentence, for its page and for whoever answers at the window

What is said is said of the rows the due was made from; nothing is computed anew but the words. Amounts in 元 to the cent.
"""

from dataclasses import dataclass

from huimin.casework.models import Entitlement
from huimin.kernel.money import yuan
from huimin.kernel.periods import MONTHS, Period
from huimin.payment.ended import Ended, why_ended
from huimin.payment.models import Due, LineDue
from huimin.policy.queries import programme_names, version_words

ROWS_MAX = 60
_PER = {"month": "每月", "quarter": "每季", "half_year": "每半年", "year": "每年", "once": "一次性"}
_RULES = {
    "by_day": "不足期按日算",
    "whole": "不足期按整期算",
    "next_month": "从次月起算，按整月",
    "by_month": "不足期按整月算",
    "": "不足期按整月算",
}


@dataclass(frozen=True)
class Explained:
    """A due with its reasons, and the roster lines it stood on, the newest first."""

    due: Due
    reasons: list[tuple[str, str]]
    lines: list[LineDue]
    ended: Ended | None = None


def get_explained(number: int) -> Explained:
    """Due.DoesNotExist when it is not there or not in the actor's place."""
    due = Due.objects.select_related(
        "entitlement__decision__proposal", "entitlement__household", "entitlement__person", "recovery"
    ).get(pk=number)
    lines = LineDue.objects.filter(due=due).select_related("line__roster").order_by("-id")[:ROWS_MAX]
    return Explained(due, reasons_of(due), list(lines), why_ended(due))


def dues_behind(**decision: int) -> list[Due]:
    """What a decision made owed, the newest first: `proposal=` or `case_number=` names it. One query."""
    where = {f"entitlement__decision__{key}": number for key, number in decision.items()}
    return list(Due.objects.filter(**where).order_by("-period_from", "-id")[:ROWS_MAX])


def reasons_of(due: Due) -> list[tuple[str, str]]:
    """One query for the name of the programme, beside what `due` brings with it."""
    held, decision = due.entitlement, due.entitlement.decision
    name = programme_names().get(due.programme, due.programme)
    end = f"，到 {held.valid_to} 前" if held.valid_to else ""
    whom = held.person.name if held.person else f"全户 {held.people} 口"
    found = "案卷" if decision.case_number else "甄别建议"
    # A decision that takes effect back in time says itself from when.
    since = "" if decision.reason.startswith("自 ") else f"，自 {decision.effective_from} 起"
    why = since + (f"，{decision.reason}" if decision.reason else "")
    return [
        ("待遇", f"{name}，{whom}，{_PER.get(held.period, '')} {yuan(held.amount_fen)} 元，自 {held.valid_from} 起{end}"),
        ("认定", f"{decision.decided_on} 按{found}{decision.get_outcome_display()}{why}"),
        ("政策版本", version_words(held.version)),
        ("期间", str(Period(due.period_from, due.period_until)) if _whole_months(due) else f"{due.period_from} 至 {due.period_until} 前"),
        ("类别", _kind(due)),
        ("怎么算", arithmetic(due, held)),
    ]  # fmt: skip


def _whole_months(due: Due) -> bool:
    return due.period_from.day == 1 and due.period_until.day == 1


def _kind(due: Due) -> str:
    if due.kind == Due.Kind.ARREARS:
        return "补发：决定或标准的生效日早于应发生成的日子，前面已生成的少于应得，差额补发"
    if due.kind == Due.Kind.RECOVERY:
        return "抵扣：以前多发的款项，从这一期同一项目的发放里扣回"
    return "应发：这一期本身的金额"


def arithmetic(due: Due, held: Entitlement) -> str:
    """How the amount came about, step by step."""
    if due.kind == Due.Kind.ARREARS:
        assert due.owed_fen is not None and due.made_fen is not None
        return (
            f"这一期应得 {yuan(due.owed_fen)} 元，以前已生成 {yuan(due.made_fen)} 元，"
            f"补发 {yuan(due.owed_fen)} − {yuan(due.made_fen)} = {yuan(due.amount_fen)} 元；{_RULES.get(due.rule, '')}"
        )
    if due.kind == Due.Kind.RECOVERY:
        return _withheld(due)
    return _base(due, held)


def _withheld(due: Due) -> str:
    """From which recovery, and how much of the payment it stands on."""
    assert due.recovery is not None
    line = LineDue.objects.filter(due=due).select_related("line").order_by("-id").first()
    part = f"，当次应发 {yuan(line.line.amount_fen + line.line.withheld_fen)} 元" if line else ""
    limit = "按审定的每期最多" if due.amount_fen == due.recovery.instalment_fen else "按县里确定的比例"
    return f"追缴第 {due.recovery_id} 号多发 {yuan(due.recovery.amount_fen)} 元{part}，{limit}扣回 {yuan(due.amount_fen)} 元，其余照发"


def _base(due: Due, held: Entitlement) -> str:
    amount, per = yuan(held.amount_fen), _PER.get(held.period, "")
    if held.period == "once":
        return f"一次性 {amount} 元，只发一次"
    if due.amount_fen == held.amount_fen:
        return f"{per} {amount} 元，整期"
    rule = _RULES.get(due.rule, _RULES[""])
    if due.rule == "by_day":
        days = (due.period_until - due.period_from).days
        return f"{per} {amount} 元，这一段 {days} 天：按天数占整期的比例，得 {yuan(due.amount_fen)} 元；{rule}，不足一分的舍去，各段相加等于整期"
    months = Period(due.period_from, due.period_until).months
    whole = MONTHS.get(held.period, months)
    return (
        f"{per} {amount} 元，这一段 {months} 个月：{amount} × {months} ÷ {whole}，得 {yuan(due.amount_fen)} 元；"
        f"{rule}，不足一分的并入以后的月份，各段相加等于整期"
    )
