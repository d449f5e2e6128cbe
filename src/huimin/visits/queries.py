"""Reads of visits, doubts, letters and entrusted visits; inside `reading(by)`. Lists are paged by key, counts one statement."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from huimin.cases.models import Case
from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.registry.models import Membership, ReportedChange
from huimin.visits.models import Doubt, Entrustment, ProofLetter, Visit
from huimin.visits.wanted import visit_steps

LISTED_MAX = 5000
Programmes = tuple[str, ...] | None
"""A department's programmes; None for posts that read all (SEC-03)."""
M = TypeVar("M", bound=Model)


def of_programmes(rows: "QuerySet[M]", programmes: Programmes) -> "QuerySet[M]":
    """What belongs to applications of these programmes, or to no application."""
    return rows if programmes is None else rows.filter(Q(case=None) | Q(case__programme__in=programmes))


def signed_of(subject: str, round: int | None = None) -> list[Visit]:
    """Signed visits of a matter (of one round), the latest first: what another room's judgement may hang on."""
    rows = Visit.objects.filter(subject=subject, state=Visit.State.SIGNED)
    rows = rows if round is None else rows.filter(round=round)
    return list(rows.order_by("-visited_on", "-id")[:50])


def list_visits_of(subject: str) -> list[Visit]:
    """All visits of a matter, attempts and mistakes too, the latest first, with who went."""
    rows = Visit.objects.filter(subject=subject).prefetch_related("investigators", "doubts")
    return list(rows.order_by("-visited_on", "-id")[:50])


def get_visit(number: int) -> Visit:
    """One visit with what it names; DoesNotExist."""
    return Visit.objects.select_related("household", "case", "signature", "entrustment").get(pk=number)


@dataclass(frozen=True)
class VisitFilter:
    """Visits beneath `prefix`, of a purpose, in a state ("nobody": attempts), for applications of some programmes."""

    prefix: str
    purpose: str = ""
    state: str = ""
    programmes: Programmes = None

    def rows(self) -> "QuerySet[Visit]":
        first, until = scope_of(self.prefix)
        rows = Visit.objects.filter(division__gte=first, division__lt=until)
        rows = of_programmes(rows.filter(purpose=self.purpose) if self.purpose else rows, self.programmes)
        if self.state == Visit.Met.NOBODY:
            return rows.filter(met=Visit.Met.NOBODY).exclude(state=Visit.State.VOID)
        if self.state == Visit.State.RECORDED:
            return rows.filter(state=self.state).exclude(met=Visit.Met.NOBODY)
        return rows.filter(state=self.state) if self.state else rows


def page_visits(wanted: VisitFilter, place: str = "", size: int = SIZE) -> Page[Visit]:
    """The latest first, with who went."""
    rows = wanted.rows().select_related("household").prefetch_related("investigators")
    return cut(rows, ("-visited_on", "-id"), place, size)


def list_visits(wanted: VisitFilter) -> list[Visit]:
    rows = wanted.rows().select_related("household").prefetch_related("investigators")
    return list(rows.order_by("-visited_on", "-id")[:LISTED_MAX])


@dataclass(frozen=True)
class Standing:
    """How far a matter has come in its round: attempts, visits not signed, signed, doubts in the way, an entrusted visit out."""

    attempts: int = 0
    unsigned: int = 0
    signed: int = 0
    doubts: int = 0
    entrusted: bool = False
    latest: int | None = None

    @property
    def words(self) -> str:
        if self.signed:
            return f"已签字，{self.doubts} 条疑点待核实" if self.doubts else "已签字"
        if self.unsigned:
            return "待双方签字"
        if self.entrusted:
            return "已委托居住地调查"
        return f"去过 {self.attempts} 次，家中无人" if self.attempts else "还没有去"

    @property
    def tone(self) -> str:
        if self.signed:
            return "soon" if self.doubts else "done"
        return "plain" if self.entrusted else "soon"


_STANDING = """
SELECT v.subject, v.round, count(*) FILTER (WHERE v.met = 'nobody'),
       count(*) FILTER (WHERE v.state = 'recorded' AND v.met <> 'nobody'), count(*) FILTER (WHERE v.state = 'signed'), max(v.id)
FROM visits_visit v WHERE v.state <> 'void' AND v.subject = ANY (%s) GROUP BY 1, 2
"""


