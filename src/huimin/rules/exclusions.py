"""Programmes that exclude each other: 排除 in a policy file becomes a condition of its own.

in    what 排除 says of another programme, both programmes' units
out   a condition `not-<code>`, written in the language itself, so that it is checked and explained like any other

A household or person is excluded who holds the other programme today, or who is found to fit it by this very
determination while not yet holding this one: who already draws this programme keeps it until the other one is granted.
Precedence: the lesser programme names the greater one; naming each other is a circle, which is a fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from huimin.rules.faults import FaultFound, Source
from huimin.rules.layers import SCOPES, Written

SELF, ANYBODY, EVERYBODY = SCOPES


@dataclass(frozen=True)
class Other:
    """Another programme as far as it concerns this one."""

    name: str
    unit: str


def exclusion_condition(written: Written, own: str, unit: str, others: Mapping[str, Other]) -> Written:
    """The condition. `written.key` is the other's code, `written.expression` where it stands, `written.scope` 范围."""
    code, at = written.key, written.expression
    if code == own:
        raise FaultFound(at, 0, "项目不能排除自己", "请写另一个项目的编码")
    if code not in others:  # the checker says so, with the nearest code
        return Written(f"not-{code}", _source(f"not 享受({code})", at), written.text, written.citation, at=at)
    other = others[code]
    text = written.text or f"不与“{other.name}”同时享受"
    formula = _formula(code, own, _scope(written, unit, other), unit)
    return Written(f"not-{code}", _source(formula, at), text, written.citation, written.paper, at=at)


def _scope(written: Written, unit: str, other: Other) -> str:
    """范围, by default the person in a programme about persons, any member in one about households."""
    if other.unit == "household":
        return SELF
    scope = written.scope or (SELF if unit == "person" else ANYBODY)
    if scope == SELF and unit == "household":
        what = f"本项目按户，“{other.name}”按人，不能只看“{SELF}”"
        raise FaultFound(written.expression, 0, what, f"范围请写 {ANYBODY} 或 {EVERYBODY}")
    return scope


def _formula(code: str, own: str, scope: str, unit: str) -> str:
    excluded = f"享受({code}) or 符合({code}) and not 享受({own})"
    if scope == ANYBODY:
        return f"not any(成员, {excluded})"
    if scope == EVERYBODY:
        return f"not (人口 > 0 and all(成员, {excluded}))"
    return f"not ({excluded})"


def _source(text: str, at: Source) -> Source:
    """The formula, all of it standing where the other's code was written."""
    return Source(at.file, text, (at.place(0),))
