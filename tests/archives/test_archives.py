"""Stores, papers, loans, moves and destruction by two people, stock-taking, a household's catalogue (REG-08)."""

from datetime import date

import pytest

from huimin.archives import disposing, keeping, lending, queries, stocktaking
from huimin.archives.models import Box, Loan, Paper, Store
from huimin.audit.models import Signature
from huimin.demo.actors import actor
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level
from huimin.organisation.acting import AlreadyDone, NotYourPlace, NotYourPost, SamePerson, reading
from huimin.organisation.posts import Post
from huimin.registry.models import Household
from huimin.registry.snapshots import NotRegistered
from tests.registry.people import household, officer, other_staff, staff

ON = date(2021, 9, 1)


@pytest.fixture
def home(county):
    county("registered")
    return household()


@pytest.fixture
def cabinet(home):
    clerk = staff(Post.CLERK, home)
    keeping.set_up_cabinets(by=clerk, on=ON)
    with reading(clerk):
        return Store.objects.get(division=home.division[:12])


def box_of(store):
    with reading(officer()):
        return Box.objects.filter(store=store).order_by("number").first().pk


def file(home, cabinet, **more):
    told = {
        "by": staff(Post.CLERK, home), "on": ON, "household": home.pk, "kind": "survey", "title": "2021 年基本信息表",
        "dated_on": date(2021, 6, 21), "pages": 3, "box": box_of(cabinet),
    }  # fmt: skip
    return keeping.register_paper(**told | more)


def test_cabinets_are_set_up_once_for_every_village_reg_08(home):
    clerk = staff(Post.CLERK, home)
    with reading(clerk):
        from huimin.divisions.queries import list_beneath

        villages = list_beneath(clerk.division, Level.TOWNSHIP, Level.VILLAGE, ON)
    assert keeping.set_up_cabinets(by=clerk, on=ON) == len(villages) > 0
    assert keeping.set_up_cabinets(by=clerk, on=ON) == 0
    with reading(clerk):
        store = Store.objects.order_by("id").first()
        assert store.boxes.count() == 1 and "（演示）" in store.keeper
    room = keeping.open_store(by=clerk, on=ON, division=clerk.division, kind="room", name="乡镇档案室", keeper="张三")
    assert (room.number, room.code) == (1, f"{clerk.division}-1")
    with pytest.raises(BadInput, match="设在乡"):
        keeping.open_store(by=clerk, on=ON, division=villages[0].code, kind="room", name="档案室", keeper="张三")
    with pytest.raises(NotYourPlace):
        keeping.open_store(
            by=other_staff(Post.CLERK, home), on=ON, division=clerk.division, kind="room", name="档案室", keeper="张三"
        )
    with pytest.raises(NotYourPost):
        keeping.set_up_cabinets(by=staff(Post.REVIEWER, home), on=ON)
    assert keeping.add_boxes(by=clerk, on=ON, store=room.pk, shelf=2, count=3) == 3
    with pytest.raises(BadInput):
        keeping.add_boxes(by=clerk, on=ON, store=room.pk, shelf=0, count=3)
    with pytest.raises(NotRegistered):
        keeping.add_boxes(by=other_staff(Post.CLERK, home), on=ON, store=room.pk, shelf=1, count=1)


def test_a_paper_is_registered_once_and_a_village_at_a_stroke_reg_08(home, cabinet):
    clerk = staff(Post.CLERK, home)
    made = file(home, cabinet)
    assert (made.place_no, made.state) == (1, "kept")
    with pytest.raises(AlreadyDone):
        file(home, cabinet)
    for wrong in ({"kind": "x"}, {"title": ""}, {"pages": 0}, {"dated_on": date(2030, 1, 1)}):
        with pytest.raises(BadInput):
            file(home, cabinet, **wrong)
    told = {
        "by": clerk, "on": ON, "store": cabinet.pk, "kind": "survey", "title": "2021 年基本信息表", "dated_on": date(2021, 6, 21),
        "pages": 3, "per_box": 1,
    }  # fmt: skip
    with reading(clerk):
        homes = Household.objects.filter(division__startswith=cabinet.division).count()
    assert keeping.file_households(**told) == homes - 1
    assert keeping.file_households(**told) == 0
    with reading(clerk):
        assert Paper.objects.filter(box__store=cabinet).count() == homes
    assert keeping.file_households(**told | {"title": "2020 年基本信息表", "per_box": 1}) == homes
    with reading(clerk):
        assert {box.papers_count for box in queries.list_boxes(cabinet.pk)} == {1}


