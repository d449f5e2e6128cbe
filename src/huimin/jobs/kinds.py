"""Which function does which kind of work; rooms register theirs when they are loaded."""

from collections.abc import Callable
from dataclasses import dataclass

from huimin.jobs.models import Job
from huimin.organisation.acting import Actor

Report = Callable[[str, int, int], None]
"""Called with (stage, done, total); raises when the work was cancelled or taken over."""


@dataclass(frozen=True)
class Kind:
    """`work` does it and returns one sentence; `ended` runs in the transaction that ends a job without success."""

    title: str
    work: Callable[[Actor, Job, Report], str]
    ended: Callable[[Job], None]


KINDS: dict[str, Kind] = {}


def handles(name: str, title: str, work: Callable[[Actor, Job, Report], str], ended: Callable[[Job], None]) -> None:
    KINDS[name] = Kind(title, work, ended)
