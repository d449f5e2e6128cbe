"""What the bank says back: answers line by line, refusals of whole files, and putting them into the outbox.

An answer is composed once, inside the transaction that booked the money, and kept in the books as bytes. The outbox is
only a copy: whatever was lost there is put back byte for byte. Files appear by rename, never half-written.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bank_simulator.errors import FileRefused
from bank_simulator.layout import FileKind, Layout
from bank_simulator.tongues import REASONS, REFUSALS, name_of, render

Sign = Callable[[str, bytes], bytes]


@dataclass(frozen=True)
class Reply:
    """An answer before it is bytes: what it says, under the names of the description."""

    kind: FileKind
    number: str
    no: int
    header: dict[str, str]
    rows: list[dict[str, str]]

    def name(self, layout: Layout) -> str:
        return name_of(layout, self.kind, self.number, self.no)


# How a row that was credited and came back is told: as failed, without day and serial.
_CAME_BACK = {"row_state": "F", "failure_code": "F10", "booked_on": "", "bank_serial": ""}


def compose_answer(
    books: sqlite3.Connection, layout: Layout, file_id: int, on: date, *, came_back: bool = False
) -> Reply:
    """Keep the next answer of an order: the rows judged just now (`judged`), with the state they have since."""
    file = _file(books, file_id)
    kind = layout.files[file["kind"] + "_answer"]
    answer_no = books.execute("SELECT count(*) + 1 FROM answers WHERE file_id = ?", (file_id,)).fetchone()[0]
    rows = [dict(row) | (_CAME_BACK if came_back else {}) for row in books.execute(_JUDGED_ROWS, (file_id,))]
    for row in rows:
        row["failure_reason"] = REASONS[row["failure_code"]] if row["failure_code"] else ""
    reply = Reply(kind, file["number"], answer_no, _header(file, answer_no, on, layout), _texts(rows))
    _keep(books, layout, file_id, reply)
    return reply


def compose_check(
    books: sqlite3.Connection, layout: Layout, file_id: int, rows: list[dict[str, str]], on: date
) -> Reply:
    """Keep the answer to a check of accounts."""
    file = _file(books, file_id)
    reply = Reply(layout.files["check_answer"], file["number"], 1, _header(file, 1, on, layout), rows)
    _keep(books, layout, file_id, reply)
    return reply


def compose_refusal(
    books: sqlite3.Connection, layout: Layout, file_id: int, refused: FileRefused, on: date
) -> Reply | None:
    """Keep the one refusal of a file, numbered among the refused contents of that number; None where the format has none."""
    file = _file(books, file_id)
    kind = layout.files.get(file["kind"] + "_refusal")
    if kind is None and layout.layout == "iso20022":
        kind = layout.files["payment_answer"]
    if kind is None:
        return None
    refusal_no = books.execute(
        "SELECT count(*) FROM files WHERE kind = ? AND number = ? AND refusal_code <> ''",
        (file["kind"], file["number"]),
    ).fetchone()[0]
    header = _header(file, refusal_no, on, layout) | {
        "refusal_no": str(refusal_no), "refusal_code": refused.code, "refusal_reason": REFUSALS[refused.code],
        "refusal_detail": refused.detail, "line_no": str(refused.line_no),
    }  # fmt: skip
    reply = Reply(kind, file["number"], refusal_no, header, [])
    _keep(books, layout, file_id, reply)
    return reply


def _header(file: sqlite3.Row, answer_no: int, on: date, layout: Layout) -> dict[str, str]:
    return {
        "batch_no": file["number"], "transfer_no": file["number"], "check_no": file["number"], "answer_no": str(answer_no),
        "business_date": f"{on:%Y%m%d}", "order_sha256": file["sha256"], "format_version": layout.version,
    }  # fmt: skip


def _texts(rows: list[dict[str, object]]) -> list[dict[str, str]]:
    return [{name: str(value) for name, value in row.items()} for row in rows]


def deliver(
    books: sqlite3.Connection, home: Path, outbox: Path, again: Iterable[int] = (), sign: Sign | None = None,
    but: Iterable[str] = (),
) -> list[str]:  # fmt: skip
    """Write every answer not delivered yet, and those of the files `again` that the outbox has lost. Names written.

    Names of `but` are held back: somebody else puts something in their place.
    """
    written = []
    with _sole_writer(home):
        for file_id, answer_no, name in _wanted(books, again):
            content = books.execute(
                "SELECT content FROM answers WHERE file_id = ? AND answer_no = ?", (file_id, answer_no)
            ).fetchone()[0]
            if name in but:
                continue
            if sign is not None:
                write_if_different(outbox / f"{name}.sig", sign(name, content))
            if write_if_different(outbox / name, content):
                written.append(name)
            books.execute("UPDATE answers SET delivered = 1 WHERE file_id = ? AND answer_no = ?", (file_id, answer_no))
    return written


_JUDGED_ROWS = """
SELECT r.sequence, r.row_id, r.amount_fen AS row_amount_fen, r.state AS row_state, r.code AS failure_code, r.booked_on,
       r.serial AS bank_serial, r.account
FROM judged JOIN order_rows AS r ON r.file_id = ? AND r.sequence = judged.sequence ORDER BY r.sequence
"""


def _file(books: sqlite3.Connection, file_id: int) -> sqlite3.Row:
    return books.execute("SELECT * FROM files WHERE id = ?", (file_id,)).fetchone()


def _keep(books: sqlite3.Connection, layout: Layout, file_id: int, reply: Reply) -> None:
    books.execute(
        "INSERT INTO answers (file_id, answer_no, file_name, content) VALUES (?, ?, ?, ?)",
        (file_id, reply.no, reply.name(layout), render(layout, reply.kind, reply.header, reply.rows)),
    )


def _wanted(books: sqlite3.Connection, again: Iterable[int]) -> list[tuple[int, int, str]]:
    columns = "SELECT file_id, answer_no, file_name FROM answers WHERE "
    wanted = {tuple(row) for row in books.execute(columns + "delivered = 0")}
    for file_id in again:
        wanted.update(tuple(row) for row in books.execute(columns + "file_id = ?", (file_id,)))
    return sorted(wanted)


def write_if_different(path: Path, content: bytes) -> bool:
    if _same(path, content):
        return False
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True


def _same(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except FileNotFoundError:
        return False


@contextmanager
def _sole_writer(home: Path) -> Iterator[None]:
    """Two runs must not write the same `.part` at once. The lock falls with the process, however that ends."""
    with (home / "outbox.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
