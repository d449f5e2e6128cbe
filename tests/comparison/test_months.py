"""Approvals, pay lists and the bank's detail compared each month, household by household, and signed level by level (VER-04)."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connections

from huimin.comparison import queries
from huimin.comparison.commands import (
    DepartmentsOpen,
    NoComparison,
    NotBegun,
    NotExplained,
    NothingToCompare,
    TownshipsOpen,
    compare_month,
    explain_differences,
    send_back,
    sign_comparison,
    sign_county,
)
from huimin.comparison.models import CODES, Comparison, ComparisonDifference, CountySigning
from huimin.database.bulk import fetch, fetch_one
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.granting import DEPARTMENTS, county_officer
from huimin.demo.listing import townships
from huimin.demo.paying import finance
from huimin.kernel.errors import BadInput
from huimin.kernel.periods import month
from huimin.organisation.acting import AlreadyDone, NotYourPlace, NotYourPost, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.commands import accrue_dues, compile_roster
from huimin.workbench.todo import list_todo
from tests.workbench.people import client_of

County = Callable[[str], str]
SEPTEMBER, ON = date(2021, 9, 1), dates.BOOKED


def compared(place: str, on: date = ON, of: date = SEPTEMBER) -> Comparison:
    return compare_month(by=actor(Post.CLERK, place), on=on, division=place, month=of)


def kinds_of(row: Comparison) -> dict[str, set[int | None]]:
    """Kind → households."""
    found: dict[str, set[int | None]] = {}
    with reading(county_officer()):
        for kind, household in row.differences.values_list("kind", "household_id"):
            found.setdefault(kind, set()).add(household)
    return found


def changed(statement: str, *values: Any) -> None:
    """One side changed by somebody with the keys to the database."""
    with connections["maintenance"].cursor() as cursor:
        cursor.execute(statement, values)
        assert cursor.rowcount == 1, statement


def explained(row: Comparison) -> None:
    clerk = actor(Post.CLERK, row.division)
    for kind in kinds_of(row):
        with reading(clerk):
            left = row.differences.filter(kind=kind, explanation="").count()
        if left:
            told = {"by": clerk, "on": ON, "comparison_id": row.pk, "kind": kind, "explanation": "已核实，按规定处理"}
            assert explain_differences(**told) == left


def signed(row: Comparison) -> Comparison:
    explained(row)
    return sign_comparison(by=actor(Post.TOWNSHIP_HEAD, row.division), on=ON, comparison_id=row.pk)


@pytest.mark.parametrize(
    ("stage", "kind"),
    [("signed", "unconfirmed"), ("confirmed", "unsent"), ("released", "flight"), ("answered", "returned")],
)
def test_VER_04_on_the_way_every_line_says_how_far_it_is(county: County, stage: str, kind: str) -> None:
    """Not confirmed, not sent, without an answer, returned: whole townships of real lines, and nothing else but what is true of them."""
    county(stage)
    with reading(county_officer()):
        [place] = fetch_one(
            "SELECT left(division, 9) || '000' FROM payment_rosterline WHERE state = %s OR %s <> 'returned' GROUP BY 1 ORDER BY count(*) DESC LIMIT 1",
            ["returned", kind],
        )
        live, returned, fen = fetch_one(
            "SELECT count(*) FILTER (WHERE state NOT IN ('withheld', 'replaced')), count(*) FILTER (WHERE state = 'returned'),"
            " sum(amount_fen) FILTER (WHERE state NOT IN ('withheld', 'replaced'))::bigint FROM payment_rosterline WHERE division LIKE %s",
            [place[:9] + "%"],
        )
    row = compared(place)
    assert row.kinds[kind] == (returned if kind == "returned" else live) > 0
    assert set(row.kinds) <= {kind, "missing", "withheld", "bank"} | ({"flight"} if kind == "returned" else set())
    assert row.listed_fen == (0 if kind == "unconfirmed" else fen)
    assert (row.paid_fen > 0) == (kind == "returned")


def test_VER_04_what_is_changed_on_one_side_alone_is_named_with_its_household(county: County) -> None:
    """Each kind that no command can make, made by hand on a line of its own; all others still agree."""
    county("closed")
    place = townships()[0]
    with reading(county_officer()):
        lines = fetch(
            "SELECT l.id, l.household_id, l.entitlement_id, e.household_id, l.payee_id FROM payment_rosterline l"
            " JOIN casework_entitlement e ON e.id = l.entitlement_id WHERE l.state = 'paid' AND l.division LIKE %s"
            " AND (SELECT count(*) FROM payment_rosterline o WHERE o.household_id = l.household_id) = 1 ORDER BY l.id LIMIT 8",
            [place[:9] + "%"],
        )
    before = compared(place)
    at = iter(lines)
    wanted = {
        kind: next(at)
        for kind in ("amount", "unapproved", "unlisted", "paid_other", "payee", "unsent", "missing", "bank")
    }
    line = {kind: row[0] for kind, row in wanted.items()}
    changed("UPDATE payment_rosterline SET amount_fen = amount_fen + 1 WHERE id = %s", line["amount"])
    changed("UPDATE payment_instruction SET amount_fen = amount_fen + 1 WHERE line_id = %s", line["amount"])
    changed("UPDATE casework_entitlement SET valid_to = valid_from WHERE id = %s", wanted["unapproved"][2])
    changed(
        "UPDATE payment_rosterline SET state = 'withheld', withheld_reason = '测试' WHERE id = %s", line["unlisted"]
    )
    changed("UPDATE payment_instruction SET amount_fen = amount_fen + 1 WHERE line_id = %s", line["paid_other"])
    changed("UPDATE payment_rosterline SET payee_id = %s WHERE id = %s", wanted["amount"][4], line["payee"])
    changed("UPDATE payment_instruction SET state = 'cancelled' WHERE line_id = %s", line["unsent"])
    changed(
        "UPDATE payment_rosterline SET household_id = %s, programme = 'other' WHERE id = %s",
        wanted["missing"][1],
        line["missing"],
    )
    changed(
        "INSERT INTO payment_paymentexception (division, kind, line_id, row_no, code, reason, amount_fen, state, resolution, opened_on, due_on)"
        " VALUES (%s, 'reversed', %s, 0, 'E05', '入账后又退回', 5, 'open', '', '2021-09-25', '2021-09-28')",
        f"{place[:9]}001", line["bank"],
    )  # fmt: skip
    row = compared(place)
    found = kinds_of(row)
    for kind, (_, household, *_) in wanted.items():
        assert household in found[kind], kind
    assert set(found) == set(wanted) | {"withheld", *before.kinds}
    assert (
        row.differences_count == before.differences_count + len(wanted) + 2
    )  # unlisted is withheld, too; a programme nobody approved
    assert row.number == 2 and row.paid_fen == before.paid_fen + 2 - _fen(line["unsent"])
    with reading(county_officer()):
        assert Comparison.objects.get(pk=before.pk).state == "replaced"
        payee = row.differences.get(kind="payee")
        assert payee.holder and payee.name and payee.household_no and payee.detail == "账户的户主不是清册上的收款人"


def _fen(line: int) -> int:
    with reading(county_officer()):
        return int(fetch_one("SELECT amount_fen FROM payment_rosterline WHERE id = %s", [line])[0])


def test_VER_04_compared_explained_and_signed_from_level_to_level(county: County) -> None:
    """Refused by post, place and order; the same again is the same; what is signed is frozen; new facts are a new version."""
    county("closed")
    place, other = townships()[:2]
    clerk, head = actor(Post.CLERK, place), actor(Post.TOWNSHIP_HEAD, place)
    asked = {"by": clerk, "on": ON, "division": place, "month": SEPTEMBER}
    for obstacle, more in (
        (NotYourPost, {"by": head}), (NotYourPlace, {"division": other}), (BadInput, {"month": date(2021, 9, 2)}),
        (BadInput, {"division": place[:9] + "001"}), (NotBegun, {"month": date(2021, 11, 1)}), (NothingToCompare, {"month": date(2021, 8, 1)}),
    ):  # fmt: skip
        with pytest.raises(obstacle):
            compare_month(**asked | more)
    with reading(clerk):
        assert any(each.title == "逐户逐人核对" for each in list_todo(clerk, ON, {}))
    row = compare_month(**asked)
    assert compare_month(**asked).pk == row.pk and row.differences_count == sum(row.kinds.values()) > 0
    _agrees(row)
    with pytest.raises(NotExplained):
        sign_comparison(by=head, on=ON, comparison_id=row.pk)
    with pytest.raises(IntegrityError), reading(head):
        Comparison.objects.filter(pk=row.pk).update(
            state="signed", signed_by=head.appointment, signed_on=ON, signature_id=_any_signature()
        )
    _explaining(row)
    with pytest.raises(NotYourPost):
        sign_comparison(by=clerk, on=ON, comparison_id=row.pk)
    with pytest.raises(IntegrityError), reading(head):
        Comparison.objects.filter(pk=row.pk).update(
            state="signed", signed_by=clerk.appointment, signed_on=ON, signature_id=_any_signature()
        )
    done = sign_comparison(by=head, on=ON, comparison_id=row.pk)
    with reading(head):
        assert done.signature.content_digest == queries.signed_content(done)
    assert compare_month(**asked).pk == row.pk
    with pytest.raises(NoComparison):
        explain_differences(by=clerk, on=ON, comparison_id=row.pk, kind="missing", explanation="再改一次")
    for change in ({"explanation": "改"}, {"explained_on": SEPTEMBER}):
        with pytest.raises(IntegrityError), reading(clerk):
            ComparisonDifference.objects.filter(comparison=row).update(**change)
    with pytest.raises(IntegrityError), reading(clerk):
        Comparison.objects.filter(pk=row.pk).update(state="made")
    again = _new_facts(row)
    _county(again)


def _agrees(row: Comparison) -> None:
    """Figures held against plain counts of the tables; a household's own page adds up."""
    officer = county_officer()
    with reading(officer):
        listed, paid = fetch_one(
            "SELECT sum(l.amount_fen)::bigint, (SELECT sum(i.amount_fen)::bigint FROM payment_instruction i WHERE i.state = 'paid'"
            " AND i.division LIKE %(place)s) FROM payment_rosterline l WHERE l.division LIKE %(place)s AND l.state NOT IN ('withheld', 'replaced')",
            {"place": row.division[:9] + "%"},
        )
        assert (row.listed_fen, row.paid_fen) == (listed, paid)
        assert row.approved_fen == listed + sum(
            each.approved_fen for each in row.differences.filter(kind__in=["missing", "withheld"])
        )
        one = row.differences.exclude(household=None).order_by("id")[0]
        sides = queries.sides_of_household(officer, ON, one.household_id, row.division, SEPTEMBER)
    assert [each.approved_fen for each in sides if each.programme == one.programme] == [one.approved_fen]


