"""Hand-outs of policies: 明白纸, a programme on one page in large type, and 宣传手册, all programmes in force (POL-05).

in    who asks, the business date, for 明白纸 a programme
out   PDF/A-2b; every word comes from the policies in force at the place of `by`

A programme that waits for a value is printed by neither: nobody may read of an amount that is not there. Law:
皖政办〔2008〕23号 附件3 第六至十条.
"""

from datetime import date
from typing import Any

from huimin.audit.models import Event
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import Actor, command, record_event
from huimin.organisation.posts import Post
from huimin.payment.papers.typesetting import typeset
from huimin.payment.papers.words import day_in_words
from huimin.policy.queries import get_shelf, version_words
from huimin.policy.showing import Policy, Shelf

READERS = tuple(post for post in Post if post not in (Post.BANK_OPERATOR, Post.ADMINISTRATOR))


class NotInForce(Refusal):
    """There is nothing to hand out of a policy that is not in force."""


def handout_pdf(*, by: Actor, on: date, code: str) -> bytes:
    """明白纸 of a programme; NotInForce."""
    return typeset("handout", gather_handout(by=by, on=on, code=code), on=on)


def booklet_pdf(*, by: Actor, on: date) -> bytes:
    """宣传手册 of all programmes in force at the place of `by`; NotInForce when there is none."""
    return typeset("booklet", gather_booklet(by=by, on=on), on=on)


@command(*READERS)
def gather_handout(*, by: Actor, on: date, code: str) -> dict[str, Any]:
    """What the page says; remembers that it was taken."""
    shelf = get_shelf(by, on)
    policy = shelf.find(code)
    if policy is None or policy.status != "in_force":
        why = policy.status_words if policy else "清单上没有"
        raise NotInForce("这个项目现在不能印明白纸", why=why, remedy="请等它施行，或先补上缺的标准")
    record_event(by, Event.Kind.EXPORTED, f"明白纸 {policy.name}", {"version": policy.version})
    return {"title": policy.name, "programme": _told(policy), **_foot(by, shelf, on)}


@command(*READERS)
def gather_booklet(*, by: Actor, on: date) -> dict[str, Any]:
    """What the booklet says; remembers that it was taken."""
    shelf = get_shelf(by, on)
    policies = [policy for policy in shelf.policies() if policy.status == "in_force"]
    if not policies:
        raise NotInForce("没有施行中的项目", remedy="请先采用政策")
    record_event(by, Event.Kind.EXPORTED, "宣传手册", {"programmes": [policy.version for policy in policies]})
    return {"title": "惠民政策宣传手册", "programmes": [_told(policy) for policy in policies], **_foot(by, shelf, on)}


def _foot(by: Actor, shelf: Shelf, on: date) -> dict[str, Any]:
    return {"issuer": by.office_name, "place": list(shelf.places.values())[-1], "date": day_in_words(on)}


def _told(policy: Policy) -> dict[str, Any]:
    """A programme in the headings of a hand-out: what, for whom, how much, how, when, whom to ask, by which law."""
    standards = [
        f"{name}：{values[-1].words}（{policy.places.get(values[-1].place, '')}，{values[-1].since} 起"
        f"{'，示例假设' if values[-1].assumption else ''}）"
        for name, _, values in policy.standards(paid=True)
        if values
    ]
    return {
        "name": policy.name,
        "abbreviation": policy.field("简称"),
        "department": policy.department,
        "whom": policy.field("面向对象"),
        "conditions": [each.text for each in policy.conditions],
        "exclusions": [f"不与{name}同时享受" for name, _, _ in policy.exclusions],
        "standards": standards,
        "formula": policy.amount_words,
        "limits": [f"{name}：{words}" for name, words in policy.amount_limits] + _ends(policy),
        "period": policy.field("期间"),
        "apply": policy.how_to_apply,
        "papers": "、".join(policy.papers),
        "payout": policy.payout_words,
        "when": policy.field("发放时间"),
        "ask": policy.ask,
        "basis": policy.field("依据"),
        "version": version_words(policy.version),
    }


def _ends(policy: Policy) -> list[str]:
    """渐退 where there is any at present."""
    found = policy.phase_out
    if found is None or found.is_none_now:
        return []
    return [f"渐退：{found.sentence}" + (f"。前提：{found.premise}" if found.premise else "")]