def test_loans_are_registered_overdue_and_returned_reg_08(home, cabinet):
    clerk, paper = staff(Post.CLERK, home), file(home, cabinet)
    told = {
        "by": clerk, "on": ON, "papers": [paper.pk], "borrower": "李审计", "office": "县审计局", "purpose": "专项审计",
        "due_on": date(2021, 9, 10),
    }  # fmt: skip
    with pytest.raises(BadInput):
        lending.lend_papers(**told | {"due_on": date(2021, 8, 1)})
    with pytest.raises(lending.NotOnShelf):
        lending.lend_papers(**told | {"by": other_staff(Post.CLERK, home)})
    slip = lending.lend_papers(**told)
    with pytest.raises(lending.NotOnShelf):
        lending.lend_papers(**told)
    with reading(clerk):
        assert queries.count_overdue(clerk.prefix, date(2021, 9, 10)) == 0
        assert queries.count_overdue(clerk.prefix, date(2021, 9, 11)) == 1
        [loan] = queries.page_loans(clerk.prefix, "overdue", date(2021, 9, 11))
        assert (loan.slip, loan.borrower) == (slip, "李审计")
    assert lending.return_papers(by=clerk, on=ON, papers=[paper.pk], remark="完好") == 1
    with pytest.raises(lending.NotOnShelf):
        lending.return_papers(by=clerk, on=ON, papers=[paper.pk])
    with reading(clerk):
        assert Loan.objects.get().remark == "完好" and Paper.objects.get().state == "kept"


def test_papers_are_moved_and_destroyed_by_two_people_and_by_rule_reg_08(home, cabinet):
    clerk, reviewer = staff(Post.CLERK, home), staff(Post.REVIEWER, home)
    paper, old = file(home, cabinet), file(home, cabinet, title="旧表", dated_on=date(2009, 3, 1))
    room = keeping.open_store(by=clerk, on=ON, division=clerk.division, kind="room", name="乡镇档案室", keeper="张三")
    told = {"by": clerk, "on": ON, "act": "move", "papers": [paper.pk], "reason": "户迁出", "target": box_of(room)}
    made = disposing.propose_disposal(**told)
    with pytest.raises(AlreadyDone):
        disposing.propose_disposal(**told)
    with pytest.raises(NotYourPost):
        disposing.decide_disposal(by=clerk, on=ON, disposal=made.pk, agreed=True)
    with pytest.raises(BadInput):
        disposing.decide_disposal(by=reviewer, on=ON, disposal=made.pk, agreed=False)
    assert disposing.decide_disposal(by=reviewer, on=ON, disposal=made.pk, agreed=True).state == "done"
    with pytest.raises(AlreadyDone):
        disposing.decide_disposal(by=reviewer, on=ON, disposal=made.pk, agreed=True)
    with reading(clerk):
        row = Paper.objects.get(pk=paper.pk)
        assert (row.box.store_id, row.division) == (room.pk, clerk.division)
        assert Signature.objects.get(act="档案移交").subject == f"disposal:{made.pk}"
    destroy = {"by": clerk, "on": ON, "act": "destroy", "papers": [old.pk], "reason": "期满"}
    with pytest.raises(disposing.StillKept, match="没有规定"):
        disposing.propose_disposal(**destroy)
    keeping.set_retention(by=officer(), on=ON, kind="survey", years=12, basis="县文 5 号")
    with pytest.raises(disposing.StillKept, match="2022-01-01"):
        disposing.propose_disposal(**destroy)
    keeping.set_retention(by=officer(), on=ON, kind="survey", years=10, basis="县文 6 号")
    with pytest.raises(NotYourPost):
        keeping.set_retention(by=clerk, on=ON, kind="survey", years=1, basis="x")
    own = disposing.propose_disposal(**destroy | {"by": officer()})
    with pytest.raises(SamePerson):
        disposing.decide_disposal(by=officer(), on=ON, disposal=own.pk, agreed=True)
    disposing.decide_disposal(by=reviewer_of_county(), on=ON, disposal=own.pk, agreed=False, refusal="再核对")
    again = disposing.propose_disposal(**destroy)
    disposing.decide_disposal(by=reviewer, on=ON, disposal=again.pk, agreed=True)
    with reading(clerk):
        assert Paper.objects.get(pk=old.pk).state == "destroyed"
        assert "已销毁" in {each.state for each in queries.catalogue_of(home.pk)}