def _any_signature() -> int:
    return int(fetch_one("SELECT max(id) FROM audit_signature")[0])


def _explaining(row: Comparison) -> None:
    clerk = actor(Post.CLERK, row.division)
    told = {"by": clerk, "on": ON, "comparison_id": row.pk, "explanation": "已通知本人办卡"}
    with reading(clerk):
        first = row.differences.order_by("id")[0]
    for obstacle, more in (
        (BadInput, {"ids": [first.pk], "explanation": "。"}), (BadInput, {}), (BadInput, {"ids": [first.pk], "kind": first.kind}),
        (BadInput, {"ids": list(range(1001))}), (NoComparison, {"kind": "flight"}), (NoComparison, {"ids": [0]}),
        (NotYourPost, {"ids": [first.pk], "by": actor(Post.TOWNSHIP_HEAD, row.division)}),
        (NoComparison, {"ids": [first.pk], "by": actor(Post.CLERK, townships()[1])}),
    ):  # fmt: skip
        with pytest.raises(obstacle):
            explain_differences(**told | more)
    assert explain_differences(**told | {"ids": [first.pk]}) == 1
    assert explain_differences(**told | {"ids": [first.pk], "explanation": "已办卡，编入补充清册"}) == 1
    explained(row)


def _new_facts(row: Comparison) -> Comparison:
    """A grant stopped since: another version; the same differences keep their words, the new one has none."""
    with reading(county_officer()):
        entitlement, home = fetch_one(
            "SELECT entitlement_id, household_id FROM payment_rosterline WHERE state = 'paid' AND division LIKE %s ORDER BY id LIMIT 1",
            [row.division[:9] + "%"],
        )
    changed("UPDATE casework_entitlement SET valid_to = '2021-07-01' WHERE id = %s", entitlement)
    again = compared(row.division)
    assert (again.number, again.state) == (2, "made")
    with reading(county_officer()):
        assert Comparison.objects.get(pk=row.pk).state == "replaced"
        open_ = list(again.differences.filter(explanation="").values_list("kind", "household_id"))
        kept = again.differences.exclude(explanation="").count()
    assert open_ == [("unapproved", home)] and kept == row.differences_count
    return again


