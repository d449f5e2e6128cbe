"""Lists as of any day, as known on any day, with any fact as column and condition (REG-01, REG-05, REG-04)."""

from datetime import date, timedelta

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from huimin.casework.models import Entitlement
from huimin.casework.queries import HeldFilter, list_held
from huimin.database.bulk import run
from huimin.demo.actors import actor
from huimin.kernel.facts import FACTS, Entity, Fact, Kind
from huimin.organisation.acting import command, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.commands import record_death, record_household_facts, record_person_facts
from huimin.registry.lists import Condition, ListFilter, iterate_on, list_on
from huimin.registry.models import Membership, PersonFacts
from tests.registry.people import DAY, LATER, NOW, household, members, officer, staff
from tests.workbench.people import client_of

_FACT = {fact.code: fact for fact in FACTS}
ADDED = Fact("茶园面积", "tea_mu", Entity.HOUSEHOLD, Kind.AREA, "亩")
AS_ADDED = Fact("制茶师", "tea_master", Entity.PERSON, Kind.FLAG)


def ids(rows):
    return [row.household.pk for row in rows]


def village_of(home):
    return home.division[:12]


def listed(by, wanted, facts=(), **more):
    with reading(by):
        return list_on(wanted, by, facts, **more)[1]


def test_a_list_shows_the_day_and_what_was_known_then(county):
    """REG-05: who was a member on the day by what we know now; and by what was known before a late report."""
    county("registered")
    home = household(3)
    clerk, (_, second, *_) = staff(Post.CLERK, home), members(home)
    before = timezone.now()
    record_death(by=clerk, on=NOW, person=second.person_id, died_on=LATER, evidence="死亡证明")
    where = village_of(home)

    def people(on, known_at=None):
        rows = listed(clerk, ListFilter(where, on, known_at), members=True, size=1000)
        [row] = [each for each in rows if each.household.pk == home.pk]
        return {each.person for each in row.members}, row.count

    now, then, as_known = people(NOW), people(LATER - timedelta(days=1)), people(NOW, before)
    assert second.person_id not in now[0] and second.person_id in then[0] and second.person_id in as_known[0]
    assert now[1] == then[1] - 1 == as_known[1] - 1
    with reading(clerk):
        assert len(list_on(ListFilter(where, date(1999, 1, 1)), clerk)[1]) == 0


def test_a_household_that_closed_is_in_the_list_of_the_day_before(county):
    county("registered")
    single = next(h for h in (household(1, False, n) for n in range(60)) if len(members(h)) == 1)
    clerk, before = staff(Post.CLERK, single), timezone.now()
    record_death(by=clerk, on=NOW, person=members(single)[0].person_id, died_on=LATER, evidence="死亡证明")
    where = village_of(single)
    assert single.pk not in ids(listed(clerk, ListFilter(where, NOW), size=1000))
    assert single.pk in ids(listed(clerk, ListFilter(where, LATER - timedelta(days=1)), size=1000))
    assert single.pk in ids(listed(clerk, ListFilter(where, NOW, before), size=1000))


@pytest.mark.parametrize("wide", [False, True])
def test_conditions_and_columns_of_the_countys_own_facts(county, wide):
    """REG-01: a fact the county added is a column and a condition like any other, in a village and in the county."""
    county("registered")
    home, other = household(2), household(2, True, 1)
    for each, mu in ((home, 325), (other, 100)):
        record_household_facts(
            by=staff(Post.CLERK, each), on=NOW, household=each.pk, facts={"tea_mu": mu}, since=LATER, evidence="核查",
            added=[ADDED],
        )  # fmt: skip
    person = members(home)[1].person_id
    record_person_facts(
        by=staff(Post.CLERK, home), on=NOW, person=person, facts={"tea_master": True, "disability_grade": 2}, since=LATER,
        evidence="核查", added=[AS_ADDED],
    )  # fmt: skip
    by = officer() if wide else staff(Post.CLERK, home)
    prefix = by.prefix if wide else village_of(home)

    def found(*conditions, on=NOW, **more):
        return listed(by, ListFilter(prefix, on, None, conditions), [ADDED, AS_ADDED], size=1000, **more)

    many = found(Condition(ADDED, "least", 300))
    assert ids(many) == [home.pk] and [each.text for each in many[0].facts] == ["3.25 亩"]
    if wide:
        assert set(ids(found(Condition(ADDED, "most", 325)))) == {home.pk, other.pk}
        assert set(ids(found(Condition(ADDED, "known")))) == {home.pk, other.pk}
    assert home.pk not in ids(found(Condition(ADDED, "unknown"))) and home.pk in ids(found())
    assert found(Condition(ADDED, "least", 300), on=DAY) == []
    [one] = found(Condition(AS_ADDED, "is", True), members=True)
    assert [(each.person, each.facts[0].text) for each in one.members] == [(person, "是")]
    graded = Condition(_FACT["disability_grade"], "is", 2)
    assert person in {each.person for row in found(graded, members=True) for each in row.members}
    assert {
        each.relation for row in found(Condition(_FACT["relation"], "is", "配偶"), members=True) for each in row.members
    } <= {"配偶"}
    with reading(by):
        rows = list(iterate_on(ListFilter(prefix, NOW), by))
    assert len(rows) == len(set(ids(rows))) >= 2


