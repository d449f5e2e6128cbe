"""The same step, or the same countersignature, on many cases: who can, why others cannot, one signature a case (CASE-08, SEC-02).

in    the list a desk has filtered; the cases ticked on it, each with the round it was shown in
out   a preview with amounts and obstacles; for few the acts, for many a job (`jobs`); a line for every case

Always true: each case goes by the rules of `taking` alone (post, another person, evidence, what the law gives today), in a
savepoint of its own, so that one refused leaves the others as they are; what can be told beforehand is told for all at
once. A chunk is one transaction: interrupted work is taken up again, and what was done is not done twice. Beyond the
process: nobody takes a case he entered himself along with others, and what the law does not give today is looked at singly.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction

from huimin.audit.models import Event
from huimin.cases.determining import Finding, determine_many
from huimin.cases.evidence import look_for_many
from huimin.cases.kinds import waits_for
from huimin.cases.models import Case, CaseAct, CaseReport
from huimin.cases.queries import CaseFilter, processes_in_use
from huimin.cases.taking import ACTORS, Outcome, countersign_at, decides, locked, take_at
from huimin.database.bulk import fetch
from huimin.jobs.commands import enqueue
from huimin.jobs.kinds import Report, handles
from huimin.jobs.models import Job
from huimin.jobs.working import require_held
from huimin.kernel.errors import BadInput, Refusal
from huimin.kinship.recusal import related_among
from huimin.organisation.acting import Actor, AlreadyDone, SamePerson, command, in_words, record_event
from huimin.organisation.models import Appointment
from huimin.processes.language import Step
from huimin.processes.models import Process
from huimin.processes.queries import way_of

PASS, SIGN = "pass", "sign"
MANY_MAX = 500
"""Cases of one act: what a person can look through."""
AT_ONCE_MAX = 40
"""So many are done while he waits; more are a job."""
CHUNK = 50
Wanted = Sequence[tuple[int, int]]
"""(case, round) as they were shown."""
Steps = dict[tuple[int, str], Step]


@dataclass(frozen=True)
class Line:
    """One case before the act: what it would come to, and what stands in the way ("" for nothing)."""

    case: Case
    amount_fen: int | None
    obstacle: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Done:
    """One case after the act; `why` says why it was not done, "" with `done` False that its turn has not come."""

    case: int
    done: bool
    why: str = ""


def steps_to_take(by: Actor) -> Steps:
    """Steps of all versions at which `by` acts."""
    return {key: step for key, step in _steps() if step.may(by.post, by.level)}


def steps_to_sign(by: Actor) -> Steps:
    """Steps of all versions that ask for the countersignature of `by`."""
    return {key: step for key, step in _steps() if waits_for(step, by)}


def _steps() -> Iterable[tuple[tuple[int, str], Step]]:
    for number, row in processes_in_use().items():
        if row.subject != Process.Subject.PROPOSALS:
            yield from (((number, step.key), step) for step in way_of(row).steps)


def count_unsigned(by: Actor) -> tuple[int, date | None]:
    """Cases that wait for the countersignature of `by`, and the earliest day; one statement."""
    asked = _asked_of(by)
    rows = fetch(_UNSIGNED, asked) if asked["steps"] else []
    return (int(rows[0][0]), rows[0][1] if rows[0][1] and rows[0][1].year < 9999 else None) if rows else (0, None)


_WAITS = """
FROM cases_case c JOIN unnest(%(processes)s::bigint[], %(steps)s::text[], %(names)s::text[]) AS w(process, step, name)
  ON c.process_id = w.process AND c.step = w.step
WHERE c.state = 'open' AND c.step <> '' AND c.division >= %(low)s AND c.division < %(high)s AND NOT EXISTS (
    SELECT 1 FROM cases_casereport r WHERE r.case_id = c.id AND r.step = c.step AND r.round = c.round AND r.countersigned
    AND r.name = w.name)
