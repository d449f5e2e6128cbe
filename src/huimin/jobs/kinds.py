"""Which function does which kind of work; rooms register theirs when they are loaded."""

from collections.abc import Callable
from dataclasses import dataclass

from huimin.jobs.models import Job
from huimin.organisation.acting import Actor
from huimin.organisation.posts import Post

Report = Callable[[str, int, int], None]
"""Called with (stage, done, total); raises when the work was cancelled or taken over."""


@dataclass(frozen=True)
class Kind:
    """`work` does it and returns one sentence; `ended` runs in the transaction that ends a job without success.

    `called_off` says who calls it off where, for whoever is in its way; "" where nobody can.
    """

    title: str
    work: Callable[[Actor, Job, Report], str]
    ended: Callable[[Job], None]
    called_off: str = ""


KINDS: dict[str, Kind] = {}


def handles(
    name: str, title: str, work: Callable[[Actor, Job, Report], str], ended: Callable[[Job], None], called_off: str = ""
) -> None:
    KINDS[name] = Kind(title, work, ended, called_off)


DAILY: dict[str, Post] = {}
"""Kinds that are asked for once a business day (jobs.daily), and in whose name at each county."""


def daily(name: str, post: Post) -> None:
    """Have a kind that `handles` registered done every day, in the name of whoever holds `post` at the county."""
    assert name in KINDS, f"{name} is no kind of work"
    DAILY[name] = post
