"""Reads of indicators: the tree of documents, what became of one, what waits; inside `reading(by)` or a command (FUND-01).

Amounts are whole 分. What is seen is a place's own, those beneath it, and those above it that it may be met from.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import F, Q, Sum

from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.funds.models import Allotment, AllotmentMove, FundingApplication
from huimin.kernel.places import chain

ROWS_MAX = 5000
State = Allotment.State


@dataclass(frozen=True)
class Node:
    """An indicator in the tree; `depth` 0 came from outside of what is shown."""

    row: Allotment
    depth: int


@dataclass(frozen=True)
class Sums:
    """Of a set of indicators: what came in from outside of it, and where it is; the parts add up to `amount_fen`."""

    amount_fen: int = 0
    reserved_fen: int = 0
    spent_fen: int = 0
    carried_fen: int = 0
    cut_fen: int = 0
    left_fen: int = 0


def tree(*, prefix: str, place: str = "", programme: str = "", year: int = 0) -> list[Node]:
    """Indicators by programme and year, each followed by what was issued of it; two queries, ROWS_MAX rows."""
    wanted = Allotment.objects.exclude(state=State.REFUSED)
    if prefix:
        low, high = scope_of(prefix)
        wanted = wanted.filter(Q(division__gte=low, division__lt=high) | Q(division__in=chain(place) if place else []))
    wanted = wanted.filter(programme=programme) if programme else wanted
    wanted = wanted.filter(year=year) if year else wanted
    rows = list(wanted.order_by("programme", "-year", "division", "id")[:ROWS_MAX])
    known = {row.pk for row in rows}
    beneath: dict[int, list[Allotment]] = defaultdict(list)
    for row in rows:
        if row.parent_id in known:
            beneath[row.parent_id].append(row)
    found: list[Node] = []
    waiting = [(row, 0) for row in reversed(rows) if row.parent_id not in known]
    while waiting:
        row, depth = waiting.pop()
        found.append(Node(row, depth))
        waiting += [(each, depth + 1) for each in reversed(beneath[row.pk])]
    return found


def sums(nodes: Iterable[Node]) -> Sums:
    """What is registered and not yet in force does not count; what was carried over counts once where both years are shown."""
    shown = [node for node in nodes if node.row.state == State.IN_FORCE]
    top = [node.row for node in shown if node.depth == 0]
    known = {node.row.pk for node in shown}
    return Sums(
        sum(row.amount_fen for row in top if row.carried_from_id not in known),
        sum(node.row.reserved_fen for node in shown),
        sum(node.row.spent_fen for node in shown),
        sum(node.row.carried_fen for node in shown),
        sum(row.cut_fen for row in top),
        sum(node.row.left_fen for node in shown),
    )


def get_indicator(number: int) -> Allotment:
    """Allotment.DoesNotExist when it is not there or not to be seen from the actor's place."""
    return Allotment.objects.select_related("parent", "carried_from").get(pk=number)


def list_years() -> list[int]:
    """Years with indicators, the latest first."""
    return list(Allotment.objects.order_by("-year").values_list("year", flat=True).distinct())


def list_issued(number: int) -> list[Allotment]:
    return list(Allotment.objects.filter(parent=number).order_by("division", "id")[:ROWS_MAX])


def list_moves(*, allotment: int = 0, state: str = "") -> list[AllotmentMove]:
    """Moves of one indicator, or of all that are seen in a state; the newest first."""
    wanted = AllotmentMove.objects.select_related("allotment", "made")
    wanted = wanted.filter(allotment=allotment) if allotment else wanted
    wanted = wanted.filter(state=state) if state else wanted
    return list(wanted.order_by("-id")[:500])


def list_uses(number: int) -> list[FundingApplication]:
    """Applications met from an indicator, the newest first."""
    return list(FundingApplication.objects.filter(allotment=number).order_by("-id")[:500])


def list_registered(prefix: str) -> list[Allotment]:
    """Indicators that wait for the second person."""
    low, high = scope_of(prefix)
    wanted = Allotment.objects.filter(state=State.REGISTERED, division__gte=low, division__lt=high)
    return list(wanted.order_by("id")[:500])


def count_waiting(prefix: str) -> tuple[int, int]:
    """(how many indicators and moves wait for the second person, their sum)."""
    low, high = scope_of(prefix)
    registered = Allotment.objects.filter(state=State.REGISTERED, division__gte=low, division__lt=high)
    moves = AllotmentMove.objects.filter(state=AllotmentMove.State.PROPOSED)
    total = [rows.aggregate(fen=Sum("amount_fen", default=0))["fen"] for rows in (registered, moves)]
    return registered.count() + moves.count(), int(sum(total))


def list_carriable(prefix: str, on: date) -> list[Allotment]:
    """Indicators of past years with something left that was not carried over, nor proposed to be."""
    low, high = scope_of(prefix)
    wanted = Allotment.objects.filter(
        state=State.IN_FORCE, year__lt=on.year, division__gte=low, division__lt=high,
        amount_fen__gt=F("reserved_fen") + F("spent_fen") + F("issued_fen") + F("carried_fen") + F("cut_fen"),
    )  # fmt: skip
    moved = AllotmentMove.objects.filter(kind="carry").exclude(state="refused").values("allotment")
    return list(wanted.exclude(pk__in=moved).order_by("year", "programme", "id")[:500])


def recount_moves() -> list[tuple[int, int, int, int]]:
    """Issued, carried and cut of each indicator less the sums of its moves, where that is not zero: always empty."""
    rows = fetch(
        "SELECT a.id,"
        " a.issued_fen - coalesce(sum(m.amount_fen) FILTER (WHERE m.kind = 'issue'), 0)::bigint"
        "   + coalesce((SELECT sum(c.cut_fen) FROM funds_allotment c WHERE c.parent_id = a.id), 0)::bigint,"
        " a.carried_fen - coalesce(sum(m.amount_fen) FILTER (WHERE m.kind = 'carry'), 0)::bigint,"
        " a.cut_fen - coalesce(sum(m.amount_fen) FILTER (WHERE m.kind = 'cut'), 0)::bigint"
        " FROM funds_allotment a LEFT JOIN funds_allotmentmove m ON m.allotment_id = a.id AND m.state = 'approved'"
        " GROUP BY a.id ORDER BY a.id"
    )
    return [row for row in rows if row[1:] != (0, 0, 0)]
