"""Chain heads of the change log, kept in a file outside the database (SEC-05).

in    a head for every seal: database name, number, last transaction closed, keyed hash
out   HUIMIN_HOME/seals/heads.jsonl, one line a head; whole lines are never changed, and synced to the disk

The database alone cannot show that its last seals were cut off; this file does. A database made anew under a name that
was used before starts a new chain: `retire` appends a line saying so, and the earlier lines stay as evidence. A last
line that a power cut left unfinished is passed over; the sealer writes that head again from the database.
"""

import fcntl
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from huimin.kernel.errors import BadInput


class DamagedHeads(BadInput):
    """A line before the last of the heads file is not what this module writes."""


@dataclass(frozen=True)
class Head:
    """One sealed batch as the file remembers it; `mac` in hex."""

    database: str
    number: int
    until_xid: int
    mac: str


@dataclass
class Heads:
    """The heads of one database's present chain by number, and how many chains under its name were retired."""

    chain: dict[int, Head] = field(default_factory=dict)
    retired: list[str] = field(default_factory=list)

    @property
    def last(self) -> Head | None:
        return self.chain[max(self.chain)] if self.chain else None


def read_heads(path: Path, database: str) -> Heads:
    """What the file knows of `database`; an absent file knows nothing. Raises DamagedHeads."""
    heads = Heads()
    lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    for number, line in enumerate(lines, 1):
        entry = _parse(line, f"{path.name} 第 {number} 行", last=number == len(lines))
        if entry is None or entry["database"] != database:
            continue
        if entry.get("retired"):
            heads.chain.clear()
            heads.retired.append(str(entry["at"]))
        else:
            head = Head(database, int(entry["number"]), int(entry["until_xid"]), str(entry["mac"]))
            if heads.chain.setdefault(head.number, head) != head:
                raise _damaged(f"{path.name} 第 {number} 行", f"第 {head.number} 号链头先后不一致")
    return heads


def append_heads(path: Path, heads: Iterable[Head]) -> None:
    """Add heads and return when the disk has them."""
    _append(path, [asdict(head) for head in heads])


def retire(path: Path, database: str, why: str) -> None:
    """Say that a new chain begins under this name; nothing when the file knows no head of it."""
    if read_heads(path, database).chain:
        _append(path, [{"database": database, "retired": True, "why": why}])


def _append(path: Path, entries: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    text = "".join(json.dumps(entry | {"at": at}, ensure_ascii=False) + "\n" for entry in entries)
    with path.open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _cut_unfinished(file.fileno())
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _cut_unfinished(descriptor: int) -> None:
    """Remove what a power cut left after the last whole line; the sealer will write that head again."""
    size = os.fstat(descriptor).st_size
    content = os.pread(descriptor, size, 0) if size else b""
    if content and not content.endswith(b"\n"):
        os.ftruncate(descriptor, content.rfind(b"\n") + 1)


def _parse(line: str, where: str, *, last: bool) -> dict[str, object] | None:
    if not line:
        return None
    try:
        entry = json.loads(line)
        wanted = ("retired",) if entry.get("retired") else ("number", "until_xid", "mac")
        if all(key in entry for key in ("database", "at", *wanted)):
            return dict(entry)
    except (ValueError, AttributeError):
        pass
    if last:
        return None
    raise _damaged(where, "内容不完整或被改动")


def _damaged(where: str, why: str) -> DamagedHeads:
    return DamagedHeads("链头文件损坏", where=where, why=why, remedy="请保存原件并报告监督部门，不要删除")
