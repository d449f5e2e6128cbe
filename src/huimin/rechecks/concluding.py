"""What a re-check comes to: the determination says it, one person signs it, another confirms it (CASE-09, DET-06, SEC-02).

in    a re-check with what was looked into; the registry as it stands, changes of it registered before
out   an outcome with the difference (不变 增发 减发 渐退 停发), proposals as a change makes them, two signatures

Nobody types an outcome. The households are determined anew (screening.rescreening) and what is proposed for what they hold is
the outcome; a fact that changed is first registered as a change (casework.changes), by its own two people. Proposals are
decided the ordinary way.

Always true: nothing is concluded with a change of the household still on its way, a doubt of its visit open, facts missing,
or on the household's own word alone; unchanged ones may be concluded together, each on evidence of its own; who confirms did
neither conclude nor look into it; nothing is confirmed that was determined otherwise since. 民发〔2021〕57号 第31条;
国务院令第649号 第13条; 伊民规〔2022〕2号 二(二)2–3.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from huimin.casework.screening import granted_of
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kinship.recusal import require_not_related
from huimin.organisation.acting import Actor, AlreadyDone, SamePerson, command, refused_by_constraint
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.rechecks.beginning import locked
from huimin.rechecks.models import Recheck, RecheckMeans
from huimin.registry.models import ReportedChange
from huimin.screening.models import Proposal, Run
from huimin.screening.rescreening import rescreen
from huimin.visits.models import Doubt
from huimin.visits.queries import signed_of

CONCLUDED_MAX = 60
Kind, Outcome, State = RecheckMeans.Kind, Recheck.Outcome, Recheck.State
GRAVEST = (Outcome.LEAVE, Outcome.DECREASE, Outcome.PHASE_OUT, Outcome.INCREASE)
"""A household that draws two things has the gravest outcome of them; its findings tell all."""

refused_by_constraint("recheck_confirmed_by_another", SamePerson, "作结论的人不能确认", "请由另一人办理")
refused_by_constraint("recheck_confirmed_by_no_looker", SamePerson, "参加核查的人不能确认", "请由另一人办理")


class NotLookedInto(Refusal):
    """Nothing was looked into, or only the household's own word was taken."""


class ChangeOnItsWay(Refusal):
    """A change of the household waits to be entered or confirmed."""


class CannotTell(Refusal):
    """The determination lacks facts, or no policy is in force."""


class ChangedSince(Refusal):
    """What the conclusion rests on is not what stands now."""


@command(Post.CLERK)
def conclude_rechecks(*, by: Actor, on: date, words: Mapping[int, str]) -> list[Recheck]:
    """Conclude one re-check, or a village's together: re-check → what its checker says. All or none; each on its own evidence."""
    if not 0 < len(words) <= CONCLUDED_MAX:
        raise BadInput(f"选了 {len(words)} 件", where="复核", remedy=f"请一次选 1 至 {CONCLUDED_MAX} 件")
    rows = [locked(by, number) for number in sorted(words)]
    require_not_related(by, on, [row.household_id for row in rows])
    for row in rows:
        _require_ready(by, on, row, words[row.pk])
    runs = rescreen(by, on, [row.household_id for row in rows], granted_of)
    if not runs:
        raise CannotTell("本地没有施行的政策", remedy="请惠民办核对政策清单")
    for row in rows:
        _conclude(by, on, row, words[row.pk].strip()[:1000], runs)
    return rows


