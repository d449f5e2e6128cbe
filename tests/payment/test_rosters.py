"""Rosters: compiled, published, signed, confirmed; by the right post, at the right place, once (PAY-01 to PAY-03)."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import IntegrityError, connections, transaction

from huimin.audit.models import Signature
from huimin.database.bulk import fetch, fetch_one, run
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.demo.listing import rosters, townships
from huimin.kernel.money import in_words, yuan
from huimin.kernel.periods import month, quarter
from huimin.ledger.models import MonthClose
from huimin.notices.commands import NoticeStillOpen
from huimin.notices.models import Notice, Objection
from huimin.organisation.acting import NotYourPlace, NotYourPost, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.commands import (
    compile_roster,
    confirm_by_department,
    confirm_by_finance,
    publish_roster,
    sign_roster,
    withdraw_roster,
)
from huimin.payment.commands.dues import NothingOwed, accrue_dues
from huimin.payment.commands.roster_digest import RosterChanged, altered_lines, is_unchanged
from huimin.payment.commands.rosters import PeriodClosed
from huimin.payment.commands.states import WrongState
from huimin.payment.models import Due, LineDue, Roster, RosterLine
from huimin.payment.queries import LineFilter, late_parts, owed_without_roster, page_lines, total_lines
from tests.workbench.people import client_of

County = Callable[[str], str]
GRAIN = "grain-one-off"


def compiled(township: str = "") -> Roster:
    place = township or townships()[0]
    return compile_roster(
        by=actor(Post.CLERK, place), on=dates.COMPILED, programme=GRAIN, division=place, period=dates.QUARTER
    )


def test_dues_arise_once(county: County) -> None:
    """PAY-06: letting the quarter's dues arise again adds nothing; 低保 has three months, a year's aid one quarter."""
    county("decided")
    by = actor(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS)
    first = accrue_dues(by=by, on=dates.ACCRUED, programme="dibao-rural", period=dates.QUARTER)
    with reading(by):
        assert first == 3 * fetch_one("SELECT count(*) FROM casework_entitlement WHERE programme = 'dibao-rural'")[0]
    assert accrue_dues(by=by, on=dates.ACCRUED, programme="dibao-rural", period=dates.QUARTER) == 0
    assert accrue_dues(by=by, on=dates.ACCRUED, programme="dibao-rural", period=month(2021, 8)) == 0
    water = actor(Post.DEPARTMENT_OFFICER, OfficeKind.WATER)
    accrue_dues(by=water, on=dates.ACCRUED, programme="reservoir-migrant", period=dates.QUARTER)
    with reading(water):
        amounts = set(Due.objects.filter(programme="reservoir-migrant").values_list("amount_fen", flat=True))
    assert amounts == {15_000}


def test_a_department_accrues_its_own_programme_only(county: County) -> None:
    """SEC-03: the command enforces the department's programmes."""
    county("decided")
    from huimin.organisation.acting import NotYourProgramme

    with pytest.raises(NotYourProgramme):
        accrue_dues(
            by=actor(Post.DEPARTMENT_OFFICER, OfficeKind.WATER), on=dates.ACCRUED, programme="dibao-rural",
            period=dates.QUARTER,
        )  # fmt: skip


def test_a_roster_holds_what_is_owed_and_its_digest_covers_it(county: County) -> None:
    """PAY-01, PAY-08: one line a beneficiary, on an active account of the payee, the sum of his dues."""
    county("accrued")
    roster = compiled()
    with reading(county_officer()):
        lines = list(roster.lines.select_related("card", "payee"))
        owed = fetch_one(
            "SELECT count(*), sum(x.amount_fen)::bigint FROM payment_linedue l JOIN payment_due x ON x.id = l.due_id"
            " JOIN payment_rosterline r ON r.id = l.line_id WHERE r.roster_id = %s",
            [roster.pk],
        )
    assert len(lines) == roster.lines_count > 0
    assert sum(line.amount_fen for line in lines) == roster.amount_fen == owed[1]
    assert all(line.card.state == "active" and line.card.holder_id == line.payee_id for line in lines)
    assert [line.line_no for line in lines] == list(range(1, len(lines) + 1))


def test_compiling_again_finds_nothing_and_changes_nothing(county: County) -> None:
    """PAY-06: what is on a roster is not listed again."""
    county("accrued")
    compiled()
    with reading(county_officer()):
        before = (Roster.objects.count(), RosterLine.objects.count(), LineDue.objects.count())
    with pytest.raises(NothingOwed):
        compiled()
    with reading(county_officer()):
        assert (Roster.objects.count(), RosterLine.objects.count(), LineDue.objects.count()) == before


