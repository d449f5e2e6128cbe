"""From entitlements to confirmed rosters: dues, rosters by township, seven days of notice, signatures.

Townships work one after another, each through its own posts. An objection in one village blocks that township's roster
until it is answered; two are upheld or dismissed so that both ends are seen.
"""

from collections.abc import Iterator

from huimin.database.bulk import fetch, fetch_one
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.clock import business_day
from huimin.demo.granting import DEPARTMENTS, county_officer
from huimin.demo.quarter import County, Figures
from huimin.demo.refusing import must_refuse
from huimin.notices.commands import NoticeStillOpen, ObjectionOpen
from huimin.notices.models import NoticeRow, Objection
from huimin.notices.objections import Objector, Review, answer_objection, file_objection, tell_objector
from huimin.organisation.acting import NotYourPlace, NotYourPost, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.commands import (
    accrue_dues,
    compile_roster,
    compile_summary,
    confirm_by_department,
    confirm_by_finance,
    explain_findings,
    hold_findings,
    publish_roster,
    sign_roster,
    sign_summary,
)
from huimin.payment.models import Roster, RosterFinding


def townships() -> list[str]:
    """Codes of the county's townships, in order."""
    with reading(county_officer()):
        rows = fetch("SELECT code FROM divisions_division WHERE level = 9 AND code LIKE '341524%%' ORDER BY code")
    return [code for (code,) in rows]


def rosters(*states: str, kind: str = Roster.Kind.BASE) -> list[Roster]:
    """The county's rosters of the quarter that are in one of these states."""
    with reading(county_officer()):
        found = Roster.objects.filter(kind=kind, period_from=dates.QUARTER.start)
        return list(found.filter(state__in=states).order_by("pk") if states else found.order_by("pk"))


def roster_figures() -> Figures:
    with reading(county_officer()):
        count, lines, amount = fetch_one(
            "SELECT count(*), coalesce(sum(lines_count), 0)::int, coalesce(sum(amount_fen), 0)::bigint"
            " FROM payment_roster WHERE kind = 'base' AND state <> 'withdrawn'"
        )
    return {"rosters": count, "lines": lines, "amount_fen": amount}


def accrue(county: County) -> Figures:
    """Each department lets the quarter's dues arise."""
    business_day(dates.ACCRUED)
    for programme, office in DEPARTMENTS.items():
        by = actor(Post.DEPARTMENT_OFFICER, office)
        accrue_dues(by=by, on=dates.ACCRUED, programme=programme, period=dates.QUARTER)
    with reading(county_officer()):
        count, amount = fetch_one("SELECT count(*), sum(amount_fen)::bigint FROM payment_due")
    return {"dues": count, "amount_fen": amount}


def _to_compile() -> Iterator[tuple[str, str]]:
    """(programme, township) with dues to be paid from a card and no roster yet."""
    with reading(county_officer()):
        there = {(r.programme, r.division) for r in Roster.objects.exclude(state="withdrawn")}
        owed = fetch(
            "SELECT DISTINCT d.programme, left(d.division, 9) || '000' FROM payment_due d"
            " JOIN casework_entitlement e ON e.id = d.entitlement_id"
            " WHERE d.state = 'owed' AND EXISTS (SELECT 1 FROM registry_card c JOIN registry_membership m"
            "   ON m.person_id = c.holder_id AND m.recorded_to IS NULL AND m.valid_to IS NULL"
            "   WHERE m.household_id = e.household_id AND c.state = 'active' AND c.recorded_to IS NULL"
            "   AND CASE WHEN e.person_id IS NULL THEN m.relation = '户主' ELSE m.person_id = e.person_id END)"
            " ORDER BY 2, 1"
        )
    for programme, township in owed:
        if (programme, township) not in there:
            yield programme, township


def compile_all(county: County) -> Figures:
    """A roster per programme and township."""
    business_day(dates.COMPILED)
    first, second = townships()[:2]
    must_refuse(
        compile_roster, NotYourPlace, by=actor(Post.CLERK, first), on=dates.COMPILED, programme="dibao-rural",
        division=second, period=dates.QUARTER,
    )  # fmt: skip
    for programme, township in _to_compile():
        by = actor(Post.CLERK, township)
        compile_roster(by=by, on=dates.COMPILED, programme=programme, division=township, period=dates.QUARTER)
    return roster_figures()


def publish(county: County) -> Figures:
    """What the check found is answered; every roster is put up in its villages; signing it the same day is refused."""
    business_day(dates.PUBLISHED)
    for roster in rosters(Roster.State.COMPILED):
        _answer_doubts(roster)
        must_refuse_once = roster.division == townships()[0]
        by = actor(Post.REVIEWER, roster.division)
        publish_roster(by=by, on=dates.PUBLISHED, roster_id=roster.pk)
        if must_refuse_once:
            head = actor(Post.TOWNSHIP_HEAD, roster.division)
            must_refuse(sign_roster, NoticeStillOpen, by=head, on=dates.PUBLISHED, roster_id=roster.pk)
    with reading(county_officer()):
        notices, rows = fetch_one(
            "SELECT count(*), sum(rows_count)::int FROM notices_notice WHERE state <> 'withdrawn'"
        )
    return {"notices": notices, "rows": rows}


