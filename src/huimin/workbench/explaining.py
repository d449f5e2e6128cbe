"""An explanation of the rules engine in sentences for a page: the result first, then each condition with its numbers."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from huimin.kernel.facts import FACTS
from huimin.kernel.money import yuan
from huimin.organisation.acting import Actor
from huimin.registry.showing import NEED_HEALTH

_SENSITIVE = tuple(fact.name for fact in FACTS if fact.sensitive)
_EVERY = {"month": "每月", "quarter": "每季", "half_year": "每半年", "year": "每年", "once": "一次性"}
_RANK = {True: 0, None: 1, False: 2}


@dataclass(frozen=True)
class Reason:
    """One programme for one household or member; `eligible` None while facts are missing."""

    programme: str
    name: str
    person: int | None
    position: int | None
    eligible: bool | None
    amount_fen: int
    every: str
    conditions: tuple[dict[str, Any], ...]
    values: tuple[tuple[str, str | None], ...]
    missing: tuple[str, ...]
    policy: str

    @property
    def headline(self) -> str:
        if self.eligible is None:
            return f"{self.name}：还不能判断"
        if not self.eligible:
            return f"{self.name}：不符合"
        return f"{self.name}，{self.every} {yuan(self.amount_fen)} 元"

    @property
    def tone(self) -> str:
        return {True: "", False: "no", None: "unknown"}[self.eligible]

    @property
    def failed(self) -> list[dict[str, Any]]:
        return [each for each in self.conditions if each["met"] is False]


@dataclass(frozen=True)
class Verdict:
    """One programme with the same outcome for one or several members, who are named together."""

    reasons: tuple[Reason, ...]
    names: tuple[str, ...]

    @property
    def first(self) -> Reason:
        return self.reasons[0]


def told(explained: dict[str, Any], by: Actor) -> list[Reason]:
    """What applies first, then what cannot be told, then what does not; in the engine's order within each.

    Numbers of illness and disability are told only to posts that need them (SEC-04).
    """
    reasons = [_reason(result, explained["members"], by) for result in explained["results"]]
    return sorted(reasons, key=lambda each: _RANK[each.eligible])


def gathered(reasons: list[Reason], names: dict[int, str]) -> list[Verdict]:
    """Members who are refused one programme for the same reasons stand on one line; the rest each on their own."""

    def alike(reason: Reason) -> tuple[Any, ...]:
        failed = tuple(each["id"] for each in reason.failed)
        return _RANK[reason.eligible], reason.programme, failed if reason.eligible is False else reason.position or 0

    return [
        Verdict(tuple(rows := list(group)), tuple(names.get(row.person or 0, "") for row in rows if row.person))
        for _, group in groupby(sorted(reasons, key=alike), alike)
    ]


def _reason(result: dict[str, Any], members: list[int], by: Actor) -> Reason:
    position = result["member"]
    hides = by.post not in NEED_HEALTH
    return Reason(
        programme=result["programme"],
        name=result["name"],
        person=None if position is None else members[position],
        position=position,
        eligible=result["eligible"],
        amount_fen=result["amount_fen"],
        every=_EVERY[result["period"]],
        conditions=tuple(_hidden(each) if hides else each for each in result["conditions"]),
        values=() if hides else tuple(result["values"].items()),
        missing=tuple(result["missing"]),
        policy=result["policy"],
    )


def _hidden(condition: dict[str, Any]) -> dict[str, Any]:
    """The condition without its numbers where they speak of health."""
    if any(name in condition["detail"] for name in _SENSITIVE):
        return {**condition, "detail": "涉及健康情况，已隐去"}
    return condition
