"""Policy-information monitoring points: what a village records, what goes up each quarter, what waits for an answer (ORG-04).

in    民生信息 of a village's information officer; answers and escalations of township and county
out   PointNotes with their PointSteps; a PointReport for each village, then for each township and quarter, signed

Always true: a problem stands at one level until it is answered there or handed up with a reason; who recorded it sees the
answer; a report holds every note of its place that no earlier report held, and a township's adds up its villages' reports;
what was submitted is not changed. Law: 皖政办〔2008〕23号 附件1 第19条; days come from the county's rules (fieldwork.rules).
"""

from datetime import date, timedelta
from typing import Any

from django.db.models import Count, F, Q

from huimin.database.bulk import fetch
from huimin.divisions.queries import list_beneath
from huimin.fieldwork.models import FieldRule, PointNote, PointReport, PointStep
from huimin.fieldwork.rules import rule_of
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.periods import Period, add_months, quarter
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint, require_place
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.registry.commands.facts import locked_household

Kind, State, At = PointNote.Kind, PointNote.State, PointNote.At
Code = FieldRule.Code
ANSWERERS = {
    At.TOWNSHIP: (Post.CLERK, Post.TOWNSHIP_HEAD),
    At.COUNTY: (Post.COUNTY_OFFICER,),
    At.ABOVE: (Post.COUNTY_OFFICER,),
}
_UP = {At.TOWNSHIP: At.COUNTY, At.COUNTY: At.ABOVE}

refused_by_constraint("point_report_once", AlreadyDone, "这一季已经上报过", "之后记录的信息在下一季上报")


class NotYourLevel(Refusal):
    """The problem waits at another level."""


class TooEarly(Refusal):
    """The quarter has not come so far."""


@command(Post.INFORMATION_OFFICER)
def record_note(
    *, by: Actor, on: date, kind: str, text: str, happened_on: date, urgent: bool, asks: bool,
    evidence: str = "", household: int | None = None,
) -> PointNote:  # fmt: skip
    """What was seen or told in the village; `asks`: it needs an answer of the township or above."""
    if kind not in Kind.values:
        raise BadInput("没有选类别", where="类别", remedy="请从列表选择")
    if len(text.strip()) < 4:
        raise BadInput("没有写清是什么事", where="情况", remedy="请写明谁、什么事、现在怎样")
    if happened_on > on:
        raise BadInput("日期还没有到", where="发生日期", remedy="请填写今天或以前的日期")
    home = locked_household(by, household) if household else None
    note = PointNote.objects.create(
        division=by.division, household=home, kind=kind, text=text.strip()[:500], happened_on=happened_on,
        evidence=evidence.strip()[:120], urgent=urgent, state=State.WAITING if asks else State.NOTED,
        stands_at=At.TOWNSHIP if asks else "", due_on=_due(by, on, urgent) if asks else None,
        recorded_by=by.appointment, recorded_on=on,
    )  # fmt: skip
    if asks:
        _step(note, PointStep.Kind.RAISED, At.TOWNSHIP, note.text, by, on)
    return note


@command(Post.CLERK, Post.TOWNSHIP_HEAD, Post.COUNTY_OFFICER)
def escalate_note(*, by: Actor, on: date, note: int, reason: str) -> PointNote:
    """This level cannot solve it: township → county → the departments above, with the reason (专题报告)."""
    row = _waiting(by, note)
    if row.stands_at not in _UP:
        raise AlreadyDone("已经报省、市主管部门", remedy="收到答复后请登记答复")
    if len(reason.strip()) < 4:
        raise BadInput("没有写为什么解决不了", where="原因", remedy="请写明已做的工作和需要上级解决的事项")
    row.stands_at = _UP[At(row.stands_at)]
    row.due_on = _due(by, on, row.urgent)
    row.save(update_fields=["stands_at", "due_on"])
    _step(row, PointStep.Kind.ESCALATED, row.stands_at, reason.strip()[:500], by, on)
    return row


@command(Post.CLERK, Post.TOWNSHIP_HEAD, Post.COUNTY_OFFICER)
def answer_note(*, by: Actor, on: date, note: int, answer: str) -> PointNote:
    """What was done about it; whoever recorded it sees this."""
    row = _waiting(by, note)
    if len(answer.strip()) < 4:
        raise BadInput("没有写答复", where="答复", remedy="请写明怎么解决的，或为什么不能解决")
    row.state, row.answer = State.ANSWERED, answer.strip()[:500]
    row.answered_by, row.answered_on = by.appointment, on
    row.save(update_fields=["state", "answer", "answered_by", "answered_on"])
    _step(row, PointStep.Kind.ANSWERED, "", row.answer, by, on)
    return row


