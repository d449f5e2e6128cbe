"""Where the township decides: a month's decisions drawn and checked, what must be put right, the rate shown (CASE-08, SUP-02)."""

from datetime import date, timedelta

import pytest

from huimin.demo.clock import business_day
from huimin.demo.granting import county_officer
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import AlreadyDone, NotYourPlace, NotYourPost, Refusal, SamePerson, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.models import Household
from huimin.samples.checking import Told, answer_order, order_rectification, record_check, settle_order
from huimin.samples.drawing import Named, NotYet, draw_list, freeze_month, read_number
from huimin.samples.models import Order
from huimin.samples.queries import list_open_orders, list_ratings, page_lines
from tests.cases.people import ALL_RECORDS, ask, entering, people, records, walk
from tests.cases.test_time import confirmed_here
from tests.samples.people import NUMBER, copies, households
from tests.workbench.people import client_of
from tests.workbench.test_acts import text, token_of
from tests.workbench.test_reliefs import post_twice

ASKED = date(2021, 7, 5)


@pytest.fixture
def decided(county, cluster):
    """Five decisions of one township in July; who acts."""
    url = cluster.url(county("screened"))
    confirmed_here()
    house = entering()
    who = people(house)
    with records(*ALL_RECORDS):
        case, on = walk(ask(house, who[Post.CLERK], on=ASKED), who, ASKED)
    assert case.state == "granted" and on.month == 7
    copies(url, case, [(number, house.division) for number, _ in households(5)[1:]])
    return house, who


def test_a_month_of_decisions_is_drawn_checked_by_papers_and_put_right_case_08(decided):
    house, who = decided
    officer, supervisor = who[Post.DEPARTMENT_OFFICER], who[Post.SUPERVISOR]
    township, july, august = house.division[:9] + "000", date(2021, 7, 1), date(2021, 8, 2)
    named = Named("pl5", august + timedelta(days=1))
    asked = {"by": officer, "township": township, "month": july}
    with pytest.raises(NotYet, match="没有过完"):
        freeze_month(**asked, on=date(2021, 7, 31), named=Named("pl5", august))
    draw = freeze_month(**asked, on=august, named=named)
    assert (draw.size, draw.percent, draw.quota, draw.after) == (5, 50, 3, True)
    assert "二(四)1" in draw.basis
    with pytest.raises(Refusal, match=r"没有要抽查的件|已经冻结过"):
        freeze_month(**asked, on=august, named=named)
    with pytest.raises(Refusal):
        freeze_month(**asked | {"month": date(2021, 6, 1)}, on=august, named=named)
    on = named.on
    read_number(by=officer, on=on, draw_id=draw.pk, number=NUMBER, where="体彩网")
    draw_list(by=supervisor, on=on, draw_id=draw.pk, number=NUMBER)
    with reading(officer):
        lines = page_lines(draw, True).rows
        [before] = list_ratings("341524", july, officer.programmes)
    assert (before.decided, before.drawn, before.checked, before.rate, before.percent) == (5, 3, 0, 0, 50)
    papers = {"checkers": "江敏、田原", "checked_on": on, "paper": "申请书、入户调查表、初审意见"}
    with pytest.raises(BadInput, match="没有写查阅了哪些材料"):
        record_check(by=supervisor, on=on, line_id=lines[0].pk, told=Told("papers", "true", **{**papers, "paper": ""}))
    wrong, second = (
        record_check(
            by=supervisor, on=on, line_id=line.pk, told=Told("papers", "differs", "调查表没有户主签字", **papers)
        )
        for line in lines[:2]
    )
    fine = record_check(by=officer, on=on, line_id=lines[2].pk, told=Told("papers", "true", **papers))
    with reading(county_officer()):
        [after] = list_ratings("341524", july, None)
    assert (after.checked, after.rate, after.wrong, after.draw) == (3, 60, 2, draw.pk)
    put_right(who, house, on, wrong, fine)
    on_pages(house, second, on)