def _answer_doubts(roster: Roster) -> None:
    """The clerk holds back what pays for a time after a death, and says of the rest what he found when he looked."""
    with reading(county_officer()):
        doubts = list(roster.findings.filter(state="open").values_list("pk", "kind"))
    act = {"by": actor(Post.CLERK, roster.division), "on": dates.PUBLISHED, "roster_id": roster.pk}
    held = [pk for pk, kind in doubts if kind in RosterFinding.HARD]
    if held:
        hold_findings(finding_ids=held, reason="已死亡，先缓发，办理停止", **act)
    explained = [pk for pk, kind in doubts if kind not in RosterFinding.HARD]
    if explained:
        explain_findings(finding_ids=explained, reason="已入户核对，本期金额无误，变更按规定次月起算", **act)


_OBJECTIONS = (
    (
        "grain-one-off",
        "反映该户今年没有种粮，土地已流转给别人",
        True,
        "经到田核实，确未种粮，本期不发",
        Objector("李某邻居"),
    ),
    ("dibao-rural", "反映该户有轿车", False, "经核查车辆登记，车辆属邻居所有，与该户无关", Objector()),
)


def object_(county: County) -> Figures:
    """Two villagers object through their information officers, one by name; reviewers answer after looking, who left a
    name is told."""
    business_day(dates.OBJECTED)
    for programme, text, upheld, answer, objector in _OBJECTIONS:
        objection = _objection(programme, text, objector)
        business_day(dates.ANSWERED)
        if objection.state == Objection.State.OPEN:
            by = actor(Post.REVIEWER, objection.division[:9] + "000")
            clerk = actor(Post.CLERK, objection.division[:9] + "000")
            review = Review("investigation", dates.ANSWERED, "乡镇审核员、村民小组长", answer)
            arguments = {
                "on": dates.ANSWERED, "objection_id": objection.pk, "upheld": upheld, "answer": answer, "review": review,
            }  # fmt: skip
            must_refuse(answer_objection, NotYourPost, by=clerk, **arguments)
            _refused_signature(objection)
            answer_objection(by=by, **arguments)
            if not objector.anonymous:
                tell_objector(
                    by=clerk, on=dates.ANSWERED, objection_id=objection.pk, told_on=dates.ANSWERED, how="当面告知"
                )
    with reading(county_officer()):
        return {
            "objections": Objection.objects.count(),
            "upheld": Objection.objects.filter(state=Objection.State.UPHELD).count(),
        }


def _refused_signature(objection: Objection) -> None:
    """The seven days are over, and still nobody signs while the objection is open."""
    with reading(county_officer()):
        roster = Roster.objects.get(notices__notice=objection.notice_id)
    head = actor(Post.TOWNSHIP_HEAD, roster.division)
    must_refuse(sign_roster, ObjectionOpen, by=head, on=dates.ANSWERED, roster_id=roster.pk)


def _objection(programme: str, text: str, objector: Objector) -> Objection:
    """The objection with this text, filed now when it is not there yet."""
    with reading(county_officer()):
        found = Objection.objects.filter(text=text).first()
        row = NoticeRow.objects.filter(notice__programme=programme).order_by("pk").select_related("notice")[0]
    if found:
        return found
    by = actor(Post.INFORMATION_OFFICER, row.notice.division)
    return file_objection(
        by=by, on=dates.OBJECTED, row_id=row.pk, text=text, channel=Objection.Channel.SPOT, objector=objector
    )


def sign_all(county: County) -> Figures:
    """Township heads sign what was on notice for seven days, and what township finance sums up of it."""
    business_day(dates.SIGNED)
    for roster in rosters(Roster.State.PUBLISHED):
        sign_roster(by=actor(Post.TOWNSHIP_HEAD, roster.division), on=dates.SIGNED, roster_id=roster.pk)
    for township in sorted({roster.division for roster in rosters(Roster.State.SIGNED)}):
        by = actor(Post.SETTLEMENT, township)
        summary = compile_summary(by=by, on=dates.SIGNED, division=township, period=dates.QUARTER)
        if summary.signed_on is None:
            sign_summary(by=actor(Post.TOWNSHIP_HEAD, township), on=dates.SIGNED, summary_id=summary.pk)
    with reading(county_officer()):
        withheld = fetch_one("SELECT count(*) FROM payment_rosterline WHERE state = 'withheld'")[0]
    return {"signed": len(rosters()) - len(rosters("compiled", "published")), "withheld_lines": withheld}


def confirm(county: County) -> Figures:
    """The department, then finance."""
    business_day(dates.CONFIRMED)
    for roster in rosters(Roster.State.SIGNED):
        by = actor(Post.DEPARTMENT_APPROVER, DEPARTMENTS[roster.programme])
        confirm_by_department(by=by, on=dates.CONFIRMED, roster_id=roster.pk)
    finance = actor(Post.FINANCE_OFFICER, OfficeKind.FINANCE)
    for roster in rosters(Roster.State.DEPARTMENT_CONFIRMED):
        confirm_by_finance(by=finance, on=dates.CONFIRMED, roster_id=roster.pk)
    with reading(county_officer()):
        count = fetch_one("SELECT count(*) FROM payment_roster WHERE finance_by IS NOT NULL AND kind = 'base'")[0]
    return {"confirmed": count}


__all__ = ["accrue", "compile_all", "confirm", "object_", "publish", "sign_all"]
