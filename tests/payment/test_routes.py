"""FUND-05, FUND-02: the treasury pays one programme directly; money that will not be paid again goes back."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError

from huimin.database.bulk import fetch, fetch_one
from huimin.demo import dates, paying
from huimin.demo.actors import actor
from huimin.demo.bank import books, outbox, run_bank
from huimin.demo.clock import business_day
from huimin.demo.listing import rosters
from huimin.demo.paying import finance, releasers
from huimin.demo.quarter import County as Place
from huimin.funds import queries
from huimin.funds.commands import reserve_funding, transfer_funding
from huimin.funds.giving_back import MoveDiffers, decide_money, propose_money
from huimin.funds.models import Allotment, FundingApplication, FundSettlement, MoneyMove, PayRoute, SpecialAccount
from huimin.funds.routes import decide_route, propose_route, route_of
from huimin.kernel.errors import BadInput
from huimin.kernel.money import yuan
from huimin.kernel.periods import quarter
from huimin.ledger.models import Voucher
from huimin.ledger.queries import account_balances, balance_of, trial_balance
from huimin.organisation.acting import AlreadyDone, NotYourPost, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.back_queries import list_givable, list_lying
from huimin.payment.commands import (
    apply_for_funds,
    confirm_giving_back,
    prepare_batch,
    propose_giving_back,
    reissue_returned,
    release_batch,
    write_batch_files,
)
from huimin.payment.commands.dues import NothingOwed
from huimin.payment.commands.matching import copy_answer
from huimin.payment.commands.statements import leave_out_known
from huimin.payment.commands.states import WrongState
from huimin.payment.models import Due, Roster
from huimin.payment.quarter_proof import prove_quarter
from huimin.payment.settlement import NoSuchSettlement, NotOver, confirm_settlement, prepare_settlement, rows_of
from huimin.payment.timetable import timetable
from tests.papers.conftest import texts
from tests.stages import PEOPLE, SEED, Stages
from tests.workbench.people import client_of

COUNTY = "341524000000"
DIRECT = "dibao-rural"


def releaser():
    return finance(Post.FINANCE_RELEASER)


def set_route(programme: str, route: str = "direct", division: str = COUNTY, since: date = dates.ALLOTTED) -> PayRoute:
    row = propose_route(
        by=finance(),
        on=dates.ALLOTTED,
        division=division,
        programme=programme,
        route=route,
        document_no="金财库〔2021〕2号",
        valid_from=since,
    )
    return decide_route(by=releaser(), on=dates.ALLOTTED, number=row.pk)


def all_zero() -> None:
    with reading(finance()):
        assert queries.recount_allotments() == [] and trial_balance("341524").difference_fen == 0
        assert prove_quarter("341524", 2021, 3).count == 0


def test_FUND_05_one_programme_is_paid_by_the_treasury_directly(county, stages: Stages, tmp_path: Path) -> None:
    county("confirmed")
    place = Place(people=PEOPLE, seed=SEED, home=stages.files("confirmed", tmp_path / "county"))
    paying._open_accounts(place)
    told = {"by": finance(), "on": dates.ALLOTTED, "division": COUNTY, "document_no": "x", "valid_from": dates.ALLOTTED}
    for wrong in ({"route": "cash"}, {"document_no": " "}, {"valid_from": date(2020, 1, 1)}, {"programme": "nothing"}):
        with pytest.raises(BadInput):
            propose_route(**told | {"programme": DIRECT, "route": "direct"} | wrong)
    row = set_route(DIRECT)
    set_route("", "treasury")
    with pytest.raises(IntegrityError, match="decided before"), reading(finance()):
        PayRoute.objects.filter(pk=row.pk).update(state="refused", refusal="x")
    paying._receive_allotments(place)
    direct = max((r for r in rosters(Roster.State.CONFIRMED) if r.programme == DIRECT), key=lambda r: r.lines_count)
    other = next(r for r in rosters(Roster.State.CONFIRMED) if r.programme != DIRECT)
    with reading(finance()):
        assert route_of(direct.division, DIRECT, dates.APPLIED) == "direct"
        assert (
            route_of(direct.division, DIRECT, date(2021, 7, 1))
            == route_of(COUNTY, "other", dates.APPLIED)
            == "treasury"
        )
    made = [
        apply_for_funds(by=actor(Post.SETTLEMENT, each.division), on=dates.APPLIED, roster_id=each.pk)
        for each in (direct, other)
    ]
    ids = [each.pk for each in made]
    reserve_funding(by=finance(), on=dates.RESERVED, application_ids=ids)
    with pytest.raises(WrongState, match="资金还没有到"):
        prepare_batch(by=actor(Post.SETTLEMENT, direct.division), on=dates.PREPARED, roster_id=direct.pk)
    first, second = transfer_funding(by=releaser(), on=dates.TRANSFERRED, application_ids=ids)
    assert (first.state, first.state_words, first.order_sha256, first.payer_id) == (
        "transferred",
        "已授权支付",
        "",
        None,
    )
    assert first.transfer_no.startswith("SQ") and (second.state, second.transfer_no[:2]) == ("reserved", "ZJ")
    with pytest.raises(IntegrityError, match="application_ordered_unless_direct"), reading(finance()):
        FundingApplication.objects.filter(pk=first.pk).update(order_sha256="0" * 64)
    batch = prepare_batch(by=actor(Post.SETTLEMENT, direct.division), on=dates.PREPARED, roster_id=direct.pk)
    release_batch(by=releasers()[1], on=dates.RELEASED, batch_id=batch.pk)
    write_batch_files(by=releasers()[1], on=dates.RELEASED, folder=outbox(place))
    run_bank(place, dates.RELEASED)
    paying.take_answers(place, dates.RESULTS)
    with reading(finance()):
        assert batch.payer.kind == "treasury" and not list(outbox(place).glob("ZJ_*.txt"))
        events = dict(
            fetch(
                "SELECT v.event, sum(l.amount_fen)::bigint FROM ledger_voucher v"
                " JOIN ledger_ledgerline l ON l.voucher_id = v.id GROUP BY 1"
            )
        )
        paid, returned, waiting = fetch_one(
            "SELECT coalesce(sum(amount_fen) FILTER (WHERE state = 'paid'), 0)::bigint,"
            " coalesce(sum(amount_fen) FILTER (WHERE state = 'returned'), 0)::bigint,"
            " coalesce(sum(amount_fen) FILTER (WHERE state IN ('sent', 'unknown')), 0)::bigint"
            " FROM payment_rosterline WHERE roster_id = %s",
            [direct.pk],
        )
        assert balance_of(direct.division, "1002", DIRECT) == 0
        assert -balance_of(direct.division, "3001", DIRECT) == paid + waiting
    assert set(events) <= {"sent_direct", "paid", "returned_direct"} and events["paid"] == paid > 0
    assert events.get("returned_direct", 0) == returned and events["sent_direct"] == first.amount_fen
    assert all(account["balance_fen"] == 0 for account in books(place)["special_accounts"])
    all_zero()


@pytest.fixture
def returned(county) -> tuple[int, list[int], str]:
    """An application of the answered county with lines that came back, and their township."""
    county("answered")
    with reading(finance()):
        found = max(list_givable("341524"), key=lambda each: each.lines)
        lines = [each.line for each in list_lying("341524", found.application)]
    return found.application, lines, found.division


def test_FUND_02_money_that_will_not_be_paid_again_goes_back_to_its_indicator(returned) -> None:
    number, lines, township = returned
    by, on = actor(Post.SETTLEMENT, township), dates.CORRECTED
    told = {"application_id": number, "document_no": "缴款书 001", "reason": "对象死亡，户内无人"}
    with pytest.raises(BadInput):
        propose_giving_back(by=by, on=on, line_ids=[], **told)
    with pytest.raises(WrongState):
        propose_giving_back(by=by, on=on, line_ids=[*lines, 10**9], **told)
    with pytest.raises(NotYourPost):
        propose_giving_back(by=finance(), on=on, line_ids=lines, **told)
    move = propose_giving_back(by=by, on=on, line_ids=lines[:1], **told)
    assert propose_giving_back(by=by, on=on, line_ids=lines[:1], **told).pk == move.pk
    if len(lines) > 1:
        with pytest.raises((MoveDiffers, AlreadyDone)):
            propose_giving_back(by=by, on=on, line_ids=lines, **told)
    with reading(finance()):
        before = Allotment.objects.get(fundingapplication=number)
        held = balance_of(township, "1002", before.programme)
    with pytest.raises(BadInput, match="银行回单"):
        confirm_giving_back(by=finance(), on=on, number=move.pk)
    with pytest.raises(BadInput, match="入账日期"):
        confirm_giving_back(by=finance(), on=on, number=move.pk, receipt_no="H001", booked_on=date(2021, 1, 1))
    other = finance()
    with pytest.raises(IntegrityError, match="money_move_decided"), reading(other):
        MoneyMove.objects.filter(pk=move.pk).update(state="confirmed", decided_by=other.appointment)
    done = confirm_giving_back(by=finance(), on=on, number=move.pk, receipt_no="H001", booked_on=on)
    assert (done.state, done.receipt_no) == ("confirmed", "H001")
    with reading(finance()):
        after = Allotment.objects.get(pk=before.pk)
        assert (after.spent_fen, after.left_fen) == (
            before.spent_fen - move.amount_fen,
            before.left_fen + move.amount_fen,
        )
        assert balance_of(township, "1002", before.programme) == held - move.amount_fen
        assert FundingApplication.objects.get(pk=number).returned_fen == move.amount_fen
        assert Voucher.objects.get(subject=f"money:{move.pk}").event == "returned_up"
        assert set(Due.objects.filter(line_dues__line=lines[0]).values_list("state", flat=True)) == {"withdrawn"}
        assert lines[0] not in [each.line for each in list_lying("341524", number)]
        roster = fetch_one("SELECT roster_id FROM payment_rosterline WHERE id = %s", [lines[0]])[0]
    with pytest.raises(WrongState):
        propose_giving_back(by=by, on=on, line_ids=lines[:1], **told | {"document_no": "缴款书 002"})
    with pytest.raises((NothingOwed, WrongState)):
        reissue_returned(by=by, on=dates.REISSUED, roster_id=roster)
    all_zero()
    known_on_a_statement(done)
    settle(move)


def known_on_a_statement(move: MoneyMove) -> None:
    """FUND-04: the entry of a 缴回 on the bank's statement is explained by its receipt; another amount is not."""
    plain = {"row_state": "S", "failure_reason": "缴回", "bank_serial": "H001"}
    rows = [plain | {"row_amount_fen": fen} for fen in (move.amount_fen, move.amount_fen + 1)]
    with reading(finance()):
        account = SpecialAccount.objects.get(division=move.division, kind="special")
        copy_answer([rows])
        leave_out_known(account)
        assert fetch("SELECT amount_fen FROM answer") == [(move.amount_fen + 1,)]


