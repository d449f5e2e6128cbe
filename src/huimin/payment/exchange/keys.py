"""The instance's keys for each bank and direction, in a file of their own beside its secrets (PAY-04, SEC-04).

in    who makes or adds a key (`./huimin bank keys`)
out   the key we sign with today; the keys a bank's signature may be of today; our SSH key for its server

`bank-keys.json`, readable by the instance's user alone: {office: [{direction, suite, number, from, until, public,
private}]}. Always true: a key is never overwritten; the newest key that has begun signs, every key that has begun and
not ended verifies, so that a new one overlaps the old for as long as the bank needs. Private keys never leave this file.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings

from huimin.kernel.errors import BadInput, Refusal
from huimin.payment.exchange import suites

OUT, IN, SSH = "out", "in", "ssh"
DIRECTIONS = {OUT: "本单位签名", IN: "银行签名", SSH: "SFTP 登录"}


class NoKey(Refusal):
    """There is no key for this bank and direction."""


@dataclass(frozen=True)
class BankKey:
    """One key of one bank's office. `private` is empty for keys of the bank; days are ISO texts in the file."""

    office: int
    direction: str
    suite: str
    number: int
    begins: date
    ends: date | None
    public: str
    private: str = ""

    @property
    def mark(self) -> str:
        """Sixteen digits that name the key in a signature and on paper."""
        return hashlib.sha256(self.public.encode()).hexdigest()[:16]

    def holds(self, on: date) -> bool:
        return self.begins <= on and (self.ends is None or on < self.ends)


def path() -> Path:
    return Path(settings.HOME) / "bank-keys.json"


def list_keys(office: int | None = None) -> list[BankKey]:
    """By office, direction and number."""
    if not path().exists():
        return []
    told = json.loads(path().read_text(encoding="utf-8"))
    keys = [_key(int(number), each) for number, rows in told.items() for each in rows]
    return sorted(
        (key for key in keys if office in (None, key.office)), key=lambda key: (key.office, key.direction, key.number)
    )


def signing_key(office: int, suite: str, on: date) -> BankKey:
    """The newest of our keys that has begun; NoKey when there is none."""
    found = [key for key in list_keys(office) if (key.direction, key.suite) == (OUT, suite) and key.holds(on)]
    if not found:
        raise NoKey(
            "没有给这家银行签名的密钥", why=f"要求 {suites.TITLES[suite]} 签名",
            remedy=f"请管理员执行 ./huimin bank keys make {office} --suite {suite}",
        )  # fmt: skip
    return found[-1]


def verifying_keys(office: int, suite: str, on: date) -> list[BankKey]:
    """Every key the bank may sign with today; NoKey when there is none."""
    found = [key for key in list_keys(office) if (key.direction, key.suite) == (IN, suite) and key.holds(on)]
    if not found:
        raise NoKey(
            "没有登记这家银行的签名公钥", why="收来的文件验不了签名",
            remedy=f"请管理员执行 ./huimin bank keys add {office} 公钥文件 --suite {suite}",
        )  # fmt: skip
    return found


def ssh_key(office: int, on: date) -> BankKey:
    found = [key for key in list_keys(office) if key.direction == SSH and key.holds(on)]
    if not found:
        raise NoKey("没有登录银行 SFTP 的密钥", remedy=f"请管理员执行 ./huimin bank keys make-ssh {office}")
    return found[-1]


def add_key(office: int, direction: str, suite: str, begins: date, public: str, private: str = "") -> BankKey:
    """A further key; BadInput when this public key is there already."""
    with _locked() as told:
        rows = told.setdefault(str(office), [])
        if any((row["direction"], row["public"]) == (direction, public) for row in rows):
            raise BadInput("这把公钥已经登记", where="公钥", remedy="请用 ./huimin bank keys list 核对")
        number = 1 + max((row["number"] for row in rows if row["direction"] == direction), default=0)
        key = BankKey(office, direction, suite, number, begins, None, public, private)
        rows.append(_row(key))
    return key


def make_key(office: int, suite: str, begins: date) -> BankKey:
    """A new pair of ours; the public half goes to the bank."""
    public, private = suites.make(suite)
    return add_key(office, OUT, suite, begins, public, private)


def retire_key(office: int, direction: str, number: int, ends: date) -> BankKey:
    """The key ends on that day. Refused for the only one that holds, unless it is the last of a bank no longer used."""
    with _locked() as told:
        row = next((r for r in told.get(str(office), []) if (r["direction"], r["number"]) == (direction, number)), None)
        if row is None:
            raise NoKey(f"没有这把密钥：{office} {direction} {number} 号", remedy="请用 ./huimin bank keys list 核对")
        others = [
            r
            for r in told[str(office)]
            if r is not row and (r["direction"], r["suite"]) == (direction, row["suite"])
            and _key(office, r).holds(ends)
        ]  # fmt: skip
        if not others:
            raise Refusal(
                "这是唯一一把在用的密钥，不能停用", why="停用后收发的文件都过不了",
                remedy="请先登记或生成新的密钥，等银行换好再停用旧的",
            )  # fmt: skip
        row["until"] = ends.isoformat()
    return _key(office, row)


def _key(office: int, row: dict[str, Any]) -> BankKey:
    ends = date.fromisoformat(row["until"]) if row["until"] else None
    return BankKey(
        office, row["direction"], row["suite"], row["number"], date.fromisoformat(row["from"]), ends, row["public"],
        row["private"],
    )  # fmt: skip


def _row(key: BankKey) -> dict[str, Any]:
    told = asdict(key)
    return {
        "from": told.pop("begins").isoformat(), "until": ends.isoformat() if (ends := told.pop("ends")) else "",
        **{name: told[name] for name in ("direction", "suite", "number", "public", "private")},
    }  # fmt: skip


@contextmanager
def _locked() -> Iterator[dict[str, Any]]:
    """The file's content to change; written whole, by one process at a time."""
    path().parent.mkdir(parents=True, exist_ok=True)
    with path().with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = json.loads(path().read_text(encoding="utf-8")) if path().exists() else {}
        yield told
        part = path().with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(told, file, ensure_ascii=False, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())  # a lost key stops the payments
        part.replace(path())