def test_compiling_is_refused_for_post_place_and_closed_period(county: County) -> None:
    """PAY-01, LED-02: a clerk, at his own township, in a period whose books are open."""
    county("accrued")
    here, there = townships()[:2]
    arguments = {"on": dates.COMPILED, "programme": GRAIN, "period": dates.QUARTER}
    with pytest.raises(NotYourPost):
        compile_roster(by=actor(Post.REVIEWER, here), division=here, **arguments)
    with pytest.raises(NotYourPlace):
        compile_roster(by=actor(Post.CLERK, here), division=there, **arguments)
    with pytest.raises(NothingOwed):
        compile_roster(by=actor(Post.CLERK, here), division=here, **{**arguments, "period": quarter(2020, 1)})
    accountant = actor(Post.ACCOUNTANT, OfficeKind.FINANCE)
    with reading(accountant):
        MonthClose.objects.create(
            division=accountant.division, month=month(2021, 9).start, closed_by=accountant.appointment,
            closed_on=dates.CLOSED,
        )  # fmt: skip
    with pytest.raises(PeriodClosed):
        compile_roster(by=actor(Post.CLERK, here), division=here, **arguments)
    # What the closed period left is not lost: the next one pays it, as left by an earlier period, and it is called that.
    with reading(county_officer()):
        run("UPDATE registry_card SET state = 'lost' WHERE id = (SELECT min(c.id) FROM registry_card c JOIN casework_entitlement e"
            " ON e.household_id = c.household_id AND e.programme = %s WHERE c.use = 'household' AND c.division LIKE %s"
            " AND c.state = 'active')", [GRAIN, here[:9] + "%"])  # fmt: skip
        [waiting] = [
            each for each in owed_without_roster(here[:9], quarter(2021, 4), dates.COMPILED) if each.programme == GRAIN
        ]
    assert waiting.without_card.left == 1 and waiting.ready.left == waiting.ready.count and not waiting.ready.arrears
    assert waiting.every.left == waiting.ready.left + 1
    page = client_of(Post.CLERK, here).get("/rosters/compile/?period=2021Q4").content.decode()
    assert f"含前期未编入 {waiting.ready.left:,} 笔 {yuan(waiting.ready.left_fen)}" in page and "补发" not in page
    later = compile_roster(by=actor(Post.CLERK, here), division=here, **arguments | {"period": quarter(2021, 4)})
    with reading(county_officer()):
        lines, late, amount = fetch_one(
            "SELECT count(*), sum(arrears_fen)::bigint, sum(amount_fen)::bigint FROM payment_rosterline WHERE roster_id = %s",
            [later.pk],
        )
        shown = {each.pk: late_parts([each]).get(each.pk) for each in later.lines.all()}
    assert lines and late == amount == later.amount_fen
    assert {told[0] for told in shown.values()} == {0} and sum(told[1] for told in shown.values()) == amount, "no 补发"
    with pytest.raises(NothingOwed):
        compile_roster(by=actor(Post.CLERK, here), division=here, **arguments | {"period": quarter(2022, 1)})


def test_a_roster_without_account_waits_on_the_exceptions_list(county: County) -> None:
    """PAY-06, PAY-08: who has no usable account is not on the roster, and what he is owed stays owed."""
    county("accrued")
    with reading(county_officer()):
        holder = fetch_one(
            "SELECT c.id, c.household_id FROM registry_card c JOIN casework_entitlement e"
            " ON e.household_id = c.household_id AND e.programme = %s WHERE c.use = 'household' AND c.state = 'active'"
            " AND c.division LIKE %s ORDER BY c.id LIMIT 1",
            [GRAIN, townships()[0][:9] + "%"],
        )
        run("UPDATE registry_card SET state = 'lost' WHERE id = %s", [holder[0]])
    roster = compiled()
    with reading(county_officer()):
        assert not roster.lines.filter(household=holder[1]).exists()
        found = fetch_one(
            "SELECT count(*), min(e.state) FROM payment_paymentexception x JOIN casework_entitlement e2"
            " ON e2.id = x.entitlement_id JOIN payment_due e ON e.entitlement_id = e2.id"
            " WHERE x.kind = 'no_card' AND e2.household_id = %s",
            [holder[1]],
        )
    assert found == (1, "owed")


def test_publishing_by_another_and_once(county: County) -> None:
    """PAY-02, PAY-03: the reviewer publishes in every village for at least seven days; a second click is refused."""
    county("accrued")
    roster = compiled()
    reviewer = actor(Post.REVIEWER, roster.division)
    with pytest.raises(NotYourPost):
        publish_roster(by=actor(Post.CLERK, roster.division), on=dates.PUBLISHED, roster_id=roster.pk)
    with pytest.raises(WrongState):  # another township does not even see it
        publish_roster(by=actor(Post.REVIEWER, townships()[1]), on=dates.PUBLISHED, roster_id=roster.pk)
    count = publish_roster(by=reviewer, on=dates.PUBLISHED, roster_id=roster.pk)
    with reading(reviewer):
        notices = list(Notice.objects.filter(subject=f"roster:{roster.pk}"))
        assert len(notices) == count > 0
        assert sum(n.rows_count for n in notices) == roster.lines_count
        assert all((n.ends_on - n.starts_on).days >= 7 for n in notices)
    with pytest.raises(WrongState):
        publish_roster(by=reviewer, on=dates.PUBLISHED, roster_id=roster.pk)


