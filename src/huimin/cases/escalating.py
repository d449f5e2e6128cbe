"""督办: what is late is told to whoever answers above, and answered by who is late (CASE-05).

in    the business date; after how many working days the county's office is told (a setting with its basis)
out   an `Escalation` for each lateness and level; its answer: why, and by which day

    late since yesterday ──► the township's head         at the county's own steps: the county's office at once
    N working days late  ──► the county's office
    a promised day missed ─► the county's office

Always true, however often it runs and whoever begins it: one lateness is told once a level (a step in its round against
its day; extended or redone, it has another day); an answer is written once. It runs once a business day by itself
(jobs.daily) and by a button. Statements over sets: no case is read one by one. Law: 伊民规〔2022〕2号 二(一)5, 三(四);
皖政办〔2008〕23号 附件3 第25–27条 (the days); 日政办发〔2018〕95号 四(三) (谁审查、谁签字、谁负责).
"""

from dataclasses import dataclass
from datetime import date, timedelta

from huimin.calendars.queries import calendar_of
from huimin.cases.asking import ASKERS
from huimin.cases.lateness import standing
from huimin.cases.models import Escalation, TimeRule
from huimin.cases.queries import processes_in_use
from huimin.cases.taking import ACTORS, locked, require_duty
from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.jobs.kinds import Report, daily, handles
from huimin.jobs.models import Job
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level, chain
from huimin.kernel.working_days import CalendarUnknown
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint
from huimin.organisation.posts import Post
from huimin.processes.queries import way_of

COUNTY_DAYS = 5
"""Working days overdue after which the county is told, where the county has set nothing."""
PROMISE_DAYS_MAX = 90
KIND = "overdue-cases"
Matter, Above = Escalation.Matter, Escalation.Above

refused_by_constraint("escalation_answered_once", AlreadyDone, "这次督办已经答复", "请刷新后查看")
refused_by_constraint("escalation_where_it_stands", AlreadyDone, "有的事刚刚办完", "请再检查一次")


@dataclass(frozen=True)
class Raised:
    """How many latenesses were told now: to township heads, to the county's office; `unknown` names a year without calendar."""

    heads: int
    county: int
    unknown: str = ""


@command(Post.COUNTY_OFFICER)
def set_time_rule(*, by: Actor, on: date, county_days: int, basis: str) -> TimeRule:
    """From now on the county is told after so many working days. The same again adds nothing."""
    if not 1 <= county_days <= 60:
        raise BadInput("天数超出范围", where="工作日", remedy="请填写 1 至 60 个工作日")
    if len(basis.strip()) < 4:
        raise BadInput("没有写明依据", where="依据", remedy="请写明文件名和文号")
    last = find_time_rule(by.division)
    if last and (last.county_days, last.basis) == (county_days, basis.strip()[:120]):
        return last
    return TimeRule.objects.create(
        division=by.division, county_days=county_days, basis=basis.strip()[:120], set_by=by.appointment, set_on=on
    )


def find_time_rule(division: str) -> TimeRule | None:
    """The nearest place's newest rule; inside `reading(by)`."""
    return TimeRule.objects.filter(division__in=chain(division)).order_by("-division", "-id").first()


# What is late today, in the place: live steps, papers that were to follow an emergency, refusals not told in writing.
_LATE = """
late AS MATERIALIZED (
    SELECT c.id AS case_id, c.division, c.programme, c.process_id, 'step' AS matter, c.step, c.round, c.step_due_on AS due_on, s.county
    FROM cases_case c
    JOIN unnest(%(processes)s::bigint[], %(steps)s::text[], %(county)s::boolean[]) AS s(process_id, step, county)
      ON s.process_id = c.process_id AND s.step = c.step
    WHERE c.step <> '' AND c.step_due_on < %(on)s AND c.division >= %(low)s AND c.division < %(high)s
  UNION ALL
    SELECT p.case_id, p.division, c.programme, c.process_id, 'papers', '', 0::smallint, min(p.due_on), false
    FROM cases_casepaper p JOIN cases_case c ON c.id = p.case_id
    WHERE p.state = 'later' AND p.due_on < %(on)s AND p.division >= %(low)s AND p.division < %(high)s GROUP BY 1, 2, 3, 4
  UNION ALL
    SELECT c.id, c.division, c.programme, c.process_id, 'telling', '', 0::smallint, c.answer_due_on, false FROM cases_case c
    WHERE c.state = 'refused' AND c.answered_on IS NULL AND c.answer_due_on < %(on)s
      AND c.division >= %(low)s AND c.division < %(high)s
)"""
_RAISE = f"""
WITH {_LATE}, wanted AS (
    SELECT l.*, 'head' AS above FROM late l WHERE NOT county
  UNION
    SELECT l.*, 'county' FROM late l WHERE county OR due_on <= %(cutoff)s
  UNION
    SELECT l.case_id, l.division, l.programme, l.process_id, l.matter, l.step, l.round, max(e.promised_on), l.county, 'county'
    FROM late l JOIN cases_escalation e USING (case_id, matter, step, round)
    WHERE e.promised_on < %(on)s GROUP BY 1, 2, 3, 4, 5, 6, 7, 9
), holders AS (
    SELECT a.division, CASE a.post WHEN %(head)s THEN 'head' ELSE 'county' END AS above,
           left(string_agg(DISTINCT o.name || ' ' || k.full_name, '、'), 200) AS names
    FROM organisation_appointment a JOIN organisation_account k ON k.id = a.account_id
    JOIN organisation_office o ON o.id = a.office_id
    WHERE a.post IN (%(head)s, %(officer)s) AND a.valid_from <= %(on)s AND (a.valid_to IS NULL OR a.valid_to > %(on)s)
    GROUP BY 1, 2
), raised AS (
    INSERT INTO cases_escalation (case_id, division, programme, process_number, matter, step, round, due_on, standing, above, told,
        raised_by, raised_on, reason, answerer)
    SELECT w.case_id, w.division, w.programme, w.process_id, w.matter, w.step, w.round, w.due_on, true, w.above,
           coalesce(h.names, ''), %(by)s, %(on)s, '', ''
    FROM wanted w LEFT JOIN holders h ON h.above = w.above
     AND h.division = CASE w.above WHEN 'head' THEN left(w.division, 9) || '000' ELSE left(w.division, 6) || '000000' END
    ON CONFLICT (case_id, matter, step, round, due_on, above) DO NOTHING RETURNING above
)
SELECT above, count(*)::int FROM raised GROUP BY 1
"""  # noqa: S608  constants of this module


