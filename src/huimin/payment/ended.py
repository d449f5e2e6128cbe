"""Why a due is not paid any more, in words: a death with its day, a decision, another amount, an objection (PAY-06, LED-03).

in    a due that was stopped (不再应发) or withdrawn (已撤销); inside `reading(by)`
out   a sentence, the decision that ended it, the dues that stand in its place

A stop is not stored with its reason: it follows from what stands now, as payment.standing follows it. The first that
applies is told: a death, the end of the entitlement, an amount made anew. Some five queries.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Q

from huimin.casework.models import Decision, Entitlement
from huimin.kernel.money import yuan
from huimin.payment.models import Due, LineDue
from huimin.rechecks.deaths import legal_stop
from huimin.registry.models import Membership, PersonFacts

INSTEAD_MAX = 12


@dataclass(frozen=True)
class Ended:
    """Why, which decision ended it (if one did), and which dues of the same days stand instead."""

    words: str
    decision: Decision | None = None
    instead: list[Due] = field(default_factory=list)


def why_ended(due: Due) -> Ended | None:
    """None for a due that is still owed or was paid."""
    if due.state == Due.State.WITHDRAWN:
        return Ended(_withdrawn(due))
    if due.state != Due.State.STOPPED:
        return None
    held = due.entitlement
    return _died(due, held) or _over(due, held) or _anew(due, held)


def _withdrawn(due: Due) -> str:
    if due.kind == Due.Kind.RECOVERY:
        return "清册撤回了，或这一行缓发、划去了，这次没有抵扣；没有抵扣的仍在追缴里。"
    line = (
        LineDue.objects.filter(due=due).exclude(line__withheld_reason="").select_related("line").order_by("-id").first()
    )
    if line is None:
        return "从清册上撤下，不再发放。"
    of = line.line
    return f"第 {of.roster_id} 号清册第 {of.line_no} 行：{of.withheld_reason}。不会自行再生成，要重新认定。"


def _died(due: Due, held: Entitlement) -> Ended | None:
    """A person's own death, or that of everybody who lived in the household: nothing is owed from the month after."""
    died = {held.person.pk: held.person.name} if held.person else _lived_last(held)
    dead = PersonFacts.objects.filter(person__in=died, recorded_to=None, death_date__isnull=False)
    days: dict[int, Any] = dict(dead.order_by("-death_date").values_list("person", "death_date"))
    if not days or (held.person is None and _anybody_lives(held, set(days))):
        return None
    last = max(days, key=lambda person: days[person])
    stops = legal_stop(days[last])
    if due.period_until <= stops:
        return None
    whom = died[last] if held.person is not None else f"这一户已无人在世，最后去世的是{died[last]}"
    return Ended(f"{whom}，{_day(days[last])}去世；去世的次月（{_day(stops)}）起不再应发。")


def _lived_last(held: Entitlement) -> dict[int, str]:
    """Names of those whose last household this is: who left it alive is not why it is paid no more."""
    here = Membership.objects.filter(household=held.household_id, recorded_to=None).values("person")
    rows = Membership.objects.filter(person__in=here, recorded_to=None).select_related("person").order_by("valid_from")
    last = {row.person_id: row for row in rows}
    return {person: row.person.name for person, row in last.items() if row.household_id == held.household_id}


def _anybody_lives(held: Entitlement, dead: set[int]) -> bool:
    now = Membership.objects.filter(household=held.household_id, recorded_to=None, valid_to=None)
    return now.exclude(person__in=dead).exists()


def _over(due: Due, held: Entitlement) -> Ended | None:
    """The entitlement ended before the days of the due did."""
    if held.valid_to is None or held.valid_to >= due.period_until:
        return None
    later = Decision.objects.filter(
        household=held.household_id, person=held.person_id, programme=held.programme, effective_from=held.valid_to
    )
    decision = later.exclude(pk=held.decision_id).select_related("proposal", "entitlement").order_by("-id").first()
    ended = f"待遇到 {_day(held.valid_to)}前结束"
    if decision is None:
        return Ended(f"{ended}，这一期不再应发。", instead=_instead(due))
    after = getattr(decision, "entitlement", None)
    becomes = f"改为 {yuan(after.amount_fen)} 元" if after else "停发"
    because = f"（{decision.reason}）" if decision.reason else ""
    return Ended(
        f"{_day(decision.decided_on)}决定，自 {_day(held.valid_to)}起{becomes}{because}。", decision, _instead(due)
    )


def _anew(due: Due, held: Entitlement) -> Ended:
    """What was made was more than is owed; the rest is made anew."""
    return Ended(
        "按现在的待遇重算，这一期应得的少于已生成的，还没编入清册的撤下，应得的部分另行生成。", instead=_instead(due)
    )


def _instead(due: Due) -> list[Due]:
    held = due.entitlement
    rows = Due.objects.filter(
        Q(entitlement__person=held.person_id), entitlement__household=held.household_id, programme=due.programme,
        period_from__lt=due.period_until, period_until__gt=due.period_from,
    ).exclude(state__in=[Due.State.STOPPED, Due.State.WITHDRAWN])  # fmt: skip
    return list(rows.exclude(kind=Due.Kind.RECOVERY).order_by("period_from", "id")[:INSTEAD_MAX])


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
