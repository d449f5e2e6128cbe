"""What the meeting came to, case by case, and its minutes (CASE-03; 皖政办〔2008〕23号 附件3 第23、24条).

in    a held meeting: consensus or a vote with its counts and the four who counted; who is near to the applicant
out   Items with their result; the minutes, signed over everything, final

Always true: whoever lives in the applicant's household, or said he is near, has no vote on the case and is noted; ballots are
no more than the votes there are, and for + against + abstained = ballots; the result is what the counts say; against the
determination only with reasons, and then the township inquires before the case goes on. Recorded minutes are final.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from huimin.cases.models import Case
from huimin.database.bulk import fetch
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kinship.recusal import require_not_related
from huimin.meetings.convening import CONVENERS, locked, require_state
from huimin.meetings.models import Item, ItemRecusal, Meeting, Overseer, Participant
from huimin.meetings.rules import COUNTERS, carries
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint
from huimin.organisation.signing import sign

State, Role = Meeting.State, Participant.Role
How, Outcome = Item.How, Item.Outcome


class TooManyBallots(Refusal):
    """More ballots than votes."""


class CountsDiffer(Refusal):
    """The counts do not add up."""


class ResultDiffers(Refusal):
    """The result is not what the counts say."""


class ReasonsFirst(Refusal):
    """A result against the determination needs its reasons."""


class NotYetJudged(Refusal):
    """Cases of the agenda have no result yet."""


class CaseMoved(Refusal):
    """The case no longer stands at the step it was to be judged at."""


refused_by_constraint(
    "item_vote_adds_up", CountsDiffer, "票数不符", "赞成、反对、弃权之和应等于发出的票数，且不超过有表决权的人数"
)
refused_by_constraint("item_result_follows", ResultDiffers, "评议结果与票数不符", "请核对票数")
refused_by_constraint("item_contested_is_told", ReasonsFirst, "评议结果与认定不一致，没有写理由", "请写明理由")
refused_by_constraint("item_final", AlreadyDone, "这件事的评议结果已登记", "请刷新后查看；有误的由乡镇核查")
refused_by_constraint("meeting_final", AlreadyDone, "会议记录已定稿，不能再改", "有误的写更正说明，或重新评议")
refused_by_constraint("item_judged_where_it_stands", CaseMoved, "这件事已不在评议这一步", "请登记为未评议")


@dataclass(frozen=True)
class Votes:
    """Counts of one vote, and who scrutinised, called, counted and watched (participants of the meeting)."""

    ballots: int
    in_favour: int
    against: int
    abstained: int
    scrutineer: int
    caller: int
    counter: int
    overseer: int

    @property
    def counters(self) -> tuple[int, int, int, int]:
        return (self.scrutineer, self.caller, self.counter, self.overseer)


@dataclass(frozen=True)
class Result:
    """`outcome` of a vote may be left empty: it follows. `near`: participant → how he is near, as said at the meeting."""

    how: str
    words: str
    outcome: str = ""
    reasons: str = ""
    votes: Votes | None = None
    near: Mapping[int, str] = field(default_factory=dict)


@command(*CONVENERS)
def record_result(*, by: Actor, on: date, item: int, result: Result) -> Item:
    """What was said and decided of one case. A second one is refused, unless the first was taken back."""
    row, meeting = _open(by, item)
    case = Case.objects.select_for_update(of=("self",)).get(pk=row.case_id)
    assert case.household_id is not None
    require_not_related(by, on, [case.household_id])
    if (case.step, case.round, case.state) != (row.step, row.round, Case.State.OPEN):
        raise CaseMoved(f"{case.number} 已不在“{row.step}”", why=case.get_state_display(), remedy="请登记为未评议")
    there = {each.pk: each for each in meeting.participants.filter(present=True)}
    recused = _recuse(row, meeting, case.household_id, there, result.near)
    row.voters = sum(each.role == Role.REPRESENTATIVE and each.pk not in recused for each in there.values())
    if row.voters < 1:
        raise BadInput("到会代表都须回避", where="回避", remedy="请留待下次评议，或报乡镇")
    row.majority, row.how, row.words = meeting.majority, result.how, _said(result.words, "评议意见", 1000)
    if result.how == How.VOTE:
        _count(row, meeting, there, recused, result)
    elif result.how == How.CONSENSUS:
        row.outcome = result.outcome
    else:
        raise BadInput("没有选怎样评议", where="怎样评议", remedy="请选择一致评议或投票")
    if row.outcome not in Outcome.values:
        raise BadInput("没有选评议结果", where="评议结果", remedy="请选择通过或不通过")
    _contest(row, result.reasons)
    row.state, row.judged_by, row.judged_on = Item.State.JUDGED, by.appointment, on
    row.save(update_fields=[name for name in Item.changeable if name != "put_off"])
    return row


def _open(by: Actor, item: int) -> tuple[Item, Meeting]:
    """The item and its meeting, held and not final, for the rest of the transaction."""
    found = Item.objects.filter(pk=item).first()
    if found is None:
        raise BadInput("没有这件议题", where="议题", remedy="请从会议页面进入")
    meeting = locked(by, found.meeting_id)
    require_state(meeting, State.HELD)
    row = Item.objects.select_for_update().get(pk=item)
    if row.state != Item.State.WAITING:
        raise AlreadyDone(f"这件事{row.get_state_display()}", remedy="请刷新后查看")
    return row, meeting


def _said(words: str, where: str, most: int) -> str:
    said = words.strip()
    if len(said) < 2:
        raise BadInput(f"没有写{where}", where=where, remedy="请写明代表怎么说的")
    if len(said) > most:
        raise BadInput(f"{where}超过 {most} 字", where=where, remedy="请改短")
    return said


_IN_HOUSEHOLD = """
SELECT p.id, m.relation FROM meetings_participant p JOIN registry_person n ON n.id = p.person_id
JOIN registry_membership m ON m.person_id = coalesce(n.merged_into_id, n.id) AND m.recorded_to IS NULL
 AND m.valid_from <= %(day)s AND (m.valid_to IS NULL OR m.valid_to > %(day)s)
