"""Reads of policies: the book as it stands or stood (DET-07), policies as people read them, drafts on their way."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from django.db.models import Exists, OuterRef, Q, QuerySet

from huimin.divisions.queries import names_of
from huimin.kernel.errors import Refusal
from huimin.kernel.facts import Fact
from huimin.kernel.places import NATION, chain
from huimin.organisation.acting import Actor
from huimin.organisation.models import Office
from huimin.organisation.posts import OfficeKind, Post
from huimin.organisation.queries import live_on
from huimin.policy.models import DraftStep, OwnFact, PolicyDraft, PolicyText, Programme
from huimin.policy.showing import Shelf, county_chain, list_offices_of
from huimin.policy.written import Written, read_texts
from huimin.rules import Book, read_book_texts

_VERSION = re.compile(r"[a-z0-9-]+@(\d{4}-\d\d-\d\d)#([0-9a-f]+)")

DRAFTS_MAX = 200


class AmbiguousFact(Refusal):
    """One code means two things in the place."""


OPEN_STATES = (
    PolicyDraft.State.DRAFTING,
    PolicyDraft.State.SUBMITTED,
    PolicyDraft.State.HEARD,
    PolicyDraft.State.REVIEWED,
    PolicyDraft.State.EXAMINED,
)


def adopted_book(at: datetime | None = None) -> Book:
    """The book of all texts in use, or in use at the moment `at`; inside a reading transaction."""
    return book_of(adopted_texts(at))


def added_facts(place: str, book: Book | None = None) -> tuple[Fact, ...]:
    """Facts added at a place, above it or beneath it, by the policies in use (or `book`); inside a reading transaction.

    One code must mean one fact there: AmbiguousFact when two places beneath define it differently.
    """
    if not place:
        return ()
    found: dict[str, Fact] = {}
    for local in (book or adopted_book()).local_facts:
        if local.division in chain(place) or place in chain(local.division):
            fact = found.setdefault(local.fact.code, local.fact)
            if (fact.kind, fact.choices, fact.entity) != (local.fact.kind, local.fact.choices, local.fact.entity):
                raise AmbiguousFact(
                    f"事实“{fact.name}”（{fact.code}）在下级各地的含义不同",
                    why="同一编码的类型、选项或对象不一样",
                    remedy="请由上级统一登记这项事实",
                )
    return tuple(found.values())


def adopted_texts(at: datetime | None = None) -> dict[str, str]:
    """Path → text of all policies in use, or in use at the moment `at`; inside a reading transaction."""
    when = (
        Q(superseded_at=None)
        if at is None
        else Q(adopted_at__lte=at) & (Q(superseded_at=None) | Q(superseded_at__gt=at))
    )
    return dict(PolicyText.objects.filter(when).order_by("path").values_list("path", "text"))


def book_of(texts: Mapping[str, str]) -> Book:
    """The book of these texts; PolicyFaults when they cannot be used. The last few are kept."""
    return _read(tuple(sorted(texts.items())))


@lru_cache(maxsize=8)
def _read(texts: tuple[tuple[str, str], ...]) -> Book:
    return read_book_texts(dict(texts))


@lru_cache(maxsize=8)
def _written(texts: tuple[tuple[str, str], ...]) -> Written:
    return read_texts(dict(texts))


def programme_names() -> dict[str, str]:
    """Code → name of every programme on the policy list."""
    return dict(Programme.objects.order_by("code").values_list("code", "name"))


def programme_name(code: str) -> str:
    """What a message calls one programme; its code where it is not on the list."""
    return Programme.objects.filter(code=code).values_list("name", flat=True).first() or code


def version_words(version: str) -> str:
    """A version as people read it: `2021-01-01 起的文本（70c88495d1f1）`; several, as a roster bears them, one after another."""
    return _VERSION.sub(r"\1 起的文本（\2）", version)


def texts_in_use(using: str = "default") -> dict[str, str]:
    """Path → text of all texts in use; inside a reading transaction, but for `using="maintenance"`."""
    live = PolicyText.objects.using(using).filter(superseded_at=None)
    return dict(live.order_by("path").values_list("path", "text"))


def get_shelf(by: Actor, on: date) -> Shelf:
    """The policies of the acting person's place on that day, to be read from; three queries."""
    texts = tuple(sorted(texts_in_use().items()))
    offices = Office.objects.filter(live_on(on), division__in=county_chain(by.division)).exclude(
        kind__in=[OfficeKind.FINANCE, OfficeKind.TOWNSHIP, OfficeKind.VILLAGE, OfficeKind.BANK]
    )
    return Shelf(
        _read(texts),
        _written(texts),
        place_names(by.division, on),
        on,
        list_offices_of(offices.order_by("id").values_list("name", "programmes")),
    )


