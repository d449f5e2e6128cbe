"""The demonstration's records: rows on every page, the same when repeated (REG-08, REG-10, ORG-07, ORG-08)."""

from pathlib import Path

from huimin.archives import queries as archives
from huimin.capacity import queries as capacity
from huimin.capacity.versions import versions_at
from huimin.demo import records
from huimin.demo.granting import county_officer
from huimin.demo.quarter import County
from huimin.kinship import queries as kinship
from huimin.organisation.acting import reading


def test_every_register_has_rows_and_repeating_adds_none_reg_08_reg_10_org_07_org_08(county, tmp_path: Path):
    county("decided")
    again = County(people=1000, seed=20210701, home=tmp_path)
    assert records.record(again) == (figures := records.record(again))
    assert figures["courses"] == 2 and figures["declarations"] > 6 and figures["papers"] > 5
    with reading(by := county_officer()):
        on = records.ON
        assert archives.count_overdue(by.prefix, on) == 2 and archives.count_proposed(by.prefix) == 1
        assert len(archives.page_missing(by.prefix)) == 1
        assert kinship.count_unsettled(by.prefix) == 1 and kinship.list_related_households(by.prefix, on)
        officers = kinship.list_officers(by.prefix, on, kinship.within_days(by.division))
        assert 0 < sum(each.signed_on is not None for each in officers) < len(officers)
        asked = capacity.asked_at(by.division)
        due = capacity.list_training_due(by.prefix, on, asked.training_days, versions_at(by.division, on).values())
        assert any(each.overdue(on) for each in due) and any(each.last_trained_on for each in due)
        desks = [desk for desk in capacity.list_desks(by, on.year, on, asked) if desk.report]
        assert [bool(desk.short) for desk in desks] == [True, True, False]