@command(Post.COUNTY_OFFICER, Post.TOWNSHIP_HEAD)
def escalate_overdue(*, by: Actor, on: date) -> Raised:
    """Tell above what is late in the place of `by`; what was told before is not told again."""
    low, high = scope_of(by.prefix)
    cutoff, unknown = _cutoff(by.division, on)
    processes = processes_in_use()
    steps = [
        (number, step.key, step.acting[0].level == Level.COUNTY)
        for number, row in processes.items()
        for step in way_of(row).steps
    ]
    asked = {
        "low": low, "high": high, "on": on, "by": by.appointment, "cutoff": cutoff, "head": Post.TOWNSHIP_HEAD,
        "officer": Post.COUNTY_OFFICER, "processes": [row[0] for row in steps],
        "steps": [row[1] for row in steps], "county": [row[2] for row in steps],
    }  # fmt: skip
    found = dict(fetch(_RAISE, asked))
    return Raised(found.get(Above.HEAD, 0), found.get(Above.COUNTY, 0), unknown)


def _cutoff(division: str, on: date) -> tuple[date, str]:
    """The latest day since which so many whole working days have passed; without a calendar there is none, and it is said why."""
    rule = find_time_rule(division)
    calendar, left, day = calendar_of(division), rule.county_days if rule else COUNTY_DAYS, on
    try:
        while left:
            day -= timedelta(days=1)
            left -= calendar.is_working_day(day)
    except CalendarUnknown as unknown:
        return date(1900, 1, 1), unknown.what
    return day - timedelta(days=1), ""


@command(*ACTORS)
def answer_overdue(*, by: Actor, on: date, case_id: int, reason: str, promised_on: date) -> int:
    """Who is late says why and by which day it will be done; how many tellings are answered with it."""
    case = locked(by, case_id)
    if len(reason.strip()) < 4:
        raise BadInput("没有写超期的原因", where="原因", remedy="请写明为什么没有按期办，至少四个字")
    if not on <= promised_on <= on + timedelta(days=PROMISE_DAYS_MAX):
        raise BadInput(
            f"{promised_on} 不能作新的期限", where="新的期限", remedy=f"请写今天至 {PROMISE_DAYS_MAX} 天内的日期"
        )
    mine = answerable(by, case.pk)
    if not mine:
        raise AlreadyDone("没有等您答复的督办", why="已答复、已办完，或由别的岗位办", remedy="请刷新后查看")
    require_duty(by, case)
    return Escalation.objects.filter(pk__in=[row.pk for row in mine]).update(
        reason=reason.strip()[:300], promised_on=promised_on, answered_by=by.appointment, answerer=by.title[:160],
        answered_on=on,
    )  # fmt: skip


def answerable(by: Actor, case: int) -> list[Escalation]:
    """Tellings about the case that still hold, that nobody answered, and whose matter is for the post of `by`."""
    rows = standing().filter(case=case, answered_on=None).select_related("case__process").order_by("id")
    return [row for row in rows if _is_for(by, row)]


def _is_for(by: Actor, row: Escalation) -> bool:
    if row.matter != Matter.STEP:
        return by.post in ASKERS
    return way_of(row.case.process).step(row.step).may(by.post, by.level)


def _work(by: Actor, job: Job, report: Report) -> str:
    raised = escalate_overdue(by=by, on=job.business_date)
    return f"提醒乡镇 {raised.heads} 件，报县 {raised.county} 件{f'；{raised.unknown}' if raised.unknown else ''}"


def _nothing_to_end(job: Job) -> None:
    """What was told stays told."""


handles(KIND, "督办超期", _work, _nothing_to_end)
daily(KIND, Post.COUNTY_OFFICER)
