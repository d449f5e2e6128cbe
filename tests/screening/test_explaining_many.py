"""Many households explained together are each explained as alone, to the last word (DET-01, DET-07)."""

import numpy as np

from huimin.casework.screening import granted_of, granted_of_many, month_after
from huimin.demo import dates
from huimin.demo.granting import county_officer
from huimin.organisation.acting import reading
from huimin.registry.models import Household
from huimin.rules import NumberTooLarge
from huimin.screening import explaining
from huimin.screening.explaining import explain_household, explain_many

DAY = dates.DECIDED


def test_explained_together_is_explained_alone_with_what_is_held_det_01(shared_county, monkeypatch):
    shared_county("decided")
    by, on = county_officer(), month_after(DAY)
    with reading(by):
        held = (
            granted_of_many(list(Household.objects.values_list("pk", flat=True)), DAY)["household"].unique().to_pylist()
        )
        chosen = sorted({*held[:12], *Household.objects.order_by("-id").values_list("pk", flat=True)[:12]})
        granted = granted_of_many(chosen, DAY)
        alone = {
            number: explain_household(by=by, household_id=number, on=on, facts_on=DAY, granted=granted_of(number, DAY))
            for number in chosen
        }
        codes = {each["programme"] for told in alone.values() for each in told["results"]}
        asked = {"households": [*chosen, 10**9], "on": on, "facts_on": DAY, "granted": granted}
        together = {code: explain_many(only=code, **asked) for code in sorted(codes)}
        nothing = explain_many(only="no-such", **asked)
    assert len(codes) >= 3 and {each["unit"] for told in alone.values() for each in told["results"]} == {
        "household",
        "person",
    }
    for code in codes:
        assert set(together[code]) == set(chosen)
        for number, told in alone.items():
            assert together[code][number]["members"] == told["members"]
            assert together[code][number]["results"] == [each for each in told["results"] if each["programme"] == code]
    assert all(told["results"] == [] for told in nothing.values())
    # One household whose numbers cannot be reckoned with does not take the others with it.
    rows = explaining.explain_rows

    def stumbling(law, table, day):
        if table.household_count > 1 or np.diff(table.offsets)[0] == 1:
            raise NumberTooLarge
        return rows(law, table, day)

    monkeypatch.setattr(explaining, "explain_rows", stumbling)
    with reading(by):
        left = explain_many(only="dibao-rural", **asked)
    assert left == {number: told for number, told in together["dibao-rural"].items() if len(told["members"]) != 1}
    assert 0 < len(left) < len(chosen)
