"""渐退: begun, remembered, ended by itself, or turned back when the income falls again (DET-03, DET-06)."""

from collections.abc import Callable
from datetime import date

import pytest
from django.conf import settings

from huimin.casework.commands import decide_proposals
from huimin.casework.models import Entitlement
from huimin.casework.screening import screen
from huimin.database.bulk import fetch, run
from huimin.demo import dates
from huimin.demo.actors import COUNTY, actor
from huimin.demo.granting import county_officer
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.policy import commands as policy_commands
from huimin.policy.commands import adopt_policies, read_folder
from huimin.screening.models import Proposal, Run
from huimin.screening.proving import prove_runs

At = Callable[[str], str]
DIBAO = "dibao-rural"


@pytest.fixture
def worker(county: At, monkeypatch: pytest.MonkeyPatch) -> int:
    """A person of a household that holds 低保, under a policy with six months of 渐退 at 80 %."""
    county("decided")
    by = county_officer()
    texts = read_folder(settings.POLICY_FOLDER)
    path = f"national/{DIBAO}.yaml"
    changed = texts[path].replace("数值: 0 月", "数值: 6 月").replace("{月: 1起, 数值: 100%}", "{月: 1起, 数值: 80%}")
    assert changed.count("80%}") == 1
    monkeypatch.setattr(policy_commands, "_require_cases", lambda book: None)  # they are worked with the old numbers
    adopt_policies(by=by, on=dates.DECIDED, texts={**texts, path: changed})
    with reading(by):
        [(person,)] = fetch(
            "SELECT m.person_id FROM casework_entitlement e JOIN registry_membership m ON m.household_id = e.household_id"
            " AND m.recorded_to IS NULL AND m.relation = '户主' WHERE e.programme = %s ORDER BY e.id LIMIT 1",
            [DIBAO],
        )
    return int(person)


def earns(person: int, fen: int) -> None:
    statement = "UPDATE registry_personfacts SET employed = true, wage_month = %s WHERE person_id = %s"
    assert run(statement, [fen, person], using="maintenance")


def proposed(person: int, day: date) -> list[Proposal]:
    """Open proposals of the person's household, of a screening as of that day."""
    by = county_officer()
    made = screen(by=by, on=day, division=COUNTY, determination_date=day)
    with reading(by):
        mine = Proposal.objects.filter(
            state="open",
            programme=DIBAO,
            household__memberships__person=person,
            household__memberships__recorded_to=None,
        )
        assert Run.objects.get(pk=made.pk).state == "finished"
        return list(mine)


def confirm(proposal: Proposal, day: date) -> None:
    by = actor(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)
    decide_proposals(by=by, on=day, programme=DIBAO, division=COUNTY, grant=True, proposal_ids=[proposal.pk])


def held(household: int) -> list[Entitlement]:
    rows = Entitlement.objects.using("maintenance").filter(household=household, programme=DIBAO)
    return list(rows.order_by("valid_from"))


def test_it_begins_lasts_and_ends_by_itself(worker: int) -> None:
    """Kind, reduced amount and months on the proposal; original amount, beginning and end on the entitlement."""
    earns(worker, 900_000)
    [proposal] = proposed(worker, date(2021, 8, 1))
    [first] = held(proposal.household_id)
    assert (proposal.kind, proposal.phase_out_months, proposal.phase_out_since) == ("phase_out", 6, None)
    assert (proposal.previous_fen, proposal.amount_fen) == (first.amount_fen, round(first.amount_fen * 0.8))
    assert "wage_month" in {reason["name"] for reason in proposal.reasons}
    confirm(proposal, date(2021, 8, 10))
    before, now = held(proposal.household_id)
    assert (before.valid_to, now.valid_from, now.valid_to) == (date(2021, 9, 1), date(2021, 9, 1), date(2022, 3, 1))
    assert (now.amount_fen, now.original_fen) == (proposal.amount_fen, first.amount_fen)
    assert (now.since, now.phase_out_since) == (date(2021, 7, 1), date(2021, 9, 1))
    for day in (date(2021, 8, 20), date(2021, 10, 15), date(2022, 3, 15)):
        assert proposed(worker, day) == []
    assert all(proof.ok for proof in prove_runs(county_officer()))


def test_it_is_turned_back_when_the_income_falls_again(worker: int) -> None:
    """A proposal to the full amount; the new entitlement remembers since when, and no 渐退."""
    earns(worker, 900_000)
    [proposal] = proposed(worker, date(2021, 8, 1))
    confirm(proposal, date(2021, 8, 10))
    earns(worker, 0)
    [back] = proposed(worker, date(2021, 10, 1))
    assert (back.kind, back.previous_fen, back.phase_out_months) == ("increase", proposal.amount_fen, None)
    confirm(back, date(2021, 10, 5))
    *_, ended, now = held(proposal.household_id)
    assert ended.valid_to == now.valid_from == date(2021, 11, 1)
    assert (now.since, now.phase_out_since, now.original_fen) == (date(2021, 7, 1), None, None)
    assert (now.amount_fen, now.valid_to) == (back.amount_fen, None)


def test_who_is_out_for_another_reason_leaves(worker: int) -> None:
    """Income and something else: no 渐退, 停发 with both grounds."""
    earns(worker, 900_000)
    run(
        "UPDATE registry_householdfacts SET deposits = 99999999 WHERE household_id IN"
        " (SELECT household_id FROM registry_membership WHERE person_id = %s)",
        [worker],
        using="maintenance",
    )
    [proposal] = proposed(worker, date(2021, 8, 1))
    assert proposal.kind == "leave"
    assert len(proposal.failed) == 2
