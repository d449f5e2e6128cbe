"""Reads of visits; inside `reading(by)`."""

from django.db.models import Q, QuerySet

from huimin.cases.models import Case
from huimin.registry.models import ReportedChange
from huimin.visits.models import Doubt, Visit


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
    return Visit.objects.select_related("household", "case", "signature").get(pk=number)


def unsettled() -> "QuerySet[Doubt]":
    """Doubts nobody may go on over: open, or confirmed with a fact that no change has put into the registry yet."""
    done = Q(change__state=ReportedChange.State.APPLIED)
    carried = Q(state=Doubt.State.CONFIRMED) & ~Q(fact="") & ~done
    carried |= Q(state=Doubt.State.CONFIRMED, change=None) & ~Q(fact="")
    rows = Doubt.objects.filter(Q(state=Doubt.State.OPEN) | carried)
    return rows.exclude(visit__state=Visit.State.VOID)


def unsettled_of(case: Case) -> str:
    """In words what of a case's doubts stands in the way; "" for nothing."""
    rows = list(unsettled().filter(case=case).values_list("state", flat=True))
    asked, carried = rows.count(Doubt.State.OPEN), rows.count(Doubt.State.CONFIRMED)
    words = [f"有 {asked} 条疑点没有向申请人核实"] if asked else []
    words += [f"有 {carried} 条查实的疑点还没有办完变更"] if carried else []
    return "，".join(words)
