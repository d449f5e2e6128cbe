"""Arrears: a standard or a grant that takes effect back in time is owed once, on the next roster, and says why (PAY-06, DET-06)."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from django.conf import settings
from django.db.models import Sum

from huimin.casework.backdating import decide_back, list_back
from huimin.casework.commands import NothingToDecide
from huimin.casework.models import Entitlement
from huimin.casework.screening import screen
from huimin.comparison.commands import compare_month
from huimin.comparison.models import ComparisonDifference
from huimin.database.bulk import fetch, fetch_one, run
from huimin.demo import dates
from huimin.demo.actors import COUNTY, actor
from huimin.demo.granting import county_officer
from huimin.kernel.errors import BadInput
from huimin.kernel.periods import quarter
from huimin.organisation.acting import Actor, NotYourPost, NotYourProgramme, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.commands import accrue_dues, compile_roster
from huimin.payment.explaining import get_explained
from huimin.payment.models import Due, Roster, RosterLine
from huimin.policy import commands as policy_commands
from huimin.policy.commands import adopt_policies, read_folder
from huimin.policy.queries import version_words
from tests.workbench.people import client_of

DIBAO = "dibao-rural"
NOW, BACK, NEXT = date(2021, 10, 12), date(2021, 8, 1), quarter(2021, 4)
BASIS = "霍民〔2021〕9号（测试）"


def officer() -> Actor:
    return actor(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS)


def approver(office: str = OfficeKind.CIVIL_AFFAIRS) -> Actor:
    return actor(Post.DEPARTMENT_APPROVER, office)


def raised_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard of the sample county, 650, is 700 a month from August on; adopted in October."""
    path = "sample-county/parameters.yaml"
    texts = read_folder(settings.POLICY_FOLDER)
    first = f"  - 项目: {DIBAO}\n    名称: 低保标准\n    数值: 650 元/月\n    自: 2021-07-01\n"
    assert first in texts[path]
    later = first.replace("650", "700").replace("2021-07-01", "2021-08-01") + "    来源: 测试\n    示例假设: 是\n"
    monkeypatch.setattr(policy_commands, "_require_cases", lambda book: None)
    adopt_policies(by=county_officer(), on=NOW, texts={**texts, path: texts[path].replace(first, later + first)})


@pytest.fixture(scope="module")
def story(shared_county: Callable[[str], str]) -> Iterator[None]:
    """A quarter was paid; the standard then rose back from August; the next quarter's dues arise."""
    shared_county("reissued")
    with pytest.MonkeyPatch.context() as patch:
        raised_standard(patch)
    screen(by=county_officer(), on=NOW, division=COUNTY, determination_date=BACK)
    yield


