"""FUND-01 to FUND-03: money within its allotment, under four eyes, to the township's account and into its books."""

import csv
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, connections
from django.test.utils import CaptureQueriesContext

from huimin.audit.models import Signature
from huimin.funds import queries
from huimin.funds.commands import (
    AccountDiffers,
    NoSuchApplication,
    WrongState,
    open_special_accounts,
    reserve_funding,
    take_transfer_answer,
    transfer_funding,
    withdraw_application,
    write_transfer_orders,
)
from huimin.funds.indicators import AllotmentDiffers, FundsExhausted, receive_allotment
from huimin.funds.models import Allotment, FundingApplication, SpecialAccount
from huimin.funds.orders import NoProgramme, NoSpecialAccount, OrderChanged
from huimin.kernel.bankfile import parse_file, write_file
from huimin.kernel.errors import BadInput, Refusal
from huimin.ledger.models import LedgerLine, Voucher
from huimin.organisation.acting import Actor, AlreadyDone, NotYourPlace, NotYourPost, SamePerson, reading
from huimin.organisation.posts import Post
from huimin.policy.models import Programme
from tests.funds.desk import DAY, DUE, FORM, ROOT, SPECIAL, TREASURY, Desk, apply
from tests.notices.people import COUNTY, MEISHAN, QINGSHAN


@pytest.fixture
def desk(county: Callable[[str], str], tmp_path: Path) -> Desk:
    county("blank")
    return Desk(tmp_path)