WHERE p.meeting_id = %(meeting)s AND p.present AND m.household_id = %(household)s
"""


def near_by_registry(meeting: Meeting, household: int) -> dict[int, str]:
    """Participants who live in the applicant's household, as registered on the day of the meeting."""
    rows = fetch(_IN_HOUSEHOLD, {"meeting": meeting.pk, "household": household, "day": meeting.meets_on})
    return {number: f"同户，{relation}" for number, relation in rows}


def _recuse(
    row: Item, meeting: Meeting, household: int, there: Mapping[int, Participant], near: Mapping[int, str]
) -> set[int]:
    registered = near_by_registry(meeting, household)
    for number, relation in near.items():
        if number not in there:
            raise BadInput("回避的有没有到会的人", where="回避", remedy="请从到会的人中选择")
        if len(relation.strip()) < 1:
            raise BadInput(f"{there[number].name}没有写与申请人的关系", where="回避", remedy="如：兄弟、女婿")
    sources = ItemRecusal.Source
    told = {number: (relation.strip()[:40], sources.DECLARED) for number, relation in near.items()}
    told |= {number: (relation, sources.REGISTRY) for number, relation in registered.items()}
    ItemRecusal.objects.bulk_create(
        [
            ItemRecusal(item=row, division=row.division, participant_id=number, relation=relation, source=source)
            for number, (relation, source) in sorted(told.items())
        ],
        update_conflicts=True, unique_fields=["item", "participant"], update_fields=["relation", "source", "withdrawn"],
    )  # fmt: skip
    return set(told)


