"""Screening: everybody determined, changes proposed, repeatable from the snapshot (DET-01, DET-06, DET-07)."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings

from huimin.casework.screening import screen
from huimin.database.bulk import fetch, fetch_one, run
from huimin.demo import dates
from huimin.demo.actors import COUNTY, actor
from huimin.demo.granting import county_officer
from huimin.demo.listing import townships
from huimin.kernel.errors import Refusal
from huimin.kernel.money import yuan
from huimin.organisation.acting import NotYourPlace, NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.policy import commands as policy_commands
from huimin.policy.commands import adopt_policies, read_folder
from huimin.policy.queries import adopted_book
from huimin.registry.models import HouseholdFacts
from huimin.screening.commands import snapshot_path
from huimin.screening.explaining import explain_household
from huimin.screening.models import Proposal, Run
from huimin.screening.reasons import in_words

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
    more = "UPDATE registry_householdfacts SET sown_land_mu = sown_land_mu + %s WHERE household_id = %s"
    run(more, [100, second], using="maintenance")
    # First for later months, then for July: what is already proposed for a later month is proposed for the earlier one, to be decided back.
    september = again(determination_date=date(2021, 9, 1))
    run(more, [-100, second], using="maintenance")
    august = again(determination_date=date(2021, 8, 1))
    with reading(by):
        # An earlier month that says nothing of a subject takes nothing from what is proposed for a later one.
        assert september.proposals.get(household=second, programme="grain-one-off").state == "open"
        assert september.proposals.get(household=first, programme="grain-one-off").state == "superseded"
    run(more, [100, second], using="maintenance")
    new = again()
    with reading(by):
        proposed = {p.household_id: p for p in new.proposals.exclude(kind="unknown")}
        assert set(proposed) == {first, second}
        gone = Proposal.objects.filter(run__in=[september, august]).exclude(kind="unknown")
        assert {(each.household_id, each.state) for each in gone} == {(first, "superseded"), (second, "superseded")}
        assert (proposed[first].kind, proposed[second].kind) == ("leave", "increase")
        assert proposed[second].amount_fen - proposed[second].previous_fen == 1834
        assert proposed[first].failed
        kept = Proposal.objects.filter(state="open").exclude(run=new)
        assert {each.kind for each in kept} <= {"unknown"} and len(kept) == new.kept


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


def test_progress_is_reported(county: At) -> None:
    """A bar needs to know how far the work is."""
    county("adopted")
    seen: list[tuple[str, int, int]] = []
    row = again(watch=lambda job: seen.append((job.stage, job.done, job.total)))
    assert list(dict.fromkeys(stage for stage, *_ in seen)) == ["读取登记", "逐户认定", "保存建议"]
    assert ("逐户认定", 3 * row.households, 3 * row.households) in seen


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


def test_screening_again_changes_nothing(county: At) -> None:
    """DET-06, DET-07: same facts, same policies: no new proposals, the open ones stay as they are, with their run."""
    county("screened")
    with reading(county_officer()):
        before = list(Proposal.objects.order_by("pk").values_list("pk", "run", "state"))
    row = again()
    with reading(county_officer()):
        assert list(Proposal.objects.order_by("pk").values_list("pk", "run", "state")) == before
        assert (row.kept, row.listed) == (len(before), len(before))
        assert Run.objects.first().snapshot_sha256 == row.snapshot_sha256


def test_only_what_changed_is_superseded(county: At) -> None:
    """DET-06: one household's land was sold: its open proposal gives way, all others stay."""
    county("screened")
    by = county_officer()
    with reading(by):
        one = Proposal.objects.filter(programme="grain-one-off", kind="enter").order_by("pk")[0]
        count = Proposal.objects.count()
    run(
        "UPDATE registry_householdfacts SET sown_land_mu = 0 WHERE household_id = %s",
        [one.household_id],
        using="maintenance",
    )
    again()
    with reading(by):
        one.refresh_from_db()
        assert one.state == "superseded"
        others = Proposal.objects.exclude(household=one.household_id)
        assert not others.exclude(state="open").exists()
        assert not Proposal.objects.filter(household=one.household_id, programme="grain-one-off", state="open").exists()
        assert Proposal.objects.count() >= count


