"""A quarter carried from what is owed to closed books over the site's pages, by people who are never sure what happened.

Every act is asked for until the lists say that it is done: a form whose answer did not come is sent again, sometimes
as the browser does it (the same page), sometimes anew; a job that failed is asked for again. The bank is its simulator.
"""

import http.client
import random
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import asyncssh
from django.db import InterfaceError, OperationalError, connections
from django.urls import reverse

from huimin.database.bulk import fetch
from huimin.database.personal import ACCOUNT, plain
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.bank import answers, bank, books, inbox, outbox
from huimin.demo.booking import LAST, accountant
from huimin.demo.clock import business_day
from huimin.demo.closing import correct
from huimin.demo.granting import DEPARTMENTS, county_officer
from huimin.demo.listing import _to_compile, compile_all, object_, rosters, sign_all, townships
from huimin.demo.paying import _batches, _has_batch, _open_accounts, _receive_allotments, _reissuable, finance
from huimin.demo.quarter import County
from huimin.funds.models import FundingApplication, SpecialAccount
from huimin.jobs.queries import find_latest
from huimin.kernel.money import yuan
from huimin.ledger.models import MonthClose, QuarterProof, Voucher, VoucherReview
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.organisation.queries import business_date
from huimin.payment.commands import decide_bank_setting, propose_bank_setting
from huimin.payment.commands.sending import FETCH, SEND
from huimin.payment.exchange import keys
from huimin.payment.models import Batch, ExchangeFile, Roster, RosterFinding, SummaryRoster
from huimin.payment.quarter_proof import sign_quarter
from huimin.printing.commands import JOBS
from huimin.printing.models import PrintRun
from huimin.workbench.steps import ROSTER_STEPS, find_step
from tests.recovery.apart import Apart, BankServer
from tests.workbench.people import client_of

PRINT = JOBS[PrintRun.Kind.CARDS]
T = TypeVar("T")
SECONDS_MAX = 600
"""How long one of the acts is asked for before it is said that it will never be done."""
_PERIOD = "2021Q3"
_OF_TOWNSHIPS = (Post.CLERK, Post.REVIEWER, Post.SETTLEMENT, Post.TOWNSHIP_HEAD)
_CSRF = "k" * 32