def standings(subjects: Collection[tuple[str, int]]) -> dict[str, Standing]:
    """By subject, in the round given with it; three statements, however many."""
    rounds, names = dict(subjects), [subject for subject, _ in subjects]
    doubts: dict[str, int] = {}
    for case in unsettled().filter(case__in=_cases(names)).values_list("case", flat=True):
        doubts[f"case:{case}"] = doubts.get(f"case:{case}", 0) + 1
    out = set(Entrustment.objects.filter(subject__in=names, state="sent").values_list("subject", flat=True))
    found = {
        subject: Standing(*counts, doubts=doubts.get(subject, 0), entrusted=subject in out, latest=latest)
        for subject, round, *counts, latest in fetch(_STANDING, [names])
        if round == rounds.get(subject)
    }
    return {
        name: found.get(name) or Standing(doubts=doubts.get(name, 0), entrusted=name in out) for name in names
    }  # fmt: skip


def _cases(subjects: Iterable[str]) -> list[int]:
    return [int(subject[5:]) for subject in subjects if subject.startswith("case:") and subject[5:].isdigit()]


def heads_of(households: Collection[int]) -> dict[int, str]:
    """Names of the heads now."""
    rows = Membership.objects.filter(household__in=households, relation="户主", recorded_to=None, valid_to=None)
    return dict(rows.values_list("household", "person__name"))


@dataclass(frozen=True)
class Rate:
    """Of the applications taken at a place, how many were visited; how many are past their day without it."""

    division: str
    due: int
    done: int
    late: int

    @property
    def percent(self) -> str:
        return f"{self.done * 1000 // self.due / 10:g}%" if self.due else "—"


_RATES = """
SELECT substr(c.division, 1, %(digits)s), count(*),
       count(*) FILTER (WHERE s.yes), count(*) FILTER (WHERE NOT s.yes AND c.step <> '' AND c.step_due_on < %(on)s)
FROM cases_case c CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT 1 FROM visits_visit v WHERE v.subject = 'case:' || c.id AND v.state = 'signed') AS yes) s
WHERE c.process_id = ANY (%(processes)s) AND c.accepted_on >= %(since)s AND c.division >= %(low)s AND c.division < %(high)s
  AND c.state IN ('open', 'granted', 'refused')
GROUP BY 1 ORDER BY 1
"""


def list_rates(prefix: str, digits: int, since: date, on: date) -> list[Rate]:
    """By place of `digits` digits, of the applications accepted since a day that must be visited; one statement."""
    low, high = scope_of(prefix)
    asked = {
        "digits": digits, "on": on, "since": since, "low": low, "high": high,
        "processes": sorted({process for process, _ in visit_steps()}),
    }  # fmt: skip
    return [Rate(code.ljust(12, "0"), *counts) for code, *counts in fetch(_RATES, asked)]


def count_unsigned(prefix: str) -> int:
    return VisitFilter(prefix, state=Visit.State.RECORDED).rows().count()


# Doubts.


def unsettled() -> "QuerySet[Doubt]":
    """Doubts nobody may go on over: open, or confirmed with a fact that no change has put into the registry yet."""
    carried = Q(state=Doubt.State.CONFIRMED) & ~Q(fact="")
    applied = Q(change__state=ReportedChange.State.APPLIED, change__isnull=False)
    rows = Doubt.objects.filter(Q(state=Doubt.State.OPEN) | carried).exclude(applied)
    return rows.exclude(visit__state=Visit.State.VOID, visit__isnull=False)


def unsettled_of(case: Case) -> str:
    """In words what of a case's doubts stands in the way; "" for nothing."""
    rows = list(unsettled().filter(case=case).values_list("state", flat=True))
    asked, carried = rows.count(Doubt.State.OPEN), rows.count(Doubt.State.CONFIRMED)
    words = [f"有 {asked} 条疑点没有向申请人核实"] if asked else []
    words += [f"有 {carried} 条查实的疑点还没有办完变更"] if carried else []
    return "，".join(words)


