"""Reads of pairs, inquiries and merges; bounded, paged by key, inside `reading(by)` (REG-04)."""

from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Count, Model, Q, QuerySet

from huimin.casework.models import Decision
from huimin.database.paging import SIZE, Page, cut
from huimin.duplicates.commands import UNJUDGED
from huimin.duplicates.models import Inquiry, Merge, Overpaid, Pair
from huimin.kernel.places import Level
from huimin.payment.models import RosterLine

T = TypeVar("T", bound=Model)
ROWS_MAX = 1000
WAITING = "waiting"
"""Pairs nobody has judged yet."""
_BOTH = ("first", "second")


@dataclass(frozen=True)
class PairFilter:
    """Which pairs: beneath `prefix`, in a state ("" for every one), of a kind, from a score on."""

    prefix: str
    state: str = WAITING
    kind: str = ""
    score_from: int = 0


def list_pairs(wanted: PairFilter, place: str = "", size: int = SIZE) -> Page[Pair]:
    """A page, the most alike first, with both people."""
    rows = Pair.objects.filter(division__gte=wanted.prefix, division__lt=wanted.prefix + "~").select_related(*_BOTH)
    if wanted.state:
        rows = rows.filter(state__in=UNJUDGED if wanted.state == WAITING else [wanted.state])
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.score_from:
        rows = rows.filter(score__gte=wanted.score_from)
    return cut(rows, ("-score", "id"), place, size)


def count_pairs(prefix: str, level: Level = Level.NATION) -> dict[str, int]:
    """By state; of the county's office with its `level`, those of two townships only."""
    rows = _own_level(Pair.objects.filter(division__gte=prefix, division__lt=prefix + "~"), level)
    return dict(rows.values_list("state").annotate(n=Count("pk")).order_by("state"))


def get_pair(number: int) -> Pair:
    """Pair.DoesNotExist when it is not there or lies elsewhere."""
    return Pair.objects.select_related(*_BOTH).get(pk=number)


def list_inquiries_of(pair: int) -> list[Inquiry]:
    return list(Inquiry.objects.filter(pair=pair).select_related("person").order_by("-id")[:20])


def list_inquiries(prefix: str, *, waiting: bool, place: str = "", size: int = SIZE) -> Page[Inquiry]:
    """Questions to the villages beneath `prefix`, oldest first."""
    rows = Inquiry.objects.filter(division__gte=prefix, division__lt=prefix + "~").select_related("person")
    rows = rows.filter(answer="") if waiting else rows
    return cut(rows, ("id",), place, size)


def count_inquiries(prefix: str) -> int:
    """Still without an answer."""
    return Inquiry.objects.filter(division__gte=prefix, division__lt=prefix + "~", answer="").count()


def list_merges(prefix: str, *, state: str = "", place: str = "", size: int = SIZE) -> Page[Merge]:
    """Newest first, with both people."""
    rows = Merge.objects.filter(division__gte=prefix, division__lt=prefix + "~").select_related("survivor", "absorbed")
    return cut(rows.filter(state=state) if state else rows, ("-id",), place, size)


def _own_level(rows: QuerySet[T], level: Level) -> QuerySet[T]:
    """What no lower office can do: who works for a county leaves a township's to the township."""
    return rows.filter(division__endswith="000000") if level == Level.COUNTY else rows


def count_merges(prefix: str, level: Level = Level.NATION) -> dict[str, int]:
    """As `count_pairs`."""
    rows = _own_level(Merge.objects.filter(division__gte=prefix, division__lt=prefix + "~"), level)
    return dict(rows.values_list("state").annotate(n=Count("pk")).order_by("state"))


def get_merge(number: int) -> Merge:
    related = ("survivor", "absorbed", "pair", "signature", "split_signature")
    return Merge.objects.select_related(*related).get(pk=number)


def list_merged_into(people: list[int]) -> list[Merge]:
    """What these people's records took in and still hold."""
    live = (Merge.State.CONFIRMED, Merge.State.SPLITTING)
    rows = Merge.objects.filter(survivor__in=people, state__in=live).select_related("survivor", "absorbed")
    return list(rows.order_by("-id")[:20])


@dataclass(frozen=True)
class Frozen:
    """What stays with a merged record and is shown with the survivor: lines, decisions, dues paid twice."""

    lines: list[RosterLine]
    decisions: list[Decision]
    overpaid: list[Overpaid]

    @property
    def overpaid_fen(self) -> int:
        return sum(each.amount_fen for each in self.overpaid if not each.void)


def frozen_of(merge: Merge) -> Frozen:
    own = Q(person=merge.absorbed_id) | Q(payee=merge.absorbed_id)
    return Frozen(
        list(RosterLine.objects.filter(own).select_related("roster").order_by("-id")[:50]),
        list(Decision.objects.filter(person=merge.absorbed_id).order_by("-id")[:50]),
        list(Overpaid.objects.filter(merge=merge).order_by("programme", "period_from")[:200]),
    )
