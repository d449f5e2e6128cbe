"""The yearly survey of every household (一年一调整): opened, done household by household, closed with what it came to (REG-06).

in    a year, whom, from when and by when; survey forms, which come through the survey commands of the registry and casework
out   a Campaign, SurveyForms, and at the end a CampaignPlace for each village, signed

Always true: a household is *done* because a form of it is dated within the campaign and was not refused; nobody ticks it off.
Who is due is asked of the registry each time, so a household registered or split off meanwhile is due too and one that
closed is not. Statements over sets: no household is read one by one. Law: 皖政办〔2008〕23号 附件2 第33条, 附件3 第33条.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from huimin.casework.changes import Told, enter_change, report_change
from huimin.database.bulk import fetch_one, run
from huimin.fieldwork.campaign_queries import COUNTS, find_open_campaign, scope_values
from huimin.fieldwork.models import Campaign, CampaignPlace, SurveyForm
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.facts import Fact
from huimin.organisation.acting import Actor, AlreadyDone, command, may, refused_by_constraint, require_place
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.registry.commands.surveys import register_household
from huimin.registry.models import Household, ReportedChange

SURVEYORS = (Post.INFORMATION_OFFICER, Post.CLERK, Post.COUNTY_OFFICER)
FORMS_MAX = 5000
OLDEST_DAYS = 366

refused_by_constraint("campaign_once_a_year", AlreadyDone, "这一年的普查已经开过", "请在普查页面查看")
refused_by_constraint("campaign_one_open", AlreadyDone, "还有一次普查没有结束", "请先结束上一次普查")


class CampaignNotOver(Refusal):
    """Households are still to be surveyed and there is time left."""


@command(Post.COUNTY_OFFICER)
def open_campaign(
    *, by: Actor, on: date, year: int, starts_on: date, deadline: date, whom: str = Campaign.Whom.ALL
) -> Campaign:
    """The county's survey of `year`; a form dated from `starts_on` on counts."""
    if whom not in Campaign.Whom.values:
        raise BadInput("没有选普查范围", where="范围", remedy="请选择全部家庭或享受待遇的家庭")
    if starts_on.year != year or deadline < max(starts_on, on):
        raise BadInput(
            "日期不成立", where="期限", why="开始日期应在普查年度内，期限不早于开始日期和今天", remedy="请核对两个日期"
        )
    [upto] = fetch_one("SELECT coalesce(max(id), 0) FROM registry_household")
    return Campaign.objects.create(
        division=by.division, year=year, title=f"{year} 年度家庭基本信息普查", whom=whom, starts_on=starts_on,
        deadline=deadline, households_upto=upto, opened_by=by.appointment, opened_on=on,
    )  # fmt: skip


@command(Post.COUNTY_OFFICER)
def close_campaign(*, by: Actor, on: date, campaign: int, summary: str) -> Campaign:
    """Freeze what each village came to, signed. CampaignNotOver before the deadline while somebody is still due."""
    row = Campaign.objects.select_for_update().filter(pk=campaign).first()
    if row is None or row.state != Campaign.State.OPEN:
        raise AlreadyDone("这次普查已经结束", remedy="请刷新后查看")
    require_place(by, row.division)
    if len(summary.strip()) < 4:
        raise BadInput("没有写总结", where="总结", remedy="请写明组织情况、未调查的原因和处理")
    run(
        f"INSERT INTO fieldwork_campaignplace (campaign_id, division, due, done, changed, new) {_FROZEN}",
        _values(row, by, on),
    )
    sums = fetch_one(_SUMS, [row.pk])
    if sums[0] > sums[1] and on <= row.deadline:
        raise CampaignNotOver(
            f"还有 {sums[0] - sums[1]:,} 户没有调查",
            why=f"期限 {row.deadline} 还没有过",
            remedy="请在期限后结束，或全部调查后结束",
        )
    row.state, row.closed_by, row.closed_on, row.summary = (
        Campaign.State.CLOSED,
        by.appointment,
        on,
        summary.strip()[:1000],
    )
    content = {"campaign": row.pk, "places": _frozen(row), "summary": row.summary}
    row.signature = sign(
        by=by,
        on=on,
        act="结束普查",
        subject=f"campaign:{row.pk}",
        content_digest=digest(content),
        division=row.division,
    )
    row.save(update_fields=["state", "closed_by", "closed_on", "summary", "signature"])
    return row