def test_signing_waits_for_the_notice_and_is_signed_over_the_digest(county: County) -> None:
    """PAY-02, SEC-05: not before seven days; then who, when, over which digest."""
    county("published")
    roster = rosters(Roster.State.PUBLISHED)[0]
    head = actor(Post.TOWNSHIP_HEAD, roster.division)
    with pytest.raises(NoticeStillOpen):
        sign_roster(by=head, on=dates.OBJECTED, roster_id=roster.pk)
    desk, path = client_of(Post.TOWNSHIP_HEAD, roster.division), f"/rosters/{roster.pk}/sign/"
    waiting = desk.get(path).content.decode()
    assert (
        "起可以签批" in waiting
        and "现在不能办" in waiting
        and "<button" not in waiting.partition("data-main")[2].partition("</form>")[0]
    )
    assert "公示还没有期满" in desk.get(f"/rosters/many/sign/?id={roster.pk}").content.decode()
    early = desk.get(f"/rosters/{roster.pk}/department/").content.decode()
    assert "还没有到这一步" in early and "<button" not in early.partition("data-main")[2].partition("</form>")[0]
    other = client_of(Post.CLERK, roster.division).get(path).content.decode()
    assert (
        "这一步由乡镇负责人办理" in other and "<button" not in other.partition("data-main")[2].partition("</form>")[0]
    )
    signed = sign_roster(by=head, on=dates.SIGNED, roster_id=roster.pk)
    assert signed.state == Roster.State.SIGNED
    with reading(head):
        signature = Signature.objects.get(subject=f"roster:{roster.pk}")
    assert (signature.content_digest, signature.appointment) == (roster.digest, head.appointment)
    with pytest.raises(WrongState):
        sign_roster(by=head, on=dates.SIGNED, roster_id=roster.pk)


def test_the_head_sees_what_he_signs_without_the_lines_an_objection_strikes(county: County) -> None:
    """PAY-01, PAY-02: before he signs as after it, in figures and in words."""
    county("objected")
    with reading(county_officer()):
        line = RosterLine.objects.get(pk=Objection.objects.get(state="upheld").row.subject_line)
        roster = Roster.objects.get(pk=line.roster_id)
    fen = roster.amount_fen - line.amount_fen
    desk = client_of(Post.TOWNSHIP_HEAD, roster.division)
    asked = desk.get(f"/rosters/{roster.pk}/sign/").content.decode()
    assert f"¥{yuan(fen)}</span><br>{in_words(fen)}" in asked and f"1 行，¥{yuan(line.amount_fen)}，签批后缓发" in asked
    sign_roster(by=actor(Post.TOWNSHIP_HEAD, roster.division), on=dates.SIGNED, roster_id=roster.pk)
    assert f"合计 ¥{yuan(fen)}" in desk.get(f"/rosters/{roster.pk}/").content.decode()


def test_confirmation_goes_department_first_then_finance(county: County) -> None:
    """PAY-02: each its own step, in order, once."""
    county("signed")
    roster = next(r for r in rosters(Roster.State.SIGNED) if r.programme == GRAIN)
    finance = actor(Post.FINANCE_OFFICER, OfficeKind.FINANCE)
    department = actor(Post.DEPARTMENT_APPROVER, OfficeKind.AGRICULTURE)
    with pytest.raises(WrongState):
        confirm_by_finance(by=finance, on=dates.CONFIRMED, roster_id=roster.pk)
    confirm_by_department(by=department, on=dates.CONFIRMED, roster_id=roster.pk)
    with pytest.raises(WrongState):
        confirm_by_department(by=department, on=dates.CONFIRMED, roster_id=roster.pk)
    assert confirm_by_finance(by=finance, on=dates.CONFIRMED, roster_id=roster.pk).state == Roster.State.CONFIRMED


