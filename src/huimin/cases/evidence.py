"""What a step must hold, as slots that other rooms fill (CASE-02 to CASE-08).

A process names kinds of evidence (`processes.language.KINDS`); a room that keeps records of a kind registers it once:

    holds("入户调查", look)

`look(case, step, demand, on) -> Held` tells, without changing anything, which records fill the slot now, or in words what
is missing. `many`, for the same of many cases in a few queries, may be registered beside it. When the step is taken, each record becomes a `CaseEvidence` row with its digest, in the same transaction; the
database refuses a step that lacks one. A kind that must act as the step closes (a notice that ends) registers `take` too;
it is called in the transaction of `take_step`, may refuse, and answers like `look`.

Always true: a kind nobody registered holds nothing, so a step that demands it cannot be passed. Records count for the
step and round the case stands at: ask for `case.step`, `case.round` when yours is made. A demand carries its number:
days, people or percent (`Demand.number`), its name (报告), its level (公示) or its posts (会签).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from huimin.cases.models import Case
from huimin.organisation.acting import Actor
from huimin.processes.language import KINDS, Demand, Step


@dataclass(frozen=True)
class Reference:
    """One record: `name` as `table:id` (80 characters), the digest of its content, the day it was made."""

    name: str
    digest: str
    held_on: date


@dataclass(frozen=True)
class Held:
    """What fills a slot: at least one reference, or what is missing and where to get it."""

    references: tuple[Reference, ...] = ()
    missing: str = ""
    remedy: str = ""

    @property
    def ok(self) -> bool:
        return not self.missing and bool(self.references)


Look = Callable[[Case, Step, Demand, date], Held]
LookMany = Callable[[Sequence[Case], Step, Demand, date], dict[int, Held]]
Take = Callable[[Actor, date, Case, Step, Demand], Held]


@dataclass(frozen=True)
class Kind:
    look: Look
    take: Take | None = None
    many: LookMany | None = None


_KINDS: dict[str, Kind] = {}


def holds(kind: str, look: Look, take: Take | None = None, many: LookMany | None = None) -> None:
    """Register who keeps the records of a kind; a later registration takes the place of an earlier one."""
    assert kind in KINDS, f"{kind} is no kind of evidence a process can name"
    _KINDS[kind] = Kind(look, take, many)


def look_for(case: Case, step: Step, demand: Demand, on: date) -> Held:
    """What fills this slot now; changes nothing."""
    kind = _KINDS.get(demand.kind)
    return kind.look(case, step, demand, on) if kind else _nobody(demand)


def look_for_many(cases: Sequence[Case], step: Step, demand: Demand, on: date) -> dict[int, Held]:
    """The same for cases that stand at one step, by case."""
    kind = _KINDS.get(demand.kind)
    if kind is None:
        return {case.pk: _nobody(demand) for case in cases}
    return kind.many(cases, step, demand, on) if kind.many else {c.pk: kind.look(c, step, demand, on) for c in cases}


def take_for(by: Actor, on: date, case: Case, step: Step, demand: Demand) -> Held:
    """The same as the step closes."""
    kind = _KINDS.get(demand.kind)
    if kind is None:
        return _nobody(demand)
    return kind.take(by, on, case, step, demand) if kind.take else kind.look(case, step, demand, on)


def _nobody(demand: Demand) -> Held:
    return Held(missing=f"还没有{demand}的记录", remedy=f"本系统还不能登记{demand.kind}，这一步先停在这里")
