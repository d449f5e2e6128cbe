"""Acts that must be refused, tried by the wrong person or too early; the log must hold each refusal once.

A refusal that was recorded before is not tried again: by then the state has moved on and the obstacle is another.
"""

from collections.abc import Callable
from typing import Any

from huimin.audit.models import Event
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import Actor, reading


class NotRefused(AssertionError):
    """The system allowed what it must refuse."""


def must_refuse(act: Callable[..., Any], obstacle: type[Refusal], *, by: Actor, **arguments: Any) -> None:
    """Try `act` as `by`; it must meet exactly this obstacle."""
    if _recorded(act, obstacle, by):
        return
    try:
        act(by=by, **arguments)
    except obstacle:
        return
    except Refusal as other:
        raise NotRefused(
            f"{act.__name__} met {type(other).__name__} instead of {obstacle.__name__}: {other}"
        ) from other
    raise NotRefused(f"{act.__name__} was allowed for {by.title}")


def _recorded(act: Callable[..., Any], obstacle: type[Refusal], by: Actor) -> bool:
    with reading(by):
        return Event.objects.filter(
            kind=Event.Kind.REFUSED,
            subject=act.__name__,
            appointment=by.appointment,
            detail__obstacle=obstacle.__name__,
        ).exists()
