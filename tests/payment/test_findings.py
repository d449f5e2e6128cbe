"""What looks wrong on a roster is found, explained or held back, before anything is posted (PAY-01, PAY-06)."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from django.db import IntegrityError, connections

from huimin.database.bulk import fetch, fetch_one, run
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.demo.listing import townships
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.money import in_words, yuan
from huimin.notices.models import NoticeRow
from huimin.organisation.acting import NotYourPost, SamePerson, reading
from huimin.organisation.posts import Post
from huimin.payment.commands import (
    check_roster,
    compile_roster,
    explain_findings,
    hold_findings,
    publish_roster,
    release_hold,
)
from huimin.payment.commands.findings import DoubtsOpen, NotExplainable, NothingToRelease
from huimin.payment.commands.rosters import payable
from huimin.payment.commands.states import WrongState
from huimin.payment.models import Due, LineDue, Roster, RosterFinding, RosterLine
from huimin.payment.papers import roster_pdf
from huimin.payment.queries import RosterFilter, owed_without_roster, total_rosters
from huimin.policy.models import Programme
from huimin.registry.commands import record_death
from huimin.workbench.todo import list_todo
from tests.papers.conftest import texts
from tests.workbench.people import client_of

County = Callable[[str], str]
GRAIN = "grain-one-off"
DIED, DIED_BEFORE = date(2021, 8, 20), date(2021, 6, 3)


def compiled(programme: str = GRAIN, on: date = dates.COMPILED) -> Roster:
    place = townships()[0]
    return compile_roster(by=actor(Post.CLERK, place), on=on, programme=programme, division=place, period=dates.QUARTER)


def families(count: int, least: int = 2) -> list[tuple[int, int]]:
    """(household, a member who is not the head) of granted households of the first township."""
    with reading(county_officer()):
        return fetch(
            "SELECT e.household_id, max(m.person_id) FILTER (WHERE m.relation <> '户主') FROM casework_entitlement e"
            " JOIN registry_membership m ON m.household_id = e.household_id AND m.recorded_to IS NULL AND m.valid_to IS NULL"
            " WHERE e.programme = %s AND e.division LIKE %s GROUP BY 1 HAVING count(*) >= %s ORDER BY 1 LIMIT %s",
            [GRAIN, townships()[0][:9] + "%", least, count],
        )


def found(roster: Roster) -> dict[str, RosterFinding]:
    with reading(county_officer()):
        return {each.kind: each for each in roster.findings.select_related("line").order_by("id")}


def test_PAY_01_a_death_is_found_held_back_and_paid_later_by_another_roster(county: County) -> None:
    """Nothing is posted while a doubt is open; a held line is neither posted nor lost; who held it does not free it."""
    county("accrued")
    [(home, member), (other, second)] = families(2)
    clerk, reviewer = actor(Post.CLERK, townships()[0]), actor(Post.REVIEWER, townships()[0])
    record_death(by=clerk, on=dates.COMPILED, person=member, died_on=DIED, evidence="死亡证明")
    roster = compiled()
    assert [each.line.household_id for each in found(roster).values()] == [home]
    record_death(by=clerk, on=dates.COMPILED, person=second, died_on=DIED, evidence="死亡证明")
    run("UPDATE registry_household SET closed_on = '2021-08-01' WHERE id = %s", [home], using="maintenance")
    with pytest.raises(DoubtsOpen, match="3 件"):
        publish_roster(by=reviewer, on=dates.PUBLISHED, roster_id=roster.pk)
    assert check_roster(by=clerk, on=dates.COMPILED, roster_id=roster.pk) == 3
    with reading(county_officer()):
        doubts = {(each.line.household_id, each.kind): each for each in roster.findings.select_related("line")}
        name = Programme.objects.get(code=GRAIN).name
    ids, closed = [each.pk for (_, kind), each in doubts.items() if kind == "died"], doubts[home, "moved"].pk
    both = sum(doubts[each, "died"].amount_fen for each in (home, other))
    desk, path = (
        client_of(Post.CLERK, townships()[0]),
        "/findings/hold/?" + "&".join(f"id={each}" for each in [*ids, closed]),
    )
    asked = desk.get(path).content.decode()
    assert "合计 3 件，2 行" in asked and f'<td class="num">{yuan(both)}</td></tr></tfoot>' in asked
    token = re.search(r'name="token" value="([0-9a-f]{32})"', asked)[1]
    again = desk.post(path, {"token": token, "id": [*ids, closed], "reason": ""})
    assert again.status_code == 422 and name in again.content.decode() and GRAIN not in again.content.decode()
    assert "还有 1 件待核对，一并缓发" in desk.get(f"/findings/hold/?id={ids[0]}").content.decode()
    told = {"by": clerk, "on": dates.COMPILED, "roster_id": roster.pk, "finding_ids": ids}
    with pytest.raises(BadInput):
        hold_findings(**told, reason="。")
    with pytest.raises(NotYourPost):
        hold_findings(**told | {"by": reviewer}, reason="待核实死亡")
    assert hold_findings(**told, reason="待核实死亡日期") == 2 and hold_findings(**told, reason="待核实死亡日期") == 0
    what_counts_is_one_definition(roster, both)
    publish_roster(by=reviewer, on=dates.PUBLISHED, roster_id=roster.pk)
    with reading(county_officer()):
        held = list(RosterLine.objects.filter(roster=roster, state="withheld"))
        assert {line.household_id for line in held} == {home, other}
        assert not NoticeRow.objects.filter(subject_line__in=[line.pk for line in held]).exists()
        assert not LineDue.objects.filter(line__in=held, live=True).exists()
        assert set(Due.objects.filter(line_dues__line__in=held).values_list("state", flat=True)) == {"owed"}
        waiting = owed_without_roster(townships()[0][:9], dates.QUARTER, dates.PUBLISHED)
        assert all(each.programme != GRAIN for each in waiting)
    free = {"on": dates.PUBLISHED, "finding_ids": ids, "reason": "死亡证明已核对，待遇按月计算无误"}
    with pytest.raises(NotYourPost):
        release_hold(by=clerk, **free)
    page = client_of(Post.REVIEWER, townships()[0]).get(f"/findings/release/?id={ids[0]}").content.decode()
    assert "还有 1 件缓发没有勾选" in page and "户已迁走或注销" not in page.partition("<tfoot>")[0]
    assert release_hold(by=reviewer, **free) == (2, 1, 1), "one line is held by another doubt"
    with pytest.raises(NothingToRelease):
        release_hold(by=reviewer, **free)
    with reading(county_officer()):
        [waiting] = [
            each
            for each in owed_without_roster(townships()[0][:9], dates.QUARTER, dates.PUBLISHED)
            if each.programme == GRAIN
        ]
        assert (waiting.ready.count, waiting.ready.amount_fen) == (1, doubts[other, "died"].amount_fen)
    assert release_hold(by=reviewer, **free | {"finding_ids": [closed]}) == (1, 1, 0)
    first = f"/rosters/{roster.pk}/?state=withheld"
    assert desk.get(first).content.decode().count("等编入补充清册") == 2
    again = compiled(on=dates.PUBLISHED)
    assert desk.get(first).content.decode().count(f'编入<a href="/rosters/{again.pk}/">') == 2
    assert f'编入<a href="/rosters/{again.pk}/">' in desk.get(f"/trace/{held[0].pk}/").content.decode()
    with reading(county_officer()):
        assert again.number == 2 and {line.household_id for line in again.lines.all()} == {home, other}
        assert again.amount_fen == sum(line.amount_fen for line in held)


def what_counts_is_one_definition(roster: Roster, held_fen: int) -> None:
    """PAY-01, PAY-02: lines held back are in no sum and in no words, on every page before and after the signatures."""
    fen, lines = roster.amount_fen - held_fen, roster.lines_count - 2
    small, large = yuan(fen), in_words(fen)
    reviewer = client_of(Post.REVIEWER, roster.division)
    for path in (f"/rosters/{roster.pk}/", f"/rosters/{roster.pk}/publish/", f"/rosters/many/publish/?id={roster.pk}"):
        page = reviewer.get(path).content.decode()
        assert small in page and large in page and in_words(roster.amount_fen) not in page, path
        assert "缓发" in page and yuan(roster.amount_fen) not in page, path
    for path in ("/rosters/", "/"):
        page = reviewer.get(path).content.decode()
        assert small in page and yuan(roster.amount_fen) not in page, path
    said = "".join(texts(roster_pdf(by=county_officer(), roster_id=roster.pk))).replace("\n", "").replace(" ", "")
    assert f"应付{lines}笔，¥{small}（{large}）" in said and in_words(roster.amount_fen) not in said
    with reading(county_officer()):
        [total] = total_rosters(RosterFilter(roster.division[:9]))
        assert (total.count, total.amount_fen) == (1, fen) and payable(roster) == (lines, fen)


def test_PAY_01_what_is_paid_to_a_person_after_his_death_is_only_held(county: County) -> None:
    """A death registered after the roster was made; no reason lets the line through."""
    county("accrued")
    roster = compiled("reservoir-migrant")
    with reading(county_officer()):
        line = roster.lines.exclude(person=None).first()
        assert line is not None
        [heir] = fetch_one(
            "SELECT max(person_id) FROM registry_membership WHERE household_id = %s AND person_id <> %s"
            " AND recorded_to IS NULL AND valid_to IS NULL",
            [line.household_id, line.person_id],
        )
    clerk = actor(Post.CLERK, townships()[0])
    death = {"person": line.person_id, "died_on": DIED_BEFORE, "evidence": "死亡证明", "new_head": heir}
    record_death(by=clerk, on=dates.COMPILED, **death)
    assert check_roster(by=clerk, on=dates.COMPILED, roster_id=roster.pk) > 0
    doubt = found(roster)["dead"]
    assert doubt.line_id == line.pk and "死亡" in doubt.detail
    act = {"by": clerk, "on": dates.COMPILED, "roster_id": roster.pk, "finding_ids": [doubt.pk]}
    with pytest.raises(NotExplainable):
        explain_findings(**act, reason="家属说明情况")
    assert hold_findings(**act, reason="已死亡，办理停止") == 1


def test_PAY_01_a_household_of_one_who_died_is_called_so_and_only_held(county: County) -> None:
    """PAY-06: 户已无人, not 户内有人死亡; months after the death cannot be explained, the last month of the living can."""
    county("accrued")
    place = townships()[0]
    clerk = actor(Post.CLERK, place)
    for programme, kind, words in (("dibao-rural", "dead", "死亡后仍发放"), (GRAIN, "died", "户已无人")):
        with reading(county_officer()):
            [people] = fetch_one(
                "SELECT array_agg(m.person_id ORDER BY m.relation = '户主') FROM casework_entitlement e JOIN registry_membership m"
                " ON m.household_id = e.household_id AND m.recorded_to IS NULL AND m.valid_to IS NULL WHERE e.programme = %s"
                " AND e.division LIKE %s AND e.person_id IS NULL GROUP BY e.household_id ORDER BY count(*), e.household_id LIMIT 1",
                [programme, place[:9] + "%"],
            )
        roster = compiled(programme)
        for person in people:
            record_death(by=clerk, on=dates.COMPILED, person=person, died_on=DIED, evidence="死亡证明")
        check_roster(by=clerk, on=dates.COMPILED, roster_id=roster.pk)
        doubt = found(roster)[kind]
        assert doubt.detail.startswith("户已无人：") and doubt.kind_words == words
    # REG-05: what was paid to it and is still owed stays within reach: its page is that of its last day.
    page = client_of(Post.CLERK, place).get(f"/households/{doubt.line.household_id}/")
    assert page.status_code == 200 and "这一户已于 2021-08-20 注销" in page.content.decode()


def test_PAY_01_what_a_roster_doubts_and_how_it_is_explained(county: County) -> None:
    """A household that was closed and one that moved out of sight; answered once, and not after it is posted."""
    county("accrued")
    place = townships()[0]
    roster = compiled()
    clerk = actor(Post.CLERK, place)
    assert check_roster(by=clerk, on=dates.COMPILED, roster_id=roster.pk) == 0
    with reading(county_officer()):
        homes = list(roster.lines.order_by("line_no").values_list("household", flat=True)[:2])
        run("UPDATE registry_household SET closed_on = '2021-08-01' WHERE id = %s", [homes[0]])
        run("UPDATE registry_household SET division = %s WHERE id = %s", [townships()[1][:9] + "001", homes[1]])
    assert check_roster(by=clerk, on=dates.COMPILED, roster_id=roster.pk) == 2
    assert set(found(roster)) == {"moved"}
    with reading(county_officer()):
        told = dict(roster.findings.values_list("line__household", "detail"))
    assert "注销" in told[homes[0]] and "迁出本乡镇" in told[homes[1]]
    ids = [each.pk for each in RosterFinding.objects.using("maintenance").filter(roster=roster)]
    act = {
        "by": clerk,
        "on": dates.COMPILED,
        "roster_id": roster.pk,
        "finding_ids": ids,
        "reason": "户籍迁移，待遇仍由本乡发放",
    }
    assert explain_findings(**act) == 2 and explain_findings(**act) == 0
    publish_roster(by=actor(Post.REVIEWER, place), on=dates.PUBLISHED, roster_id=roster.pk)
    with pytest.raises(WrongState):
        explain_findings(**act)


def test_PAY_01_whoever_writes_the_dead_are_not_explained_and_nobody_frees_what_he_held(county: County) -> None:
    county("accrued")
    roster = compiled()
    clerk = actor(Post.CLERK, townships()[0])
    with reading(clerk):
        line = roster.lines.first()
        assert line is not None
    row = {
        "roster": roster, "line": line, "division": line.division, "kind": "dead", "detail": "", "amount_fen": 1,
        "found_on": dates.COMPILED, "answer": "知道了", "answered_by": clerk.appointment, "answered_on": dates.COMPILED,
    }  # fmt: skip
    free = {"released_by": clerk.appointment, "released_on": dates.COMPILED, "release_reason": "核实了"}
    for wrong in (
        {"state": "explained"},
        {"state": "released", **free},
        {"state": "held", "answer": ""},
        {"state": "held", "line": None},
    ):
        with pytest.raises((IntegrityError, SamePerson)), reading(clerk):
            RosterFinding.objects.create(**row | wrong)


def test_PAY_01_a_clerk_who_holds_everything_withdraws_the_roster(county: County) -> None:
    county("accrued")
    with reading(county_officer()):
        run("UPDATE registry_household SET closed_on = '2021-08-01' WHERE division LIKE %s", [townships()[0][:9] + "%"])
    roster = compiled()
    clerk = actor(Post.CLERK, townships()[0])
    with reading(clerk):
        rows = list_todo(clerk, dates.COMPILED, {})
        ids = list(roster.findings.values_list("pk", flat=True))
        [lines] = fetch_one("SELECT count(*) FROM payment_rosterline WHERE roster_id = %s", [roster.pk])
    assert [row.count for row in rows if row.title == "处理清册核对事项"] == [lines] == [len(ids)]
    with pytest.raises(Refusal, match="都缓发"):
        hold_findings(by=clerk, on=dates.COMPILED, roster_id=roster.pk, finding_ids=ids, reason="整村核实中")


def test_PAY_01_an_amount_unlike_the_last_period_is_asked_about_and_a_raise_for_everybody_is_not(
    county: County,
) -> None:
    """Measured against the usual change of the roster: all others doubled, one stayed as it was."""
    county("accrued")
    roster = compiled()
    with connections["maintenance"].cursor() as cursor:
        cursor.execute(_LAST_PERIOD, {"roster": roster.pk})
        [odd] = cursor.fetchone()
    assert check_roster(by=actor(Post.CLERK, townships()[0]), on=dates.COMPILED, roster_id=roster.pk) == 1
    doubt = found(roster)["unlike"]
    assert doubt.line.household_id == odd and doubt.detail.startswith("上期 ")


# The same households a quarter earlier, each with half of what it gets now, but the first with all of it.
_LAST_PERIOD = """
WITH earlier AS (
    INSERT INTO payment_roster (division, programme, version, kind, period_from, period_until, number, lines_count, amount_fen,
        digest, state, compiled_by, compiled_on)
    SELECT division, programme, version, kind, '2021-04-01', '2021-07-01', 1, lines_count, amount_fen, digest, 'settled',
           compiled_by, compiled_on
      FROM payment_roster WHERE id = %(roster)s RETURNING id),
