"""The demonstration's field work: rows on every page of it, repeated without a second effect."""

from huimin.database.bulk import fetch_one
from huimin.demo.field import visit
from huimin.demo.granting import county_officer
from huimin.demo.quarter import County
from huimin.fieldwork.models import Assignment, Campaign, LowIncome, PointNote, PointReport, Signal, SurveyForm, Visit
from huimin.organisation.acting import reading


def counts():
    by = county_officer()
    with reading(by):
        models = (Campaign, SurveyForm, Signal, Visit, LowIncome, PointNote, PointReport, Assignment)
        found = {model.__name__: model.objects.count() for model in models}
        kinds = set(Signal.objects.values_list("kind", flat=True))
        [open_homes] = fetch_one("SELECT count(*) FROM registry_household WHERE closed_on IS NULL")
    return found, kinds, open_homes


def test_the_demonstration_has_field_work_and_repeats_it_without_effect_reg_06(county, tmp_path):
    county("decided")
    place = County(people=1000, seed=20210701, home=tmp_path)
    visit(place)
    first, kinds, homes = counts()
    assert all(first.values()) and 0 < first["SurveyForm"] < homes
    assert {"job", "medical", "disaster"} <= kinds
    visit(place)
    assert counts()[0] == first