def _waiting(by: Actor, note: int) -> PointNote:
    row = PointNote.objects.select_for_update().filter(pk=note).first()
    if row is None:
        raise BadInput("没有这条信息", where="信息", remedy="请从列表进入")
    require_place(by, row.division)
    if row.state != State.WAITING:
        raise AlreadyDone(f"这条信息{row.get_state_display()}", remedy="请刷新后查看")
    if by.post not in ANSWERERS[At(row.stands_at)]:
        raise NotYourLevel(f"这件事等{row.get_stands_at_display()}答复", remedy="请等答复，或由那一级办理")
    return row


def may_answer(by: Actor, row: PointNote) -> bool:
    """Whether a page offers the steps to `by`."""
    return row.state == State.WAITING and by.post in ANSWERERS[At(row.stands_at)] and row.division.startswith(by.prefix)


def _due(by: Actor, on: date, urgent: bool) -> date | None:
    days = rule_of(by.division, Code.URGENT_DAYS if urgent else Code.ANSWER_DAYS)
    return on + timedelta(days=days) if days is not None else None


def _step(note: PointNote, kind: str, to: str, text: str, by: Actor, on: date) -> None:
    PointStep.objects.create(
        note=note, division=note.division, kind=kind, to=to, text=text, done_by=by.appointment, done_on=on
    )


# -- the quarter's reports


@command(Post.INFORMATION_OFFICER, Post.TOWNSHIP_HEAD)
def submit_report(*, by: Actor, on: date, year: int, number: int, text: str = "") -> PointReport:
    """The village's report of a quarter to its township, or the township's to the county, signed. Not before its last month."""
    period = quarter(year, number)
    if on < add_months(period.until, -1):
        raise TooEarly(
            f"{period}还没有到上报的时候",
            why="按季上报，季末月起可以上报",
            remedy=f"请在 {add_months(period.until, -1)} 以后上报",
        )
    counts = counts_of(by, year, number)
    content = {"division": by.division, "period": str(period), "counts": counts, "text": text.strip()[:1000]}
    signature = sign(
        by=by,
        on=on,
        act="上报监测信息",
        subject=f"point_report:{by.division}:{year}Q{number}",
        content_digest=digest(content),
    )
    report = PointReport.objects.create(
        division=by.division, level=int(by.level), year=year, quarter=number, counts=counts, text=text.strip()[:1000],
        notes_count=sum(each[0] for each in counts.values()), due_on=report_due_on(by.division, period),
        submitted_by=by.appointment, submitted_on=on, signature=signature,
    )  # fmt: skip
    if by.level >= Level.VILLAGE:
        PointNote.objects.filter(division=by.division, report=None).update(report=report)
    return report


def report_due_on(division: str, period: Period) -> date:
    """The quarter's last day, and the days the county gives after it."""
    return period.last_day + timedelta(days=rule_of(division, Code.REPORT_DAYS) or 0)


def _of_village(division: str) -> dict[str, list[int]]:
    """Notes no report held yet, by kind: how many, urgent, waiting."""
    rows = PointNote.objects.filter(division=division, report=None).values("kind").order_by("kind")
    counted = rows.annotate(
        n=Count("pk"), hurry=Count("pk", filter=Q(urgent=True)), left=Count("pk", filter=Q(state=State.WAITING))
    )
    return {row["kind"]: [row["n"], row["hurry"], row["left"]] for row in counted}


def _of_township(prefix: str, year: int, number: int) -> dict[str, list[int]]:
    """The reports of its villages added up."""
    rows = fetch(
        "SELECT key, sum((value->>0)::int)::int, sum((value->>1)::int)::int, sum((value->>2)::int)::int"
        " FROM fieldwork_pointreport r, jsonb_each(r.counts) WHERE r.division >= %s AND r.division < %s"
        " AND r.year = %s AND r.quarter = %s AND r.level = %s GROUP BY 1 ORDER BY 1",
        [prefix, prefix + "~", year, number, int(Level.VILLAGE)],
    )
    return {kind: list(sums) for kind, *sums in rows}


def missing_reports(by: Actor, of: Level, year: int, number: int, on: date) -> list[Any]:
    """Divisions of a level in one's place that have not reported for the quarter."""
    there = PointReport.objects.filter(year=year, quarter=number, level=int(of), division__startswith=by.prefix)
    known = set(there.values_list("division", flat=True))
    return [each for each in list_beneath(by.division, by.level, of, on) if each.code not in known]


def reported_counts(prefix: str, of: Level) -> list[dict[str, Any]]:
    """By quarter, the newest first: reports, notes, how many came late."""
    rows = PointReport.objects.filter(division__gte=prefix, division__lt=prefix + "~", level=int(of))
    grouped = rows.values("year", "quarter").order_by("-year", "-quarter")
    late = Count("pk", filter=Q(submitted_on__gt=F("due_on")))
    return list(grouped.annotate(reports=Count("pk"), late=late)[:20])


def counts_of(by: Actor, year: int, number: int) -> dict[str, list[int]]:
    """What a report of the place of `by` would hold now; inside `reading(by)`."""
    return _of_village(by.division) if by.level >= Level.VILLAGE else _of_township(by.prefix, year, number)