def test_FUND_03_the_whole_way_with_the_bank_as_a_program(desk: Desk, tmp_path: Path) -> None:
    application = desk.released()
    inbox, outbox = tmp_path / "in", tmp_path / "out"
    [order] = write_transfer_orders(by=desk.releaser, on=DAY, folder=inbox)
    with (tmp_path / "accounts.csv").open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["account", "name", "id_number", "kind", "state", "opening_fen"])
        out.writerow([TREASURY, "金寨县财政局", "", "treasury", "", 10**9])
        out.writerow([SPECIAL, "梅山镇惠民资金专户", "", "special", "", ""])
    run = [sys.executable, "-m", "bank_simulator", "--home", str(tmp_path / "bank")]
    subprocess.run([*run, "open-accounts", str(tmp_path / "accounts.csv")], cwd=ROOT, check=True, capture_output=True)
    subprocess.run(
        [*run, "run", "--inbox", str(inbox), "--outbox", str(outbox), "--date", "2021-09-14"],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    [back] = outbox.iterdir()
    done = desk.take(back)
    assert (order.name, back.name) == (f"ZJ_{application.transfer_no}.txt", f"ZJR_{application.transfer_no}_1.txt")
    assert (done.state, done.transferred_on, done.transfer_no) == (
        "transferred",
        date(2021, 9, 14),
        application.transfer_no,
    )
    assert desk.figures() == (0, 60_000, 60_000, 60_000)
    assert desk.take(back).state == "transferred"
    assert desk.figures() == (0, 60_000, 60_000, 60_000)
    with reading(desk.finance):
        voucher = Voucher.objects.get()
        assert (voucher.event, voucher.division, voucher.subject) == (
            "funds_received", MEISHAN, f"application:{application.pk}",
        )  # fmt: skip


def test_FUND_02_accounts_are_opened_once_and_kept_encrypted(desk: Desk) -> None:
    assert open_special_accounts(by=desk.finance, on=DAY, rows=desk.accounts) == 0
    with reading(desk.meishan):
        seen = {account.division: account for account in SpecialAccount.objects.all()}
    assert set(seen) == {COUNTY, MEISHAN}  # its own and the treasury above it, not the neighbour's
    stored = seen[MEISHAN]
    assert stored.account_tail == "0001" and SPECIAL.encode() not in bytes(stored.account_enc)
    with reading(desk.finance):
        assert [(each.division, each.balance_fen) for each in queries.list_special_accounts("341524")] == [
            (MEISHAN, 0), (QINGSHAN, 0),
        ]  # fmt: skip


def test_FUND_02_another_account_or_a_wrong_one_is_refused_whole(desk: Desk) -> None:
    for rows, kind in (
        ([(MEISHAN, "special", "梅山镇惠民资金专户", "800000000009", desk.bank)], AccountDiffers),
        ([(COUNTY, "special", "县专户", SPECIAL, desk.bank)], AccountDiffers),
        ([(COUNTY, "special", "县专户", "80-1", desk.bank)], BadInput),
        ([(COUNTY, "special", "县专户", "800000000009", desk.people.offices["finance"].pk)], BadInput),
        ([(COUNTY, "pocket", "县专户", "800000000009", desk.bank)], BadInput),
        ([(COUNTY, "special", "县专户", "800000000009", desk.bank), ("341525100000", "special", "邻县", "7" * 12, 1)],
         NotYourPlace),
    ):  # fmt: skip
        with pytest.raises(kind) as refused:
            open_special_accounts(by=desk.finance, on=DAY, rows=rows)
        assert SPECIAL not in str(refused.value) and "800000000009" not in str(refused.value)
    with pytest.raises(NotYourPost):
        open_special_accounts(by=desk.meishan, on=DAY, rows=desk.accounts)
    with reading(desk.finance):
        assert SpecialAccount.objects.count() == 3


def test_FUND_01_an_allotment_is_registered_once_by_its_document(desk: Desk) -> None:
    assert desk.allot("财社〔2021〕1号", 100_000).pk == desk.allotment.pk
    with pytest.raises(AllotmentDiffers, match=r"1,000\.00"):
        desk.allot("财社〔2021〕1号", 100_001)
    with pytest.raises(AllotmentDiffers, match="性质"):
        receive_allotment(
            by=desk.finance, on=DAY, division=COUNTY, programme="dibao", year=2021, document_no="财社〔2021〕1号",
            amount_fen=100_000, kind="added",
        )  # fmt: skip
    for document_no, amount in (("  ", 5), ("财社〔2021〕2号", 0)):
        with pytest.raises(BadInput):
            desk.allot(document_no, amount)
    with pytest.raises(NotYourPlace):
        desk.allot("财社〔2021〕2号", 5, division="341525000000")
    with reading(desk.meishan):
        assert [each.left_fen for each in queries.list_allotments(programme="dibao", year=2021)] == [100_000]


def test_FUND_01_reserving_sets_money_aside_and_dates_the_transfer(desk: Desk) -> None:
    application = desk.reserved()
    assert (application.state, application.transfer_due_on) == ("reserved", DAY + timedelta(days=5))
    assert application.allotment_id == desk.allotment.pk and application.is_releasable
    assert reserve_funding(by=desk.finance, on=DAY, application_ids=[application.pk]) == 0
    assert desk.figures() == (60_000, 0, 0, 0)
    with reading(desk.finance):
        assert queries.left_fen("341524", "dibao", 2021) == 40_000


def test_FUND_01_more_than_the_allotment_is_refused_whole(desk: Desk) -> None:
    first, second = desk.applied(60_000, "roster:1"), desk.applied(40_001, "roster:2")
    with pytest.raises(FundsExhausted) as refused:
        reserve_funding(by=desk.finance, on=DAY, application_ids=[first.pk, second.pk])
    assert "400.01" in refused.value.why and "400.00" in refused.value.why
    assert desk.figures() == (0, 0, 0, 0)
    assert {desk.stored(each).state for each in (first, second)} == {"applied"}
    desk.allot("财社〔2021〕9号", 40_001)
    assert reserve_funding(by=desk.finance, on=DAY, application_ids=[first.pk, second.pk]) == 2


def test_FUND_01_the_nearest_place_is_met_from_first_and_no_amount_is_split(desk: Desk) -> None:
    own = desk.allot("金财〔2021〕3号", 50_000, division=MEISHAN)
    assert desk.reserved(50_000, "roster:1").allotment_id == own.pk
    assert desk.reserved(70_000, "roster:2").allotment_id == desk.allotment.pk
    desk.allot("财社〔2021〕4号", 20_000)
    with pytest.raises(FundsExhausted, match="没有一份文件的余额够一笔"):
        desk.reserved(40_000, "roster:3")
    with pytest.raises(FundsExhausted):
        reserve_funding(
            by=desk.finance, on=DAY,
            application_ids=[apply(by=desk.qingshan, subject="roster:4", amount_fen=30_001, division=QINGSHAN).pk],
        )  # fmt: skip


def test_FUND_01_two_officers_at_once_never_overspend(desk: Desk) -> None:
    waiting = [desk.applied(60_000, f"roster:{n}") for n in (1, 2)]
    officers = [desk.people.of("finance", Post.FINANCE_OFFICER, n) for n in (1, 2)]
    outcome: list[Any] = []

    def run(by: Actor, application: FundingApplication) -> None:
        try:
            outcome.append(reserve_funding(by=by, on=DAY, application_ids=[application.pk]))
        except Refusal as refusal:
            outcome.append(type(refusal))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in zip(officers, waiting, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome, key=str) == [1, FundsExhausted]
    assert desk.figures() == (60_000, 0, 0, 0)


def test_FUND_01_the_database_refuses_overspending_by_itself(desk: Desk) -> None:
    with pytest.raises(IntegrityError, match="allotment_never_overspent"), reading(desk.finance):
        Allotment.objects.update(reserved_fen=100_001)
    with pytest.raises(ProgrammingError, match="permission denied"), reading(desk.finance):
        Allotment.objects.update(amount_fen=10**9)
    with pytest.raises(ProgrammingError, match="permission denied"), reading(desk.finance):
        connection.cursor().execute("UPDATE funds_fundingapplication SET amount_fen = 1")


def test_FUND_03_a_late_application_is_flagged_not_refused(desk: Desk) -> None:
    in_time = desk.applied(1, "roster:1")
    late = apply(by=desk.meishan, subject="roster:2", amount_fen=1, on=DUE + timedelta(days=1))
    assert (in_time.is_applied_late, late.is_applied_late) == (False, True)
    reserve_funding(by=desk.finance, on=DUE, application_ids=[late.pk])
    late = desk.stored(late)
    assert [late.is_transfer_late(DUE + timedelta(days=n)) for n in (5, 6)] == [False, True]


def test_FUND_03_one_live_application_a_subject(desk: Desk) -> None:
    first = desk.applied()
    with pytest.raises(AlreadyDone):
        desk.applied()
    assert withdraw_application(by=desk.meishan, on=DAY, application_id=first.pk).state == "withdrawn"
    assert withdraw_application(by=desk.meishan, on=DAY + timedelta(1), application_id=first.pk).withdrawn_on == DAY
    second = desk.applied()
    with reading(desk.meishan):
        found = queries.find_application("roster:1")
    assert found is not None and found.pk == second.pk != first.pk
    with pytest.raises(WrongState):
        reserve_funding(by=desk.finance, on=DAY, application_ids=[first.pk])


def test_FUND_03_withdrawing_is_refused_for_post_place_and_state(desk: Desk) -> None:
    application = desk.reserved()
    with pytest.raises(WrongState, match="不能撤回"):
        withdraw_application(by=desk.meishan, on=DAY, application_id=application.pk)
    with pytest.raises(NoSuchApplication):
        withdraw_application(by=desk.qingshan, on=DAY, application_id=application.pk)
    with pytest.raises(NotYourPost):
        withdraw_application(by=desk.finance, on=DAY, application_id=application.pk)


def test_SEC_03_no_application_for_another_place(desk: Desk) -> None:
    with pytest.raises(NotYourPlace):
        apply(by=desk.qingshan, subject="roster:1", amount_fen=5, division=MEISHAN)
    desk.applied()
    with reading(desk.qingshan):
        assert list(queries.list_applications()) == []


def test_PAY_03_reserving_and_releasing_are_two_posts_and_two_people(desk: Desk) -> None:
    application = desk.applied()
    with pytest.raises(NotYourPost):
        reserve_funding(by=desk.releaser, on=DAY, application_ids=[application.pk])
    with pytest.raises(WrongState, match="已申请"):
        transfer_funding(by=desk.releaser, on=DAY, application_ids=[application.pk])
    reserve_funding(by=desk.finance, on=DAY, application_ids=[application.pk])
    with pytest.raises(NotYourPost):
        transfer_funding(by=desk.finance, on=DAY, application_ids=[application.pk])
    same_person = Actor(**{**desk.releaser.__dict__, "appointment": desk.finance.appointment})
    with pytest.raises(SamePerson):
        transfer_funding(by=same_person, on=DAY, application_ids=[application.pk])
    with pytest.raises(IntegrityError, match="transfer_released_by_another"):
        FundingApplication.objects.using("maintenance").update(
            transfer_no="ZJ1", order_sha256="0", released_by=desk.finance.appointment, released_on=DAY,
            signature=Signature.objects.using("maintenance").create(
                division=COUNTY, act="x", subject="x", content_digest="x", appointment=1, signer="x", business_date=DAY
            ),
        )  # fmt: skip
    with pytest.raises(NoSuchApplication):
        transfer_funding(by=desk.releaser, on=DAY, application_ids=[application.pk, 999])


def test_FUND_03_a_release_is_numbered_signed_and_made_once(desk: Desk) -> None:
    first, second = desk.reserved(10_000, "roster:1"), desk.reserved(20_000, "roster:2")
    numbers = [
        each.transfer_no for each in transfer_funding(by=desk.releaser, on=DAY, application_ids=[first.pk, second.pk])
    ]
    assert len(set(numbers)) == 2 and all(number.startswith("ZJ34152420210913") for number in numbers)
    again = transfer_funding(by=desk.releaser, on=DAY + timedelta(1), application_ids=[first.pk, second.pk])
    assert [each.transfer_no for each in again] == numbers
    with reading(desk.finance):
        signature = Signature.objects.get(subject=f"transfer:{numbers[0]}")
        assert signature.appointment == desk.releaser.appointment
        assert {each.signature_id for each in queries.list_applications(state="reserved")} == {signature.pk}
        assert list(queries.list_applications(releasable=True)) == []
    assert desk.figures() == (30_000, 0, 0, 0)


def test_FUND_03_many_applications_take_as_many_queries_as_one(desk: Desk) -> None:
    ids = [desk.applied(100, f"roster:{n}").pk for n in range(60)]
    with CaptureQueriesContext(connection) as asked:
        assert reserve_funding(by=desk.finance, on=DAY, application_ids=ids) == 60
    assert len(asked) <= 10
    with CaptureQueriesContext(connection) as asked:
        transfer_funding(by=desk.releaser, on=DAY, application_ids=ids)
    assert len(asked) <= 14
    with reading(desk.finance):
        page = queries.list_applications(size=25)
        paged = list(page)
        while page.next:
            page = queries.list_applications(size=25, place=page.next)
            paged += page
        assert sorted(each.pk for each in paged) == ids
        assert queries.count_applications(state="reserved") == 60


def test_FUND_03_orders_are_the_same_bytes_however_often(desk: Desk, tmp_path: Path) -> None:
    application = desk.released()
    folder = tmp_path / "out"
    [path] = write_transfer_orders(by=desk.releaser, on=DAY, folder=folder)
    data = path.read_bytes()
    parsed = parse_file(FORM, "transfer", data, path.name)
    assert parsed.header["payer_account"] == TREASURY and parsed.header["programme_short"] == "农村低保"
    assert parsed.rows == [
        {"sequence": 1, "account": SPECIAL, "name": "梅山镇惠民资金专户", "row_amount_fen": 60_000,
         "purpose": "2021年农村低保资金", "row_id": f"A{application.pk}"}
    ]  # fmt: skip
    assert path.stat().st_mode & 0o077 == 0
    path.write_bytes(data[:20])  # a write that was cut by a crash
    write_transfer_orders(by=desk.finance, on=DAY + timedelta(1), folder=folder)
    assert path.read_bytes() == data and list(folder.iterdir()) == [path]
    desk.take(desk.answer(application))
    assert write_transfer_orders(by=desk.finance, on=DAY, folder=folder) == []
    with pytest.raises(NotYourPost):
        write_transfer_orders(by=desk.meishan, on=DAY, folder=folder)


def test_FUND_03_an_order_that_would_differ_from_the_released_one_is_not_written(desk: Desk, tmp_path: Path) -> None:
    desk.released()
    Programme.objects.using("maintenance").update(abbreviation="低保")
    with pytest.raises(OrderChanged):
        write_transfer_orders(by=desk.releaser, on=DAY, folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_FUND_03_no_release_without_accounts_or_programme(desk: Desk) -> None:
    application = desk.reserved()
    Programme.objects.using("maintenance").all().delete()
    with pytest.raises(NoProgramme):
        transfer_funding(by=desk.releaser, on=DAY, application_ids=[application.pk])
    SpecialAccount.objects.using("maintenance").filter(division=MEISHAN).delete()
    with pytest.raises(NoSpecialAccount, match="梅山镇没有登记"):
        transfer_funding(by=desk.releaser, on=DAY, application_ids=[application.pk])
    assert desk.stored(application).transfer_no == ""


def test_FUND_03_an_answer_is_taken_once_whatever_is_repeated(desk: Desk) -> None:
    application = desk.released()
    desk.take(desk.answer(application, "U", 1))
    assert desk.stored(application).state == "reserved" and desk.figures() == (60_000, 0, 0, 0)
    for number, known in ((2, False), (2, True), (3, True)):
        taken = desk.take(desk.answer(application, "S", number))
        assert (taken.transferred_on, taken.taken_before) == (DAY + timedelta(2), known)
    assert desk.take(desk.answer(application, "U", 1)).taken_before
    with pytest.raises(BadInput, match="以后"):
        desk.take(desk.answer(application, "S", 5, business_date=date(2029, 12, 31)))
    with pytest.raises(BadInput, match="先前的回盘是“2021-09-15 入账”"):
        desk.take(desk.answer(application, "S", 5, booked_on=DAY))
    assert desk.figures() == (0, 60_000, 60_000, 60_000)
    with pytest.raises(BadInput, match="先前的回盘"):
        desk.take(desk.answer(application, "F", 4))
    with pytest.raises(NotYourPost):
        take_transfer_answer(by=desk.releaser, on=DAY, path=desk.answer(application))


def test_FUND_03_a_refused_transfer_is_released_anew_under_another_number(desk: Desk) -> None:
    application = desk.released()
    refused = desk.answer(application, "F")
    for known in (False, True):
        taken = desk.take(refused)
        assert (taken.refusal, taken.taken_before) == ("F05 已销户", known)
    with pytest.raises(BadInput, match="先前的回盘"):
        desk.take(desk.answer(application, "S", 2))
    late = desk.answer(application, "S", 3)
    with reading(desk.finance):
        assert [each.pk for each in queries.list_applications(releasable=True)] == [application.pk]
    [again] = transfer_funding(by=desk.releaser, on=DAY, application_ids=[application.pk])
    assert again.transfer_no != application.transfer_no and again.refusal == ""
    for stale in (refused, late):
        with pytest.raises(BadInput, match="没有划款单"):
            desk.take(stale)
    desk.take(desk.answer(again))
    assert desk.figures() == (0, 60_000, 60_000, 60_000)


def test_FUND_03_a_refusal_of_the_whole_order_is_kept(desk: Desk) -> None:
    application = desk.released()
    header = {
        "transfer_no": application.transfer_no, "refusal_no": 1, "business_date": DAY, "refusal_code": "X06",
        "refusal_reason": "付款账户余额不足", "refusal_detail": "", "line_no": 1,
        "order_sha256": application.order_sha256, "format_version": "1.0",
    }  # fmt: skip
    path = desk.folder / f"ZJX_{application.transfer_no}_1.txt"
    path.write_bytes(write_file(FORM, "transfer_refusal", header))
    assert desk.take(path).refusal == "X06 付款账户余额不足"
    assert desk.stored(application).is_releasable and desk.figures() == (60_000, 0, 0, 0)


def test_FUND_03_wrong_foreign_and_cut_answers_change_nothing(desk: Desk) -> None:
    application = desk.released()
    good = desk.answer(application)
    data = good.read_bytes()
    cut, altered = desk.folder / good.name.replace("_1", "_2"), desk.folder / good.name.replace("_1", "_3")
    cut.write_bytes(data[: len(data) // 2])
    altered.write_bytes(data.replace(b"60000", b"60001"))
    renamed = desk.folder / "ZJR_ZJ9_1.txt"
    renamed.write_bytes(data)
    for path in (
        cut, altered, renamed, desk.folder / "ZJR_missing_1.txt", desk.folder / "DFR_x_1.txt",
        desk.answer(application, number=5, transfer_no="ZJ341524209901010001"),
        desk.answer(application, number=6, order_sha256="0" * 64),
        desk.answer(application, number=7, row_id="A999"),
        desk.answer(application, number=8, booked_on=None),
    ):  # fmt: skip
        with pytest.raises(BadInput) as refused:
            desk.take(path)
        assert path.name in refused.value.where and refused.value.remedy
    assert desk.figures() == (60_000, 0, 0, 0) and desk.stored(application).refusal == ""
    desk.take(good)
    assert desk.figures() == (0, 60_000, 60_000, 60_000)


def test_FUND_02_money_enters_by_transfers_only(desk: Desk) -> None:
    """After transfers the books hold one kind of movement into 1002, each naming its application."""
    for n in (1, 2):
        desk.take(desk.answer(desk.released(10_000, f"roster:{n}")))
    with reading(desk.finance):
        lines = LedgerLine.objects.select_related("debit", "credit", "voucher")
        assert {(line.debit.code, line.credit.code, line.voucher.event) for line in lines} == {
            ("1002", "3001", "funds_received")
        }
        assert {line.reference for line in lines} == {each.transfer_no for each in queries.list_applications()}