"""
_UNSIGNED = f"SELECT count(*), min(c.step_due_on) {_WAITS}"


def _asked_of(by: Actor) -> dict[str, Any]:
    found = list(steps_to_sign(by).items())
    return {
        "processes": [process for (process, _), _ in found], "steps": [key for (_, key), _ in found],
        "names": [str(waits_for(step, by)) for _, step in found], "low": by.prefix, "high": by.prefix + "~",
    }  # fmt: skip


# Before the act.


def preview(by: Actor, on: date, act: str, wanted: CaseFilter) -> tuple[list[Line], bool]:
    """The first MANY_MAX of the list by deadline, what each would come to, what stands in its way; whether there are more.

    A number of queries that does not grow with the cases, but for notices. Inside `reading(by)`.
    """
    rows = wanted.rows().select_related("household", "person", "process").order_by("step_due_on", "id")
    if act == SIGN:
        ids = [number for (number,) in fetch(f"SELECT c.id {_WAITS} ORDER BY c.step_due_on, c.id", _asked_of(by))]
        rows = rows.filter(pk__in=ids[: 20 * MANY_MAX])
    cases = list(rows[: MANY_MAX + 1])
    shown = cases[:MANY_MAX]
    found = determine_many(on, [case for case in shown if case.household_id])
    stops = obstacles(by, on, act, shown, found)
    lines = [Line(case, _amount(found.get(case.pk)), *stops.get(case.pk, ("", ""))) for case in shown]
    return lines, len(cases) > MANY_MAX


def _amount(finding: Finding | None) -> int | None:
    return finding.told.amount_fen if finding and finding.eligible else None


def obstacles(
    by: Actor, on: date, act: str, cases: Sequence[Case], found: dict[int, Finding | None]
) -> dict[int, tuple[str, str]]:
    """What stands in the way of each, the first that does: (what, what to do); those with nothing are left out."""
    related = related_among(by, on, [case.household_id for case in cases if case.household_id])
    entered, did = _entered(by, cases), _did(by, cases)
    duty = _others_duty(by, cases) if act == PASS else {}
    stops: dict[int, tuple[str, str]] = {}
    for case in cases:
        another = _step_of(case).another
        if case.household_id in related:
            stops[case.pk] = ("有您申报的近亲属，须回避", "请转交另一位同岗位人员或上级")
        elif case.pk in entered:
            stops[case.pk] = ("是您本人登记的申请", "请由另一人办理")
        elif earlier := next((step for number, step in did if number == case.pk and step in another), ""):
            stops[case.pk] = (f"您办过“{earlier}”", "请由另一人办理")
        elif case.pk in duty:
            stops[case.pk] = (f"由{duty[case.pk]}承办", "请由承办人办理，或先移交、指定替办")
        elif case.household_id is None:
            stops[case.pk] = ("名单要单独办", "请到它的页面办理")
        elif words := _unlawful(found.get(case.pk)):
            stops[case.pk] = words if act == PASS else (words[0], "请到它的页面签署意见；不同意的写明理由")
    if act == PASS:
        stops |= _lacking(on, [case for case in cases if case.pk not in stops])
    return stops


def _step_of(case: Case) -> Step:
    return way_of(case.process).step(case.step)


def _unlawful(finding: Finding | None) -> tuple[str, str] | None:
    if finding is None:
        return "按现有登记和政策判断不了，或申请人不在这一户", "请到它的页面核对"
    if finding.eligible is None:
        return f"还不能判断，缺{'、'.join(finding.missing[:3])}", "请补齐信息"
    if not finding.eligible or finding.told.amount_fen <= 0:
        unmet = next((str(each["text"]) for each in finding.conditions if each["met"] is False), "金额为零")
        return f"按现有登记不符合：{unmet[:60]}", "请到它的页面退回或不予批准"
    return None


def _lacking(on: date, cases: Sequence[Case]) -> dict[int, tuple[str, str]]:
    """The first slot of its step that each case does not hold."""
    groups: dict[tuple[int, str], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.process_id, case.step), []).append(case)
    stops: dict[int, tuple[str, str]] = {}
    for group in groups.values():
        step = _step_of(group[0])
        for demand in step.demands:
            rest = [case for case in group if case.pk not in stops]
            held = look_for_many(rest, step, demand, on) if rest else {}
            stops |= {pk: (each.missing or f"还缺{demand}", each.remedy) for pk, each in held.items() if not each.ok}
    return stops


def _entered(by: Actor, cases: Sequence[Case]) -> set[int]:
    mine = set(Appointment.objects.filter(account=by.account).values_list("pk", flat=True))
    return {case.pk for case in cases if case.asked_by in mine}


def _did(by: Actor, cases: Sequence[Case]) -> set[tuple[int, str]]:
    """(case, step) of what this person passed and was not sent back since; one query."""
    rows = fetch(
        "SELECT n, s.step FROM unnest(%s::bigint[]) n, LATERAL cases_standing(n) s WHERE s.account = %s",
        [[case.pk for case in cases], by.account],
    )
    return set(rows)


def _others_duty(by: Actor, cases: Sequence[Case]) -> dict[int, str]:
    """Whose case it is, where that is a colleague of the same post and office (首问负责)."""
    foreign = [case for case in cases if by.appointment not in (case.responsible, case.stand_in)]
    rows = Appointment.objects.filter(
        pk__in={case.responsible for case in foreign}, post=by.post, office=by.office
    ).select_related("account")
    names = {row.pk: row.account.full_name for row in rows}
    return {case.pk: names[case.responsible] for case in foreign if case.responsible in names}


# The act.


@command(*ACTORS)
def take_many(
    *, by: Actor, on: date, act: str, step: str, wanted: Wanted, text: str = "", job: Job | None = None
) -> list[Done]:
    """Pass or countersign each of these at `step`, in one transaction, each in a savepoint; a line for each in order."""
    if job is not None:
        require_held(job)
    before = _done_before(by, act, step, [number for number, _ in wanted])
    cases = {case.pk: case for case in Case.objects.filter(pk__in=[n for n, _ in wanted]).select_related("process")}
    deciding = [case for case in cases.values() if act == PASS and case.step and decides(_step_of(case), case)]
    findings = determine_many(on, deciding)
    lines = []
    for number, shown_round in wanted:
        if (number, shown_round) in before:
            lines.append(Done(number, True))
            continue
        try:
            with in_words(), transaction.atomic():
                _take_one(by, on, act, step, number, shown_round, text, findings)
        except Refusal as refusal:
            detail = {"obstacle": type(refusal).__name__, "what": str(refusal)[:300], "job": job.pk if job else None}
            record_event(by, Event.Kind.REFUSED, f"case:{number}", detail)
            lines.append(Done(number, False, str(refusal)))
        else:
            lines.append(Done(number, True))
    return lines


def _take_one(
    by: Actor, on: date, act: str, step: str, number: int, shown_round: int, text: str,
    findings: dict[int, Finding | None],
) -> None:  # fmt: skip
    case = locked(by, number)
    if (case.step, case.round) != (step, shown_round):
        raise AlreadyDone(f"这件事已不在“{step}”，或退回过", remedy="请刷新后查看")
    if _entered(by, [case]):
        raise SamePerson("是您本人登记的申请", why="经办与审批须为两人", remedy="请由另一人办理")
    if act == SIGN:
        countersign_at(by, on, case, True, text)
    else:
        take_at(by, on, case, step, Outcome.PASSED, find=lambda *_: findings.get(number))


def _done_before(by: Actor, act: str, step: str, numbers: Sequence[int]) -> set[tuple[int, int]]:
    """(case, round) of what `by` did of this already: an interrupted chunk, or the page sent twice."""
    if act == SIGN:
        rows: Any = CaseReport.objects.filter(written_by=by.appointment, countersigned=True)
    else:
        rows = CaseAct.objects.filter(appointment=by.appointment, outcome=Outcome.PASSED)
    return set(rows.filter(case__in=numbers, step=step).values_list("case_id", "round"))


# Many: a job.


@command(*ACTORS)
def request_many(*, by: Actor, on: date, act: str, step: str, wanted: Wanted, text: str = "") -> Job:
    """The same as a job that a process takes up in the name of `by`; the same again while it waits is the same job."""
    _require_some(wanted)
    arguments = {"act": act, "step": step, "text": text[:500], "wanted": [list(each) for each in wanted]}
    return enqueue(by=by, on=on, kind=kind_of(by), division=by.division, arguments=arguments)


def _require_some(wanted: Wanted) -> None:
    if not wanted:
        raise BadInput("没有勾选要办的", where="列表", remedy="请勾选后再提交")
    if len(wanted) > MANY_MAX:
        raise BadInput(f"勾选了 {len(wanted)} 件", where="列表", remedy=f"一次不超过 {MANY_MAX} 件")


@command(*ACTORS)
def stop_many(*, by: Actor, on: date, job_id: int) -> Job:
    """Who asked for it stops it: what is done stays done, the rest is left as it is."""
    job = Job.objects.select_for_update().get(pk=job_id)
    if job.requested_by != by.appointment or job.kind != kind_of(by):
        raise BadInput("这不是您的批量办理", where="编号", remedy="请从列表进入")
    if not job.active or job.stop_requested:
        raise AlreadyDone("已经办完或正在停下", remedy="请刷新后查看")
    job.stop_requested = True
    job.save(update_fields=["stop_requested"])
    return job


def kind_of(by: Actor) -> str:
    """One kind a post: a township's head and the county's approver do not wait for each other."""
    return f"many-{by.post}"[:20]


def work(by: Actor, job: Job, report: Report) -> str:
    """Chunk by chunk, each a transaction; taken up again, it goes on where it was."""
    told = job.arguments
    wanted = [(number, shown_round) for number, shown_round in told["wanted"]]
    done = 0
    for start in range(0, len(wanted), CHUNK):
        report("逐件办理", start, len(wanted))
        lines = take_many(
            by=by, on=job.business_date, act=told["act"], step=told["step"], wanted=wanted[start : start + CHUNK],
            text=told["text"], job=job,
        )  # fmt: skip
        done += sum(line.done for line in lines)
    return f"办了 {done} 件" + (f"，{len(wanted) - done} 件没有办" if done < len(wanted) else "")


def lines_of(by: Actor, job: Job) -> list[Done]:
    """What became of each case of a job, from what was signed and what was refused; two queries, in the order asked for."""
    told = job.arguments
    numbers = [number for number, _ in told["wanted"]]
    done = _done_before(by, told["act"], told["step"], numbers)
    events = Event.objects.filter(
        kind=Event.Kind.REFUSED, division=by.division, appointment=by.appointment, at__gte=job.requested_at,
        detail__job=job.pk,
    ).values_list("subject", "detail__what")  # fmt: skip
    refused = dict(events)
    return [
        Done(number, (number, shown_round) in done, refused.get(f"case:{number}", ""))
        for number, shown_round in told["wanted"]
    ]


def left_as_it_is(job: Job) -> None:
    """A stopped job leaves nothing half-done: chunks are transactions."""


for _post in ACTORS:
    handles(f"many-{_post}"[:20], "批量办理", work, left_as_it_is)
