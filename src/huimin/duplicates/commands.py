"""Judging pairs: not one person, or ask the village (REG-04). Merging them is `merging`, finding them `searching`.

in    a pair that is open, or that a village is looking into
out   the pair dismissed with a reason; a question to the village of each person, and its answer

Always true: a dismissed pair is not found again; a village answers only what it was asked, once.
"""

from datetime import date

from huimin.duplicates.models import Inquiry, Pair
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint, require_place
from huimin.organisation.posts import Post
from huimin.registry.models import Person
from huimin.registry.snapshots import NotRegistered

State = Pair.State
JUDGES = (Post.CLERK, Post.REVIEWER, Post.COUNTY_OFFICER)
UNJUDGED = (State.OPEN, State.ASKED)

refused_by_constraint("inquiry_open_once", AlreadyDone, "已经请这个村核查，还没有答复", "请等村里答复")


@command(*JUDGES)
def dismiss_pair(*, by: Actor, on: date, pair: int, judgement: str) -> Pair:
    """Not one person, and why; no later search brings the pair back."""
    row = open_pair(by, pair)
    row.state, row.judgement = State.DISMISSED, _said(judgement, "理由", "请写明为什么不是同一人")
    row.judged_by, row.judged_on = by.appointment, on
    row.save(update_fields=["state", "judgement", "judged_by", "judged_on"])
    return row


@command(*JUDGES)
def ask_village(*, by: Actor, on: date, pair: int, question: str) -> list[Inquiry]:
    """Ask the village of each of the two; AlreadyDone while an answer is awaited."""
    row = open_pair(by, pair)
    question = _said(question, "要核查的事", "请写明要村里核查什么")
    people = list(Person.objects.filter(pk__in=[row.first_id, row.second_id]).order_by("pk"))
    asked = [
        Inquiry.objects.create(
            division=person.division[:12],
            pair=row,
            person=person,
            question=question,
            asked_by=by.appointment,
            asked_on=on,
        )
        for person in people
    ]
    row.state = State.ASKED
    row.save(update_fields=["state"])
    return asked


@command(Post.INFORMATION_OFFICER, Post.CLERK)
def answer_inquiry(*, by: Actor, on: date, inquiry: int, answer: str, note: str) -> Inquiry:
    """What the village found; the pair itself is judged by the township (county)."""
    row = Inquiry.objects.select_for_update().filter(pk=inquiry).first()
    if row is None:
        raise NotRegistered("没有这件核查", why="不存在，或不在您的辖区内", remedy="请从待核查的列表进入")
    require_place(by, row.division)
    if row.answer:
        raise AlreadyDone(f"已于 {row.answered_on} 答复：{row.get_answer_display()}", remedy="请刷新后查看")
    if answer not in Inquiry.Answer.values:
        raise BadInput("没有选择核查结果", where="核查结果", remedy="请选择是、不是同一人，或查不清")
    row.answer, row.note = answer, _said(note, "核查情况", "请写明怎样核查的")
    row.answered_by, row.answered_on = by.appointment, on
    row.save(update_fields=["answer", "note", "answered_by", "answered_on"])
    return row


def open_pair(by: Actor, pair: int) -> Pair:
    """The pair, locked; AlreadyDone when it was judged."""
    row = Pair.objects.select_for_update().filter(pk=pair).first()
    if row is None:
        raise NotRegistered("没有这一对", why="不存在，或不在您的辖区内", remedy="跨乡镇的由县惠民办办理")
    require_place(by, row.division)
    if row.state not in UNJUDGED:
        raise AlreadyDone(f"这一对{row.get_state_display()}", remedy="请刷新后查看")
    return row


def _said(text: str, where: str, remedy: str) -> str:
    text = text.strip()
    if len(text) < 2:
        raise BadInput(f"没有写明{where}", where=where, remedy=remedy)
    return text[:200]
