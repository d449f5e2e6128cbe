"""Facts and personal values as a person may see them: units in words, sensitive facts hidden from posts without need.

in    a fact of kernel.facts and a stored value; who looks
out   text for pages; personal values always masked (plain ones only through commands.look_at)
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from huimin.kernel.facts import Fact, Kind
from huimin.kernel.masking import HIDDEN
from huimin.kernel.money import yuan
from huimin.organisation.acting import Actor
from huimin.organisation.posts import Post

UNASKED = "未采集"
# Who decides about people needs to know of illness and disability; who pays and watches does not (SEC-04).
NEED_HEALTH = frozenset(
    {
        Post.INFORMATION_OFFICER,
        Post.CLERK,
        Post.REVIEWER,
        Post.TOWNSHIP_HEAD,
        Post.DEPARTMENT_OFFICER,
        Post.DEPARTMENT_APPROVER,
        Post.COUNTY_OFFICER,
    }
)


@dataclass(frozen=True)
class Shown:
    """One fact of one household or person; `value` is None when it was never asked or is `hidden`."""

    fact: Fact
    value: Any
    text: str
    hidden: bool = False


def show(fact: Fact, value: Any, by: Actor) -> Shown:
    """The fact for the eyes of `by`."""
    if fact.sensitive and by.post not in NEED_HEALTH:
        return Shown(fact, None, HIDDEN, hidden=True)
    return Shown(fact, value, text_of(fact, value))


def text_of(fact: Fact, value: Any) -> str:
    """`1,234.50 元/月`, `3.25 亩`, `是`, `2021-06-21`; 未采集 for None."""
    if value is None:
        return UNASKED
    unit = f" {fact.unit}" + (f"/{fact.per}" if fact.per else "") if fact.unit else ""
    if fact.kind in (Kind.MONEY, Kind.AREA):
        return yuan(int(value)) + unit
    if fact.kind is Kind.FLAG:
        return "是" if value else "否"
    if fact.kind is Kind.DATE:
        return value.isoformat() if isinstance(value, date) else str(value)
    return f"{value}{unit}"