_FROZEN = (
    "SELECT %(campaign)s, village || repeat('0', 12 - length(village)), due, done, changed, new"  # noqa: S608
    f" FROM ({COUNTS}) counted"
)
_SUMS = (
    "SELECT coalesce(sum(due), 0)::int, coalesce(sum(done), 0)::int FROM fieldwork_campaignplace WHERE campaign_id = %s"
)


def _values(row: Campaign, by: Actor, on: date) -> dict[str, Any]:
    return scope_values(row, by.prefix, on) | {"campaign": row.pk, "digits": 12}


def _frozen(row: Campaign) -> list[list[Any]]:
    places = CampaignPlace.objects.filter(campaign=row).order_by("division")
    return [list(each) for each in places.values_list("division", "due", "done", "changed", "new")]


@command(*SURVEYORS)
def record_forms(
    *, by: Actor, on: date, households: Sequence[int], surveyed_on: date, surveyors: str, evidence: str
) -> int:
    """Forms of these households were taken on a day and say what the registry says; how many were new. Repeating adds none.

    What differs is not recorded here: it goes through the household's survey form. One statement, whatever the number.
    """
    _require_dated(on, surveyed_on)
    if len(surveyors.strip()) < 2 or len(evidence.strip()) < 2:
        raise BadInput("没有写调查人或依据", where="调查人", remedy="请填写入户的人和基本信息表存放处或编号")
    if not 0 < len(set(households)) <= FORMS_MAX:
        raise BadInput("没有选家庭，或超过 5000 户", where="家庭", remedy="请分批登记")
    [found] = fetch_one(
        "SELECT count(*) FROM registry_household WHERE id = ANY(%s) AND closed_on IS NULL", [list(households)]
    )
    if found != len(set(households)):
        raise BadInput("有的家庭不在您的辖区内或已注销", where="家庭", remedy="请从名单中重新选择")
    values = {
        "ids": list(households), "day": surveyed_on, "who": surveyors.strip()[:80], "evidence": evidence.strip()[:120],
        "by": by.appointment, "on": on,
    }  # fmt: skip
    return run(_RECORD, values)


_RECORD = """
INSERT INTO fieldwork_surveyform (household_id, division, surveyed_on, outcome, surveyors, evidence, recorded_by, recorded_on)
SELECT h.id, h.division, %(day)s, 'same', %(who)s, %(evidence)s, %(by)s, %(on)s FROM registry_household h
WHERE h.id = ANY(%(ids)s) ON CONFLICT (household_id, surveyed_on) WHERE outcome = 'same' DO NOTHING
"""


@command(*SURVEYORS)
def submit_form(*, by: Actor, on: date, told: Told) -> ReportedChange:
    """A survey form that differs from the registry: the change goes its way (casework.changes), the form is recorded with it.

    Refused with the change; a change that is refused later takes its form out of the count.
    """
    change: ReportedChange = (report_change if may(by, report_change) else enter_change)(by=by, on=on, told=told)
    _keep(by, on, change.household, SurveyForm.Outcome.CHANGED, told.evidence, change)
    return change


@command(Post.CLERK, Post.COUNTY_OFFICER)
def submit_new(
    *,
    by: Actor,
    on: date,
    division: str,
    since: date,
    evidence: str,
    payload: Mapping[str, Any],
    added: Sequence[Fact] = (),
) -> Household:
    """As registry.register_household; the form it came on is recorded with it."""
    made = register_household(
        by=by, on=on, division=division, since=since, evidence=evidence, payload=payload, added=added
    )
    _keep(by, on, made, SurveyForm.Outcome.NEW, evidence, None)
    return made


def _keep(
    by: Actor, on: date, household: Household, outcome: str, evidence: str, change: ReportedChange | None
) -> None:
    SurveyForm.objects.create(
        household=household, division=household.division, surveyed_on=on, outcome=outcome, change=change,
        surveyors=by.name, evidence=evidence.strip()[:120], recorded_by=by.appointment, recorded_on=on,
    )  # fmt: skip


def _require_dated(on: date, day: date) -> None:
    if day > on:
        raise BadInput("调查日期还没有到", where="调查日期", remedy="请填写表上的日期")
    if day < on - timedelta(days=OLDEST_DAYS):
        raise BadInput("调查日期是一年多以前", where="调查日期", remedy="请重新入户调查")


def campaign_of(by: Actor) -> Campaign | None:
    """The open campaign at the place of `by`; inside `reading(by)`."""
    return find_open_campaign(by.division)
