"""Who acts: the actor every command takes as `by`, and the transaction a command runs in (SEC-02, SEC-03, SEC-05).

`@command(posts…)` makes a function a command: it checks the post, opens one transaction, declares the actor's scope to
the database, and turns what the database refuses into a refusal a person can read. A refusal undoes everything and is
recorded. `reading(by)` does the same for queries of a page.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db import IntegrityError, ProgrammingError, transaction

from huimin.audit.models import Event
from huimin.database.context import Scope, declare, scope_of
from huimin.divisions.queries import name_of
from huimin.kernel.errors import Refusal
from huimin.kernel.places import Level, chain, scope_prefix
from huimin.organisation.posts import OfficeKind, Post

P = ParamSpec("P")
R = TypeVar("R")


class NotYourPost(Refusal):
    """The acting post may not do this."""


class NotYourPlace(Refusal):
    """The row lies outside the acting office's place."""


class NotYourProgramme(Refusal):
    """The acting office is not responsible for this programme."""


class SamePerson(Refusal):
    """Two steps that check each other may not be done by one person."""


class AlreadyDone(Refusal):
    """Somebody else did this meanwhile, or it was done before."""


@dataclass(frozen=True)
class Actor:
    """One appointment acting: which account, post, office and place, from which address, in which request."""

    appointment: int
    account: int
    name: str
    post: Post
    office: int
    office_kind: OfficeKind
    office_name: str
    division: str
    level: Level
    programmes: tuple[str, ...] = ()
    address: str | None = None
    request: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def audience(self) -> str:
        return "bank" if self.office_kind == OfficeKind.BANK else "staff"

    @property
    def prefix(self) -> str:
        """Digits every place of this actor begins with."""
        return scope_prefix(self.division, self.level)

    @property
    def title(self) -> str:
        return f"{self.office_name} {self.post.label} {self.name}"

    def scope(self) -> Scope:
        scope_from, scope_to = scope_of(self.prefix)
        return Scope(
            scope_from=scope_from,
            scope_to=scope_to,
            chain=",".join(chain(self.division)),
            audience=self.audience,
            office=str(self.office),
            appointment=str(self.appointment),
            request=self.request,
        )


@contextmanager
def reading(by: Actor) -> Iterator[None]:
    """A transaction that sees what `by` may see."""
    with transaction.atomic():
        declare(by.scope())
        yield


# What the database's own constraints mean to a person. A name that is not here is a programming mistake and raises.
_REFUSED_BY_DATABASE: dict[str, tuple[type[Refusal], str, str]] = {}


def refused_by_constraint(name: str, kind: type[Refusal], what: str, remedy: str) -> None:
    """Register the words for a constraint; rooms call this beside the commands that may meet it."""
    _REFUSED_BY_DATABASE[name] = (kind, what, remedy)


def command(
    *posts: Post,
) -> Callable[[Callable[Concatenate[P], R]], Callable[Concatenate[P], R]]:
    """Make `function(*, by: Actor, …)` a command of these posts."""

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            by = kwargs["by"]
            assert isinstance(by, Actor)
            try:
                _require_post(by, posts)
                with in_words(), reading(by):
                    return function(*args, **kwargs)
            except Refusal as refusal:
                record_refusal(by, function.__name__, refusal)
                raise

        run.posts = frozenset(posts)  # type: ignore[attr-defined]
        return run

    return wrap


def may(by: Actor, act: Callable[..., Any]) -> bool:
    """Whether a page should offer this command to `by` (the command itself checks again)."""
    return by.post in act.posts  # type: ignore[attr-defined]


def require_place(by: Actor, division: str) -> None:
    if not division.startswith(by.prefix):
        raise NotYourPlace(
            f"{name_of(division)}不在您的辖区内", why=f"您的岗位在 {by.office_name}", remedy="请由当地或上级办理"
        )


_NAMING: list[Callable[[str], str]] = []


def programmes_named_by(name: Callable[[str], str]) -> None:
    """The policy list is downstream; it says here how a programme is called in a refusal."""
    _NAMING[:] = [name]


def require_programme(by: Actor, programme: str, name: str = "") -> None:
    if programme not in by.programmes:
        called = name or (_NAMING[0](programme) if _NAMING else programme)
        raise NotYourProgramme(f"{called}不由{by.office_name}负责", remedy="请由主管部门办理")


def require_another(by: Actor, earlier: int | None, step: str) -> None:
    """Four eyes: `by` must not be the appointment (or the person) that did the earlier step."""
    from huimin.organisation.models import Appointment

    if earlier is None:
        return
    same = earlier == by.appointment or Appointment.objects.filter(pk=earlier, account=by.account).exists()
    if same:
        raise SamePerson(f"{step}的人不能再办这一步", why="经办与复核须为两人", remedy="请由另一人办理")


def _require_post(by: Actor, posts: tuple[Post, ...]) -> None:
    if by.post not in posts:
        allowed = "、".join(post.label for post in posts)
        raise NotYourPost(f"{by.post.label}不能办理这一步", why=f"这一步由{allowed}办理", remedy="请转交相应岗位")


@contextmanager
def in_words() -> Iterator[None]:
    """What the database refuses inside, as a refusal a person can read; for many acts in one command, each in a savepoint."""
    try:
        yield
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""
        if name not in _REFUSED_BY_DATABASE:
            raise
        kind, what, remedy = _REFUSED_BY_DATABASE[name]
        raise kind(what, remedy=remedy) from error
    except ProgrammingError as error:
        if "row-level security" not in str(error):
            raise
        raise NotYourPlace("数据不在您的辖区内", remedy="请由当地或上级办理") from error


def record_refusal(by: Actor, act: str, refusal: Refusal) -> None:
    """Remember that somebody was refused; in a transaction of its own, after the refused one was undone."""
    with reading(by):
        Event.objects.create(
            kind=Event.Kind.REFUSED,
            division=by.division,
            appointment=by.appointment,
            account=by.account,
            address=by.address,
            subject=act[:80],
            detail={"obstacle": type(refusal).__name__, "what": refusal.what[:300]},
        )


def record_event(by: Actor, kind: str, subject: str, detail: dict[str, Any] | None = None) -> None:
    """Remember an act that changes no row; inside the caller's transaction."""
    Event.objects.create(
        kind=kind,
        division=by.division,
        appointment=by.appointment,
        account=by.account,
        address=by.address,
        subject=subject[:80],
        detail=detail or {},
    )
