"""A township's desk: figures entered, checked, and who falls short (ORG-08)."""

from dataclasses import replace
from datetime import date

import pytest

from huimin.capacity import queries
from huimin.capacity.staffing import Figures, check_staffing, report_staffing
from huimin.capacity.training import set_capacity_rule
from huimin.demo.actors import actor
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import AlreadyDone, NotYourPost, reading
from huimin.organisation.posts import Post
from tests.registry.people import officer

ON = date(2021, 9, 1)
TOWNSHIP, OTHER = "341524100000", "341524101000"
GOOD = Figures(3, 2, 1, 20_000_00, 1_000_000_00, "另有公益岗 1 人")


@pytest.fixture
def organised(county):
    county("organised")


def report(by=None, figures=GOOD, year=2021):
    return report_staffing(by=by or actor(Post.CLERK, TOWNSHIP), on=ON, year=year, figures=figures)


def desks():
    with reading(by := officer()):
        asked = queries.asked_at("341524000000")
        return {desk.division: desk for desk in queries.list_desks(by, 2021, ON, asked)}


def test_a_report_is_confirmed_by_the_county_and_then_stays_org_08(organised):
    made = report()
    told = {"by": officer(), "on": ON, "report": made.pk}
    with pytest.raises(BadInput):
        check_staffing(**told, agreed=False, refusal="")
    assert check_staffing(**told, agreed=False, refusal="经费不对").state == "returned"
    assert report(figures=replace(GOOD, cost_fen=19_000_00)).pk == made.pk
    assert check_staffing(**told, agreed=True).state == "confirmed"
    with pytest.raises(AlreadyDone):
        check_staffing(**told, agreed=True)
    with pytest.raises(AlreadyDone):
        report()
    with pytest.raises(NotYourPost):
        check_staffing(by=actor(Post.CLERK, TOWNSHIP), on=ON, report=made.pk, agreed=True)


def test_who_falls_short_stands_in_front_org_08(organised):
    report()
    report(actor(Post.TOWNSHIP_HEAD, OTHER), replace(GOOD, on_establishment=1, cost_fen=20_000_01))
    found = desks()
    assert found[TOWNSHIP].short == () and queries.percent(found[TOWNSHIP].cost_permille_tenths) == "2.00 %"
    assert len(found[OTHER].short) == 2 and queries.percent(found[OTHER].cost_permille_tenths) == "2.01 %"
    assert list(found)[-1] == TOWNSHIP
    assert [desk.short for code, desk in found.items() if code not in (TOWNSHIP, OTHER)] == [("没有填报",)] * (
        len(found) - 2
    )
    set_capacity_rule(by=officer(), on=ON, training_days=30, staff_min=3, cost_permille=30, basis="县文 9 号")
    assert desks()[TOWNSHIP].short == ("编内人员 2 人，少于 3 人",)
    with pytest.raises(NotYourPost):
        set_capacity_rule(
            by=actor(Post.CLERK, TOWNSHIP), on=ON, training_days=30, staff_min=3, cost_permille=30, basis="县文"
        )
    with pytest.raises(BadInput):
        set_capacity_rule(by=officer(), on=ON, training_days=0, staff_min=3, cost_permille=30, basis="县文")


def test_wrong_figures_years_and_places_are_refused_org_08(organised):
    for wrong in (replace(GOOD, posts=-1), replace(GOOD, cost_fen=-1), replace(GOOD, cost_fen=2_000_000_00)):
        with pytest.raises(BadInput):
            report(figures=wrong)
    with pytest.raises(BadInput, match="还没有到"):
        report(year=2022)
    with pytest.raises(NotYourPost):
        report(officer())
    made = report(year=2020)
    with reading(actor(Post.CLERK, OTHER)):
        assert queries.count_unchecked(OTHER[:9]) == 0
    with reading(officer()):
        assert queries.count_unchecked("341524") == 1 and made.year == 2020