def _county(first: Comparison) -> None:
    """Every township, then departments, then finance; given back, the county signs anew."""
    approver, releaser = actor(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS), finance(Post.FINANCE_RELEASER)
    asked = {"by": approver, "on": ON, "month": SEPTEMBER}
    with pytest.raises(NotYourPost):
        sign_county(**asked | {"by": finance()})
    with pytest.raises(NothingToCompare):
        sign_county(**asked | {"month": date(2021, 5, 1)})
    with reading(approver):
        due = queries.due_townships("341524", [SEPTEMBER], ON)[SEPTEMBER]
    with pytest.raises(TownshipsOpen, match=f"{len(due) - 1} 个乡镇没有核对，1 个没有签字"):
        sign_county(**asked)
    signed(first)
    for place in sorted(due - {first.division}):
        signed(compared(place))
    with pytest.raises(DepartmentsOpen):
        sign_county(**asked | {"by": releaser})
    with pytest.raises(BadInput):
        sign_county(**asked, note="长" * 301)
    with reading(approver):
        assert [each.title for each in list_todo(approver, ON, {})].count("签字全县逐户逐人核对") == 1
    desk, last_desk = (
        client_of(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS),
        client_of(Post.FINANCE_RELEASER, OfficeKind.FINANCE),
    )
    assert "/comparisons/county/?" in desk.get("/comparisons/?month=2021-09").content.decode()
    early = last_desk.get("/comparisons/?month=2021-09").content.decode()
    assert "/comparisons/county/?" not in early and "现在不用您签：主管部门还没有签字" in early
    made = [sign_county(**asked | {"by": actor(Post.DEPARTMENT_APPROVER, office)}) for office in DEPARTMENTS.values()]
    assert {each.townships for each in made} == {len(due)}
    with pytest.raises(AlreadyDone):
        sign_county(**asked)
    last = sign_county(**asked | {"by": releaser})
    assert (last.seat, last.digest) == ("finance", made[0].digest)
    for client in (desk, last_desk):
        page = client.get("/comparisons/?month=2021-09").content.decode()
        assert "/comparisons/county/?" not in page and "本单位已经签字" in page
        assert client.get("/comparisons/county/?month=2021-09").status_code == 409
    late = client_of(Post.TOWNSHIP_HEAD, first.division).get(f"/comparisons/{first.pk}/sign/")
    assert late.status_code == 409 and "现在是“已签字”，不能签字" in late.content.decode()
    with pytest.raises(BadInput):
        send_back(by=approver, on=ON, comparison_id=first.pk, reason="。")
    assert send_back(by=approver, on=ON, comparison_id=first.pk, reason="停发的原因要写明").state == "returned"
    with pytest.raises(TownshipsOpen):
        sign_county(**asked)
    third = compared(first.division)
    assert third.number == 3 and third.differences_count == first.differences_count
    with reading(approver):
        assert not third.differences.filter(explanation="").exists()
    signed(third)
    assert sign_county(**asked).digest != last.digest
    with pytest.raises(DepartmentsOpen):
        sign_county(**asked | {"by": releaser})
    with pytest.raises(IntegrityError), reading(releaser):
        row = CountySigning.objects.get(pk=last.pk)
        row.pk, row.digest = None, "0" * 64
        row.save()