def _count(row: Item, meeting: Meeting, there: Mapping[int, Participant], recused: set[int], result: Result) -> None:
    votes = result.votes
    if votes is None:
        raise BadInput("没有写票数", where="票数", remedy="请填写发出的票数和赞成、反对、弃权数")
    assert row.voters is not None
    parts = (votes.in_favour, votes.against, votes.abstained)
    if min(*parts, votes.ballots) < 0 or votes.ballots < 1:
        raise BadInput("票数不是正数", where="票数", remedy="请核对计票单")
    if votes.ballots > row.voters:
        away = f"，其中 {len(recused)} 人回避" if recused else ""
        raise TooManyBallots(
            f"发出 {votes.ballots} 票，有表决权的代表只有 {row.voters} 人",
            why=f"到会居民代表 {meeting.present} 人{away}", remedy="请核对签到和计票单",
        )  # fmt: skip
    if sum(parts) != votes.ballots:
        raise CountsDiffer(
            f"赞成 {parts[0]}、反对 {parts[1]}、弃权 {parts[2]}，合计 {sum(parts)}，不等于发出的 {votes.ballots} 票",
            remedy="请当场重新计票，废票记入弃权",
        )
    _require_counters(meeting, there, recused, votes)
    row.ballots, row.in_favour, row.against, row.abstained = votes.ballots, *parts
    row.scrutineer_id, row.caller_id, row.counter_id, row.overseer_id = votes.counters
    needed = carries(row.voters, row.majority)
    follows = Outcome.AGREED if votes.in_favour >= needed else Outcome.DISAGREED
    if result.outcome and result.outcome != follows:
        raise ResultDiffers(
            f"赞成 {votes.in_favour} 票，{needed} 票通过，应为“{follows.label}”",
            why=f"有表决权的代表 {row.voters} 人，{meeting.get_majority_display()}赞成通过", remedy="请核对票数和结果",
        )  # fmt: skip
    row.outcome = follows


def _require_counters(meeting: Meeting, there: Mapping[int, Participant], recused: set[int], votes: Votes) -> None:
    """Four different people who were there and are not near; three with a vote, the fourth as the county ruled."""
    if len(set(votes.counters)) < len(COUNTERS):
        raise BadInput("监票、唱票、计票和评议监督员有同一个人", where="计票的人", remedy="请选四个不同的人")
    watching = Role.SUPERVISOR if meeting.overseer == Overseer.SUPERVISOR else Role.REPRESENTATIVE
    for title, number in zip(COUNTERS, votes.counters, strict=True):
        role = watching if title == COUNTERS[-1] else Role.REPRESENTATIVE
        who = there.get(number)
        if who is None or who.role != role:
            raise BadInput(f"{title}不是到会的{role.label}", where=title, remedy=f"请从到会的{role.label}中选择")
        if number in recused:
            raise BadInput(f"{who.name}须回避，不能作{title}", where=title, remedy="请另选一人")


def _contest(row: Item, reasons: str) -> None:
    """Against the determination only with reasons; what nobody can determine yet is against nothing."""
    agreed = row.outcome == Outcome.AGREED
    row.contested = row.eligible is not None and agreed != row.eligible
    row.reasons = reasons.strip()[:500]
    if row.contested and len(row.reasons) < 4:
        law = "符合" if row.eligible else "不符合"
        raise ReasonsFirst(
            f"按登记和政策{law}条件，评议{'通过' if agreed else '不通过'}", why="评议结果与认定不一致",
            remedy="请写明代表的理由；登记后转乡镇核查",
        )  # fmt: skip


@command(*CONVENERS)
def put_off_item(*, by: Actor, on: date, item: int, reason: str) -> Item:
    """It was not judged at this meeting, or had gone elsewhere; why."""
    row, _ = _open(by, item)
    if len(reason.strip()) < 2:
        raise BadInput("没有写原因", where="原因", remedy="请写明为什么这次没有评议")
    row.state, row.put_off = Item.State.PUT_OFF, reason.strip()[:200]
    row.save(update_fields=["state", "put_off"])
    return row