def settle(move: MoneyMove) -> None:
    """FUND-04: the quarter's settlement says what the books say, is signed by two, and not once more."""
    with pytest.raises(NotOver):
        prepare_settlement(by=finance(), on=dates.CORRECTED, year=2021, number=3)
    made = prepare_settlement(by=finance(), on=dates.BOOKED, year=2021, number=3)
    with pytest.raises(AlreadyDone):
        prepare_settlement(by=finance(), on=dates.BOOKED, year=2021, number=3)
    with reading(finance()):
        held = sum(row.balance_fen for code in ("1002", "1003") for row in account_balances("341524", code=code))
        paid = fetch_one("SELECT sum(amount_fen)::bigint FROM payment_instruction WHERE state = 'paid'")[0]
        [mine] = [row for row in rows_of(made) if row.returned_fen]
    assert (made.spent_fen, made.returned_fen, made.lying_fen) == (paid, move.amount_fen, held)
    assert mine.returned_fen == move.amount_fen and mine.programme == move.programme
    with pytest.raises(NotYourPost):
        confirm_settlement(by=finance(), on=dates.BOOKED, number=made.pk)
    business_day(dates.BOOKED)
    desk = client_of(Post.FINANCE_OFFICER, OfficeKind.FINANCE)
    shown = desk.get("/settlements/?period=2021Q3").content.decode()
    assert f"已由{finance().title} {dates.BOOKED} 编制签字，等复核" in shown and "编制并签字" not in shown
    assert f'href="/settlements/{made.pk}/"' in shown and ">合计<" in shown
    signed = confirm_settlement(by=releaser(), on=dates.BOOKED, number=made.pk)
    assert f"{releaser().title} {dates.BOOKED} 复核签字" in desk.get("/settlements/?period=2021Q3").content.decode()
    assert signed.confirmed_on == dates.BOOKED and signed.confirmation is not None
    with pytest.raises(NoSuchSettlement):
        confirm_settlement(by=releaser(), on=dates.BOOKED, number=made.pk)
    paper = desk.get(f"/settlements/{made.pk}/?print=pdf")
    said = "".join(texts(b"".join(paper))).replace("\n", "").replace(" ", "")
    page = desk.get(f"/settlements/{made.pk}/").content.decode()
    for who, act in ((finance(), "编制结算单"), (releaser(), "复核结算单")):
        assert f"{act}：{who.title}，{dates.BOOKED} 签字（记录于 " in page
        assert f"{act}：{who.title}，{dates.BOOKED}签字（记录于".replace(" ", "") in said
    assert said.count(made.digest) == 2 and "单位负责人：" in said and "复核：" not in said
    other = releaser()
    with pytest.raises(IntegrityError, match="confirmed before"), reading(other):
        FundSettlement.objects.filter(pk=made.pk).update(confirmed_on=dates.CORRECTED)