def test_a_change_names_the_fact_before_and_after(county: At) -> None:
    """DET-06: 增发 and 停发 say which fact changed since the amount was determined, with both values."""
    county("decided")
    by = county_officer()
    with reading(by):
        [(household, land)] = fetch(
            "SELECT e.household_id, f.sown_land_mu FROM casework_entitlement e JOIN registry_householdfacts f"
            " ON f.household_id = e.household_id WHERE programme = 'grain-one-off' ORDER BY e.id LIMIT 1"
        )
    run(
        "UPDATE registry_householdfacts SET sown_land_mu = %s WHERE household_id = %s",
        [land + 100, household],
        using="maintenance",
    )
    new = again()
    with reading(by):
        [proposal] = new.proposals.filter(kind="increase")
    [reason] = proposal.reasons
    assert (reason["of"], reason["name"]) == ("fact", "sown_land_mu")
    assert (reason["before"], reason["after"]) == (land, land + 100)
    assert in_words(proposal.reasons, {}, by) == [f"实际种植亩数：{yuan(land)} 亩 → {yuan(land + 100)} 亩"]


def test_a_change_of_the_household_names_who_left(county: At) -> None:
    """DET-06: a member who is not there any more is the reason of the change."""
    county("decided")
    by = county_officer()
    with reading(by):
        [(household, person)] = fetch(
            "SELECT e.household_id, max(m.person_id) FROM casework_entitlement e JOIN registry_membership m"
            " ON m.household_id = e.household_id AND m.recorded_to IS NULL WHERE programme = 'dibao-rural'"
            " GROUP BY e.household_id HAVING count(*) > 2 ORDER BY 1 LIMIT 1"
        )
    run("UPDATE registry_membership SET recorded_to = now() WHERE person_id = %s", [person], using="maintenance")
    new = again()
    with reading(by):
        [proposal] = new.proposals.filter(household=household, programme="dibao-rural")
    gone = [reason for reason in proposal.reasons if reason["of"] == "member"]
    assert [(each["person"], each["before"], each["after"]) for each in gone] == [(person, "在户", "不在户")]


def test_a_changed_standard_is_the_reason(county: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """DET-06: a parameter with another value is named, before and after."""
    county("decided")
    by = county_officer()
    texts = read_folder(settings.POLICY_FOLDER)
    path = next(name for name, text in texts.items() if "低保标准" in text and "sample-county" in name)
    texts[path], count = re.subn(r"(名称: 低保标准[\s\S]*?数值: )\d+", r"\g<1>900", texts[path])
    assert count
    monkeypatch.setattr(policy_commands, "_require_cases", lambda book: None)  # they are worked with the old standard
    adopt_policies(by=by, on=dates.DECIDED, texts=texts)
    new = again()
    with reading(by):
        changes = list(new.proposals.filter(programme="dibao-rural", kind="increase"))
    assert changes
    assert all("parameter" in {reason["of"] for reason in each.reasons} for each in changes)
    assert any("低保标准" in line and "900" in line for line in in_words(changes[0].reasons, {}, by))


def test_a_countys_own_fact_is_unknown_until_it_is_asked(county: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """DET-01: a condition on it leaves the household open and names it; screening and page do not fall over."""
    county("adopted")
    by = county_officer()
    texts = read_folder(settings.POLICY_FOLDER)
    own = '区划: "341524000000"\n事实:\n  - {名称: 参加合作社, 编码: in_cooperative, 对象: 户, 类型: 是否, 材料: 合作社证明}\n'
    rule = "条件:\n  - {编号: cooperative, 说明: 没有参加合作社, 算式: not 参加合作社, 依据: 本县规定}\n"
    path = "sample-county/dibao-rural.yaml"
    monkeypatch.setattr(policy_commands, "_require_cases", lambda book: None)
    changed = {path: texts[path].replace("条件:\n", rule, 1), "x/facts.yaml": own}
    adopt_policies(by=by, on=dates.ADOPTED, texts={**texts, **changed})
    made = again()
    with reading(by):
        open_ones = list(made.proposals.filter(programme="dibao-rural"))
        assert open_ones
        assert {each.kind for each in open_ones} == {"unknown"}
        assert all("参加合作社" in each.missing for each in open_ones)
        told = explain_household(by=by, household_id=open_ones[0].household_id, on=dates.DETERMINED_FOR)
    assert any("参加合作社" in result["missing"] for result in told["results"])
