"""Screening: everybody determined, changes proposed, repeatable from the snapshot (DET-01, DET-06, DET-07)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from huimin.casework.commands import screen
from huimin.database.bulk import fetch, fetch_one, run
from huimin.demo import dates
from huimin.demo.actors import COUNTY, actor
from huimin.demo.granting import county_officer
from huimin.demo.listing import townships
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import NotYourPlace, NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.policy.queries import adopted_book
from huimin.registry.models import HouseholdFacts
from huimin.screening.commands import open_run, repeat_run, snapshot_path
from huimin.screening.explaining import explain_household
from huimin.screening.models import Proposal, Run

At = Callable[[str], str]


def again(**more: object) -> Run:
    arguments = {
        "by": county_officer(),
        "on": dates.DECIDED,
        "division": COUNTY,
        "determination_date": dates.DETERMINED_FOR,
    }
    return screen(**{**arguments, **more})  # type: ignore[arg-type]


def test_a_run_names_what_it_rested_on(county: At) -> None:
    """DET-07: snapshot digest, policy versions, date; nothing personal in the file."""
    county("screened")
    with reading(county_officer()):
        row = Run.objects.get()
        names = [name for (name,) in fetch("SELECT name FROM registry_person LIMIT 50")]
        assert set(row.versions) == {"dibao-rural", "grain-one-off", "reservoir-migrant"}
        assert row.households == fetch_one("SELECT count(*) FROM registry_household")[0]
    stored = snapshot_path(row).read_bytes()
    assert len(row.snapshot_sha256) == 64
    assert not any(name.encode() in stored for name in names)


def test_a_run_repeated_from_its_snapshot_is_the_same_to_the_cent(county: At) -> None:
    """DET-07: also after the registry changed and the proposals were decided."""
    county("decided")
    by = county_officer()
    with reading(by):
        row = Run.objects.get()
    run("UPDATE registry_householdfacts SET sown_land_mu = sown_land_mu + 100", using="maintenance")
    count, differences = repeat_run(by=by, run_id=row.pk)
    assert count > 0
    assert differences == 0


def test_a_changed_snapshot_is_found(county: At) -> None:
    """DET-07: the file is not what the run's digest was made over."""
    county("screened")
    by = county_officer()
    with reading(by):
        row = Run.objects.get()
    run("UPDATE screening_run SET snapshot_sha256 = repeat('0', 64)", using="maintenance")
    with pytest.raises(Refusal, match="摘要不符"):
        repeat_run(by=by, run_id=row.pk)


def test_every_proposal_agrees_with_the_households_explanation(county: At) -> None:
    """DET-01: the column engine's amounts are the ones the explanation gives, household by household."""
    county("screened")
    by = county_officer()
    with reading(by):
        proposals = list(Proposal.objects.exclude(kind="unknown").order_by("household_id")[::25])
        assert proposals
        for proposal in proposals:
            told = explain_household(by=by, household_id=proposal.household_id, on=dates.DETERMINED_FOR)
            [result] = [
                r
                for r in told["results"]
                if r["programme"] == proposal.programme
                and (proposal.person_id is None or told["members"][r["member"]] == proposal.person_id)
            ]
            assert (result["eligible"], result["amount_fen"]) == (True, proposal.amount_fen)


def test_screening_again_proposes_only_what_changed(county: At) -> None:
    """DET-06: one household sold its land, another sows more: one leaves, one gets more, the rest is left alone."""
    county("decided")
    by = county_officer()
    with reading(by):
        first, second = (
            household
            for (household,) in fetch(
                "SELECT household_id FROM casework_entitlement WHERE programme = 'grain-one-off' ORDER BY id LIMIT 2"
            )
        )
    run("UPDATE registry_householdfacts SET sown_land_mu = 0 WHERE household_id = %s", [first], using="maintenance")
    run(
        "UPDATE registry_householdfacts SET sown_land_mu = sown_land_mu + 100 WHERE household_id = %s",
        [second],
        using="maintenance",
    )
    new = again()
    with reading(by):
        proposed = {p.household_id: p for p in new.proposals.exclude(kind="unknown")}
        assert set(proposed) == {first, second}
        assert (proposed[first].kind, proposed[second].kind) == ("leave", "increase")
        assert proposed[second].amount_fen - proposed[second].previous_fen == 1834
        assert proposed[first].failed
        assert not Proposal.objects.filter(state="open").exclude(run=new).exists()