def test_hidden_facts_stay_hidden_and_queries_do_not_grow(shared_county):
    """SEC-04, and the same number of statements for one row and for fifty."""
    shared_county("registered")
    finance = actor(Post.FINANCE_OFFICER, OfficeKind.FINANCE)
    grade = _FACT["disability_grade"]
    rows = listed(finance, ListFilter(finance.prefix, NOW), [grade], members=True)
    assert all(each.hidden for row in rows for person in row.members for each in person.facts)
    counts = []
    for size in (1, 50):
        with reading(finance), CaptureQueriesContext(connection) as asked:
            list_on(ListFilter(finance.prefix, NOW), finance, [grade], members=True, size=size)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 6


def test_beneficiaries_of_a_day_as_known_then(county):
    """REG-05: an entitlement that was ended later is in the list of the day, and without its end as it was known before."""
    county("decided")
    by = officer()
    with reading(by):
        row = Entitlement.objects.filter(valid_to=None).order_by("id").first()
        granted_at = timezone.now()
    end = row.valid_from + timedelta(days=62)
    _end(row, end)
    with reading(by):

        def held(on, known_at=None):
            return {each.pk: each for each in list_held(HeldFilter(by.prefix, on, known_at), size=1000)}

        after = end + timedelta(days=1)
        assert row.pk not in held(after) and row.pk in held(end - timedelta(days=1))
        then = held(after, granted_at)
        assert row.pk in then and then[row.pk].changed == "U" and then[row.pk].was is None
        assert held(after, timezone.now() - timedelta(days=400)) == {}


def _end(row, end):
    @command(Post.COUNTY_OFFICER)
    def ended(*, by, on):
        run("UPDATE casework_entitlement SET valid_to = %s WHERE id = %s", [end, row.pk])

    ended(by=officer(), on=NOW)


def test_the_page_says_of_which_day_and_gives_the_same_as_a_workbook(county, tmp_path):
    """Issue 4, point 4: 截至 … 的情况，按 … 时所知; a wrong condition is said and left out; no address fails."""
    county("decided")
    client = client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    for kind in ("households", "members", "benefits"):
        text = client.get(f"/lists/?kind={kind}&on=2021-06-21&known=2021-08-01").content.decode()
        assert "截至 <b>2021-06-21</b> 的情况，按 <b>2021-08-01 时</b> 所知" in text
    text = client.get(
        "/lists/?kind=members&fact1=wage_month&how1=least&value1=很多&fact2=sex&how2=least&value2=男"
    ).content.decode()
    assert "有条件没有用上" in text and "不能比大小" in text
    assert client.get("/lists/?kind=x&on=2021-13-99&col=nothing&fact1=no&at=zzz").status_code == 200
    columns = "&col=disability_grade&col=wage_month&col=contract_land_mu"
    query = f"kind=members&fact1=disability_grade&how1=least&value1=1{columns}"
    shown = client.get(f"/lists/?{query}").content.decode()
    taken = client.get(f"/lists/?{query}&export=xlsx&purpose=残疾人核查")
    file = tmp_path / "x.xlsx"
    file.write_bytes(b"".join(taken.streaming_content))
    sheet = openpyxl.load_workbook(file).active
    rows = [row for row in sheet.iter_rows(min_row=2, values_only=True) if row[3]]
    with reading(officer()):
        graded = PersonFacts.objects.filter(recorded_to=None, valid_to=None, disability_grade__gte=1).values("person")
        wanted = Membership.objects.filter(recorded_to=None, valid_to=None, person__in=graded).count()
    assert len(rows) == wanted > 0 and rows[0][3] in shown
    assert client_of(Post.BANK_OPERATOR, OfficeKind.BANK).get("/lists/").status_code == 403