def test_VER_04_a_quarterly_programme_paid_by_month_is_compared_by_month(county: County) -> None:
    """Each step in one month: July's roster in July; September takes what July left, not what was compared."""
    county("decided")
    by = actor(Post.DEPARTMENT_OFFICER, DEPARTMENTS["dibao-rural"])
    accrue_dues(by=by, on=dates.ACCRUED, programme="dibao-rural", period=dates.QUARTER)
    with reading(county_officer()):
        [place] = fetch_one(
            "SELECT left(division, 9) || '000' FROM payment_due GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
        )
        [monthly] = fetch_one(
            "SELECT sum(amount_fen)::bigint FROM payment_due WHERE division LIKE %s AND period_from = '2021-07-01'",
            [place[:9] + "%"],
        )
    clerk = actor(Post.CLERK, place)
    with pytest.raises(NothingToCompare):
        compared(place, of=date(2021, 7, 1))
    compile_roster(by=clerk, on=dates.COMPILED, programme="dibao-rural", division=place, period=month(2021, 7))
    july, september = compared(place, of=date(2021, 7, 1)), compared(place)
    assert july.spans == {"dibao-rural": "2021-07"} and july.approved_fen == monthly
    assert set(july.kinds) <= {"unconfirmed", "missing"} and july.kinds["unconfirmed"] > 0
    assert september.spans["dibao-rural"] == "2021-08"
    with reading(clerk):
        missing = september.differences.filter(programme="dibao-rural", kind="missing")
        assert sum(each.approved_fen for each in missing) == 2 * monthly
        assert {"应发已生成，没有编入清册"} >= {each.detail for each in missing if "账户" not in each.detail}