def _require_ready(by: Actor, on: date, row: Recheck, words: str) -> None:
    no = row.household.household_no
    if row.state != State.OPEN:
        raise AlreadyDone(f"{no} 的复核{row.get_state_display()}", remedy="请刷新后查看")
    if len(words.strip()) < 4:
        raise BadInput(f"{no} 没有写结论", where="结论", remedy="请写明核查的结论，至少四个字")
    _take_visits(by, on, row)
    if not RecheckMeans.objects.filter(recheck=row, round=row.round).exclude(kind=Kind.DECLARED).exists():
        raise NotLookedInto(
            f"{no} 还没有核查", why="只有个人申报不够，须有比对、入户、邻里或信函的核查",
            remedy="请登记核查，或登记入户调查并双方签字",
        )  # fmt: skip
    waiting = ReportedChange.objects.filter(household=row.household_id, state__in=("reported", "entered"))
    if change := waiting.order_by("id").first():
        raise ChangeOnItsWay(
            f"{no} 有变更还没有生效", why=change.summary, remedy="请先录入、确认变更，再作结论"
        )  # fmt: skip
    if Doubt.objects.filter(visit__subject=row.subject, state=Doubt.State.OPEN).exists():
        raise ChangeOnItsWay(f"{no} 入户调查的疑点还没有核实", remedy="请先登记住户的说明，查实的办理变更")


def _take_visits(by: Actor, on: date, row: Recheck) -> None:
    """Signed visits of this round become means, each once."""
    taken = set(
        RecheckMeans.objects.filter(recheck=row, round=row.round, kind=Kind.VISITED).values_list("visit_id", flat=True)
    )
    for visit in signed_of(row.subject, row.round):
        if visit.pk in taken or visit.household_id != row.household_id:
            continue
        people = "、".join(each.title.split()[-1] for each in visit.investigators.order_by("id"))
        RecheckMeans.objects.get_or_create(
            recheck=row, round=row.round, kind=Kind.VISITED, done_on=visit.visited_on,
            defaults={
                "household_id": row.household_id, "division": row.division, "people": people[:80] or "见调查表",
                "words": f"双方签字的入户调查表 {visit.number}", "visit": visit, "recorded_by": by.appointment,
                "account": by.account, "recorded_on": on,
            },
        )  # fmt: skip


def _conclude(by: Actor, on: date, row: Recheck, words: str, runs: Sequence[Run]) -> None:
    findings = findings_of(row)
    if unknown := [each for each in findings if each["kind"] == Proposal.Kind.UNKNOWN]:
        lacking = "、".join(dict.fromkeys(name for each in unknown for name in each["missing"]))
        raise CannotTell(f"{row.household.household_no} 还不能判断", why=f"缺{lacking}", remedy="请补登记后再作结论")
    row.run = next((run for run in runs if row.household_id in (run.only or [])), None)
    row.findings, row.words = findings, words
    row.outcome = next((each for each in GRAVEST if each in {one["kind"] for one in findings}), Outcome.SAME)
    row.digest = digest(_content(row))
    row.signature = sign(
        by=by, on=on, act=f"复核结论：{Outcome(row.outcome).label}", subject=row.subject, content_digest=row.digest,
        division=row.division,
    )  # fmt: skip
    row.state = State.CONCLUDED
    row.concluded_by, row.concluded_account, row.concluded_on = by.appointment, by.account, on
    row.save(
        update_fields=[
            "state", "outcome", "findings", "words", "run", "digest", "signature", "concluded_by", "concluded_account",
            "concluded_on",
        ]
    )  # fmt: skip


def findings_of(row: Recheck) -> list[dict[str, Any]]:
    """What is proposed now for what the household draws; entering something else is not this re-check's outcome."""
    rows = Proposal.objects.filter(
        household=row.household_id, state=Proposal.State.OPEN, programme__in=row.programmes
    ).exclude(kind=Proposal.Kind.ENTER)
    return [
        {
            "programme": each.programme, "kind": each.kind, "previous_fen": each.previous_fen,
            "amount_fen": each.amount_fen, "proposal": each.pk, "missing": list(each.missing),
        }
        for each in rows.order_by("id")
    ]  # fmt: skip


def _content(row: Recheck) -> dict[str, Any]:
    """What is signed: why it was due, every means with its words, the determination and the difference."""
    means = RecheckMeans.objects.filter(recheck=row, round=row.round).order_by("id")
    return {
        "recheck": row.pk, "household": row.household_id, "round": row.round, "months": row.months,
        "grounds": row.grounds, "words": row.words, "outcome": row.outcome, "findings": row.findings,
        "means": [[each.kind, each.done_on, each.people, each.words, each.visit_id] for each in means],
        "run": row.run.listed_sha256 if row.run else "",
    }  # fmt: skip