lines AS (
    INSERT INTO payment_rosterline (roster_id, line_no, division, programme, entitlement_id, household_id, person_id, payee_id,
        card_id, name, people, group_code, quantity, amount_fen, facts_digest, digest, state, withheld_reason)
    SELECT e.id, line_no, division, programme, entitlement_id, household_id, person_id, payee_id, card_id, name, people,
           group_code, quantity, CASE WHEN line_no = 1 THEN amount_fen ELSE amount_fen / 2 END, facts_digest, digest, 'paid', ''
      FROM payment_rosterline, earlier e WHERE roster_id = %(roster)s RETURNING household_id, line_no)
SELECT household_id FROM lines WHERE line_no = 1
"""


def test_PAY_01_who_stands_on_two_rosters_of_a_period_is_asked_about(county: County) -> None:
    """The same payee, another household; a withdrawn roster does not count."""
    county("accrued")
    roster = compiled()
    act = {"by": actor(Post.CLERK, townships()[0]), "on": dates.COMPILED, "roster_id": roster.pk}
    with connections["maintenance"].cursor() as cursor:
        cursor.execute(_SECOND, {"roster": roster.pk, "state": "withdrawn"})
    assert check_roster(**act) == 0
    with connections["maintenance"].cursor() as cursor:
        cursor.execute(_SECOND, {"roster": roster.pk, "state": "compiled"})
    assert check_roster(**act) == 1 == check_roster(**act)
    doubt = found(roster)["twice"]
    assert doubt.line.line_no == 1 and "第 1 行" in doubt.detail


# Another roster of the period on which the payee of the first line stands with the household of the second.
_SECOND = """
WITH second AS (
    INSERT INTO payment_roster (division, programme, version, kind, period_from, period_until, number, lines_count, amount_fen,
        digest, state, compiled_by, compiled_on)
    SELECT division, programme, version, kind, period_from, period_until, 2, 1, 1, digest, %(state)s, compiled_by, compiled_on
      FROM payment_roster WHERE id = %(roster)s RETURNING id)
INSERT INTO payment_rosterline (roster_id, line_no, division, programme, entitlement_id, household_id, person_id, payee_id,
    card_id, name, people, group_code, quantity, amount_fen, facts_digest, digest, state, withheld_reason)
SELECT e.id, 1, a.division, a.programme, b.entitlement_id, b.household_id, a.person_id, a.payee_id, a.card_id, a.name, a.people,
       a.group_code, a.quantity, 1, a.facts_digest, a.digest, 'listed', ''
  FROM second e, payment_rosterline a, payment_rosterline b
 WHERE a.roster_id = %(roster)s AND a.line_no = 1 AND b.roster_id = %(roster)s AND b.line_no = 2
"""