def test_a_standard_back_in_time_becomes_arrears_once_on_the_next_roster(story: None) -> None:
    """PAY-06: two months of difference, under the policy then in force; again adds nothing."""
    asked = {"on": NOW, "programme": DIBAO, "division": COUNTY, "effective": BACK, "basis": BASIS}
    with pytest.raises(NotYourPost):
        decide_back(by=officer(), **asked)
    with pytest.raises(NotYourProgramme):
        decide_back(by=approver(OfficeKind.WATER), **asked)
    with pytest.raises(BadInput):
        decide_back(by=approver(), **asked | {"basis": " "})
    with pytest.raises(BadInput):
        decide_back(by=approver(), **asked | {"effective": date(2021, 11, 1)})
    with pytest.raises(NothingToDecide):
        decide_back(by=approver(), **asked | {"effective": date(2021, 9, 1)})
    with reading(approver()):
        [told] = [each for each in list_back("341524", NOW, [DIBAO]) if each.month == BACK]
    browser = client_of(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)
    assert f"/owed/back/{DIBAO}/202108/" in browser.get("/owed/back/").content.decode()
    assert "以前各期少发的补发" in browser.get(f"/owed/back/{DIBAO}/202108/").content.decode()
    assert decide_back(by=approver(), **asked) == told.count > 0
    assert browser.get(f"/owed/back/{DIBAO}/202108/").status_code == 409
    with reading(approver()):
        changed = Entitlement.objects.filter(programme=DIBAO, valid_from=BACK)
        assert changed.count() == told.count
        assert {each.since for each in changed} == {dates.QUARTER.start}
    late = granted_back()
    added = accrue_dues(by=officer(), on=NOW, programme=DIBAO, period=NEXT)
    assert accrue_dues(by=officer(), on=NOW, programme=DIBAO, period=NEXT) == 0
    assert accrue_dues(by=officer(), on=NOW, programme=DIBAO, period=dates.QUARTER) == 0
    with reading(officer()):
        arrears = list(Due.objects.filter(programme=DIBAO, kind="arrears").select_related("entitlement"))
        assert added > len(arrears) > 0
        assert {each.period_from for each in arrears} == {date(2021, 8, 1), date(2021, 9, 1)}
        assert all(each.amount_fen == each.owed_fen - each.made_fen for each in arrears)
        of_late = [
            (each.period_from.month, each.owed_fen, each.made_fen) for each in arrears if each.entitlement_id == late
        ]
        assert sorted(of_late) == [(8, 12_300, 0), (9, 12_300, 0)]
        # A household is owed in August and September what it would have been, had the standard been known.
        assert fetch_one(_UNEQUAL, {"programme": DIBAO}) == (0,)


def granted_back() -> int:
    """A household that had nothing is granted from August on, in October: an entitlement of another programme becomes one of this."""
    with reading(officer()):
        [(entitlement,)] = fetch(
            "SELECT e.id FROM casework_entitlement e WHERE e.programme <> %s AND NOT EXISTS (SELECT 1 FROM casework_entitlement o"
            " WHERE o.household_id = e.household_id AND o.programme = %s) ORDER BY e.id LIMIT 1",
            [DIBAO, DIBAO],
        )
    run(
        "UPDATE casework_entitlement SET programme = %s, period = 'month', amount_fen = 12300, valid_from = %s WHERE id = %s",
        [DIBAO, BACK, entitlement],
        using="maintenance",
    )
    return int(entitlement)


_UNEQUAL = """
SELECT count(*)::int FROM (
    SELECT e.household_id, d.period_from, sum(d.amount_fen) AS made,
           (SELECT sum(h.amount_fen) FROM casework_entitlement h WHERE h.household_id = e.household_id AND h.programme = e.programme
             AND h.valid_from <= d.period_from AND (h.valid_to IS NULL OR h.valid_to > d.period_from)) AS owed
    FROM payment_due d JOIN casework_entitlement e ON e.id = d.entitlement_id
    WHERE d.programme = %(programme)s AND d.state IN ('owed', 'paid') AND d.period_from >= '2021-08-01' GROUP BY 1, 2, e.programme) x
WHERE made <> owed
"""


def test_the_next_roster_takes_arrears_up_and_each_due_says_why(story: None) -> None:
    """PAY-06, DET-07: parts of the line's amount are visible; the reasons name decision, version, arithmetic."""
    with reading(officer()):
        due = Due.objects.select_related("entitlement").filter(kind="arrears").order_by("id").first()
        township = due.division[:9] + "000"
    clerk = actor(Post.CLERK, township)
    browser = client_of(Post.CLERK, township)
    assert "补发" in browser.get("/owed/?kind=arrears").content.decode()
    page = browser.get(f"/owed/{due.pk}/").content.decode()
    assert "这一期应得" in page and BASIS in page and version_words(due.entitlement.version) in page
    roster = compile_roster(by=clerk, on=NOW, programme=DIBAO, division=township, period=NEXT)
    with reading(clerk):
        lines = RosterLine.objects.filter(roster=roster)
        with_arrears = lines.filter(arrears_fen__gt=0)
        line = with_arrears.get(entitlement=due.entitlement)
        dues = Due.objects.filter(line_dues__line=line)
        assert line.amount_fen == sum(each.amount_fen for each in dues) and line.withheld_fen == 0
        assert line.arrears_fen == sum(each.amount_fen for each in dues if each.kind == "arrears")
        assert line.base_fen == sum(each.amount_fen for each in dues if each.kind == "base")
        reasons = dict(get_explained(due.pk).reasons)
        assert {"待遇", "认定", "政策版本", "期间", "类别", "怎么算"} == set(reasons)
        assert reasons["期间"] in ("2021年8月", "2021年9月") and "补发" in reasons["类别"]
        base = next(each for each in dues if each.kind == "base")
        assert "整期" in dict(get_explained(base.pk).reasons)["怎么算"]


