"""A bank in another format, over another way, with keys: settings, one batch, and the bank's own program."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections

from bank_simulator.cli import main
from bank_simulator.keys import Keys
from huimin.database.bulk import fetch
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.listing import rosters
from huimin.demo.paying import finance, releasers
from huimin.jobs.models import Job
from huimin.jobs.working import work_one
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.commands import (
    ask_name_check,
    decide_bank_setting,
    prepare_batch,
    propose_bank_setting,
    release_batch,
    request_fetching,
    write_batch_files,
)
from huimin.payment.exchange import keys
from huimin.payment.models import BankSetting, Batch, ExchangeFile, Instruction, PaymentException, Roster
from tests.stages import Stages


def office() -> int:
    return actor(Post.BANK_OPERATOR, OfficeKind.BANK).office


def agree(home: Path, **other: Any) -> BankSetting:
    """A setting proposed by one and approved by another; Ed25519 keys on both sides, unless told otherwise."""
    told: dict[str, Any] = {
        "by": finance(), "on": dates.TRANSFERRED, "bank_office": office(), "valid_from": dates.TRANSFERRED,
        "format": "fixed-gbk", "route": "folder", "suite": "ed25519", "name_check": False, "basis": "代发协议（测试）",
    }  # fmt: skip
    told |= other
    if told["suite"] == "ed25519":
        ours = keys.make_key(office(), "ed25519", date(2021, 1, 1))
        theirs = Keys.make(home / "keys.json", [ours.public])
        keys.add_key(office(), keys.IN, "ed25519", date(2021, 1, 1), theirs.public)
    row = propose_bank_setting(**told)
    return decide_bank_setting(by=finance(Post.FINANCE_RELEASER), on=told["on"], number=row.pk, agreed=True)


@dataclass
class Story:
    """One roster of the funded county on its way through a bank that speaks `format`."""

    home: Path
    format: str
    roster: Roster = field(init=False)
    batch: Batch = field(init=False)

    def __post_init__(self) -> None:
        os.environ["HUIMIN_INBOX"] = str(self.home / "from-bank")  # every story has a folder of its own
        self.outbox, self.inbox = self.home / "to-bank", self.home / "from-bank" / "answers"
        self.inbox.mkdir(parents=True, exist_ok=True)
        confirmed = rosters(Roster.State.CONFIRMED)
        self.roster = max(confirmed, key=lambda each: each.lines_count)

    @property
    def settlement(self) -> Any:
        return actor(Post.SETTLEMENT, self.roster.division)

    def agree(self, **other: Any) -> BankSetting:
        return agree(self.home, **({"format": self.format, "folder_in": "answers"} | other))

    def release(self) -> Batch:
        """Prepared by the township, released by the county, written."""
        made = prepare_batch(by=self.settlement, on=dates.PREPARED, roster_id=self.roster.pk)
        self.batch = release_batch(by=releasers()[0], on=dates.RELEASED, batch_id=made.pk)
        self.write()
        with reading(finance()):
            self.batch = Batch.objects.get(pk=made.pk)
        return self.batch

    def write(self) -> list[Path]:
        return write_batch_files(by=releasers()[0], on=dates.RELEASED, folder=self.outbox)

    def ask(self) -> Any:
        return ask_name_check(by=self.settlement, on=dates.TRANSFERRED, roster_id=self.roster.pk)

    def bank(self, *arguments: str | Path) -> str:
        """The bank's program with the county's accounts, in this process."""
        told = [
            "--home",
            str(self.home / "bank" / "book"),
            "--format",
            str(settings.BANK_FORMATS_FOLDER / f"{self.format}.yaml"),
        ]
        with TextIOWrapper(BytesIO(), encoding="utf-8") as said:
            with redirect_stdout(said), redirect_stderr(said):
                code = main([*told, *map(str, arguments)])
            said.flush()
            text = said.buffer.getvalue().decode()  # type: ignore[attr-defined]
        assert code in (0, 1), text
        return text

    def run_bank(self, *options: str, on: date = dates.RELEASED) -> str:
        if "--keys" not in options and (self.home / "keys.json").exists():
            options = ("--keys", str(self.home / "keys.json"), *options)
        return self.bank(
            "run", "--inbox", self.outbox, "--outbox", self.inbox, "--date", on.isoformat(), "--acknowledge", *options
        )

    def fetch(self, on: date = dates.RESULTS) -> Job:
        """The job that takes what lies there."""
        job = request_fetching(by=finance(), on=on)
        assert work_one(job.pk) is not None
        with reading(finance()):
            return Job.objects.get(pk=job.pk)

    def states(self) -> dict[str, int]:
        with reading(finance()):
            rows = fetch(
                "SELECT state, count(*) FROM payment_instruction WHERE batch_id = %s GROUP BY 1", [self.batch.pk]
            )
        return dict(rows)

    def kinds(self) -> dict[str, int]:
        with reading(finance()):
            return dict(
                fetch(
                    "SELECT kind, count(*) FROM payment_paymentexception WHERE batch_id = %s GROUP BY 1",
                    [self.batch.pk],
                )
            )

    def came(self) -> dict[str, tuple[str, str]]:
        """Name → (state, last error) of what was fetched."""
        with reading(finance()):
            rows = ExchangeFile.objects.filter(direction="in").values_list("file_name", "state", "last_error")
            return {name: (state, error) for name, state, error in rows}

    def sent_file(self) -> ExchangeFile:
        with reading(finance()):
            return ExchangeFile.objects.get(batch=self.batch, direction="out")

    def instructions(self) -> list[Instruction]:
        with reading(finance()):
            return list(Instruction.objects.filter(batch=self.batch).order_by("sequence"))

    def exceptions(self) -> list[PaymentException]:
        with reading(finance()):
            return list(PaymentException.objects.filter(batch=self.batch).order_by("id"))

    def books(self) -> dict[str, Any]:
        return json.loads(self.bank("books", "--json"))

    def posted(self) -> list[tuple[Any, ...]]:
        """Everything an answer may touch."""
        with reading(finance()):
            return [
                *fetch(
                    "SELECT 'i', state, count(*), sum(amount_fen)::bigint FROM payment_instruction GROUP BY 2 ORDER BY 2"
                ),
                *fetch("SELECT 'l', state, count(*), 0 FROM payment_rosterline GROUP BY 2 ORDER BY 2"),
                *fetch("SELECT 'd', state, count(*), 0 FROM payment_due GROUP BY 2 ORDER BY 2"),
                *fetch(
                    "SELECT 'v', event, count(*), sum(amount_fen)::bigint FROM ledger_voucher GROUP BY 2 ORDER BY 2"
                ),
                *fetch("SELECT 'x', kind, count(*), 0 FROM payment_paymentexception GROUP BY 2 ORDER BY 2"),
                *fetch("SELECT 'f', '', count(*), 0 FROM payment_resultfile"),
            ]


def begin(stages: Stages, county: Callable[[str], str], folder: Path, form: str) -> Story:
    """The funded county and its bank, at the beginning of a story."""
    name = county("funded")
    home = stages.files("funded", folder / form)
    stages.use(name)
    return Story(home, form)


@contextmanager
def undone(stages: Stages, story: Story) -> Iterator[None]:
    """A copy of the county as it stands, thrown away afterwards; the bank's books and what it answered too."""
    before = str(connections["default"].settings_dict["NAME"])
    copy = f"{before}_copy"
    stages.use("postgres")
    stages._clone(before, copy)
    stages.use(copy)
    shutil.copytree(story.home, folder := story.home.with_name("kept"))
    try:
        yield
    finally:
        stages.drop(copy)
        stages.use(before)
        shutil.rmtree(story.home)
        folder.rename(story.home)
