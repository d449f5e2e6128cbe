"""Money walked at random: offices work, err, repeat themselves; the bank answers late, twice, wrongly; nothing is lost or paid twice.

A Hypothesis state machine over the real commands, on a copy of a county a run. Most acts are what waits at somebody's desk, so that
runs come far; the others are the wrong act, the wrong person, the same again. After every act `holds.wrong` finds nothing, and an act
that was refused has left no row. At the end of a run everything is driven to rest, the books are closed, and bank, ledger and
rosters agree to the cent (`ends`).
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from huimin.database.bulk import run
from huimin.funds import commands as funds
from huimin.funds import indicators
from huimin.kernel.periods import add_months, month_start, quarter
from huimin.ledger.closing import Statement, close_months
from huimin.ledger.reviewing import review_month
from huimin.notices.objections import file_objection
from huimin.organisation.posts import Post
from huimin.payment import commands
from huimin.payment.recovery_rules import propose_share, settle_share
from huimin.registry.commands import record_death
from tests.payment.walk.bank import ALL_WRONG, PART_WRONG
from tests.payment.walk.doing import LAST_DAY, Doing
from tests.payment.walk.holds import fetched
from tests.payment.walk.offices import COUNTY, DIBAO, PROGRAMMES, WORDS, at, department, finance, special


class Walk(Doing):
    """One run."""

    # The offices at work.

    @rule(nth=st.integers(0, 30), twice=st.booleans())
    def works(self, nth: int, twice: bool) -> None:
        self.next_act(nth, twice=twice)

    @rule(nths=st.lists(st.integers(0, 30), min_size=3, max_size=8))
    def works_on(self, nths: list[int]) -> None:
        for nth in nths:
            self.next_act(nth)
            self.holds()

    @rule(days=st.sampled_from([1, 8, 35]))
    def waits(self, days: int) -> None:
        """Not so far that the year ends before everything came to rest."""
        if self.on + timedelta(days=days) <= LAST_DAY:
            self.offices.wait(days)

    @rule(command=st.integers(0, 15), nth=st.integers(0, 50), who=st.integers(0, 12), twice=st.booleans())
    def errs(self, command: int, nth: int, who: int, twice: bool) -> None:
        """Any act on anything by anybody."""
        name, act, post, told = self.any_act(command, nth)
        by = (self.somebody(who) if who < 4 else post) if told else None
        if by is not None:
            self.attempt(f"any {name}", lambda: act(by=by, on=self.on, **told), twice=twice)

    def somebody(self, who: int) -> Any:
        place = self.offices.places[0]
        posts = (
            at(Post.CLERK, place),
            finance(),
            finance(Post.FINANCE_RELEASER),
            at(Post.SETTLEMENT, self.offices.places[-1]),
        )
        return posts[who]

    def any_act(self, command: int, nth: int) -> tuple[str, Callable[..., Any], Any, dict[str, Any] | None]:
        """(name, command, its post, on a row chosen whatever its state)."""
        place = self.offices.places[nth % len(self.offices.places)]
        settlement, releaser = at(Post.SETTLEMENT, place), finance(Post.FINANCE_RELEASER, nth % 2)
        roster, batch, asked = "payment_roster", "payment_batch", "funds_fundingapplication"
        every: list[tuple[Callable[..., Any], Any, str, str, bool]] = [
            (commands.withdraw_roster, at(Post.CLERK, place), roster, "roster_id", False),
            (commands.publish_roster, at(Post.REVIEWER, place), roster, "roster_id", False),
            (commands.sign_roster, at(Post.TOWNSHIP_HEAD, place), roster, "roster_id", False),
            (commands.confirm_by_department, department(DIBAO, Post.DEPARTMENT_APPROVER), roster, "roster_id", False),
            (commands.confirm_by_finance, finance(), roster, "roster_id", False),
            (commands.apply_for_funds, settlement, roster, "roster_id", False),
            (commands.prepare_batch, releaser, roster, "roster_id", False),
            (commands.reissue_returned, settlement, roster, "roster_id", False),
            (commands.release_batch, releaser, batch, "batch_id", False),
            (commands.cancel_batch, settlement, batch, "batch_id", False),
            (commands.cancel_batch, settlement, batch, "batch_id", False),
            (funds.withdraw_application, settlement, asked, "application_id", False),
            (funds.reserve_funding, finance(), asked, "application_ids", True),
            (funds.transfer_funding, releaser, asked, "application_ids", True),
            (commands.release_hold, at(Post.REVIEWER, place), "payment_rosterfinding", "finding_ids", True),
            (commands.check_roster, at(Post.CLERK, place), roster, "roster_id", False),
        ]  # fmt: skip
        act, by, table, argument, many = every[command]
        rows = fetched(
            f"SELECT id FROM {table} WHERE left(division, 9) || '000' = %s ORDER BY id DESC LIMIT 20", [place]
        )
        if not rows:
            return act.__name__, act, by, None
        [number] = rows[nth % (len(rows) if nth % 3 == 0 else min(len(rows), 3))]
        told: dict[str, Any] = {argument: [number] if many else number}
        return act.__name__, act, by, told | ({"reason": WORDS} if argument == "finding_ids" else {})

    # The bank.

    @rule(way=st.sampled_from([*PART_WRONG, *ALL_WRONG]), other=st.sampled_from(["", "", *PART_WRONG]))
    def bank_errs(self, way: str, other: str) -> None:
        """What it gets today it answers wrongly."""
        self.bank.day(self.on, *{way, other} - {""})

    @rule(nth=st.integers(0, 200), state=st.sampled_from(["closed", "slow", "faulty", "frozen", "normal"]))
    def account_is(self, nth: int, state: str) -> None:
        self.bank.put(self.accounts[nth % len(self.accounts)], state)

    @rule(nth=st.integers(0, 3), written=st.booleans())
    def bank_refuses(self, nth: int, written: bool) -> None:
        """A special account is frozen for a day: every file that draws on it is refused whole."""
        self.hurry("prepare", "release")
        account = special(self.offices.places[nth % len(self.offices.places)])
        self.bank.put(account, "frozen")
        if written:
            self.attempt("write", self.offices.write)
        self.bank.day(self.on)
        self.bank.put(account, "normal")

    @rule(nth=st.integers(0, 60), ours=st.booleans())
    def file_is_lost(self, nth: int, ours: bool) -> None:
        files = sorted((self.bank.outbox if ours else self.bank.inbox).glob("*"))
        if files:
            files[nth % len(files)].unlink()

    @rule(nths=st.lists(st.integers(0, 60), min_size=1, max_size=4))
    def files_are_taken(self, nths: list[int]) -> None:
        """In any order, also those taken before."""
        for nth in nths:
            names = [path.name for path in self.bank.files()]
            if names:
                name = names[-1 - nth % len(names)]
                self.attempt("take any", lambda name=name: self.offices.take(name), twice=True)
                self.holds()

    @rule(place=st.integers(0, 3), days=st.sampled_from([0, 30, 200]))
    def statement_comes(self, place: int, days: int) -> None:
        account = special(self.offices.places[place % len(self.offices.places)])
        self.bank.statement(account, self.on - timedelta(days=days), self.on)

    @rule(nth=st.integers(0, 60))
    def money_comes_back(self, nth: int) -> None:
        """A line that was credited comes back."""
        rows = self.bank.rows(_CREDITED)
        if rows:
            number, row = rows[-1 - nth % len(rows)]
            self.bank.take_back(number, row, self.on)

    # What happens to people, and what follows.

    @rule(nth=st.integers(0, 5), posted=st.booleans())
    def roster_is_withdrawn(self, nth: int, posted: bool) -> None:
        """Before it is posted or while it hangs; too late once it is signed."""
        self.hurry("compile", *(("publish",) if posted else ()))
        rows = fetched(
            "SELECT id, division FROM payment_roster WHERE division = ANY(%s) ORDER BY id DESC LIMIT 3",
            [list(self.offices.places)],
        )
        if rows:
            roster, place = rows[nth % len(rows)]
            told = {"by": at(Post.CLERK, place), "on": self.on, "roster_id": roster}
            self.attempt("withdraw", lambda: commands.withdraw_roster(**told), twice=True)

    @rule(nth=st.integers(0, 5), late=st.booleans())
    def batch_is_cancelled(self, nth: int, late: bool) -> None:
        """Before it is released; too late afterwards, whether the bank has it or not."""
        self.hurry("prepare", *(("release",) if late else ()))
        rows = fetched(
            "SELECT id, division FROM payment_batch WHERE division = ANY(%s) ORDER BY id DESC LIMIT 3",
            [list(self.offices.places)],
        )
        if rows:
            batch, place = rows[nth % len(rows)]
            told = {"by": at(Post.SETTLEMENT, place), "on": self.on, "batch_id": batch}
            self.attempt("cancel", lambda: commands.cancel_batch(**told), twice=True)

    @rule(nth=st.integers(0, 20), change=st.sampled_from(["cut", "raise", "death"]))
    def life(self, nth: int, change: str) -> None:
        """A standard changes back in time, or somebody dies; then the department looks what was paid too much."""
        rows = fetched(_HOLDERS, [list(self.offices.places), DIBAO])
        entitlement, place, member = rows[nth % len(rows)]
        if change == "death" and member is not None:
            told = {"person": member, "died_on": self.on - timedelta(days=40), "evidence": "死亡证明"}
            self.attempt("death", lambda: record_death(by=at(Post.CLERK, place), on=self.on, **told))
            return
        factor = "amount_fen * 3 / 4" if change == "cut" else "amount_fen + 1000"
        run(
            f"UPDATE casework_entitlement SET amount_fen = {factor} WHERE id = %s AND amount_fen > 4000",
            [entitlement],
            using="maintenance",
        )
        officer = department(DIBAO, Post.DEPARTMENT_OFFICER)
        self.attempt("found", lambda: commands.propose_recoveries(by=officer, on=self.on, programme=DIBAO), twice=True)

    @rule(nth=st.integers(0, 20), held=st.booleans())
    def doubted(self, nth: int, held: bool) -> None:
        """Somebody of a household on a roster that is not posted dies; the clerk explains the line, or holds it back."""
        self.hurry("compile")
        rows = fetched(_LISTED, [list(self.offices.places)])
        if not rows:
            return
        roster, place, member = rows[nth % len(rows)]
        clerk, told = at(Post.CLERK, place), {"roster_id": roster}
        died = {"person": member, "died_on": self.on - timedelta(days=20), "evidence": "死亡证明"}
        self.attempt("death", lambda: record_death(by=clerk, on=self.on, **died))
        self.attempt("check", lambda: commands.check_roster(by=clerk, on=self.on, **told))
        found = [
            each
            for (each,) in fetched(
                "SELECT id FROM payment_rosterfinding WHERE roster_id = %s AND state = 'open'", [roster]
            )
        ]
        act = commands.hold_findings if held else commands.explain_findings
        self.attempt(
            "hold" if held else "explain",
            lambda: act(by=clerk, on=self.on, **told, finding_ids=found, reason=WORDS),
            twice=True,
        )

    @rule(programme=st.sampled_from(PROGRAMMES), later=st.integers(0, 1))
    def dues_arise(self, programme: str, later: int) -> None:
        by, period = department(programme, Post.DEPARTMENT_OFFICER), quarter(2021, 3 + later)
        self.attempt(
            "accrue", lambda: commands.accrue_dues(by=by, on=self.on, programme=programme, period=period), twice=True
        )

    @rule(percent=st.sampled_from([20, 50, 60]))
    def share_is_set(self, percent: int) -> None:
        def both() -> None:
            row = propose_share(
                by=department(DIBAO, Post.DEPARTMENT_OFFICER), on=self.on, share_percent=percent, basis="县里的文件"
            )
            settle_share(by=department(DIBAO, Post.DEPARTMENT_APPROVER), on=self.on, number=row.pk, agreed=True)

        if percent <= 50 or not self.attempt("share", both):
            self.attempt("share", both)

    @rule(nth=st.integers(0, 5), part=st.sampled_from([1, 2, 3]), given_up=st.booleans())
    def owed_back(self, nth: int, part: int, given_up: bool) -> None:
        """Somebody pays back at the bank, all or a part, or it is given up."""
        rows = fetched(_OUTSTANDING)
        if not rows:
            return
        number, place, left = rows[nth % len(rows)]
        fen = left // part if part < 3 else left + 1
        told: dict[str, Any] = {"number": number, "amount_fen": fen}
        if given_up:
            by, paper = department(DIBAO, Post.DEPARTMENT_APPROVER), self.offices.paper()
            told |= {"reason": WORDS, "document_no": paper}
            self.attempt("write off", lambda: commands.propose_write_off(by=by, on=self.on, **told), twice=True)
            return
        payers = self.bank.rows(
            "SELECT account FROM accounts WHERE kind = 'person' AND balance_fen >= ? ORDER BY 1", fen
        )
        if not payers or place not in self.offices.places:
            return
        [(last,)] = self.bank.rows("SELECT max(id) FROM postings")
        serial = f"{self.on:%Y%m%d}{last + 1:010d}"
        told |= {"paid_on": self.on, "bank_serial": serial}
        if self.attempt("pay in", lambda: commands.enter_receipt(by=finance(), on=self.on, **told), twice=True):
            assert self.bank.pay(payers[0][0], special(place), fen, self.on) == serial

    @rule(nth=st.integers(0, 5), all_=st.booleans())
    def no_more_paid(self, nth: int, all_: bool) -> None:
        """Lines that came back are given up: their money is to go where it came from."""
        rows = fetched(_LYING, [list(self.offices.places)])
        if not rows:
            return
        application, place, lines = rows[nth % len(rows)]
        told = {
            "application_id": application,
            "line_ids": lines if all_ else lines[:1],
            "reason": WORDS,
            "document_no": self.offices.paper(),
        }
        self.attempt(
            "propose back",
            lambda: commands.propose_giving_back(by=at(Post.SETTLEMENT, place), on=self.on, **told),
            twice=True,
        )

    @rule(nth=st.integers(0, 40), upheld=st.booleans())
    def somebody_objects(self, nth: int, upheld: bool) -> None:
        self.hurry("compile", "publish")
        rows = fetched(
            "SELECT w.id, w.division FROM notices_noticerow w JOIN notices_notice n ON n.id = w.notice_id WHERE n.state = 'open' ORDER BY 1"
        )
        rows = [row for row in rows if row[1][:9] + "000" in self.offices.places]
        if not rows:
            return
        number, village = rows[nth % len(rows)]
        by = at(Post.CLERK, village[:9] + "000")
        text = f"第 {self.on} 天的意见 {nth}"
        if self.attempt("object", lambda: file_objection(by=by, on=self.on, row_id=number, text=text)) and upheld:
            [(objection,)] = fetched("SELECT max(id) FROM notices_objection")
            act = self.offices._answer(objection, village[:9] + "000", upheld=True)
            self.attempt("uphold", act.do)

    # From above, and the books.

    @rule(
        programme=st.sampled_from(PROGRAMMES), what=st.sampled_from(["receive", "issue", "cut", "carry"]), nth=st.integers(0, 5),
        part=st.sampled_from([1, 2, 10]),
    )  # fmt: skip
    def from_above(self, programme: str, what: str, nth: int, part: int) -> None:
        """An indicator comes, is issued onward, cut, carried over; more than there is, too."""
        rows = fetched("SELECT id, division, amount_fen - reserved_fen - spent_fen - issued_fen - carried_fen - cut_fen FROM funds_allotment"
                       " WHERE programme = %s AND state = 'in_force' AND amount_fen > 0 ORDER BY id", [programme])  # fmt: skip
        if what == "receive" or not rows:
            self.attempt("register", lambda: indicators.receive_allotment(
                by=finance(), on=self.on, division=COUNTY, programme=programme, year=2021, document_no=f"追加{nth}", amount_fen=10_000_00 // part,
            ), twice=True)  # fmt: skip
            return
        number, _, left = rows[nth % len(rows)]
        told: dict[str, Any] = {
            "allotment_id": number,
            "amount_fen": max(1, left // part + (part == 1 and nth == 5)),
            "document_no": self.offices.paper(),
        }
        if what == "issue":
            told["target"] = self.offices.places[nth % len(self.offices.places)]
            self.attempt("issue", lambda: indicators.propose_issue(by=finance(), on=self.on, **told), twice=True)
        elif what == "cut":
            self.attempt(
                "cut", lambda: indicators.propose_cut(by=finance(), on=self.on, reason=WORDS, **told), twice=True
            )
        else:
            self.attempt(
                "carry",
                lambda: indicators.propose_carries(by=finance(), on=self.on, allotment_ids=[number]),
                twice=True,
            )

    @precondition(lambda self: self.on.day <= 20)
    @rule()
    def month_is_closed(self) -> None:
        """The last month of every township's books, where the bank agrees; refused where it does not."""
        month = add_months(month_start(self.on), -1)
        self.attempt("review", lambda: self.review(month))
        held = self.bank.balances()
        told = [Statement(place, held[special(place)]) for place in self.offices.places]
        self.attempt(
            "close",
            lambda: close_months(by=finance(Post.ACCOUNTANT), on=self.on, month=month, statements=told),
            twice=True,
        )

    def review(self, month: date) -> None:
        accountant = finance(Post.ACCOUNTANT)
        for each in (quarter(2021, 3).start, add_months(month, -1), month):
            review_month(by=accountant, on=self.on, prefix=accountant.prefix, month=each)