def test_VER_04_arrears_are_compared_with_the_month_whose_roster_carries_them(story: None) -> None:
    """December's list has them and so have its approvals; September's, made anew, still agrees with what was paid then."""
    with reading(officer()):
        roster = Roster.objects.filter(programme=DIBAO, period_from=NEXT.start).get()
        arrears = roster.lines.aggregate(fen=Sum("arrears_fen"))["fen"]
    asked = {"by": actor(Post.CLERK, roster.division), "division": roster.division}
    december = compare_month(on=date(2021, 12, 20), month=date(2021, 12, 1), **asked)
    september = compare_month(on=NOW, month=date(2021, 9, 1), **asked)
    with reading(officer()):
        wrong = ComparisonDifference.objects.filter(programme=DIBAO, kind__in=["amount", "unapproved"])
        assert arrears > 0 and not wrong.exists()
        waiting = december.differences.filter(programme=DIBAO, kind="unconfirmed")
        assert (
            sum(each.approved_fen for each in waiting) == sum(each.listed_fen for each in waiting) == roster.amount_fen
        )
        assert september.paid_fen > 0


def test_what_is_no_more_owed_and_on_no_roster_is_stopped(story: None) -> None:
    """PAY-06: a death before the roster: the month he died in is still his, the later ones are never paid."""
    with reading(officer()):
        [entitlement, household] = fetch(
            "SELECT e.id, e.household_id FROM casework_entitlement e JOIN payment_due d ON d.entitlement_id = e.id AND d.state = 'owed'"
            " WHERE e.programme = %s AND e.people = 1 AND d.period_from = '2021-12-01' AND NOT EXISTS (SELECT 1 FROM payment_linedue x"
            " WHERE x.due_id = d.id) ORDER BY e.id LIMIT 1",
            [DIBAO],
        )[0]
    assert run(
        "UPDATE registry_personfacts f SET death_date = '2021-10-20' FROM registry_membership m WHERE m.household_id = %s"
        " AND m.recorded_to IS NULL AND f.person_id = m.person_id AND f.recorded_to IS NULL",
        [household],
        using="maintenance",
    )
    assert accrue_dues(by=officer(), on=date(2021, 11, 2), programme=DIBAO, period=NEXT) == 0
    with reading(officer()):
        dues = dict(Due.objects.filter(entitlement=entitlement, kind="base").values_list("period_from", "state"))
        stopped = (
            Due.objects.select_related("entitlement__decision").filter(entitlement=entitlement, state="stopped").first()
        )
    assert dues[date(2021, 10, 1)] == "owed"
    assert {dues[date(2021, 11, 1)], dues[date(2021, 12, 1)]} == {"stopped"}
    # LED-03: its page says why and leads on to the determination and the law; from the determination back to the dues.
    browser = client_of(Post.SUPERVISOR, OfficeKind.AUDIT)
    page, proposal = browser.get(f"/owed/{stopped.pk}/").content.decode(), stopped.entitlement.decision.proposal_id
    assert "2021年10月20日去世" in page and "2021年11月1日）起不再应发" in page and "统计员编制下一份" not in page
    assert f'href="/proposals/{proposal}/"' in page and f'href="/policies/{DIBAO}/"' in page
    assert f'href="/owed/{stopped.pk}/"' in browser.get(f"/proposals/{proposal}/").content.decode()
