"""A run of the walk: a copy of a county, acts with what must hold after each, and everything driven to rest at the end."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from huimin.funds import indicators
from huimin.kernel.errors import Refusal
from huimin.organisation.posts import Post
from tests.payment.walk.bank import Bank
from tests.payment.walk.ends import require_rest
from tests.payment.walk.holds import fetched, wrong
from tests.payment.walk.offices import COUNTY, DIBAO, PROGRAMMES, Offices, finance, special
from tests.stages import Stages

MONEY = (
    "payment_due", "payment_linedue", "payment_rosterline", "payment_instruction", "payment_batch", "payment_rebooking", "payment_recovery",
    "payment_recoveryreceipt", "payment_recoverywriteoff", "funds_allotment", "funds_allotmentmove", "funds_fundingapplication",
    "funds_moneymove", "ledger_voucher", "ledger_ledgerline",
)  # fmt: skip
"""What an act done twice must not touch the second time."""
REST_ROUNDS = 40
LAST_DAY = date(2021, 10, 31)


@dataclass
class Base:
    """A county at a stage, with its bank, from which every run gets a copy."""

    stages: Stages
    database: str
    home: Path
    on: date
    places: tuple[str, ...]
    runs: int = 0

    def copy(self) -> tuple[str, Path]:
        self.runs += 1
        name = f"{self.database}_w{self.runs}"
        self.stages.use("postgres")
        self.stages._clone(self.database, name)
        self.stages.use(name)
        folder = Path(tempfile.mkdtemp(prefix="walk-", dir=self.home.parent))
        shutil.copytree(self.home / "bank", folder / "bank")
        return name, folder


@dataclass
class Taken:
    """What all runs came to, for the test and for whoever watches."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    runs: int = 0


class Doing(RuleBasedStateMachine):
    """How a run begins, how an act is done, and how it all comes to rest."""

    bases: Callable[[str], Base]
    taken = Taken()

    @initialize(stage=st.sampled_from(["answered", "accrued", "reissued"]), steps=st.integers(0, 14))
    def begins(self, stage: str, steps: int) -> None:
        self.base = self.bases(stage)
        self.database, folder = self.base.copy()
        self.bank = Bank(folder)
        self.offices = Offices(self.bank, self.base.places, self.base.on)
        self.offices.taken = {path.name for path in self.bank.files()}
        self.accounts = self.offices.accounts()
        if not fetched("SELECT 1 FROM funds_allotment LIMIT 1"):
            self.above(DIBAO, 50_000_00)
            self.above(PROGRAMMES[1], 50_000_00)
        for _ in range(steps):
            self.next_act(0)

    # Doing.

    @staticmethod
    def mark() -> int:
        """The last row that was written; that something was refused is remembered, too."""
        return int(
            fetched("SELECT id FROM audit_change WHERE table_name <> 'audit_event' ORDER BY id DESC LIMIT 1")[0][0]
        )

    def attempt(self, name: str, do: Callable[[], Any], *, twice: bool = False) -> bool:
        """One act; what is refused leaves no row; what is done again moves no money."""
        before = self.mark()
        try:
            do()
        except Refusal as refusal:
            assert self.mark() == before, f"{name} was refused ({refusal}) and left rows"
            self.taken.refused[f"{name}: {refusal.what}"] += 1
            return False
        self.taken.done[name] += 1
        if twice:
            self.again(name, do)
        return True

    def again(self, name: str, do: Callable[[], Any]) -> None:
        before = self.mark()
        try:
            do()
        except Refusal:
            assert self.mark() == before
        moved = fetched(
            "SELECT table_name, row_key FROM audit_change WHERE id > %s AND table_name = ANY(%s)", [before, list(MONEY)]
        )
        assert not moved, f"{name}, done twice, moved {moved}"

    def next_act(self, nth: int, *, twice: bool = False) -> bool:
        waiting = self.offices.waiting()
        if not waiting:
            return False
        act = waiting[nth % len(waiting)]
        return self.attempt(act.name, act.do, twice=twice and act.name not in ("wait", "correct", "give back"))

    def hurry(self, *names: str) -> None:
        """What waits under these names is done first, once each, so that the rest of a rule finds something to be about."""
        for name in names:
            act = next((each for each in self.offices.waiting() if each.name == name), None)
            if act is not None:
                self.attempt(name, act.do)

    @property
    def on(self) -> date:
        return self.offices.on

    def above(self, programme: str, fen: int, place: str = COUNTY) -> None:
        made: list[int] = []

        def both() -> None:
            told = {
                "division": place,
                "programme": programme,
                "year": 2021,
                "document_no": self.offices.paper(),
                "amount_fen": fen,
            }
            made.append(indicators.receive_allotment(by=finance(), on=self.on, **told).pk)
            indicators.decide_allotments(by=finance(Post.FINANCE_RELEASER), on=self.on, allotment_ids=made)

        self.attempt("indicator", both)

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "bank"):
            assert (found := wrong(self.bank)) == [], "\n".join(found)

    def teardown(self) -> None:
        if not hasattr(self, "bank"):
            return
        try:
            self.rest()
        finally:
            self.bank.close()
            self.base.stages.drop(self.database)
        self.taken.runs += 1

    def rest(self) -> None:
        """Everybody does what waits until nothing does; then bank, ledger and rosters are one."""
        for (account,) in self.bank.rows("SELECT account FROM accounts WHERE state IN ('frozen', 'faulty', 'slow')"):
            self.bank.put(account, "normal")
        for _ in range(REST_ROUNDS):
            before, waiting = self.mark(), self.offices.waiting()
            for act in waiting:
                self.attempt(act.name, act.do)
            self.holds()
            self.bank.day(self.on)
            if self.mark() == before and not any(act.name == "wait" for act in waiting) and not self.offices._files():
                break
            self.enough()
            self.state_all()
        require_rest(self)

    def enough(self) -> None:
        """Where indicators do not hold what is asked for, another document comes."""
        for programme in {
            row[0] for row in fetched("SELECT programme FROM funds_fundingapplication WHERE state = 'applied'")
        }:
            self.above(programme, 50_000_00)

    def state_all(self) -> None:
        """What no answer told a statement tells."""
        waits = fetched("SELECT DISTINCT b.division FROM payment_batch b JOIN payment_instruction i ON i.batch_id = b.id AND i.state IN ('sent', 'unknown')"
                        " WHERE b.state IN ('written', 'answered')")  # fmt: skip
        for (place,) in waits:
            self.bank.statement(special(place), date(2021, 7, 1), self.on)
