"""Acts of the offices in the walk: what waits at every desk (read by statements of ours), and the command that does it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

from huimin.database.personal import ACCOUNT, ID_NUMBER, plain
from huimin.demo.actors import actor
from huimin.demo.granting import DEPARTMENTS
from huimin.funds import commands as funds
from huimin.kernel.periods import Period, quarter
from huimin.notices.objections import Review, answer_objection
from huimin.organisation.acting import Actor
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment import commands
from huimin.payment.models import RosterLine
from huimin.registry.commands import approve_card_correction, propose_card_correction
from tests.payment.walk.bank import Bank
from tests.payment.walk.holds import fetched

DIBAO, MIGRANT = "dibao-rural", "reservoir-migrant"
PROGRAMMES = (DIBAO, MIGRANT)
TREASURY = "6299980341524000001"
COUNTY = "341524000000"
WORDS = "已核对，情况属实"
_REASONS = list(RosterLine.REISSUED_REASONS)


@cache
def at(post: Post, where: str, other: int = 0) -> Actor:
    """Appointments are the same in every copy of a stage."""
    return actor(post, where, other=other)


def finance(post: Post = Post.FINANCE_OFFICER, other: int = 0) -> Actor:
    return at(post, OfficeKind.FINANCE, other)


def department(programme: str, post: Post) -> Actor:
    return at(post, DEPARTMENTS[programme])


def special(place: str) -> str:
    """The number of a township's account at the bank."""
    return "62999803415" + place[4:12]


@dataclass(frozen=True)
class Act:
    """Something that can be done now."""

    name: str
    do: Callable[[], Any] = field(compare=False)