def test_FUND_02_into_a_county_account_and_up_again_by_two_people(returned) -> None:
    """FUND-02, FUND-03: what a place does not hold cannot go up; what comes in is the county's; lateness is counted."""
    number, _, township = returned
    with reading(finance()):
        programme = FundingApplication.objects.get(pk=number).programme
    told = {"by": finance(), "on": dates.CORRECTED, "programme": programme, "reason": "年度结余"}
    with pytest.raises(BadInput, match="没有惠民资金专户"):
        propose_money(division=COUNTY, kind="in", amount_fen=5, document_no="a", **told)
    with reading(finance()):
        held = balance_of(township, "1002", programme)
    with pytest.raises(BadInput, match=f"^金额：要 {yuan(held + 1)} 元，专户里还剩 {yuan(held)} 元"):
        propose_money(division=township, kind="up", amount_fen=held + 1, document_no="b", **told)
    with pytest.raises(BadInput, match=r"应缴利息还剩 0\.00 元"):
        propose_money(division=township, kind="interest", amount_fen=1, document_no="i", **told | {"programme": ""})
    first, move = (
        propose_money(division=township, kind="up", amount_fen=fen, document_no=f"b{fen}", **told) for fen in (1, held)
    )
    slip = {"on": dates.BOOKED, "receipt_no": "H2", "booked_on": dates.BOOKED}
    with pytest.raises(NotYourPost):
        decide_money(by=finance(), number=first.pk, **slip)
    early, late = dates.CORRECTED - timedelta(days=1), dates.BOOKED + timedelta(days=1)
    for wrong, why in ((early, f"{dates.CORRECTED} 才提出"), (late, "还没有到")):
        with pytest.raises(BadInput, match=f"^入账日期：.*{why}"):
            decide_money(by=releaser(), number=first.pk, **slip | {"booked_on": wrong})
    assert decide_money(by=releaser(), number=first.pk, **slip).state == "confirmed"
    assert propose_money(division=township, kind="up", amount_fen=1, document_no="b1", **told).pk == first.pk
    with pytest.raises(BadInput, match=f"要 {yuan(held)} 元，专户里还剩 {yuan(held - 1)} 元"):
        decide_money(by=releaser(), number=move.pk, **slip | {"receipt_no": "H3"})
    assert decide_money(by=releaser(), on=dates.CORRECTED, number=move.pk, refusal="金额不对").state == "refused"
    with reading(finance()):
        steps = timetable("341524", quarter(2021, 3), dates.CORRECTED)
        expected = timetable("341524", quarter(2021, 4), date(2021, 12, 20))
    assert {step.key for step in steps} == {"publish", "apply", "transfer", "bank"}
    assert {step.standing for step in steps} >= {"done"} and all(step.office for step in steps)
    late = [step for step in expected if step.key == "apply"]
    assert late and {(step.roster, step.due, step.days, step.standing) for step in late} == {
        (0, date(2021, 12, 15), 5, "late")
    }