def reviewer_of_county():
    """Another officer of the county: the first one's post in a second pair of hands."""
    from huimin.organisation.commands import appoint, issue_account
    from huimin.organisation.passwords import hash_password
    from huimin.organisation.posts import OfficeKind

    administrator = actor(Post.ADMINISTRATOR, OfficeKind.LEADING_OFFICE)
    account = issue_account(
        by=administrator, username="county-officer2", full_name="另一人（演示）", office=officer().office,
        networks=["127.0.0.0/8"], password_hash=hash_password("a-long-password-2021"),
    )  # fmt: skip
    appoint(
        by=administrator, on=date(2020, 1, 1), account=account.pk, post=Post.COUNTY_OFFICER, office=officer().office
    )
    return actor(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE, other=1)


def test_a_stocktaking_tells_what_is_missing_and_what_is_back_reg_08(home, cabinet):
    clerk = staff(Post.CLERK, home)
    with pytest.raises(BadInput, match="还没有登记"):
        stocktaking.start_stocktake(by=clerk, on=ON, store=cabinet.pk)
    papers = [file(home, cabinet, title=f"材料 {n}").pk for n in range(4)]
    lending.lend_papers(
        by=clerk, on=ON, papers=papers[3:], borrower="李审计", office="审计局", purpose="专项审计", due_on=ON
    )
    made = stocktaking.start_stocktake(by=clerk, on=ON, store=cabinet.pk)
    assert made.listed == 3
    with pytest.raises(AlreadyDone):
        stocktaking.start_stocktake(by=clerk, on=ON, store=cabinet.pk)
    told = {"by": clerk, "on": ON, "stocktake": made.pk}
    assert stocktaking.record_stocktake(**told, found=papers[:1], missing=papers[1:2]) == (1, 1)
    with pytest.raises(NotRegistered):
        stocktaking.close_stocktake(by=other_staff(Post.CLERK, home), on=ON, stocktake=made.pk)
    closed = stocktaking.close_stocktake(**told)
    assert (closed.found, closed.missing) == (1, 2)
    with pytest.raises(AlreadyDone):
        stocktaking.close_stocktake(**told)
    with reading(clerk):
        assert {row.pk for row in queries.page_missing(clerk.prefix)} == set(papers[1:3])
        [place] = [each for each in queries.count_by_place(clerk.prefix, Level.VILLAGE, ON) if each.papers]
        assert (place.filed, place.papers, place.lent, place.missing) == (1, 4, 1, 2)
    second = stocktaking.start_stocktake(by=clerk, on=ON, store=cabinet.pk)
    stocktaking.record_stocktake(by=clerk, on=ON, stocktake=second.pk, found=papers[:3], missing=[])
    stocktaking.close_stocktake(by=clerk, on=ON, stocktake=second.pk)
    with reading(clerk):
        assert Paper.objects.filter(state="kept").count() == 3


def test_the_catalogue_has_paper_and_electronic_documents_reg_08(county):
    county("published")
    with reading(officer()):
        from huimin.payment.models import RosterLine

        home = RosterLine.objects.order_by("id").first().household
    clerk = staff(Post.CLERK, home)
    keeping.set_up_cabinets(by=clerk, on=ON)
    with reading(clerk):
        cabinet = Store.objects.get(division=home.division[:12])
    file(home, cabinet)
    with reading(clerk):
        found = queries.catalogue_of(home.pk)
    kinds = {each.kind for each in found}
    assert {"基本信息表", "登记", "审批决定", "发放清册", "公示"} <= kinds
    [paper] = [each for each in found if each.paper]
    assert paper.where == f"{cabinet.name} 第 1 层 1 号盒 第 1 件"
    with reading(other_staff(Post.CLERK, home)):
        assert queries.catalogue_of(home.pk) == []