def test_a_changed_line_stops_the_next_signature(county: County) -> None:
    """SEC-07, PAY-01: whoever gets around the application is met at the next signature. The digest says what the roster is of."""
    county("signed")
    every = rosters(Roster.State.SIGNED)
    roster = next(r for r in every if r.programme == GRAIN)
    with reading(county_officer()):
        assert altered_lines() == 0 and all(map(is_unchanged, every))
        lines = fetch_one(
            "SELECT encode(sha256(string_agg(digest, ''::bytea ORDER BY line_no)), 'hex') FROM payment_rosterline WHERE roster_id = %s",
            [roster.pk],
        )
        other = {
            "period_from": date(2021, 4, 1), "period_until": date(2021, 7, 1), "division": "341524999000",
            "programme": "dibao-rural", "number": 9, "kind": "reissue", "version": "2020-01",
        }  # fmt: skip
        for column, value in other.items():
            same = Roster.objects.get(pk=roster.pk)
            setattr(same, column, value)
            assert not is_unchanged(same), f"the digest covers {column}"
        same.digest = lines[0]  # as compiled before the digest said what it is of
        assert is_unchanged(same)
    run(
        "UPDATE payment_rosterline SET payee_id = payee_id + 1 WHERE roster_id = %s AND line_no = 1",
        [roster.pk],
        using="maintenance",
    )
    with reading(county_officer()):
        assert altered_lines() == 1
    run(
        "UPDATE payment_rosterline SET digest = sha256('other') WHERE roster_id = %s AND line_no = 1",
        [roster.pk],
        using="maintenance",
    )
    with pytest.raises(RosterChanged):
        confirm_by_department(
            by=actor(Post.DEPARTMENT_APPROVER, OfficeKind.AGRICULTURE), on=dates.CONFIRMED, roster_id=roster.pk
        )


def test_a_withdrawn_roster_frees_its_dues(county: County) -> None:
    """PAY-01: taken back before the head signs, then compiled anew over the same dues; not after the signature."""
    county("published")
    roster = next(r for r in rosters(Roster.State.PUBLISHED) if r.programme == GRAIN)
    clerk = actor(Post.CLERK, roster.division)
    withdraw_roster(by=clerk, on=dates.OBJECTED, roster_id=roster.pk)
    with reading(clerk):
        assert not Notice.objects.filter(subject=f"roster:{roster.pk}", state="open").exists()
    again = compile_roster(
        by=clerk, on=dates.OBJECTED, programme=roster.programme, division=roster.division, period=dates.QUARTER
    )
    assert (again.lines_count, again.amount_fen) == (roster.lines_count, roster.amount_fen)
    with pytest.raises(WrongState):
        withdraw_roster(by=clerk, on=dates.OBJECTED, roster_id=roster.pk)


def test_what_lines_come_to_is_kept_and_what_they_rest_on_is_there_whoever_writes(county: County) -> None:
    """PAY-01: sums by village and state follow every statement; a line of nobody, or a household taken from under one, is refused."""
    county("accrued")
    roster = compiled()
    _found(roster)
    _tallied()
    with connections["maintenance"].cursor() as cursor:
        cursor.execute(
            "UPDATE payment_rosterline SET state = 'withheld' WHERE roster_id = %s AND line_no < 3", [roster.pk]
        )
        _tallied()
        cursor.execute(
            "UPDATE payment_rosterline SET state = 'listed' WHERE roster_id = %s AND line_no < 3", [roster.pk]
        )
        _tallied()
        cursor.execute("SELECT max(id), max(household_id) FROM payment_rosterline")
        line, household = cursor.fetchone()
        for statement in (
            f"INSERT INTO payment_linedue (line_id, due_id, division, live) VALUES ({line}, 0, '341524100201', false)",
            f"DELETE FROM registry_card WHERE id = (SELECT card_id FROM payment_rosterline WHERE id = {line})",
            f"DELETE FROM payment_linedue WHERE line_id = {line}; DELETE FROM registry_household WHERE id = {household}",
        ):
            with pytest.raises(IntegrityError), transaction.atomic(using="maintenance"):
                cursor.execute(statement)


def _found(roster: Roster) -> None:
    """A line by its number, its household's, a name; no line of a state nobody is in; sums as the lines are."""
    with reading(county_officer()):
        first = page_lines(LineFilter(roster.pk)).rows[0]
        assert first.line_no == 1
        for text in ("1", first.household.household_no, first.name):
            wanted = LineFilter(roster.pk, text=text)
            assert first.pk in [row.pk for row in page_lines(wanted)] and total_lines(wanted).count >= 1
        assert (
            page_lines(LineFilter(roster.pk, text="无此人")).rows
            == page_lines(LineFilter(roster.pk, state="paid")).rows
            == []
        )
        village = LineFilter(roster.pk, village=first.division[:12])
        assert (
            total_lines(village).count
            == village.rows().count()
            < total_lines(LineFilter(roster.pk)).count
            == roster.lines_count
        )


def _tallied() -> None:
    by_village = "SELECT roster_id, left(division, 12), state, count(*), sum(amount_fen) FROM payment_rosterline GROUP BY 1, 2, 3"
    kept = "SELECT roster_id, division, state, lines, amount_fen FROM payment_rostertally WHERE lines > 0"
    assert sorted(fetch(by_village, using="maintenance")) == sorted(fetch(kept, using="maintenance"))
