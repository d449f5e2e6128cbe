"""The people, accounts and money of one small county, for the tests of the room funds."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from huimin.funds import commands, queries
from huimin.funds.commands import (
    open_special_accounts,
    reserve_funding,
    take_transfer_answer,
    transfer_funding,
)
from huimin.funds.indicators import decide_allotments, receive_allotment
from huimin.funds.models import Allotment, FundingApplication
from huimin.kernel.bankfile import read_format, write_file
from huimin.ledger.queries import trial_balance
from huimin.organisation.acting import Actor, command, reading
from huimin.organisation.posts import Post
from huimin.policy.models import Programme
from tests.notices.people import COUNTY, MEISHAN, QINGSHAN, People

DAY = date(2021, 9, 13)
DUE = date(2021, 9, 15)
ROOT = Path(__file__).resolve().parents[2]
TREASURY, SPECIAL, SPECIAL_2 = "900000000001", "800000000001", "800000000002"
FORM = read_format(settings.BATCH_FORMAT_FILE)


# `apply_funding` is a step of payment's command; this stands for it.
@command(Post.SETTLEMENT)
def apply(*, by: Actor, subject: str, amount_fen: int, on: date = DAY, division: str = MEISHAN) -> FundingApplication:
    return commands.apply_funding(
        by=by,
        on=on,
        division=division,
        programme="dibao",
        subject=subject,
        year=2021,
        amount_fen=amount_fen,
        due_on=DUE,
    )


class Desk:
    """The people of the room, an allotment of 1,000.00 yuan, accounts of the treasury and two townships."""

    def __init__(self, folder: Path) -> None:
        people = People()
        self.people, self.folder = people, folder
        self.finance = people.of("finance", Post.FINANCE_OFFICER)
        self.releaser = people.of("finance", Post.FINANCE_RELEASER)
        self.meishan = people.of("meishan", Post.SETTLEMENT)
        self.qingshan = people.of("qingshan", Post.SETTLEMENT)
        self.bank = people.offices["bank"].pk
        Programme.objects.using("maintenance").create(
            code="dibao", division=COUNTY, name="农村最低生活保障", abbreviation="农村低保", department="civil_affairs",
            unit="household", period="month", payout="quarter", payee="household", basis="民发〔2021〕57号",
        )  # fmt: skip
        self.accounts = [
            (COUNTY, "treasury", "金寨县财政局", TREASURY, self.bank),
            (MEISHAN, "special", "梅山镇惠民资金专户", SPECIAL, self.bank),
            (QINGSHAN, "special", "青山镇惠民资金专户", SPECIAL_2, self.bank),
        ]
        open_special_accounts(by=self.finance, on=DAY, rows=self.accounts)
        self.allotment = self.allot("财社〔2021〕1号", 100_000)

    def allot(self, document_no: str, amount_fen: int, division: str = COUNTY) -> Allotment:
        """Registered by one person, confirmed by another."""
        made = receive_allotment(
            by=self.finance, on=DAY, division=division, programme="dibao", year=2021, document_no=document_no,
            amount_fen=amount_fen,
        )  # fmt: skip
        decide_allotments(by=self.releaser, on=DAY, allotment_ids=[made.pk])
        with reading(self.finance):
            return Allotment.objects.get(pk=made.pk)

    def applied(self, amount_fen: int = 60_000, subject: str = "roster:1") -> FundingApplication:
        return apply(by=self.meishan, subject=subject, amount_fen=amount_fen)

    def reserved(self, amount_fen: int = 60_000, subject: str = "roster:1") -> FundingApplication:
        application = self.applied(amount_fen, subject)
        reserve_funding(by=self.finance, on=DAY, application_ids=[application.pk])
        return self.stored(application)

    def released(self, amount_fen: int = 60_000, subject: str = "roster:1") -> FundingApplication:
        application = self.reserved(amount_fen, subject)
        return transfer_funding(by=self.releaser, on=DAY, application_ids=[application.pk])[0]

    def stored(self, application: FundingApplication) -> FundingApplication:
        with reading(self.finance):
            return queries.get_application(application.pk)

    def answer(self, application: FundingApplication, state: str = "S", number: int = 1, **spoiled: Any) -> Path:
        """An answer file as the bank would write it."""
        amount, code = application.amount_fen, "F05" if state == "F" else ""
        row = {
            "sequence": 1, "row_id": f"A{application.pk}", "row_amount_fen": amount, "row_state": state,
            "failure_code": code, "failure_reason": "已销户" if code else "",
            "booked_on": DAY + timedelta(2) if state == "S" else None, "bank_serial": "20210915001" if state == "S" else "",
        } | {key: value for key, value in spoiled.items() if key in ("row_id", "booked_on")}  # fmt: skip
        header: dict[str, Any] = {
            "transfer_no": application.transfer_no, "answer_no": number, "business_date": DAY, "rows_count": 1,
            "amount_fen": amount, "order_sha256": application.order_sha256, "format_version": "1.0",
        } | {key: value for key, value in spoiled.items() if key in ("transfer_no", "order_sha256", "business_date")}  # fmt: skip
        for key, name in (("S", "paid"), ("F", "failed"), ("U", "pending")):
            header |= {f"{name}_count": int(state == key), f"{name}_fen": amount if state == key else 0}
        path = self.folder / f"ZJR_{header['transfer_no']}_{number}.txt"
        path.write_bytes(write_file(FORM, "transfer_answer", header, [row]))
        return path

    def take(self, path: Path) -> FundingApplication:
        return take_transfer_answer(by=self.finance, on=DAY + timedelta(2), path=path)

    def figures(self) -> tuple[int, int, int, int]:
        """(reserved, spent, received in the books, balance of 梅山's account); everything recounted."""
        with reading(self.finance):
            assert queries.recount_allotments() == [] and trial_balance("341524").difference_fen == 0
            allotments = list(queries.list_allotments())
            balance = next(each for each in queries.list_special_accounts("341524") if each.division == MEISHAN)
            return (
                sum(each.reserved_fen for each in allotments),
                sum(each.spent_fen for each in allotments),
                trial_balance("341524").balance_fen("3001"),
                balance.balance_fen,
            )