def test_VER_04_its_pages(county: County) -> None:
    """Listed, compared, explained, signed and given back at the desk; workbook and paper; wrong addresses say what they are."""
    county("closed")
    place = townships()[0]
    clerk, head = client_of(Post.CLERK, place), client_of(Post.TOWNSHIP_HEAD, place)
    assert "去核对" in clerk.get("/comparisons/").content.decode()
    assert "月份" in clerk.get("/comparisons/new/?month=1999-01").content.decode()
    post = {"token": "a" * 32, "month": "2021-09"}
    assert clerk.post("/comparisons/new/", post).status_code == 302
    with reading(county_officer()):
        row = Comparison.objects.get(division=place)
        one = row.differences.exclude(household=None).order_by("id")[0]
    page = clerk.get(f"/comparisons/{row.pk}/").content.decode()
    assert one.household_no in page and CODES[one.kind] in page and "去说明" in page
    assert "没有这样的差异" in clerk.get(f"/comparisons/{row.pk}/?kind=&standing=explained").content.decode()
    assert one.household_no in clerk.get(f"/comparisons/household/{one.household_id}/?month=2021-09").content.decode()
    whole = clerk.get(f"/comparisons/village/?month=2021-09&place={one.division[:12]}").content.decode()
    assert one.household_no in whole and "有差异" in whole and "一致" in whole and "合计" in whole
    assert "请选一个村" in clerk.get("/comparisons/village/?place=99").content.decode()
    assert clerk.get(f"/comparisons/{row.pk}/explain/?kind=flight").status_code == 409
    assert (
        clerk.post(f"/comparisons/{row.pk}/explain/?id={one.pk}", {"token": "b" * 32, "explanation": ""}).status_code
        == 422
    )
    for number, kind in enumerate(sorted(row.kinds)):
        where = f"/comparisons/{row.pk}/explain/?kind={kind}"
        assert "还没有说明的" in clerk.get(where).content.decode()
        assert clerk.post(where, {"token": f"{number:032d}", "explanation": "已核实情况"}).status_code == 302
    assert "签字" in head.get(f"/comparisons/{row.pk}/sign/").content.decode()
    assert head.post(f"/comparisons/{row.pk}/sign/", {"token": "c" * 32}).status_code == 302
    approver = client_of(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)
    listed = approver.get("/comparisons/?month=2021-09").content.decode()
    assert "县里还没有签字" in listed and "已签字" in listed and "未核对" in listed
    mine = actor(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS).programmes
    with reading(county_officer()):
        seen = row.differences.filter(programme__in=mine).count()
    villages = (
        approver.get(f"/comparisons/{row.pk}/")
        .content.decode()
        .partition('name="village"')[2]
        .partition("</select>")[0]
    )
    assert sum(map(int, re.findall(r"（(\d+)）</option>", villages))) == seen < row.differences_count
    assert (
        approver.post(f"/comparisons/{row.pk}/back/", {"token": "d" * 32, "reason": "补充退汇情况"}).status_code == 302
    )
    assert approver.get("/comparisons/county/?month=2021-09").status_code == 404
    assert "补充退汇情况" in clerk.get("/comparisons/").content.decode()
    assert clerk.get("/comparisons/999999/").status_code == 404
    assert clerk.get(f"/comparisons/{row.pk}/?export=xlsx&purpose=核对").headers["Content-Type"].endswith("sheet")
    assert b"".join(clerk.get(f"/comparisons/{row.pk}/?print=pdf"))[:5] == b"%PDF-"
