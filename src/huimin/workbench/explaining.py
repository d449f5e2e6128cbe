"""An explanation of the rules engine in sentences for a page: the result first, then each condition with its numbers."""

from dataclasses import dataclass
from typing import Any

from huimin.kernel.money import yuan

_EVERY = {"month": "每月", "quarter": "每季", "half_year": "每半年", "year": "每年", "once": "一次性"}


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


def told(explained: dict[str, Any]) -> list[Reason]:
    """What applies first, then what cannot be told, then what does not; in the engine's order within each."""
    reasons = [_reason(result, explained["members"]) for result in explained["results"]]
    return sorted(reasons, key=lambda each: {True: 0, None: 1, False: 2}[each.eligible])


def _reason(result: dict[str, Any], members: list[int]) -> Reason:
    position = result["member"]
    return Reason(
        programme=result["programme"],
        name=result["name"],
        person=None if position is None else members[position],
        position=position,
        eligible=result["eligible"],
        amount_fen=result["amount_fen"],
        every=_EVERY[result["period"]],
        conditions=tuple(result["conditions"]),
        values=tuple(result["values"].items()),
        missing=tuple(result["missing"]),
        policy=result["policy"],
    )
