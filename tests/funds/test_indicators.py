"""FUND-01: indicators by document, issued onward, cut, carried over; by two people, never beyond themselves."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from huimin.funds import indicator_queries as queries
from huimin.funds.commands import open_special_accounts, reserve_funding, transfer_funding
from huimin.funds.giving_back import MoveDiffers, confirm, decide_money, lock_move, propose_back, propose_money
from huimin.funds.indicators import (
    AllotmentDiffers,
    FundsExhausted,
    NotInForce,
    decide_allotments,
    decide_moves,
    propose_carries,
    propose_cut,
    propose_issue,
    receive_allotment,
)
from huimin.funds.models import Allotment, AllotmentMove, FundingApplication, MoneyMove
from huimin.funds.queries import recount_allotments
from huimin.funds.routes import decide_route, propose_route
from huimin.kernel.errors import BadInput, Refusal
from huimin.ledger.queries import balance_of
from huimin.organisation.acting import Actor, AlreadyDone, NotYourPost, SamePerson, command, reading
from huimin.organisation.posts import Post
from tests.funds.desk import DAY, Desk, apply
from tests.notices.people import COUNTY, MEISHAN, QINGSHAN

NEXT_YEAR = date(2022, 1, 10)
ISSUED = "金财社〔2021〕8号"


@pytest.fixture
def desk(county: Callable[[str], str], tmp_path: Path) -> Desk:
    county("blank")
    return Desk(tmp_path)


def stored(desk: Desk, number: int) -> Allotment:
    with reading(desk.finance):
        assert queries.recount_moves() == []
        return queries.get_indicator(number)


def where(row: Allotment) -> tuple[int, int, int, int]:
    """(issued, carried, cut, left)"""
    return row.issued_fen, row.carried_fen, row.cut_fen, row.left_fen


def issue(desk: Desk, amount_fen: int, target: str = MEISHAN, document_no: str = ISSUED) -> Allotment:
    move = propose_issue(
        by=desk.finance,
        on=DAY,
        allotment_id=desk.allotment.pk,
        target=target,
        amount_fen=amount_fen,
        document_no=document_no,
    )
    decide_moves(by=desk.releaser, on=DAY, move_ids=[move.pk])
    with reading(desk.finance):
        made = AllotmentMove.objects.get(pk=move.pk).made
    assert made is not None
    return made


def test_FUND_01_nothing_is_used_of_what_one_person_registered(desk: Desk) -> None:
    row = receive_allotment(
        by=desk.finance, on=DAY, division=COUNTY, programme="dibao", year=2021, document_no=" 财社〔2021〕7号 ",
        amount_fen=50_000, kind="added", issuer=0,
    )  # fmt: skip
    assert (row.document_no, row.state, row.left_fen, row.get_issuer_display()) == (
        "财社〔2021〕7号",
        "registered",
        0,
        "中央",
    )
    with pytest.raises(NotInForce, match="待复核"):
        propose_cut(by=desk.finance, on=DAY, allotment_id=row.pk, amount_fen=1, document_no="x", reason="收回")
    with pytest.raises(FundsExhausted):
        reserve_funding(by=desk.finance, on=DAY, application_ids=[desk.applied(100_001).pk])
    same = Actor(**{**desk.releaser.__dict__, "appointment": desk.finance.appointment})
    with pytest.raises(SamePerson):
        decide_allotments(by=same, on=DAY, allotment_ids=[row.pk])
    with pytest.raises(NotYourPost):
        decide_allotments(by=desk.finance, on=DAY, allotment_ids=[row.pk])
    assert decide_allotments(by=desk.releaser, on=DAY, allotment_ids=[row.pk]) == 1
    assert decide_allotments(by=desk.releaser, on=DAY, allotment_ids=[row.pk]) == 0
    assert stored(desk, row.pk).left_fen == 50_000
    with pytest.raises(NotInForce):
        decide_allotments(by=desk.releaser, on=DAY, allotment_ids=[row.pk], refusal="与文件不符")
    for year, kind, issuer in ((1999, "base", 2), (2023, "base", 2), (2021, "gift", 2), (2021, "base", 3)):
        with pytest.raises(BadInput):
            receive_allotment(
                by=desk.finance, on=DAY, division=COUNTY, programme="dibao", year=year, document_no="财社〔2021〕8号",
                amount_fen=5, kind=kind, issuer=issuer,
            )  # fmt: skip
    told = {
        "by": desk.finance,
        "on": DAY,
        "division": COUNTY,
        "programme": "dibao",
        "year": 2021,
        "document_no": "财社〔2021〕17号",
    }
    wrong = receive_allotment(amount_fen=70, **told)
    decide_allotments(by=desk.releaser, on=DAY, allotment_ids=[wrong.pk], refusal="金额与文件不符")
    right = receive_allotment(amount_fen=700, **told)
    assert right.pk != wrong.pk and stored(desk, wrong.pk).refusal == "金额与文件不符"


def test_FUND_01_issued_onward_and_met_from_the_nearest(desk: Desk) -> None:
    child = issue(desk, 40_000)
    assert where(stored(desk, desk.allotment.pk)) == (40_000, 0, 0, 60_000)
    assert (child.division, child.parent_id, child.issuer, child.state) == (MEISHAN, desk.allotment.pk, 6, "in_force")
    with pytest.raises(FundsExhausted) as refused:
        propose_issue(
            by=desk.finance,
            on=DAY,
            allotment_id=desk.allotment.pk,
            target=QINGSHAN,
            amount_fen=60_001,
            document_no="金财〔2021〕9号",
        )
    assert "600.00" in refused.value.why
    assert desk.reserved(40_000).allotment_id == child.pk
    with reading(desk.finance):
        nodes = queries.tree(prefix="341524", year=2021)
        total = queries.sums(nodes)
    assert [(node.row.document_no, node.depth) for node in nodes] == [("财社〔2021〕1号", 0), (ISSUED, 1)]
    assert (total.amount_fen, total.reserved_fen, total.left_fen) == (100_000, 40_000, 60_000)
    with reading(desk.meishan):
        assert [node.row.division for node in queries.tree(prefix="341524100", place=MEISHAN)] == [COUNTY, MEISHAN]
    with reading(desk.qingshan):
        assert queries.tree(prefix="341524101", place=QINGSHAN)[-1].row.division == COUNTY


def test_FUND_01_the_same_proposal_again_is_the_same_and_two_that_fit_alone_do_not_fit_together(desk: Desk) -> None:
    told = {"by": desk.finance, "on": DAY, "allotment_id": desk.allotment.pk, "target": MEISHAN, "document_no": ISSUED}
    first = propose_issue(amount_fen=100, **told)
    assert propose_issue(amount_fen=100, **told).pk == first.pk
    with pytest.raises(AllotmentDiffers):
        propose_issue(amount_fen=101, **told)
    assert decide_moves(by=desk.releaser, on=DAY, move_ids=[first.pk]) == 1
    assert decide_moves(by=desk.releaser, on=DAY, move_ids=[first.pk]) == 0
    with pytest.raises(BadInput, match="下级"):
        propose_issue(
            by=desk.finance, on=DAY, allotment_id=desk.allotment.pk, target=COUNTY, amount_fen=1, document_no="x"
        )
    moves = [
        propose_issue(
            by=desk.finance,
            on=DAY,
            allotment_id=desk.allotment.pk,
            target=MEISHAN,
            amount_fen=60_000,
            document_no=f"金财{n}",
        )
        for n in (1, 2)
    ]
    with pytest.raises(FundsExhausted):
        decide_moves(by=desk.releaser, on=DAY, move_ids=[move.pk for move in moves])
    assert where(stored(desk, desk.allotment.pk)) == (100, 0, 0, 99_900)


def test_FUND_01_a_cut_never_goes_below_what_is_bound_and_returns_what_was_issued(desk: Desk) -> None:
    child = issue(desk, 40_000)
    desk.reserved(30_000)
    cut = {"by": desk.finance, "on": DAY, "document_no": "金财社〔2021〕20号", "reason": "对象减少"}
    with pytest.raises(FundsExhausted, match="余额不够"):
        propose_cut(allotment_id=child.pk, amount_fen=10_001, **cut)
    move = propose_cut(allotment_id=child.pk, amount_fen=10_000, **cut)
    same = Actor(**{**desk.releaser.__dict__, "appointment": desk.finance.appointment})
    with pytest.raises(SamePerson):
        decide_moves(by=same, on=DAY, move_ids=[move.pk])
    decide_moves(by=desk.releaser, on=DAY, move_ids=[move.pk])
    assert where(stored(desk, child.pk)) == (0, 0, 10_000, 0)
    assert where(stored(desk, desk.allotment.pk)) == (30_000, 0, 0, 70_000)


def test_FUND_01_what_is_left_is_carried_into_the_next_year_once(desk: Desk) -> None:
    desk.reserved(60_000)
    with pytest.raises(NotInForce, match="2021"):
        propose_carries(by=desk.finance, on=DAY, allotment_ids=[desk.allotment.pk])
    with reading(desk.finance):
        assert [row.pk for row in queries.list_carriable("341524", NEXT_YEAR)] == [desk.allotment.pk]
    assert propose_carries(by=desk.finance, on=NEXT_YEAR, allotment_ids=[desk.allotment.pk]) == 1
    assert propose_carries(by=desk.finance, on=NEXT_YEAR, allotment_ids=[desk.allotment.pk]) == 0
    with reading(desk.finance):
        assert queries.list_carriable("341524", NEXT_YEAR) == []
        [move] = queries.list_moves(state="proposed")
    decide_moves(by=desk.releaser, on=NEXT_YEAR, move_ids=[move.pk])
    assert where(stored(desk, desk.allotment.pk)) == (0, 40_000, 0, 0)
    with reading(desk.finance):
        carried = Allotment.objects.get(carried_from=desk.allotment.pk)
    assert (carried.year, carried.kind, carried.amount_fen, carried.document_no) == (
        2022,
        "carried",
        40_000,
        "财社〔2021〕1号",
    )
    with pytest.raises(FundsExhausted):
        desk.reserved(1, "roster:2")
    with reading(desk.finance):
        both, new = (queries.sums(queries.tree(prefix="341524", year=year)) for year in (0, 2022))
    assert (both.amount_fen, new.amount_fen) == (100_000, 40_000), "what was carried over counts once"
    # A roster of the old year that is late is met from what was carried over, once the new year has begun.
    late = desk.applied(30_000, "roster:3")
    reserve_funding(by=desk.finance, on=NEXT_YEAR, application_ids=[late.pk])
    assert desk.stored(late).allotment_id == carried.pk and where(stored(desk, carried.pk)) == (0, 0, 0, 10_000)


def test_FUND_01_the_database_keeps_indicators_whoever_writes(desk: Desk) -> None:
    row = {
        "division": COUNTY,
        "programme": "dibao",
        "year": 2021,
        "document_no": "x",
        "amount_fen": 5,
        "received_by": 1,
        "received_on": DAY,
    }
    for more in ({"state": "in_force"}, {"parent_id": desk.allotment.pk}, {"carried_from_id": desk.allotment.pk}):
        with pytest.raises(IntegrityError, match="registered"), reading(desk.finance):
            Allotment.objects.create(**row, **more)
    for column in ("issued_fen", "carried_fen", "cut_fen", "amount_fen"):
        with pytest.raises(ProgrammingError, match="permission denied"), reading(desk.finance):
            Allotment.objects.update(**{column: 1})
    for using in ("default", "maintenance"):
        with (
            pytest.raises(IntegrityError, match="allotment_never_overspent"), transaction.atomic(using=using), reading(desk.finance),
        ):  # fmt: skip
            Allotment.objects.using(using).update(reserved_fen=100_001)
    move = propose_issue(
        by=desk.finance, on=DAY, allotment_id=desk.allotment.pk, target=MEISHAN, amount_fen=100_000, document_no=ISSUED
    )
    apply(by=desk.meishan, subject="roster:5", amount_fen=1)
    with pytest.raises(IntegrityError, match="decided before"), reading(desk.finance):
        AllotmentMove.objects.filter(pk=move.pk).update(
            state="refused", refusal="x", decided_by=desk.finance.appointment
        )
    with pytest.raises(IntegrityError, match="proposed"), reading(desk.finance):
        AllotmentMove.objects.create(
            allotment=desk.allotment, division=COUNTY, kind="cut", document_no="y", amount_fen=1, state="refused",
            refusal="x", decided_by=1, proposed_by=2, proposed_on=DAY,
        )  # fmt: skip


def test_FUND_02_a_county_pays_through_its_own_account_and_gets_back_what_is_not_used(desk: Desk) -> None:
    """FUND-02, FUND-05: 拨出专款 in the county's books, 拨入专款 in the township's, and both ways back; never more than it holds."""
    open_special_accounts(
        by=desk.finance, on=DAY, rows=[(COUNTY, "special", "金寨县惠民资金专户", "800000000009", desk.bank)]
    )
    route = propose_route(
        by=desk.finance,
        on=DAY,
        division=COUNTY,
        programme="",
        route="county",
        document_no="金财〔2021〕1号",
        valid_from=DAY,
    )
    with pytest.raises(NotYourPost):
        decide_route(by=desk.finance, on=DAY, number=route.pk)
    decide_route(by=desk.releaser, on=DAY, number=route.pk)
    application = desk.reserved(60_000)
    assert application.route == "county"
    with pytest.raises(FundsExhausted, match="存款不足"):
        transfer_funding(by=desk.releaser, on=DAY, application_ids=[application.pk])
    told = {
        "by": desk.finance,
        "on": DAY,
        "division": COUNTY,
        "programme": "dibao",
        "document_no": "金财拨〔2021〕3号",
        "reason": "三季度资金",
    }
    move = propose_money(kind="in", amount_fen=70_000, **told)
    assert propose_money(kind="in", amount_fen=70_000, **told).pk == move.pk
    with pytest.raises(MoveDiffers):
        propose_money(kind="in", amount_fen=70_001, **told)
    decide_money(by=desk.releaser, on=DAY, number=move.pk, receipt_no="H1", booked_on=DAY)
    released = transfer_funding(by=desk.releaser, on=DAY, application_ids=[application.pk])[0]
    assert desk.take(desk.answer(released)).state == "transferred"
    with reading(desk.finance):
        assert [balance_of(place, "1002", "dibao") for place in (COUNTY, MEISHAN)] == [10_000, 60_000]
        assert [balance_of(place, code, "dibao") for place, code in ((COUNTY, "5002"), (COUNTY, "3001"), (MEISHAN, "3001"))] == [
            60_000, -70_000, -60_000,
        ]  # fmt: skip
    back = propose(by=desk.meishan, on=DAY, application=released, amount_fen=20_000)
    with pytest.raises(AlreadyDone):
        propose(by=desk.meishan, on=DAY, application=released, amount_fen=1, document_no="缴 2")
    confirm_back(by=desk.finance, on=DAY + timedelta(3), number=back.pk, booked_on=DAY + timedelta(3))
    with reading(desk.finance):
        assert [balance_of(place, "1002", "dibao") for place in (COUNTY, MEISHAN)] == [30_000, 40_000]
        assert balance_of(COUNTY, "5002", "dibao") == 40_000 and recount_allotments() == []
        assert queries.get_indicator(desk.allotment.pk).left_fen == 60_000
    too_much = propose(by=desk.meishan, on=DAY, application=released, amount_fen=40_001, document_no="缴 3")
    with pytest.raises(Refusal):
        confirm_back(
            by=desk.finance, on=DAY + timedelta(3), number=too_much.pk, booked_on=DAY + timedelta(3), receipt_no="H3"
        )


@command(Post.SETTLEMENT)
def propose(
    *, by: Actor, on: date, application: FundingApplication, amount_fen: int, document_no: str = "缴 1"
) -> MoneyMove:
    """A step of payment's command; this stands for it."""
    return propose_back(
        by=by,
        on=on,
        application=application,
        amount_fen=amount_fen,
        items=[],
        document_no=document_no,
        reason="对象死亡",
    )


@command(Post.FINANCE_OFFICER)
def confirm_back(*, by: Actor, on: date, number: int, booked_on: date, receipt_no: str = "H2") -> MoneyMove:
    return confirm(by, on, lock_move(by, number, back=True), receipt_no, booked_on)
