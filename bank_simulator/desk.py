"""The counter: takes files from the inbox, one transaction each, and sees to it that every one is answered.

Guarantees, whatever dies when:

- the same content under the same number is booked once; seen again, it gets the same answers and moves no money;
- another content under an accepted number is refused (X01);
- a refusal moves nothing and does not use the number up: the mended file may come under the same number;
- answers are in the books before they are in the outbox, so a run after a crash delivers what is missing.

Names that fit no kind of order, and what is no plain file (links, folders, pipes), are not opened but reported.
Names that begin with a dot or end in .part or .tmp are somebody's unfinished work and left in peace.
"""

import hashlib
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import BinaryIO

from bank_simulator.answers import Reply, compose_answer, compose_check, compose_refusal, deliver, write_if_different
from bank_simulator.books import transaction
from bank_simulator.errors import FileRefused
from bank_simulator.keys import Keys
from bank_simulator.layout import ORDER_KINDS, FileKind, Layout
from bank_simulator.misbehaving import put_badly
from bank_simulator.posting import book_order, judge_accounts, settle_order
from bank_simulator.reading import Order
from bank_simulator.tongues import REFUSALS, read_any


@dataclass(frozen=True)
class Arrival:
    """A file of the inbox with a name of ours. `content` is None when it is too large to be read."""

    name: str
    kind: FileKind
    number: str
    sha256: str
    content: bytes | None


@dataclass
class Report:
    """What one round did, for the screen."""

    lines: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)