def test_the_dead_and_double_listed_are_not_proposed(county: At) -> None:
    """DET-01: who died before the date, though still listed, is neither counted nor granted."""
    county("screened")
    with reading(county_officer()):
        dead = fetch_one(
            "SELECT count(*) FROM screening_proposal p JOIN registry_personfacts f ON f.person_id = p.person_id"
            " WHERE f.recorded_to IS NULL AND f.death_date <= %s AND p.kind <> 'unknown'",
            [dates.DETERMINED_FOR],
        )[0]
        listed = HouseholdFacts.objects.count()
    assert dead == 0
    assert listed > 0


def test_screening_is_refused_for_post_and_place(county: At) -> None:
    """SEC-02, SEC-03: by the county's office, in its own county."""
    county("adopted")
    with pytest.raises(NotYourPost):
        again(by=actor(Post.CLERK, townships()[0]))
    with pytest.raises(NotYourPlace):
        again(division="341500000000")
    with reading(county_officer()):
        assert not Proposal.objects.exists()


def test_a_run_that_died_leaves_nothing_and_is_named(county: At) -> None:
    """A killed run has no proposals; the next run says that it was interrupted."""
    county("adopted")
    dead = open_run(by=county_officer(), on=dates.SCREENED, division=COUNTY, determination_date=dates.DETERMINED_FOR)
    again()
    with reading(county_officer()):
        dead.refresh_from_db()
        assert dead.state == Run.State.FAILED
        assert "中断" in dead.failure


def test_progress_is_reported(county: At) -> None:
    """A bar needs to know how far the work is."""
    county("adopted")
    seen: list[tuple[str, int, int]] = []
    again(progress=lambda title, done, total: seen.append((title, done, total)))
    assert seen[-1][1:] == (3, 3)


def test_without_policies_nothing_is_determined(county: At) -> None:
    """No policy in force: refused, and the run says so."""
    county("registered")
    with pytest.raises(Refusal, match="没有生效的政策"):
        again()
    with reading(county_officer()):
        assert adopted_book().codes == ()
        assert Run.objects.get().state == Run.State.FAILED


def test_the_snapshot_folder_is_beside_the_keys_not_in_the_database(county: At, tmp_path: Path) -> None:
    """DET-07, SEC-04: the file is encrypted: it is no Parquet to whoever finds it."""
    county("screened")
    with reading(county_officer()):
        path = snapshot_path(Run.objects.get())
    assert b"PAR1" not in path.read_bytes()


def test_screening_one_township_leaves_the_proposals_of_the_others(county: At) -> None:
    """DET-06: only what lies beneath the run's own place is superseded."""
    county("screened")
    place = townships()[0]
    with reading(county_officer()):
        elsewhere = Proposal.objects.filter(state="open").exclude(division__startswith=place[:9]).count()
    again(division=place)
    with reading(county_officer()):
        assert Proposal.objects.filter(state="open").exclude(division__startswith=place[:9]).count() == elsewhere > 0


def test_a_run_that_was_overtaken_stores_nothing(county: At) -> None:
    """Two screenings of one place at once: the one that began later counts."""
    from huimin.organisation.acting import AlreadyDone
    from huimin.screening import commands

    county("adopted")
    by = county_officer()

    def overtake(title: str, done: int, total: int) -> None:
        if done == total == 3:
            commands.open_run(by=by, on=dates.SCREENED, division=COUNTY, determination_date=dates.DETERMINED_FOR)

    with pytest.raises(AlreadyDone):
        again(progress=overtake)
    with reading(by):
        assert not Proposal.objects.exists()