def put_right(who, house, on, wrong, fine):
    supervisor, reviewer = who[Post.SUPERVISOR], who[Post.REVIEWER]
    order = {
        "by": supervisor,
        "on": on,
        "check_id": wrong.pk,
        "what": "补签字，重新核对",
        "due_on": on + timedelta(days=7),
    }
    with pytest.raises(Refusal, match="不用发整改"):
        order_rectification(**order | {"check_id": fine.pk})
    with pytest.raises(BadInput, match="不在今天之后"):
        order_rectification(**order | {"due_on": on})
    made = order_rectification(**order)
    with pytest.raises(AlreadyDone):
        order_rectification(**order)
    with reading(reviewer):
        assert [row.pk for row in list_open_orders(reviewer.prefix, ["open"])] == [made.pk]
    assert made.overdue(on + timedelta(days=8)) and not made.overdue(on + timedelta(days=7))
    answer = {"on": on, "order_id": made.pk, "answer": "已补签，入户核对与申报一致"}
    stranger = people(Household(division=other_township(house)))[Post.REVIEWER]
    with pytest.raises((NotYourPlace, BadInput)):
        answer_order(by=stranger, **answer)
    with pytest.raises(NotYourPost):
        answer_order(by=supervisor, **answer)
    with pytest.raises(AlreadyDone):
        settle_order(by=supervisor, on=on, order_id=made.pk, accepted=True)
    assert answer_order(by=reviewer, **answer).state == "answered"
    with pytest.raises(AlreadyDone):
        answer_order(by=reviewer, **answer)
    with pytest.raises(BadInput, match="为什么不通过"):
        settle_order(by=supervisor, on=on, order_id=made.pk, accepted=False)
    back = settle_order(
        by=supervisor, on=on, order_id=made.pk, accepted=False, note="没有附签字页", due_on=on + timedelta(days=3)
    )
    assert back.state == "open"
    answer_order(by=who[Post.TOWNSHIP_HEAD], **answer)
    assert settle_order(by=supervisor, on=on, order_id=made.pk, accepted=True).state == Order.State.SETTLED
    with pytest.raises((AlreadyDone, SamePerson)):
        settle_order(by=supervisor, on=on, order_id=made.pk, accepted=True)


def on_pages(house, wrong, on):
    """The rate against what is asked, the next month's list, an order ordered, answered and settled by their own posts."""
    business_day(on)
    supervisor = client_of(Post.SUPERVISOR, OfficeKind.AUDIT)
    officer = client_of(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS)
    head = client_of(Post.TOWNSHIP_HEAD, house.division[:9] + "000")
    for client in (supervisor, head):
        shown = text(client.get("/samples/ratings/"))
        assert "60%，已达 50%" in shown and "2021-07" in shown
    assert "没有乡镇有要抽查而没有冻结过的决定" in text(officer.get("/samples/freeze-month/"))
    where = f"/samples/cases/{wrong.line_id}/"
    assert "限期整改" in text(supervisor.get(where)) and "限期整改" not in text(head.get(where))
    due = {"what": "补签字，说明原因", "due_on": str(on + timedelta(days=5))}
    assert "已发整改通知" in post_twice(supervisor, f"{where}order/", due)
    order = Order.objects.using("maintenance").get(made=wrong)
    path = f"/samples/orders/{order.pk}/"
    assert "补签字，说明原因" in text(head.get("/")) and "补签字，说明原因" in text(head.get("/samples/orders/"))
    empty = head.post(path, {"answer": "", "token": token_of(text(head.get(path)))})
    assert empty.status_code == 422 and "请写明查了什么" in text(empty)
    assert "已报整改情况" in post_twice(head, path, {"answer": "已补签，入户核对一致"})
    assert "核对整改" in text(supervisor.get("/"))
    back = supervisor.post(path, {"accepted": "no", "token": token_of(text(supervisor.get(path)))})
    assert back.status_code == 422 and "没有写为什么不通过" in text(back)
    assert "已销号" in post_twice(supervisor, path, {"accepted": "yes"})
    assert "补签字，说明原因" in text(supervisor.get("/samples/orders/?state=settled"))


def other_township(house):
    with reading(county_officer()):
        rows = Household.objects.exclude(division__startswith=house.division[:9]).order_by("id")
        return rows.first().division