def place_names(division: str, on: date) -> dict[str, str]:
    """Code → name along the chain of a place, nation first, as far as the county."""
    codes = county_chain(division)
    names = names_of(set(codes), on)
    return {code: "全国" if code == NATION else names.get(code, code) for code in codes}


# -- texts and how they came to be


@dataclass(frozen=True)
class Adoption:
    """How a text came into use: from a file of the installation, or through a draft's four steps."""

    path: str
    adopted_on: date
    draft: int | None
    steps: tuple[DraftStep, ...]


def adoptions_of(paths: set[str]) -> dict[str, Adoption]:
    """By path, of texts in use; three queries, however many."""
    texts = PolicyText.objects.filter(path__in=paths, superseded_at=None).values_list("path", "adopted_on")
    drafts = PolicyDraft.objects.filter(path__in=paths, state=PolicyDraft.State.APPROVED)
    numbers: dict[str, int] = dict(drafts.values_list("path", "pk"))
    steps: dict[int, list[DraftStep]] = {}
    for step in DraftStep.objects.filter(draft__in=numbers.values(), outcome="agreed").order_by("pk"):
        steps.setdefault(step.draft_id, []).append(step)
    return {
        path: Adoption(path, day, numbers.get(path), tuple(steps.get(numbers.get(path, 0), ()))) for path, day in texts
    }


# -- drafts


def list_drafts(by: Actor, *, programme: str = "", state: str = "") -> list[PolicyDraft]:
    """Drafts at the place of `by` or above it, the newest first; inside `reading(by)`."""
    found: QuerySet[PolicyDraft] = PolicyDraft.objects.defer("text")
    if programme:
        found = found.filter(programme=programme)
    if state:
        found = found.filter(state=state)
    return list(found.order_by("-pk")[:DRAFTS_MAX])


def list_waiting_drafts(by: Actor, states: Sequence[str]) -> list[PolicyDraft]:
    """Drafts in these states that `by` may take on: his own while drafting, another's in every later step.

    A department sees those of its programmes. One query.
    """
    found = PolicyDraft.objects.defer("text").filter(state__in=states, division=by.division)
    mine = Q(state=PolicyDraft.State.DRAFTING, drafted_account=by.account)
    recorded = DraftStep.objects.filter(draft=OuterRef("pk"), round=OuterRef("round"), account=by.account)
    others = ~Q(state=PolicyDraft.State.DRAFTING) & ~Q(drafted_account=by.account) & ~Exists(recorded)
    if by.post not in (Post.COUNTY_OFFICER, Post.LEADING_APPROVER):
        found = found.filter(programme__in=by.programmes)
    return list(found.filter(mine | others).order_by("effective_on", "pk")[:DRAFTS_MAX])


def get_draft(number: int) -> PolicyDraft:
    """One draft of the reader's places; DoesNotExist."""
    return PolicyDraft.objects.get(pk=number)


def list_steps(draft: PolicyDraft) -> list[DraftStep]:
    """Everything recorded of a draft, oldest first, all rounds."""
    return list(draft.steps.order_by("pk"))


def find_open_draft(division: str, programme: str) -> PolicyDraft | None:
    """The draft that is on its way for a programme, if there is one."""
    return PolicyDraft.objects.filter(division=division, programme=programme, state__in=OPEN_STATES).first()


# -- facts the county added


@dataclass(frozen=True)
class UsedFact:
    """A fact beside the dictionary's: the place that asks it, and (code, name) of the programmes that use it there."""

    fact: Fact
    place: str
    used: tuple[tuple[str, str], ...]


def used_facts(shelf: Shelf) -> list[UsedFact]:
    """Facts added at the shelf's place and above it, nearest place last; no query."""
    laws = shelf.book.programmes_in_force(shelf.codes, shelf.on)
    return [
        UsedFact(
            local.fact, shelf.places[local.division],
            tuple((law.code, law.name) for law in laws if local.fact.code in {fact.code for fact in law.facts_needed}),
        )
        for local in sorted(shelf.book.local_facts, key=lambda each: (each.division, each.fact.code))
        if local.division in shelf.places
    ]  # fmt: skip


def list_own_facts(division: str) -> list[OwnFact]:
    """What was proposed at the county and is not in use, newest first; one query."""
    found = OwnFact.objects.filter(division=division).exclude(state=OwnFact.State.IN_USE)
    return list(found.order_by("-pk")[:DRAFTS_MAX])


def list_waiting_facts(by: Actor) -> list[OwnFact]:
    """Proposals of others that wait for a decision at the actor's place; one query."""
    waiting = OwnFact.objects.filter(division=by.division, state=OwnFact.State.PROPOSED)
    return list(waiting.exclude(proposed_account=by.account).order_by("pk")[:DRAFTS_MAX])