def ask(look: Callable[[], T]) -> T:
    """What the database says, once it answers."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return look()
        except (OperationalError, InterfaceError):
            connections.close_all()
            assert time.monotonic() < deadline, "the database does not come back"
            time.sleep(0.1)


class Clerks:
    """Everybody's browser."""

    def __init__(self, port: int, chance: random.Random) -> None:
        self.port, self.chance = port, chance
        self.sessions: dict[tuple[str, str], str] = {}
        self.said, self.sent, self.unsure = "", 0, 0

    def send(self, post: Post, where: str, page: str, *of: Any, file: Path | None = None, **fields: Any) -> None:
        """One form; what came of it is to be looked up."""
        body = [(name, each) for name, told in fields.items() for each in (told if isinstance(told, list) else [told])]
        token = uuid.uuid4().hex
        while True:
            try:
                status, led_to = self._post(post, where, reverse(page, args=of), [*body, ("token", token)], file)
            except (OSError, http.client.HTTPException) as error:
                status, led_to, self.said = 0, "", repr(error)
            if status == 302 and "/sign-in/" in led_to:
                del self.sessions[post, where]
            elif 200 <= status < 500:
                return
            else:
                self.unsure += 1
                time.sleep(0.1)
                if self.chance.random() < 0.5:
                    return  # the list will tell

    def _post(
        self, post: Post, where: str, address: str, fields: list[tuple[str, Any]], file: Path | None
    ) -> tuple[int, str]:
        if (post, where) not in self.sessions:
            self.sessions[post, where] = ask(lambda: client_of(post, where).cookies["sessionid"].value)
        kind, body = _encoded(fields, file)
        headers = {
            "Content-Type": kind, "X-CSRFToken": _CSRF,
            "Cookie": f"csrftoken={_CSRF}; sessionid={self.sessions[post, where]}",
        }  # fmt: skip
        self.sent += 1
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("POST", address, body, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 302:
            self.said = f"{address} {answer.status}: {text.decode(errors='replace')[-3000:]}"
        return answer.status, answer.getheader("Location", "")


def _encoded(fields: list[tuple[str, Any]], file: Path | None) -> tuple[str, bytes]:
    if file is None:
        return "application/x-www-form-urlencoded", urlencode(fields).encode()
    edge = uuid.uuid4().hex
    parts = [f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{told}\r\n' for name, told in fields]
    parts.append(f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n')
    head = "".join([*parts, "Content-Type: text/plain\r\n\r\n"])
    return f"multipart/form-data; boundary={edge}", head.encode() + file.read_bytes() + f"\r\n--{edge}--\r\n".encode()


def get_ready(county: County, home: Path) -> BankServer:
    """Before the quarter: special accounts, allotments, and the agreement with the bank to exchange files over SFTP."""
    _open_accounts(county)
    _receive_allotments(county)
    office = actor(Post.BANK_OPERATOR, OfficeKind.BANK).office
    pair = asyncssh.generate_private_key("ssh-ed25519")
    public = pair.export_public_key("openssh").decode().strip()
    keys.add_key(office, keys.SSH, "ed25519", dates.ADOPTED, public, pair.export_private_key("openssh").decode())
    outbox(county), inbox(county)
    server = BankServer(county.home / "bank", home / "host-key", public)
    host_key = asyncssh.read_private_key(home / "host-key").export_public_key("openssh").decode().strip()
    row = propose_bank_setting(
        by=finance(), on=dates.ALLOTTED, bank_office=office, valid_from=dates.ALLOTTED, format="rural-bank-batch",
        suite="none", name_check=False, basis="代发协议（测试）", route="sftp", host="127.0.0.1", port=server.port,
        username="huimin", host_key=host_key, folder_out="outbox", folder_in="inbox",
    )  # fmt: skip
    decide_bank_setting(by=finance(Post.FINANCE_RELEASER), on=dates.ALLOTTED, number=row.pk, agreed=True)
    return server


class Quarter:
    """The acts, in their order. In a smaller trial only the first `near` townships act on pages, and the rest by commands."""

    def __init__(self, apart: Apart, county: County, chance: random.Random, near: int, printed: bool) -> None:
        self.apart, self.county = apart, county
        self.clerks = Clerks(apart.port, chance)
        self.near = set(townships()[:near])
        self.acts: list[Callable[[], None]] = [
            self.compile, self.answer_findings, self.publish, self.objections, self.sign, self.sum_up, self.confirm,
            self.apply, self.transfer, self.pay, self.late_answers, self.correct_accounts, self.reissue,
            *([self.print_cards] if printed else []), self.review, self.close_months, self.prove,
        ]  # fmt: skip

    def run(self) -> None:
        for act in self.acts:
            began = time.monotonic()
            act()
            print(f"{act.__name__}: {time.monotonic() - began:.1f} s")

    def until_none(self, look: Callable[[], Iterable[T]], act: Callable[[T], None]) -> None:
        """Ask for each that is left, and look again, until none is left."""
        deadline = time.monotonic() + SECONDS_MAX
        while left := ask(lambda: list(look())):
            assert time.monotonic() < deadline, f"never done: {left[:3]}; {self.clerks.said}"
            for each in left:
                act(each)

    def at_once(self, act: Callable[[], Any]) -> None:
        """What is no page's: the clock, people's answers outside the quarter's acts. Nobody kills the database meanwhile."""
        with self.apart.calm:
            connections.close_all()
            act()

    def day(self, day: Any) -> None:
        self.at_once(lambda: business_day(day))

    def many(
        self, key: str, post: Post, states: tuple[str, ...], fits: Callable[[Roster], bool] = lambda _: True
    ) -> None:
        """A step on ticked rosters, desk by desk."""

        def left() -> list[Roster]:
            return [each for each in rosters(*states) if fits(each)]

        def look() -> list[tuple[str, list[int]]]:
            by_desk: dict[str, list[int]] = {}
            for roster in left():
                if roster.division in self.near or post not in _OF_TOWNSHIPS:
                    by_desk.setdefault(self._desk(post, roster), []).append(roster.pk)
            return list(by_desk.items())[: 1 if key == "publish" else None]  # in order, so that rows are numbered alike

        def rest() -> None:
            for roster in left():
                act = find_step(ROSTER_STEPS, key).act
                act(by=actor(post, self._desk(post, roster)), on=business_date(), roster_id=roster.pk)

        self.until_none(look, lambda each: self.clerks.send(post, each[0], "rosters-many", key, id=each[1][:200]))
        self.at_once(rest)

    def _desk(self, post: Post, roster: Roster) -> str:
        if post == Post.DEPARTMENT_APPROVER:
            return DEPARTMENTS[roster.programme]
        return OfficeKind.FINANCE if post == Post.FINANCE_OFFICER else roster.division

    def compile(self) -> None:
        self.day(dates.COMPILED)
        self.until_none(
            lambda: [each for each in _to_compile() if each[1] in self.near][:1],  # in order, as above
            lambda each: self.clerks.send(Post.CLERK, each[1], "compile", period=_PERIOD, programme=each[0]),
        )
        self.at_once(lambda: compile_all(self.county))

    def answer_findings(self) -> None:
        def look() -> list[tuple[str, str, list[int]]]:
            with reading(county_officer()):
                rows = RosterFinding.objects.filter(state="open", roster__state="compiled").order_by("pk")
                found = list(rows.values_list("roster__division", "kind", "pk"))
            wanted: dict[tuple[str, str], list[int]] = {}
            for township, kind, pk in found:
                wanted.setdefault((township, "hold" if kind in RosterFinding.HARD else "explain"), []).append(pk)
            return [(township, key, ids[:200]) for (township, key), ids in wanted.items()]

        self.until_none(
            look,
            lambda each: self.clerks.send(
                Post.CLERK, each[0], "finding-answer", each[1], id=each[2], reason="已入户核对"
            ),
        )

    def publish(self) -> None:
        self.many("publish", Post.REVIEWER, (Roster.State.COMPILED,))

    def objections(self) -> None:
        self.at_once(lambda: object_(self.county))

    def sign(self) -> None:
        self.day(dates.SIGNED)
        self.many("sign", Post.TOWNSHIP_HEAD, (Roster.State.PUBLISHED,))

    def sum_up(self) -> None:
        def states() -> dict[str, SummaryRoster]:
            with reading(county_officer()):
                return {each.division: each for each in SummaryRoster.objects.exclude(state="replaced")}

        self.until_none(
            lambda: ({each.division for each in rosters(Roster.State.SIGNED)} & self.near) - set(states()),
            lambda place: self.clerks.send(Post.SETTLEMENT, place, "summary-new", period=_PERIOD),
        )
        self.until_none(
            lambda: [each for each in states().values() if each.signed_on is None],
            lambda each: self.clerks.send(Post.TOWNSHIP_HEAD, each.division, "summary-sign", each.pk),
        )
        self.at_once(lambda: sign_all(self.county))

    def confirm(self) -> None:
        self.day(dates.CONFIRMED)
        self.many("department", Post.DEPARTMENT_APPROVER, (Roster.State.SIGNED,))
        self.many("finance", Post.FINANCE_OFFICER, (Roster.State.DEPARTMENT_CONFIRMED,))

    def apply(self) -> None:
        self.day(dates.APPLIED)
        self.many("funds", Post.SETTLEMENT, (Roster.State.CONFIRMED,), lambda each: each.application_id is None)

    def transfer(self) -> None:
        for key, post, state, day in (
            ("reserve", Post.FINANCE_OFFICER, "applied", dates.RESERVED),
            ("transfer", Post.FINANCE_RELEASER, "reserved", dates.TRANSFERRED),
        ):
            self.day(day)
            self.until_none(
                lambda state=state: [ids] if (ids := self._applications(state, transfer_no="")) else [],
                lambda ids, key=key, post=post: self.clerks.send(
                    post, OfficeKind.FINANCE, "application-act", key, id=ids[:500]
                ),
            )
        self.until_none(lambda: self._applications("reserved")[:1], lambda _: self._orders())

    def _applications(self, state: str, **more: str) -> list[int]:
        with reading(finance()):
            return list(FundingApplication.objects.filter(state=state, **more).values_list("pk", flat=True))

    def _orders(self) -> None:
        """Written, executed by the bank, its answers taken; each again when some are missing."""
        self.clerks.send(Post.FINANCE_RELEASER, OfficeKind.FINANCE, "write-orders")
        self._bank(dates.TRANSFERRED)
        for path in answers(self.county, "ZJR_"):
            self.clerks.send(Post.FINANCE_OFFICER, OfficeKind.FINANCE, "take-transfer", file=path)

    def pay(self) -> None:
        self.day(dates.PREPARED)
        self.many(
            "prepare", Post.SETTLEMENT, (Roster.State.CONFIRMED, Roster.State.FUNDED), lambda each: not _has_batch(each)
        )
        self._release(dates.RELEASED)
        self.day(dates.RESULTS)
        self._fetch()

    def late_answers(self) -> None:
        self.day(dates.LATE_RESULTS)
        bank(self.county, "settle", "--date", dates.LATE_RESULTS.isoformat())
        self._bank(dates.LATE_RESULTS)
        self._fetch()

    def correct_accounts(self) -> None:
        self.at_once(lambda: correct(self.county))

    def reissue(self) -> None:
        self.day(dates.REISSUED)
        self.until_none(
            lambda: [each for each in rosters(Roster.State.SENT) if _reissuable(each)],
            lambda each: self.clerks.send(Post.SETTLEMENT, each.division, "roster-step", each.pk, "reissue"),
        )
        self.until_none(
            lambda: [each for each in rosters(Roster.State.FUNDED, kind=Roster.Kind.REISSUE) if not _has_batch(each)],
            lambda each: self.clerks.send(Post.SETTLEMENT, each.division, "roster-step", each.pk, "prepare"),
        )
        self._release(dates.REISSUED)
        self.day(dates.REISSUE_RESULTS)
        self._fetch()

    def _release(self, day: Any) -> None:
        """Released by another person, written, sent by the worker; the bank does its work."""
        self.day(day)
        releaser = (Post.FINANCE_RELEASER, OfficeKind.FINANCE)
        self.until_none(
            lambda: [ids] if (ids := [each.pk for each in _batches(Batch.State.PREPARED)]) else [],
            lambda ids: self.clerks.send(*releaser, "batches-many", "release", id=ids[:200]),
        )
        self.until_none(
            lambda: _batches(Batch.State.RELEASED)[:1], lambda _: self.clerks.send(*releaser, "write-files")
        )
        self.until_none(
            lambda: self._files("out", "waiting", "failed")[:1], lambda _: self._job(releaser, SEND, "send")
        )
        self._bank(day)

    def _fetch(self) -> None:
        def look() -> set[str]:
            there = {path.name for start in ("DFR_", "DFX_") for path in answers(self.county, start)}
            return there - set(self._files("in", "taken"))

        officer = (Post.FINANCE_OFFICER, OfficeKind.FINANCE)
        self.until_none(lambda: sorted(look())[:1], lambda _: self._job(officer, FETCH, "fetch"))

    def _files(self, direction: str, *states: str) -> list[str]:
        with reading(finance()):
            rows = ExchangeFile.objects.filter(direction=direction, state__in=states)
            return list(rows.values_list("file_name", flat=True))

    def _job(self, who: tuple[Post, str], kind: str, key: str) -> None:
        """Asked for, unless it is on its way, and waited for."""
        if not self._active(kind):
            self.clerks.send(*who, "bank-exchange", key)
        self._wait(kind)

    def _active(self, kind: str) -> bool:
        def look() -> bool:
            with reading(county_officer()):
                job = find_latest(kind)
            return job is not None and job.active

        return ask(look)

    def _wait(self, kind: str) -> None:
        deadline = time.monotonic() + 600
        self.apart.at_work.set()
        while self._active(kind):
            assert time.monotonic() < deadline, f"{kind} never ends"
            time.sleep(0.2)
        self.apart.at_work.clear()

    def _bank(self, day: Any) -> None:
        folders = ("--inbox", outbox(self.county), "--outbox", inbox(self.county))
        bank(self.county, "run", *folders, "--date", day.isoformat(), "--acknowledge")

    def print_cards(self) -> None:
        """明白卡 of a township, in the background."""
        self.day(dates.CLOSED)
        township = townships()[0]

        def left() -> list[int]:
            with reading(county_officer()):
                return [] if PrintRun.objects.filter(state="ready").exists() else [1]

        def act(_: int) -> None:
            if not self._active(PRINT):
                self.clerks.send(Post.CLERK, township, "print-run-new", period=_PERIOD)
            self._wait(PRINT)

        self.until_none(left, act)

    def review(self) -> None:
        """Vouchers by who did not make them."""
        self.day(dates.BOOKED)

        def left() -> list[str]:
            with reading(accountant()):
                rows = Voucher.objects.exclude(pk__in=VoucherReview.objects.values("voucher"))
                return sorted({f"{each:%Y-%m}" for each in rows.values_list("occurred_on", flat=True)})

        self.until_none(
            left, lambda month: self.clerks.send(Post.ACCOUNTANT, OfficeKind.FINANCE, "voucher-reviews", month=month)
        )

    def close_months(self) -> None:
        """The last month, with the balances the bank tells."""

        def left() -> list[dict[str, str]]:
            held = {each["account"]: each["balance_fen"] for each in books(self.county)["special_accounts"]}
            with reading(accountant()):
                closed = set(MonthClose.objects.filter(month=LAST).values_list("division", flat=True))
                accounts = SpecialAccount.objects.filter(kind="special").exclude(division__in=closed)
                told = {f"bank-{each.division}": yuan(held[plain(each.account_enc, ACCOUNT)]) for each in accounts}
            return [told] if told else []

        self.until_none(
            left,
            lambda told: self.clerks.send(
                Post.ACCOUNTANT, OfficeKind.FINANCE, "close-months", month=f"{LAST:%Y-%m}", **told
            ),
        )

    def prove(self) -> None:
        """Books, rosters and bank compared household by household, and signed."""

        def sign() -> None:
            by = accountant()
            with reading(by):
                signed = QuarterProof.objects.exists()
            if not signed:
                sign_quarter(by=by, on=dates.BOOKED, division=by.division, prefix=by.prefix, year=2021, number=3)

        self.at_once(sign)


_FIGURES = (
    "SELECT 'instruction', state, count(*), sum(amount_fen)::bigint FROM payment_instruction GROUP BY 2",
    "SELECT 'line', state, count(*), sum(amount_fen)::bigint FROM payment_rosterline GROUP BY 2",
    "SELECT 'due', state, count(*), sum(amount_fen)::bigint FROM payment_due GROUP BY 2",
    "SELECT 'voucher', event, count(*), sum(amount_fen)::bigint FROM ledger_voucher GROUP BY 2",
    "SELECT 'exception', kind || ' ' || state, count(*), sum(amount_fen)::bigint FROM payment_paymentexception GROUP BY 2",
    "SELECT 'roster', kind || ' ' || state, count(*), sum(amount_fen)::bigint FROM payment_roster GROUP BY 2",
    "SELECT 'batch', state, count(*), sum(amount_fen)::bigint FROM payment_batch GROUP BY 2",
    "SELECT 'summary', state, count(*), sum(amount_fen)::bigint FROM payment_summaryroster GROUP BY 2",
    "SELECT 'close', division, count(*), sum(book_fen)::bigint FROM ledger_monthclose GROUP BY 2",
    "SELECT 'proof', '', count(*), sum(differences_count)::bigint FROM ledger_quarterproof",
)


def figures(county: County) -> dict[tuple[str, str], tuple[int, int]]:
    """What the quarter came to: in our tables and in the bank's own books."""
    found = {
        (kind, what): (count, fen) for query in _FIGURES for kind, what, count, fen in fetch(query, using="maintenance")
    }
    return found | {("bank", each["account"]): (1, each["balance_fen"]) for each in books(county)["special_accounts"]}
