"""A fact a county adds (县里自己的事实): proposed at the desk, read as a policy file, decided by another person (REG-01).

in    name, whose, kind, unit, choices, paper, whether it is private; why it is asked
out   an `OwnFact`; once agreed a text of its own below `local/`, from which forms, imports, lists and policies read it

Always true: what is proposed reads as a policy file together with all texts in use, and again when it is agreed; a name means
one thing. A fact in use is neither changed nor taken away: answers are stored under it.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from itertools import count

from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.facts import Fact
from huimin.kernel.pinyin import pinyin_key
from huimin.kernel.places import Level
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    SamePerson,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.policy.drafting import dump
from huimin.policy.models import OwnFact, PolicyText
from huimin.policy.queries import texts_in_use
from huimin.rules import Book, PolicyFaults, read_book_texts

State = OwnFact.State
COUNTS = ("人", "岁", "级", "项", "辆", "台", "套", "个", "户", "次", "头", "只", "年", "月", "天")
"""What a whole number may count."""
UNITS = {"金额": ("元", "元/月", "元/年"), "面积": ("亩", "平方米"), "整数": COUNTS}
_CODE_MAX = 36

refused_by_constraint("own_fact_once", AlreadyDone, "这项事实已经提出或已在使用", "请在列表里查看")
refused_by_constraint("own_fact_by_another", SamePerson, "提出的人不能自己审批", "请由另一人审批")


class NotWaiting(Refusal):
    """The fact does not wait for a decision, or not at this place."""


@dataclass(frozen=True)
class Wanted:
    """What a county wants to ask, in the words of a policy file."""

    name: str
    entity: str
    kind: str
    unit: str = ""
    choices: tuple[str, ...] = ()
    paper: str = ""
    sensitive: bool = False


@command(Post.COUNTY_OFFICER, Post.DEPARTMENT_OFFICER)
def propose_fact(*, by: Actor, on: date, wanted: Wanted, reason: str) -> OwnFact:
    """Put a fact up for decision. BadInput where a policy file could not say it, AlreadyDone where the name is taken up."""
    if by.level != Level.COUNTY:
        raise BadInput("自己的事实由县里提出", where="区划", remedy="请由县惠民办或主管部门提出")
    name = wanted.name.strip()
    if OwnFact.objects.filter(division=by.division, name=name, state__in=[State.PROPOSED, State.IN_USE]).exists():
        raise AlreadyDone(f"“{name}”已经提出或已在使用", remedy="请在列表里查看")
    texts = texts_in_use()
    code = _code(name, _read(texts, ""))
    text = dump({"区划": by.division, "事实": [_entry(wanted, name, code)]})
    made = OwnFact(
        division=by.division, name=name[:30], code=code, reason=_reason(reason), text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(), proposed_by=by.appointment, proposed_account=by.account,
        proposer=by.title, proposed_on=on,
    )  # fmt: skip
    _read(texts | {made.path: text}, made.path)
    made.save()
    return made


@command(Post.LEADING_APPROVER)
def decide_fact(*, by: Actor, on: date, fact_id: int, agreed: bool, answer: str = "") -> OwnFact:
    """Agree, and it is asked from now on; or refuse with a reason. Never by who proposed it."""
    found = _waiting(by, fact_id)
    require_another(by, found.proposed_by, "提出这项事实")
    if not agreed:
        answer = _reason(answer)
    found.state = State.IN_USE if agreed else State.REFUSED
    _decided(by, on, found, answer)
    if agreed:
        _read(texts_in_use() | {found.path: found.text}, found.path)
        PolicyText.objects.create(
            division=found.division, path=found.path, text=found.text, sha256=found.sha256, adopted_by=by.appointment,
            adopted_on=on,
        )  # fmt: skip
    act = "同意增加事实" if agreed else "不同意增加事实"
    sign(by=by, on=on, act=act, subject=found.subject, content_digest=found.sha256, division=found.division)
    return found


@command(Post.COUNTY_OFFICER, Post.DEPARTMENT_OFFICER)
def withdraw_fact(*, by: Actor, on: date, fact_id: int) -> OwnFact:
    """Who proposed it takes it back before it is decided."""
    found = _waiting(by, fact_id)
    if found.proposed_account != by.account:
        raise NotWaiting(
            "这项事实不是您提出的", why=f"提出人是{found.proposer}", remedy="请由提出的人撤回，或由审批岗决定"
        )
    found.state = State.WITHDRAWN
    _decided(by, on, found, "")
    return found


def fact_of(found: OwnFact) -> Fact:
    """What the proposal asks, read out of its text."""
    [local] = read_book_texts({found.path: found.text}).local_facts
    return local.fact


# -- serving


def _waiting(by: Actor, fact_id: int) -> OwnFact:
    found = OwnFact.objects.select_for_update().filter(pk=fact_id).first()
    if found is None:
        raise NotWaiting("没有这项事实", why="不在您的辖区内", remedy="请从列表进入")
    require_place(by, found.division)
    if found.state != State.PROPOSED:
        raise AlreadyDone(f"这项事实现在是“{found.get_state_display()}”", remedy="请刷新后查看")
    return found


def _decided(by: Actor, on: date, found: OwnFact, answer: str) -> None:
    found.decided_by, found.decided_account, found.decider = by.appointment, by.account, by.title
    found.decided_on, found.answer = on, answer.strip()[:300]
    found.save(update_fields=["state", "decided_by", "decided_account", "decider", "decided_on", "answer"])


def _entry(wanted: Wanted, name: str, code: str) -> dict[str, object]:
    told: dict[str, object] = {"名称": name, "编码": code, "对象": wanted.entity, "类型": wanted.kind}
    if wanted.unit:
        told["单位"] = wanted.unit
    if wanted.choices:
        told["选项"] = [each.strip() for each in wanted.choices if each.strip()]
    if wanted.paper.strip():
        told["材料"] = wanted.paper.strip()
    if wanted.sensitive:
        told["敏感"] = "是"
    return told


def _code(name: str, book: Book) -> str:
    """The name's pinyin as a column's name; with a number where another fact or proposal has it."""
    plain = re.sub(r"[^a-z0-9]+", "_", pinyin_key(name)).strip("_")[:_CODE_MAX].rstrip("_")
    first = plain if re.match(r"[a-z][a-z0-9_]", plain) else f"f_{plain}"[:_CODE_MAX]
    taken = {fact.code for fact in book.facts} | {local.fact.code for local in book.local_facts}
    taken |= set(OwnFact.objects.values_list("code", flat=True))
    return next(code for at in count(1) if (code := first if at == 1 else f"{first}_{at}") not in taken)


def _read(texts: dict[str, str], path: str) -> Book:
    """The book with the new text in it; BadInput in the office's words where it does not read."""
    try:
        return read_book_texts(texts)
    except PolicyFaults as wrong:
        fault = next((each for each in wrong.faults if each.file == path), wrong.faults[0])
        raise BadInput(fault.what, where=_field(fault.what), remedy=fault.remedy) from wrong


def _field(message: str) -> str:
    """Which line of the form a fault of the reader is about."""
    return next((word for word in ("单位", "选项", "材料") if word in message), "名称")


def _reason(text: str) -> str:
    if not text.strip():
        raise BadInput("没有写理由", where="理由", remedy="请写明为什么")
    return " ".join(text.split())[:300]