@command(Post.REVIEWER, Post.TOWNSHIP_HEAD)
def confirm_rechecks(*, by: Actor, on: date, rechecks: Sequence[int]) -> list[Recheck]:
    """The second person, for one or for unchanged ones together: signed over the digests of all."""
    if not 0 < len(set(rechecks)) <= CONCLUDED_MAX:
        raise BadInput(f"选了 {len(set(rechecks))} 件", where="复核", remedy=f"请一次选 1 至 {CONCLUDED_MAX} 件")
    rows = [locked(by, number) for number in sorted(set(rechecks))]
    require_not_related(by, on, [row.household_id for row in rows])
    for row in rows:
        _require_confirmable(by, row, alone=len(rows) == 1)
    subject = rows[0].subject if len(rows) == 1 else f"rechecks:{rows[0].division[:12]}:{len(rows)}"
    signature = sign(
        by=by, on=on, act="确认复核", subject=subject, content_digest=digest([[row.pk, row.digest] for row in rows]),
        division=rows[0].division,
    )  # fmt: skip
    for row in rows:
        row.state, row.confirmation = State.CONFIRMED, signature
        row.confirmed_by, row.confirmed_account, row.confirmed_on = by.appointment, by.account, on
        row.save(update_fields=["state", "confirmation", "confirmed_by", "confirmed_account", "confirmed_on"])
    return rows


def _require_confirmable(by: Actor, row: Recheck, *, alone: bool) -> None:
    no = row.household.household_no
    if row.state != State.CONCLUDED:
        raise AlreadyDone(f"{no} 的复核{row.get_state_display()}", remedy="请刷新后查看")
    looked = set(RecheckMeans.objects.filter(recheck=row, round=row.round).values_list("account", flat=True))
    if by.account in {row.concluded_account, *looked}:
        raise SamePerson(f"{no} 是您核查或作的结论", why="经办与复核须为两人", remedy="请由另一人确认")
    if not alone and row.outcome != Outcome.SAME:
        raise BadInput(f"{no} 复核为{row.get_outcome_display()}", where="复核", remedy="有增减的请逐件确认")
    waiting = ReportedChange.objects.filter(household=row.household_id, state__in=("reported", "entered")).exists()
    if waiting or row.digest != digest(_content(row)) or _moved(row):
        raise ChangedSince(
            f"{no} 在结论之后又有变化", why="登记或建议与结论时不同", remedy="请退回，由经办人重新作结论"
        )


def _moved(row: Recheck) -> bool:
    """Whether what is open now is not what the conclusion named; what was decided meanwhile went its own way."""
    now = {each["proposal"] for each in findings_of(row)}
    named = {each["proposal"] for each in row.findings}
    decided = set(Proposal.objects.filter(pk__in=named, state__in=("granted", "refused")).values_list("pk", flat=True))
    return bool(now - named or named - now - decided)


@command(Post.REVIEWER, Post.TOWNSHIP_HEAD)
def return_recheck(*, by: Actor, on: date, recheck: int, reason: str) -> Recheck:
    """It is to be looked into again, for a reason; what was recorded stays in the book and counts no more."""
    row = locked(by, recheck)
    if row.state != State.CONCLUDED:
        raise AlreadyDone(f"这件复核{row.get_state_display()}", remedy="请刷新后查看")
    require_not_related(by, on, [row.household_id])
    if by.account == row.concluded_account:
        raise SamePerson("作结论的人不能退回", remedy="请由另一人办理")
    if len(reason.strip()) < 4:
        raise BadInput("没有写退回的理由", where="理由", remedy="请写明要重新查什么")
    content = {"recheck": row.pk, "round": row.round, "digest": row.digest, "reason": reason.strip()}
    sign(
        by=by, on=on, act="退回复核", subject=row.subject, content_digest=digest(content), division=row.division
    )  # fmt: skip
    row.state, row.round, row.reason = State.OPEN, row.round + 1, reason.strip()[:200]
    row.save(update_fields=["state", "round", "reason"])
    return row
