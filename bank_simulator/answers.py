"""What the bank says back: answers line by line, refusals of whole files, and putting them into the outbox.

An answer is composed once, inside the transaction that booked the money, and kept in the books as bytes. The outbox is
only a copy: whatever was lost there is put back byte for byte. Files appear by rename, never half-written.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from bank_simulator.errors import FileRefused
from bank_simulator.layout import FileKind, Layout


def compose_answer(books: sqlite3.Connection, layout: Layout, file_id: int, on: date) -> None:
    """Keep the next answer of an order: the rows judged just now (`judged`), with the state they have since."""
    file = _file(books, file_id)
    kind = layout.files[file["kind"] + "_answer"]
    answer_no = books.execute("SELECT count(*) + 1 FROM answers WHERE file_id = ?", (file_id,)).fetchone()[0]
    rows = [_answer_row(layout, row) for row in books.execute(_JUDGED_ROWS, (file_id,))]
    sums = books.execute(_JUDGED_SUMS, (file_id,)).fetchone()
    header = [file["number"], str(answer_no), f"{on:%Y%m%d}", *map(str, sums), file["sha256"], layout.version]
    _keep(books, kind, file, answer_no, layout.write(kind, header, rows, sums["amount_fen"]))


def compose_refusal(books: sqlite3.Connection, layout: Layout, file_id: int, refused: FileRefused, on: date) -> None:
    """Keep the one refusal of a file, numbered among the refused contents of that number."""
    file = _file(books, file_id)
    kind = layout.files[file["kind"] + "_refusal"]
    refusal_no = books.execute(
        "SELECT count(*) FROM files WHERE kind = ? AND number = ? AND refusal_code <> ''",
        (file["kind"], file["number"]),
    ).fetchone()[0]
    reason = layout.refusal_codes[refused.code]
    header = [
        file["number"], str(refusal_no), f"{on:%Y%m%d}", refused.code, reason, refused.detail, str(refused.line_no),
        file["sha256"], layout.version,
    ]  # fmt: skip
    _keep(books, kind, file, refusal_no, layout.write(kind, header, [], 0))


def deliver(books: sqlite3.Connection, home: Path, outbox: Path, again: Iterable[int] = ()) -> list[str]:
    """Write every answer not delivered yet, and those of the files `again` that the outbox has lost. Names written."""
    written = []
    with _sole_writer(home):
        for file_id, answer_no, name in _wanted(books, again):
            content = books.execute(
                "SELECT content FROM answers WHERE file_id = ? AND answer_no = ?", (file_id, answer_no)
            ).fetchone()[0]
            if _write_if_different(outbox / name, content):
                written.append(name)
            books.execute("UPDATE answers SET delivered = 1 WHERE file_id = ? AND answer_no = ?", (file_id, answer_no))
    return written


_JUDGED_ROWS = """
SELECT r.sequence, r.row_id, r.amount_fen, r.state, r.code, r.booked_on, r.serial
FROM judged JOIN order_rows AS r ON r.file_id = ? AND r.sequence = judged.sequence ORDER BY r.sequence
"""

_JUDGED_SUMS = """
SELECT count(*), sum(amount_fen) AS amount_fen,
       count(*) FILTER (WHERE r.state = 'S'), coalesce(sum(amount_fen) FILTER (WHERE r.state = 'S'), 0),
       count(*) FILTER (WHERE r.state = 'F'), coalesce(sum(amount_fen) FILTER (WHERE r.state = 'F'), 0),
       count(*) FILTER (WHERE r.state = 'U'), coalesce(sum(amount_fen) FILTER (WHERE r.state = 'U'), 0)
FROM judged JOIN order_rows AS r ON r.file_id = ? AND r.sequence = judged.sequence
"""


def _file(books: sqlite3.Connection, file_id: int) -> sqlite3.Row:
    return books.execute("SELECT * FROM files WHERE id = ?", (file_id,)).fetchone()


def _answer_row(layout: Layout, row: sqlite3.Row) -> tuple[str, ...]:
    sequence, row_id, amount_fen, state, code, booked_on, serial = row
    reason = layout.failure_codes[code] if code else ""
    return str(sequence), row_id, str(amount_fen), state, code, reason, booked_on, serial


def _keep(books: sqlite3.Connection, kind: FileKind, file: sqlite3.Row, answer_no: int, content: bytes) -> None:
    name = kind.name.format(**{kind.number: file["number"], "answer_no": answer_no, "refusal_no": answer_no})
    books.execute(
        "INSERT INTO answers (file_id, answer_no, file_name, content) VALUES (?, ?, ?, ?)",
        (file["id"], answer_no, name, content),
    )


def _wanted(books: sqlite3.Connection, again: Iterable[int]) -> list[tuple[int, int, str]]:
    columns = "SELECT file_id, answer_no, file_name FROM answers WHERE "
    wanted = {tuple(row) for row in books.execute(columns + "delivered = 0")}
    for file_id in again:
        wanted.update(tuple(row) for row in books.execute(columns + "file_id = ?", (file_id,)))
    return sorted(wanted)


def _write_if_different(path: Path, content: bytes) -> bool:
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
