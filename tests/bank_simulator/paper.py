"""Files and a bank for the tests, written without the simulator's own writer, so that the two check each other."""

import csv
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from bank_simulator.cli import main

ROOT = Path(__file__).resolve().parents[2]
DAY = "2026-03-10"
TREASURY = ("900000000001", "示范县财政局")
SPECIAL = ("800000000001", "青山乡惠民资金专户")
NAMES = {"100000": "王秀英", "100001": "李𠮷", "100002": "张㛃", "100003": "陈䶮", "100004": "赵𬱖"}


def id_number(account: str) -> str:
    return f"34152419700101{int(account) % 10000:04d}"


def sealed(lines: list[str], rows_count: int, amount_fen: int, encoding: str = "gb18030") -> bytes:
    body = "".join(line + "\r\n" for line in lines).encode(encoding)
    return body + f"T|{rows_count}|{amount_fen}|{hashlib.sha256(body).hexdigest()}\r\n".encode()


def row(account: str, amount_fen: int, **other: str) -> dict[str, str]:
    """A payment row that succeeds, unless `other` spoils it."""
    told = {
        "account": account,
        "name": NAMES.get(account, "户" + account),
        "id_type": "01",
        "id_number": id_number(account),
    }
    return {**told, "amount": str(amount_fen), "memo": "农村低保", "period": "202601-202603", **other}


def payment(number: str, rows: list[dict[str, str]], payer: tuple[str, str] = SPECIAL, **other: str) -> bytes:
    """A well-formed batch; `other` replaces header values."""
    total = sum(int(one["amount"]) for one in rows)
    told = {"number": number, "short": "农村低保", "date": "20260310", "count": str(len(rows)), "total": str(total)}
    told = {**told, "payer": payer[0], "payer_name": payer[1], "version": "1.0", **other}
    lines = ["H|{number}|dibao|{short}|{date}|{count}|{total}|{payer}|{payer_name}|{version}".format(**told)]
    for index, one in enumerate(rows, 1):
        one = {"sequence": str(index), "row_id": f"{number}-{index}", **one}
        lines.append(
            "D|{sequence}|{account}|{name}|{id_type}|{id_number}|{amount}|{memo}|{period}|{row_id}".format(**one)
        )
    return sealed(lines, len(rows), total)


def transfer(number: str, amount_fen: int, source=TREASURY, target=SPECIAL) -> bytes:
    head = f"H|{number}|dibao|农村低保|20260309|1|{amount_fen}|{source[0]}|{source[1]}|1.0"
    return sealed([head, f"D|1|{target[0]}|{target[1]}|{amount_fen}|一季度低保资金|{number}-1"], 1, amount_fen)


def fields(content: bytes) -> list[list[str]]:
    """The lines of an answer, split; its trailer's digest and counts checked."""
    assert content.endswith(b"\r\n")
    lines = content.decode("gb18030").split("\r\n")[:-1]
    body = "".join(line + "\r\n" for line in lines[:-1]).encode("gb18030")
    split = [line.split("|") for line in lines]
    assert split[-1][0] == "T"
    assert split[-1][3] == hashlib.sha256(body).hexdigest()
    assert split[-1][1] == str(len(split) - 2)
    return split


def write_accounts(folder: Path, accounts: Iterable[tuple]) -> Path:
    path = folder / "accounts.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["account", "name", "id_number", "kind", "state", "opening_fen"])
        writer.writerows(accounts)
    return path


def write_usual_accounts(folder: Path) -> Path:
    """The treasury, the township's special account, five persons with rare names."""
    persons = [(account, name, id_number(account), "person", "normal", "") for account, name in NAMES.items()]
    public = [(*TREASURY, "", "treasury", "", 10**12), (*SPECIAL, "", "special", "", 10**9)]
    return write_accounts(folder, public + persons)


class Bank:
    """A bank in a folder: commands run in this process, or as a program of its own."""

    def __init__(self, folder: Path, capsys=None) -> None:
        self.home, self.inbox, self.outbox = folder / "home", folder / "in", folder / "out"
        self.inbox.mkdir(parents=True)
        self.capsys = capsys

    def do(self, *command: str, expect: int = 0) -> str:
        code = main(["--home", str(self.home), *command])
        said = self.capsys.readouterr()
        assert code == expect, said
        return said.out + said.err

    def open(self, *accounts: tuple) -> str:
        """Accounts as (account, name, id_number, kind, state, opening_fen)."""
        return self.do("open-accounts", str(write_accounts(self.home.parent, accounts)))

    def put(self, name: str, content: bytes) -> None:
        (self.inbox / name).write_bytes(content)

    def run(self, expect: int = 0) -> str:
        return self.do(*self.run_options(), expect=expect)

    def run_options(self) -> list[str]:
        return ["run", "--inbox", str(self.inbox), "--outbox", str(self.outbox), "--date", DAY]

    def settle(self, day: str = "2026-03-12") -> str:
        return self.do("settle", "--date", day, "--outbox", str(self.outbox))

    def program(self, *command: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "bank_simulator", "--home", str(self.home), *command],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def answer(self, name: str) -> list[list[str]]:
        return fields((self.outbox / name).read_bytes())

    def books(self) -> dict:
        found = json.loads(self.do("books", "--json"))
        assert found["balanced"], found["problems"]
        assert found["total"]["all_accounts_fen"] == 0
        return found

    def special(self) -> dict:
        return next(one for one in self.books()["special_accounts"] if one["account"] == SPECIAL[0])

    def statement(self, account: str) -> dict:
        return json.loads(self.do("statement", account, "--json"))

    def outbox_files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.outbox.iterdir()}
