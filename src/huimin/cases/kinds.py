"""The evidence there is today: papers, the signed declaration, notices that ended clear, signed reports, countersignatures.

Each tells what fills its slot; a notice also ends as the step closes, and refuses while its days run or an objection waits.
"""

from collections.abc import Sequence
from datetime import date

from huimin.cases.evidence import Held, Reference, holds
from huimin.cases.models import Case, CasePaper, CaseReport
from huimin.kernel.digests import digest
from huimin.kernel.places import Level
from huimin.notices.commands import boards_of, end_notices
from huimin.notices.models import Notice, Objection
from huimin.notices.queries import place_name, upheld_lines
from huimin.organisation.acting import Actor
from huimin.processes.language import Acting, Demand, Step

NAMED_MAX = 6


def papers(case: Case, step: Step, demand: Demand, on: date) -> Held:
    """All there, or to come later after an emergency was relieved."""
    return papers_of_many([case], step, demand, on)[case.pk]


def papers_of_many(cases: Sequence[Case], step: Step, demand: Demand, on: date) -> dict[int, Held]:
    rows: dict[int, list[CasePaper]] = {case.pk: [] for case in cases}
    for row in CasePaper.objects.filter(case__in=list(rows)).order_by("name"):
        rows[row.case_id].append(row)
    return {case.pk: _papers(case, rows[case.pk], on) for case in cases}


def _papers(case: Case, rows: list[CasePaper], on: date) -> Held:
    lacking = [row.name for row in rows if row.state == CasePaper.State.MISSING]
    if lacking:
        more = "等" if len(lacking) > NAMED_MAX else ""
        told = f"还缺 {len(lacking)} 样材料：{'、'.join(lacking[:NAMED_MAX])}{more}"
        return Held(missing=told, remedy="请登记补来的材料")
    told = digest([[row.name, row.state, row.received_on] for row in rows])
    return Held((Reference(f"cases_casepaper:{case.pk}", told, on),))


def declared(case: Case, step: Step, demand: Demand, on: date) -> Held:
    """如实申报、同意核对: signed by the applicant, scanned when there is a scan."""
    if case.declared_on is None:
        return Held(missing="申报声明和核对授权还没有签字", remedy="请申请人在承办单背面签字后登记签字日期")
    scan = case.declaration_id
    told = digest({"case": case.pk, "declared_on": case.declared_on, "scan": scan})
    return Held(
        (Reference(f"registry_attachment:{scan}" if scan else f"cases_case:{case.pk}", told, case.declared_on),)
    )


def notice(case: Case, step: Step, demand: Demand, on: date) -> Held:
    """Put up on every board of its level for as many days as the step says, over, and no objection open or upheld."""
    rows = list(Notice.objects.filter(subject=case.notice_subject()).exclude(state=Notice.State.WITHDRAWN))
    if not rows:
        return Held(missing="还没有公示", remedy=f"请先公示，满 {demand.number} 天")
    if bare := boards_of(case.division, demand.level or Level.VILLAGE) - {row.division for row in rows}:
        return Held(missing=f"{place_name(min(bare), on)}还没有公示", remedy="请撤下后按流程的级次重新公示")
    short = [row for row in rows if (row.ends_on - row.starts_on).days < demand.number]
    if short:
        return Held(missing=f"公示不足 {demand.number} 天", remedy="请撤下后重新公示")
    if waiting := Objection.objects.filter(notice__in=rows, state=Objection.State.OPEN).count():
        return Held(missing=f"有 {waiting} 件异议没有答复", remedy="请审核员先答复异议")
    if upheld_lines(case.notice_subject()):
        return Held(missing="公示异议成立", remedy=f"请退回“{step.objection}”重新办理")
    if early := [row.may_end_on for row in rows if on < row.may_end_on]:
        return Held(missing="公示期未满", remedy=f"请在 {max(early)} 及以后办理")
    return Held(tuple(Reference(f"notices_notice:{row.pk}", row.digest, row.starts_on) for row in rows))


def end_notice(by: Actor, on: date, case: Case, step: Step, demand: Demand) -> Held:
    held = notice(case, step, demand, on)
    if held.ok:
        end_notices(by=by, on=on, subject=case.notice_subject())
    return held


def report(case: Case, step: Step, demand: Demand, on: date) -> Held:
    return reports_of_many([case], step, demand, on)[case.pk]


def reports_of_many(cases: Sequence[Case], step: Step, demand: Demand, on: date) -> dict[int, Held]:
    told = _reports(cases, countersigned=False)
    lacking = Held(missing=f"还没有写{demand.name}", remedy=f"请写{demand.name}并签名")
    return {pk: Held((_signed(rows[demand.name]),)) if demand.name in rows else lacking for pk, rows in told.items()}


def countersigned(case: Case, step: Step, demand: Demand, on: date) -> Held:
    """Every post named has agreed."""
    return countersigned_many([case], step, demand, on)[case.pk]


def countersigned_many(cases: Sequence[Case], step: Step, demand: Demand, on: date) -> dict[int, Held]:
    return {pk: _agreed(rows, demand) for pk, rows in _reports(cases, countersigned=True).items()}


def _reports(cases: Sequence[Case], *, countersigned: bool) -> dict[int, dict[str, CaseReport]]:
    """By case and name, those of the step and round each stands at; one query."""
    found: dict[int, dict[str, CaseReport]] = {case.pk: {} for case in cases}
    stands = {case.pk: (case.step, case.round) for case in cases}
    rows = CaseReport.objects.filter(case__in=list(found), countersigned=countersigned).select_related("signature")
    for row in rows:
        if (row.step, row.round) == stands[row.case_id]:
            found[row.case_id][row.name] = row
    return found


def _agreed(rows: dict[str, CaseReport], demand: Demand) -> Held:
    lacking = [str(each) for each in demand.acting if str(each) not in rows]
    if lacking:
        return Held(missing=f"等{'、'.join(lacking)}会签", remedy="请会签单位在这件事的页面上签署意见")
    against = [name for name, row in rows.items() if not row.agreed]
    if against:
        return Held(missing=f"{'、'.join(against)}不同意", remedy="请退回或不予批准")
    return Held(tuple(_signed(rows[str(each)]) for each in demand.acting))


def _signed(row: CaseReport) -> Reference:
    return Reference(f"cases_casereport:{row.pk}", row.signature.content_digest, row.written_on)


def waits_for(step: Step, by: Actor) -> Acting | None:
    """The countersignature of `by` that this step asks for."""
    for demand in step.demands:
        for each in demand.acting:
            if each.post == by.post and each.level == by.level:
                return each
    return None


holds("材料", papers, many=papers_of_many)
holds("授权", declared)
holds("公示", notice, end_notice)
holds("报告", report, many=reports_of_many)
holds("会签", countersigned, many=countersigned_many)