@dataclass
class Offices:
    """The desks of a few townships and of the county, on a day."""

    bank: Bank
    places: tuple[str, ...]
    on: date
    taken: set[str] = field(default_factory=set)
    papers: int = 0

    def paper(self) -> str:
        self.papers += 1
        return f"县财〔2021〕{self.papers}号"

    def period_of(self, day: date) -> Period:
        return quarter(day.year, (day.month + 2) // 3)

    # What waits.

    def waiting(self) -> list[Act]:
        """Everything somebody should do now, the farthest along first."""
        return [
            *self._files(), *self._batches(), *self._backs(), *self._recoveries(), *self._rebookings(), *self._lines(),
            *self._rosters(), *self._owed(), *self._allotments(),
        ]  # fmt: skip

    def _act(self, name: str, command: Callable[..., Any], by: Actor, **told: Any) -> Act:
        return Act(name, lambda: command(by=by, on=self.on, **told))

    def _rosters(self) -> list[Act]:
        return [act for row in fetched(_ROSTERS, [list(self.places)]) if (act := self._of_roster(*row)) is not None]

    def _of_roster(
        self, roster: int, state: str, programme: str, place: str, posted: date | None, application: int | None, asked: str | None,
        order: str, refused: str, soft: list[int] | None, hard: list[int] | None, objections: list[int] | None, batched: bool,
    ) -> Act | None:  # fmt: skip
        clerk, told = at(Post.CLERK, place), {"roster_id": roster}
        if state == "compiled":
            if hard:
                return self._act("hold", commands.hold_findings, clerk, **told, finding_ids=hard, reason=WORDS)
            if soft:
                return self._act("explain", commands.explain_findings, clerk, **told, finding_ids=soft, reason=WORDS)
            return Act("publish", lambda: self.publish(roster, place))
        if state == "published":
            if objections:
                return self._answer(objections[0], place, upheld=False)
            assert posted is not None
            if self.on - posted > timedelta(days=7):
                return self._act("sign", commands.sign_roster, at(Post.TOWNSHIP_HEAD, place), **told)
            return Act("wait", self.wait)
        if state == "signed":
            return self._act(
                "department", commands.confirm_by_department, department(programme, Post.DEPARTMENT_APPROVER), **told
            )
        if state == "department_confirmed":
            return self._act("finance", commands.confirm_by_finance, finance(), **told)
        if state in ("confirmed", "funded") and not batched:
            return self._money(roster, place, application, asked, order, refused)
        return None

    def publish(self, roster: int, place: str) -> Any:
        """The clerk looks once more; the reviewer posts what raises no doubt."""
        if not commands.check_roster(by=at(Post.CLERK, place), on=self.on, roster_id=roster):
            return commands.publish_roster(by=at(Post.REVIEWER, place), on=self.on, roster_id=roster)
        return None

    def wait(self, days: int = 8) -> None:
        self.on += timedelta(days=days)

    def _answer(self, objection: int, place: str, *, upheld: bool) -> Act:
        review = Review("investigation", self.on, "审核员、组长", "上门核实")
        return self._act(
            "answer", answer_objection, at(Post.REVIEWER, place), objection_id=objection, upheld=upheld, answer=WORDS, review=review,
        )  # fmt: skip

    def _money(
        self, roster: int, place: str, application: int | None, asked: str | None, order: str, refused: str
    ) -> Act:
        settlement, told = at(Post.SETTLEMENT, place), {"roster_id": roster}
        if application is None:
            return self._act("apply", commands.apply_for_funds, settlement, **told)
        one = {"application_ids": [application]}
        if asked == "applied":
            return self._act("reserve", funds.reserve_funding, finance(), **one)
        if asked == "reserved" and (not order or refused):
            return self._act("transfer", funds.transfer_funding, finance(Post.FINANCE_RELEASER), **one)
        if asked == "reserved":
            return Act("order", self.send_orders)
        return self._act("prepare", commands.prepare_batch, settlement, **told)

    def send_orders(self) -> None:
        """The orders are written and the bank has its day; its answers wait to be taken."""
        funds.write_transfer_orders(by=finance(), on=self.on, folder=self.bank.outbox)
        self.bank.day(self.on)

    def _batches(self) -> list[Act]:
        acts = []
        for batch, state, number, preparer, waits in fetched(_BATCHES, [list(self.places)]):
            if state == "prepared":
                releaser = finance(Post.FINANCE_RELEASER)
                by = finance(Post.FINANCE_RELEASER, 1) if preparer == releaser.appointment else releaser
                acts.append(self._act("release", commands.release_batch, by, batch_id=batch))
            elif state == "released":
                acts.append(Act("write", self.write))
            elif waits:
                acts.append(Act("bank", lambda number=number: self.ask_bank(number)))
        return acts

    def write(self) -> Any:
        return commands.write_batch_files(by=finance(Post.FINANCE_RELEASER), on=self.on, folder=self.bank.outbox)

    def ask_bank(self, number: str) -> None:
        """The bank's day; a file that was lost on the way is put there again; what it has decided it tells again."""
        if not list(self.bank.outbox.glob(f"DF_{number}*")):
            self.send_again(number)
        self.bank.day(self.on)
        self.bank.settle(self.on)
        if self.bank.rows("SELECT 1 FROM files WHERE number = ? AND refusal_code = ''", number):
            self.bank.answer_again(number, self.on)

    def send_again(self, number: str) -> None:
        """From what is stored: the same bytes."""
        from huimin.organisation.acting import reading
        from huimin.payment.commands.sending import batch_file
        from huimin.payment.models import Batch

        with reading(finance(Post.FINANCE_RELEASER)):
            name, content = batch_file(
                Batch.objects.select_related("setting", "payer", "roster", "bank_office").get(batch_no=number)
            )
        (self.bank.outbox / name).write_bytes(content)

    def _files(self) -> list[Act]:
        return [
            Act("take", lambda name=path.name: self.take(name))
            for path in self.bank.files()
            if path.name not in self.taken
        ]

    def take(self, name: str) -> Any:
        """One file of the bank, into the room it is for."""
        self.taken.add(name)
        path = self.bank.inbox / name
        if name.startswith("ZJ"):
            return funds.take_transfer_answer(by=finance(), on=self.on, path=path)
        return commands.take_result(by=finance(), on=self.on, data=path.read_bytes(), file_name=name)

    def _owed(self) -> list[Act]:
        acts = []
        closed = {place for (place,) in fetched("SELECT division FROM ledger_monthclose WHERE month = '2021-09-01'")}
        for programme, place, first in fetched(_OWED, [list(self.places), list(PROGRAMMES)]):
            period = quarter(2021, 4) if place in closed else self.period_of(first)
            told = {"programme": programme, "division": place, "period": period}
            acts.append(self._act("compile", commands.compile_roster, at(Post.CLERK, place), **told))
        for findings, place in fetched(_HELD, [list(self.places)]):
            told = {"finding_ids": findings, "reason": WORDS}
            acts.append(self._act("free", commands.release_hold, at(Post.REVIEWER, place), **told))
        return acts

    def _lines(self) -> list[Act]:
        """Lines that came back or wait for an account: another account by two people, then a reissue."""
        acts = []
        for roster, place, payee, use, correction, ready in fetched(_BACK, [_REASONS, list(self.places)]):
            if ready:
                acts.append(
                    self._act("reissue", commands.reissue_returned, at(Post.SETTLEMENT, place), roster_id=roster)
                )
            elif correction:
                acts.append(
                    self._act("approve", approve_card_correction, at(Post.REVIEWER, place), correction=correction)
                )
            else:
                acts.append(Act("correct", lambda payee=payee, use=use, place=place: self.correct(payee, use, place)))
        return acts

    def correct(self, payee: int, use: str, place: str) -> Any:
        """The payee opens another account at the bank; the clerk proposes it."""
        self.papers += 1
        account = f"6299992{payee:07d}{self.papers:05d}"
        [(name, number)] = fetched("SELECT name, id_number_enc FROM registry_person WHERE id = %s", [payee])
        self.bank.open_account(account, name, plain(number, ID_NUMBER))
        return propose_card_correction(
            by=at(Post.CLERK, place), on=self.on, holder=payee, use=use, account=account, account_name=name, reason="原账户不能用",
        )  # fmt: skip

    def _rebookings(self) -> list[Act]:
        acts = []
        for exception, rebooking, booked in fetched(_REVERSED, [list(self.places)]):
            if rebooking:
                told = {"number": rebooking, "agreed": True}
                acts.append(self._act("rebook", commands.settle_rebooking, finance(Post.ACCOUNTANT), **told))
            else:
                told = {"number": exception, "came_back_on": max(booked, min(self.on, booked)), "basis": "银行回单"}
                acts.append(self._act("back again", commands.propose_rebooking, finance(), **told))
        return acts

    def _recoveries(self) -> list[Act]:
        acts = []
        approver = department(DIBAO, Post.DEPARTMENT_APPROVER)
        for number, state, told in fetched(
            "SELECT id, state, told_on FROM payment_recovery WHERE state IN ('proposed', 'decided') ORDER BY id"
        ):
            if state == "proposed":
                acts.append(
                    self._act(
                        "decide", commands.decide_recoveries, approver, numbers=[number], agreed=True, reason=WORDS
                    )
                )
            elif told is None:
                officer = department(DIBAO, Post.DEPARTMENT_OFFICER)
                acts.append(
                    self._act("tell", commands.record_told, officer, number=number, told_on=self.on, how="当面送达")
                )
        for (number,) in fetched("SELECT id FROM payment_recoveryreceipt WHERE state = 'proposed' ORDER BY id"):
            acts.append(
                self._act("receipt", commands.settle_receipt, finance(Post.ACCOUNTANT), number=number, agreed=True)
            )
        for (number,) in fetched("SELECT id FROM payment_recoverywriteoff WHERE state = 'proposed' ORDER BY id"):
            acts.append(
                self._act(
                    "give up", commands.settle_write_off, finance(Post.FINANCE_RELEASER), number=number, agreed=True
                )
            )
        return acts

    def _backs(self) -> list[Act]:
        rows = fetched(
            "SELECT id, division, amount_fen FROM funds_moneymove WHERE state = 'proposed' AND kind = 'back' ORDER BY id"
        )
        return [Act("give back", lambda row=row: self.give_back(*row)) for row in rows]

    def give_back(self, number: int, place: str, amount_fen: int) -> Any:
        """Confirmed with the slip of the bank, which then moves it: the same serial."""
        [(last,)] = self.bank.rows("SELECT max(id) FROM postings")
        serial = f"{self.on:%Y%m%d}{last + 1:010d}"
        row = commands.confirm_giving_back(
            by=finance(), on=self.on, number=number, receipt_no=serial, booked_on=self.on
        )
        assert self.bank.pay(special(place), TREASURY, amount_fen, self.on) == serial
        return row

    def _allotments(self) -> list[Act]:
        from huimin.funds.indicators import decide_allotments, decide_moves

        releaser = finance(Post.FINANCE_RELEASER)
        rows = fetched("SELECT id FROM funds_allotment WHERE state = 'registered' ORDER BY id")
        acts = [self._act("in force", decide_allotments, releaser, allotment_ids=[number]) for (number,) in rows]
        moves = fetched("SELECT id FROM funds_allotmentmove WHERE state = 'proposed' ORDER BY id")
        return acts + [self._act("moved", decide_moves, releaser, move_ids=[number]) for (number,) in moves]

    def accounts(self) -> list[str]:
        """Numbers of the accounts of these townships."""
        rows = fetched(
            "SELECT account_enc FROM registry_card WHERE left(division, 9) || '000' = ANY(%s) AND recorded_to IS NULL AND state = 'active'"
            " ORDER BY id",
            [list(self.places)],
        )
        return [plain(number, ACCOUNT) for (number,) in rows]


_ROSTERS = """
SELECT r.id, r.state, r.programme, r.division, r.published_on, a.id, a.state, coalesce(a.transfer_no, ''), coalesce(a.refusal, ''),
       (SELECT array_agg(f.id ORDER BY f.id) FROM payment_rosterfinding f WHERE f.roster_id = r.id AND f.state = 'open' AND f.kind <> 'dead'),
       (SELECT array_agg(f.id ORDER BY f.id) FROM payment_rosterfinding f WHERE f.roster_id = r.id AND f.state = 'open' AND f.kind = 'dead'),
       (SELECT array_agg(o.id ORDER BY o.id) FROM notices_objection o JOIN notices_noticerow w ON w.id = o.row_id JOIN notices_notice n ON n.id = w.notice_id
         WHERE n.subject = 'roster:' || r.id AND o.state = 'open'),
       EXISTS (SELECT 1 FROM payment_batch b WHERE b.roster_id = r.id AND b.state NOT IN ('cancelled', 'rejected'))
         OR NOT EXISTS (SELECT 1 FROM payment_rosterline l WHERE l.roster_id = r.id AND l.state = 'listed')
FROM payment_roster r LEFT JOIN funds_fundingapplication a ON a.id = r.application_id AND a.state <> 'withdrawn'
WHERE r.division = ANY(%s) AND r.state NOT IN ('withdrawn', 'settled') ORDER BY r.id
"""
_BATCHES = """
SELECT b.id, b.state, b.batch_no, b.prepared_by, EXISTS (SELECT 1 FROM payment_instruction i WHERE i.batch_id = b.id AND i.state IN ('sent', 'unknown'))
FROM payment_batch b WHERE b.division = ANY(%s) AND b.state IN ('prepared', 'released', 'written', 'answered') ORDER BY b.id
"""
_OWED = """
SELECT DISTINCT d.programme, left(d.division, 9) || '000' AS place, date_trunc('quarter', d.period_from)::date
FROM payment_due d WHERE left(d.division, 9) || '000' = ANY(%s) AND d.programme = ANY(%s) AND d.state = 'owed' AND d.kind <> 'recovery'
  AND NOT EXISTS (SELECT 1 FROM payment_linedue x JOIN payment_rosterline l ON l.id = x.line_id JOIN payment_roster r ON r.id = l.roster_id
       WHERE x.due_id = d.id AND r.state <> 'withdrawn'
         AND NOT EXISTS (SELECT 1 FROM payment_rosterfinding f WHERE f.line_id = l.id AND f.state = 'released'))
  AND NOT EXISTS (SELECT 1 FROM payment_paymentexception e WHERE e.entitlement_id = d.entitlement_id AND e.kind = 'no_card' AND e.state = 'open')
ORDER BY 2, 1, 3
"""
_HELD = """
SELECT array_agg(f.id ORDER BY f.id), r.division FROM payment_rosterfinding f JOIN payment_roster r ON r.id = f.roster_id
WHERE f.state = 'held' AND r.state <> 'withdrawn' AND r.division = ANY(%s) GROUP BY r.id, r.division ORDER BY r.id
"""
_BACK = """
SELECT l.roster_id, left(l.division, 9) || '000', l.payee_id, c.use,
       (SELECT min(q.id) FROM registry_cardcorrection q WHERE q.holder_id = l.payee_id AND q.use = c.use AND q.state = 'proposed'),
       EXISTS (SELECT 1 FROM registry_card n WHERE n.holder_id = l.payee_id AND n.use = c.use AND n.state = 'active' AND n.recorded_to IS NULL
               AND n.account_hash <> c.account_hash)
FROM payment_rosterline l JOIN registry_card c ON c.id = l.card_id JOIN payment_roster r ON r.id = l.roster_id AND r.state <> 'withdrawn'
WHERE (l.state = 'returned' AND l.withheld_reason = '' OR l.state = 'withheld' AND l.withheld_reason = ANY(%s))
  AND left(l.division, 9) || '000' = ANY(%s)
  AND NOT EXISTS (SELECT 1 FROM funds_moneymove m WHERE m.state = 'proposed' AND m.application_id = r.application_id)
ORDER BY l.id
"""
_REVERSED = """
SELECT e.id, (SELECT b.id FROM payment_rebooking b WHERE b.exception_id = e.id AND b.state = 'proposed'), i.booked_on
FROM payment_paymentexception e JOIN payment_instruction i ON i.line_id = e.line_id AND i.state = 'paid'
WHERE e.kind = 'reversed' AND e.state = 'open' AND left(e.division, 9) || '000' = ANY(%s) ORDER BY e.id
"""