def page_doubts(
    prefix: str, state: str, place: str = "", size: int = SIZE, programmes: Programmes = None
) -> Page[Doubt]:
    """By age; `state` of a doubt, or "" for those that stand in the way."""
    first, until = scope_of(prefix)
    rows = Doubt.objects.filter(state=state) if state else unsettled()
    rows = of_programmes(rows.filter(division__gte=first, division__lt=until), programmes)
    return cut(rows.select_related("household", "person", "visit", "letter", "change"), ("id",), place, size)


def list_doubts_of(*, household: int | None = None, case: int | None = None, visit: int | None = None) -> list[Doubt]:
    """Of a household, a case or a visit, the oldest first; none of a visit that was struck out."""
    asked = {"household": household, "case": case, "visit": visit}
    rows = Doubt.objects.filter(**{name: value for name, value in asked.items() if value is not None})
    rows = rows.exclude(visit__state=Visit.State.VOID, visit__isnull=False)
    return list(rows.select_related("person", "change", "attachment", "visit", "letter").order_by("id")[:200])


def count_doubts(prefix: str) -> tuple[int, int]:
    """Open, and confirmed without their change."""
    first, until = scope_of(prefix)
    states = list(
        unsettled().filter(division__gte=first, division__lt=until).values_list("state", flat=True)[:LISTED_MAX]
    )
    return states.count(Doubt.State.OPEN), states.count(Doubt.State.CONFIRMED)


# Letters and entrusted visits.


def page_letters(
    prefix: str, state: str, on: date, place: str = "", size: int = SIZE, programmes: Programmes = None
) -> Page[ProofLetter]:
    """By the day they are due; `state` of a letter, or "late"."""
    first, until = scope_of(prefix)
    rows = ProofLetter.objects.filter(division__gte=first, division__lt=until).select_related("household", "person")
    if state == "late":
        rows = rows.filter(state=ProofLetter.State.SENT, due_on__lt=on)
    elif state:
        rows = rows.filter(state=state)
    return cut(of_programmes(rows, programmes), ("due_on", "id"), place, size)


def count_letters(prefix: str, on: date) -> tuple[int, date | None]:
    """Open letters that are due within three days or late, and the earliest day."""
    first, until = scope_of(prefix)
    rows = ProofLetter.objects.filter(division__gte=first, division__lt=until, state=ProofLetter.State.SENT)
    days = list(
        rows.filter(due_on__lte=date.fromordinal(on.toordinal() + 3)).values_list("due_on", flat=True)[:LISTED_MAX]
    )
    return len(days), min(days, default=None)


def page_entrusted(
    prefix: str, side: str, state: str, on: date, place: str = "", size: int = SIZE
) -> Page[Entrustment]:
    """Letters of ours ("ours") or to a place of ours ("here"), by the day they are due; `state` of a letter, or "late"."""
    first, until = scope_of(prefix)
    column = "to_division" if side == "here" else "division"
    rows = Entrustment.objects.filter(**{f"{column}__gte": first, f"{column}__lt": until})
    if state == "late":
        rows = rows.filter(state=Entrustment.State.SENT, due_on__lt=on)
    elif state:
        rows = rows.filter(state=state)
    return cut(rows, ("due_on", "id"), place, size)


def list_entrusted_waiting(prefix: str, side: str, rows_max: int = 60) -> list[Entrustment]:
    """Ours that were answered or are out; or those that wait here; the earliest day first."""
    first, until = scope_of(prefix)
    if side == "here":
        rows = Entrustment.objects.filter(to_division__gte=first, to_division__lt=until, state=Entrustment.State.SENT)
    else:
        rows = Entrustment.objects.filter(division__gte=first, division__lt=until, state__in=("sent", "answered"))
    return list(rows.order_by("due_on", "id")[:rows_max])


def list_letters_of(household: int, rows_max: int = 50) -> list[ProofLetter]:
    rows = ProofLetter.objects.filter(household=household).select_related("person")
    return list(rows.order_by("-id")[:rows_max])


def list_entrusted_of(household: int, rows_max: int = 50) -> list[Entrustment]:
    return list(Entrustment.objects.filter(household=household).order_by("-id")[:rows_max])