_CREDITED = """
SELECT files.number, r.row_id FROM order_rows AS r JOIN files ON files.id = r.file_id AND files.kind = 'payment'
JOIN orders AS o ON o.file_id = files.id JOIN accounts AS a ON a.account = r.account
WHERE r.state = 'S' AND a.balance_fen >= r.amount_fen AND NOT EXISTS (SELECT 1 FROM postings AS p WHERE p.file_id = r.file_id
      AND p.sequence = r.sequence AND p.target = o.payer) ORDER BY files.id, r.sequence
"""
# Entitlements of the townships, with a member who is not the head.
_HOLDERS = """
SELECT e.id, left(e.division, 9) || '000', (SELECT max(m.person_id) FROM registry_membership m JOIN registry_person p ON p.id = m.person_id
       AND p.closed_on IS NULL WHERE m.household_id = e.household_id AND m.relation <> '户主' AND m.recorded_to IS NULL AND m.valid_to IS NULL)
FROM casework_entitlement e WHERE left(e.division, 9) || '000' = ANY(%s) AND e.programme = %s ORDER BY e.id
"""
# Members, not heads, of households on rosters that are not posted.
_LISTED = """
SELECT r.id, r.division, max(m.person_id) FROM payment_roster r JOIN payment_rosterline l ON l.roster_id = r.id AND l.state = 'listed' AND l.person_id IS NULL
JOIN registry_membership m ON m.household_id = l.household_id AND m.relation <> '户主' AND m.recorded_to IS NULL AND m.valid_to IS NULL
WHERE r.state = 'compiled' AND r.division = ANY(%s) GROUP BY r.id, r.division, l.id ORDER BY l.id
"""
_OUTSTANDING = """
SELECT r.id, r.books, r.amount_fen - r.withheld_fen - r.repaid_fen - r.written_off_fen FROM payment_recovery r
WHERE r.state = 'decided' AND r.amount_fen - r.withheld_fen - r.repaid_fen - r.written_off_fen > 0 ORDER BY r.id
"""
_LYING = """
SELECT r.application_id, r.division, array_agg(l.id ORDER BY l.id) FROM payment_rosterline l JOIN payment_roster r ON r.id = l.roster_id
WHERE l.state = 'returned' AND l.withheld_reason = '' AND r.division = ANY(%s) GROUP BY 1, 2 ORDER BY 1
"""