@dataclass
class Desk:
    """The bank at work on one inbox and one outbox. Remembers, while it lives, which files it has looked at."""

    books: sqlite3.Connection
    home: Path
    layout: Layout
    on: date
    keys: Keys | None = None
    misbehaviour: frozenset[str] = frozenset()
    acknowledges: bool = False
    looked_at: dict[str, tuple[int, ...]] = field(default_factory=dict)
    made: list[Reply] = field(default_factory=list)

    def run_once(self, inbox: Path, outbox: Path) -> Report:
        """Take in what is new since this desk last looked, then deliver, well or badly."""
        report = Report()
        arrived = [(arrival, self._take(arrival, report)) for arrival in self._arrivals(inbox, report)]
        for arrival, _ in arrived if self.acknowledges else ():
            write_if_different(outbox / f"{arrival.name}.ack", f"{arrival.sha256} {arrival.name}\n".encode())
        self.deliver(outbox, [file_id for _, file_id in arrived])
        return report

    def deliver(self, outbox: Path, again: Iterable[int] = ()) -> None:
        """Answers into the outbox, signed when we have keys; spoiled ones in the place of what was made in this round."""
        spoiled = [
            reply for reply in self.made if self.misbehaviour and reply.rows and reply.kind.key == "payment_answer"
        ]
        but = {reply.name(self.layout) for reply in spoiled}
        deliver(self.books, self.home, outbox, again=again, sign=self.keys.sign if self.keys else None, but=but)
        for reply in spoiled:
            put_badly(self.layout, reply, outbox, self.misbehaviour, self.keys)
        self.made.clear()

    def settle(self) -> list[str]:
        """Decide every pending row; one transaction and one further answer an order. Lines for the screen."""
        pending = self.books.execute("SELECT DISTINCT file_id FROM order_rows WHERE state = 'U' ORDER BY 1").fetchall()
        return [line for (file_id,) in pending if (line := self._settle_one(file_id))]

    def _arrivals(self, inbox: Path, report: Report) -> Iterator[Arrival]:
        """New files, transfers before payments, then by name; read one at a time."""
        found = []
        for name in sorted(os.listdir(inbox)):
            if name.startswith(".") or name.endswith((".part", ".tmp", ".sig")):
                continue
            kind = _kind_of(self.layout, name)
            if kind is None:
                report.unanswered.append(f"{name!r}：不是本行认识的文件名，未处理")
            else:
                found.append((ORDER_KINDS.index(kind.key), name, kind))  # a signature's name is its file's with .sig
        for _, name, kind in sorted(found, key=lambda entry: entry[:2]):
            arrival = self._open(inbox / name, kind, report)
            if arrival is None:
                continue
            if self.keys and not self.keys.verifies(arrival.name, arrival.sha256, inbox / f"{name}.sig"):
                report.unanswered.append(f"{name}：签名不对或没有签名，未处理")
                self.looked_at.pop(name, None)
                continue
            yield arrival

    def _open(self, path: Path, kind: FileKind, report: Report) -> Arrival | None:
        try:
            # Not through links, and without waiting for the other end of a pipe.
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            report.unanswered.append(f"{path.name}：打不开（{error.strerror}），未处理")
            return None
        try:
            return self._read_if_new(handle, path.name, kind, report)
        finally:
            os.close(handle)

    def _read_if_new(self, handle: int, name: str, kind: FileKind, report: Report) -> Arrival | None:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            report.unanswered.append(f"{name}：不是普通文件，未处理")
            return None
        signature = (facts.st_ino, facts.st_size, facts.st_mtime_ns)
        if self.looked_at.get(name) == signature:
            return None
        self.looked_at[name] = signature
        with open(handle, "rb", closefd=False) as stream:
            return self._read(stream, name, kind, facts.st_size)

    def _read(self, stream: BinaryIO, name: str, kind: FileKind, size: int) -> Arrival:
        number = kind.name_pattern.fullmatch(name)["number"]
        if size > self.layout.file_bytes_max:
            return Arrival(name, kind, number, hashlib.file_digest(stream, "sha256").hexdigest(), None)
        content = stream.read(self.layout.file_bytes_max + 1)
        return Arrival(name, kind, number, hashlib.sha256(content).hexdigest(), content)

    def _take(self, arrival: Arrival, report: Report) -> int:
        """The number under which the books keep this content, booked now if it is new."""
        with transaction(self.books):
            known = self.books.execute(
                "SELECT id FROM files WHERE kind = ? AND number = ? AND sha256 = ?",
                (arrival.kind.key, arrival.number, arrival.sha256),
            ).fetchone()
            file_id = known["id"] if known else self._enter(arrival)
            report.lines.append(f"{arrival.name}：{'重复报送，回盘不变' if known else self._outcome(file_id)}")
        return file_id

    def _enter(self, arrival: Arrival) -> int:
        entry = (arrival.kind.key, arrival.number, arrival.sha256, f"{self.on:%Y%m%d}")
        self.books.execute("SAVEPOINT entering")
        try:
            order = self._accepted_order(arrival)
            file_id = self._insert(entry, "", "")
            if arrival.kind.key == "check":
                reply = compose_check(self.books, self.layout, file_id, judge_accounts(self.books, order), self.on)
            else:
                book_order(self.books, self.layout, order, file_id, self.on)
                reply = compose_answer(self.books, self.layout, file_id, self.on)
            self.made.append(reply)
        except FileRefused as refused:
            self.books.execute("ROLLBACK TO entering")
            file_id = self._insert(entry, refused.code, refused.detail)
            compose_refusal(self.books, self.layout, file_id, refused, self.on)
        self.books.execute("RELEASE entering")
        return file_id

    def _accepted_order(self, arrival: Arrival) -> Order:
        if arrival.content is None or len(arrival.content) > self.layout.file_bytes_max:
            raise FileRefused("X13", f"文件超过 {self.layout.file_bytes_max} 字节")
        order = read_any(self.layout, arrival.kind, arrival.number, arrival.content)
        earlier = self.books.execute(
            "SELECT sha256 FROM files WHERE kind = ? AND number = ? AND refusal_code = ''",
            (arrival.kind.key, arrival.number),
        ).fetchone()
        if earlier:
            raise FileRefused("X01", f"先前受理的文件 SHA-256 为 {earlier['sha256']}")
        return order

    def _insert(self, entry: tuple[str, ...], code: str, detail: str) -> int:
        return self.books.execute(
            "INSERT INTO files (kind, number, sha256, received_on, refusal_code, refusal_detail) VALUES (?, ?, ?, ?, ?, ?)",
            (*entry, code, detail),
        ).lastrowid

    def _outcome(self, file_id: int) -> str:
        file = self.books.execute("SELECT * FROM files WHERE id = ?", (file_id,)).fetchone()
        if file["refusal_code"]:
            code = file["refusal_code"]
            return f"拒收 {code} {REFUSALS[code]}：{file['refusal_detail']}"
        if file["kind"] == "check":
            return "已核验"
        return f"已受理 {_counted(self.books, file_id)}"

    def _settle_one(self, file_id: int) -> str:
        with transaction(self.books):
            # Asked again under the lock: another settle may have been faster.
            if not self.books.execute(
                "SELECT 1 FROM order_rows WHERE file_id = ? AND state = 'U'", (file_id,)
            ).fetchone():
                return ""
            settle_order(self.books, self.layout, file_id, self.on)
            self.made.append(compose_answer(self.books, self.layout, file_id, self.on))
            number = self.books.execute("SELECT number FROM files WHERE id = ?", (file_id,)).fetchone()[0]
            return f"{number}：处理中的明细已办结，{_counted(self.books, file_id)}"


def _kind_of(layout: Layout, name: str) -> FileKind | None:
    return next(
        (
            layout.files[key]
            for key in ORDER_KINDS
            if key in layout.files and layout.files[key].name_pattern.fullmatch(name)
        ),
        None,
    )


def _counted(books: sqlite3.Connection, file_id: int) -> str:
    counts = books.execute(
        "SELECT count(*), sum(state = 'S'), sum(state = 'F'), sum(state = 'U') FROM order_rows WHERE file_id = ?",
        (file_id,),
    ).fetchone()
    return "共 {} 笔，成功 {}，失败 {}，处理中 {}".format(*counts)