_RESULT = {
    "state": Item.State.WAITING, "outcome": "", "how": "", "words": "", "reasons": "", "majority": "", "voters": None,
    "ballots": None, "in_favour": None, "against": None, "abstained": None, "scrutineer_id": None, "caller_id": None,
    "counter_id": None, "overseer_id": None, "contested": False, "put_off": "", "judged_by": None, "judged_on": None,
}  # fmt: skip


@command(*CONVENERS)
def take_back(*, by: Actor, on: date, item: int) -> Item:
    """A result written down wrongly is written again, until the minutes are signed; the change log keeps what it was."""
    found = Item.objects.filter(pk=item).first()
    if found is None:
        raise BadInput("没有这件议题", where="议题", remedy="请从会议页面进入")
    require_state(locked(by, found.meeting_id), State.HELD)
    row = Item.objects.select_for_update().get(pk=item)
    if row.state not in (Item.State.JUDGED, Item.State.PUT_OFF):
        raise AlreadyDone(f"这件事{row.get_state_display()}", remedy="请刷新后查看")
    for name, value in _RESULT.items():
        setattr(row, name, value)
    row.save(update_fields=[name.removesuffix("_id") for name in _RESULT])
    row.recusals.update(withdrawn=True)
    return row


@command(*CONVENERS)
def record_minutes(*, by: Actor, on: date, meeting: int, words: str, recorder: str) -> Meeting:
    """The minutes are whole: signed over who came, what was read, what was said and how it was decided. Final."""
    row = locked(by, meeting)
    require_state(row, State.HELD)
    left = row.items.filter(state=Item.State.WAITING).count()
    if left:
        raise NotYetJudged(f"还有 {left} 件没有登记结果", remedy="请逐件登记评议结果，或登记留待下次")
    row.words, row.recorder = _said(words, "会议记录", 2000), _said(recorder, "记录人", 60)
    row.digest = minutes_digest(row)
    row.signature = sign(
        by=by, on=on, act="民主评议会议记录", subject=row.subject, content_digest=row.digest, division=row.division
    )
    row.state, row.recorded_by, row.recorded_on = State.RECORDED, by.appointment, on
    row.save(update_fields=["words", "recorder", "digest", "signature", "state", "recorded_by", "recorded_on"])
    return row


_TOLD = (
    "number", "case_id", "step", "round", "told", "told_on", "eligible", "amount_fen", "hardship", "outcome", "how", "words",
    "reasons", "majority", "voters", "ballots", "in_favour", "against", "abstained", "scrutineer_id", "caller_id",
    "counter_id", "overseer_id", "contested", "put_off", "judged_on",
)  # fmt: skip


def minutes_digest(row: Meeting) -> str:
    """Of everything the minutes say, from the rows as they stand: the same rows give the same digest."""
    people = row.participants.order_by("id").values_list("id", "role", "name", "title", "present")
    recused = ItemRecusal.objects.filter(item__meeting=row, withdrawn=False).order_by("id")
    content: dict[str, Any] = {
        "meeting": row.pk, "division": row.division, "meets_on": row.meets_on, "meets_at": row.meets_at,
        "location": row.location, "chair": row.chair, "recorder": row.recorder, "words": row.words,
        "counts": [row.statutory, row.present, row.supervisors, row.cadres], "rule": [row.majority, row.overseer],
        "people": [list(each) for each in people],
        "items": [_item_content(each) for each in row.items.order_by("number")],
        "recused": [list(each) for each in recused.values_list("item_id", "participant_id", "relation", "source")],
    }  # fmt: skip
    return digest(content)


def _item_content(item: Item) -> dict[str, Any]:
    """A case that is judged again later was judged when the minutes were signed."""
    state = Item.State.JUDGED if item.state == Item.State.REOPENED else item.state
    return {"state": str(state), **{name: getattr(item, name) for name in _TOLD}}
