"""PAY-05, PAY-06: whole files refused: wrong, hostile, or in conflict. Nothing moves, the number stays free."""

import os

import pytest

from tests.bank_simulator.paper import SPECIAL, payment, row, sealed

ROWS = [row("100000", 100), row("100001", 200)]
GOOD = payment("B1", ROWS)
HEADER, FIRST, SECOND_ROW = GOOD.decode("gb18030").split("\r\n")[:3]

CASES = {
    "empty": (b"", "X03"),
    "binary": (bytes(range(256)) * 4, "X08"),
    "zeros": (b"\0" * 1000, "X03"),
    "half": (GOOD[: len(GOOD) // 2], "X03"),
    "cut at a line": (GOOD[: GOOD.rindex(b"T|")], "X03"),
    "cut in a character": (GOOD[: GOOD.index("农".encode("gb18030")) + 1], "X03"),
    "last line end missing": (GOOD[:-2], "X03"),
    "trailer only": (GOOD[GOOD.rindex(b"T|") :], "X03"),
    "LF line ends": (GOOD.replace(b"\r\n", b"\n"), "X07"),
    "UTF-16": (GOOD.decode("gb18030").encode("utf-16"), "X08"),
    "wrong digest": (GOOD.replace(b"|100|", b"|900|"), "X04"),
    "wrong total": (payment("B1", ROWS, total="301"), "X02"),
    "wrong count": (payment("B1", ROWS, count="3"), "X02"),
    "trailer disagrees": (sealed([HEADER, FIRST, SECOND_ROW], 2, 301), "X02"),
    "no rows": (sealed([HEADER], 0, 0), "X07"),
    "extra field": (sealed([HEADER, FIRST + "|x", SECOND_ROW], 2, 300), "X07"),
    "field missing": (sealed([HEADER, FIRST.rpartition("|")[0], SECOND_ROW], 2, 300), "X07"),
    "extra header field": (sealed([HEADER + "|1.0", FIRST, SECOND_ROW], 2, 300), "X07"),
    "text after the trailer": (GOOD + b"D|3\r\n", "X03"),
    "sequence repeated": (sealed([HEADER, FIRST, FIRST], 2, 200), "X07"),
    "memo differs": (payment("B1", [row("100000", 100, memo="城市低保")]), "X07"),
    "negative amount": (payment("B1", [row("100000", -5)]), "X07"),
    "nothing amount": (payment("B1", [row("100000", 0)]), "X07"),
    "amount in yuan": (sealed([HEADER, FIRST.replace("|100|", "|1.00|"), SECOND_ROW], 2, 300), "X07"),
    "full-width digits": (sealed([HEADER, FIRST.replace("|100|", "|１００|"), SECOND_ROW], 2, 300), "X07"),
    "leading zero": (sealed([HEADER, FIRST.replace("|100|", "|0100|"), SECOND_ROW], 2, 300), "X07"),
    "amount beyond the field": (payment("B1", [row("100000", 10**13)]), "X07"),
    "day that does not exist": (payment("B1", ROWS, date="20260230"), "X07"),
    "month 13": (payment("B1", [row("100000", 100, period="202613")]), "X07"),
    "id type unknown": (payment("B1", [row("100000", 100, id_type="77")]), "X07"),
    "other version": (payment("B1", ROWS, version="2.0"), "X14"),
    "other number inside": (payment("B2", ROWS), "X09"),
    "path inside": (payment("../../B1", ROWS), "X07"),
    "payer unknown": (payment("B1", ROWS, payer=("800000000099", "某专户")), "X05"),
    "payer is the bank itself": (payment("B1", ROWS, payer=("CAPITAL", "本行资本")), "X07"),
    "payer's name": (payment("B1", ROWS, payer=(SPECIAL[0], "别的专户")), "X10"),
    "payer is a person": (payment("B1", ROWS, payer=("100003", "陈䶮")), "X12"),
    "more than there is": (payment("B1", [row("100000", 10**9), row("100001", 10**9)]), "X06"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_wrong_file_is_refused_whole(bank, case):
    content, code = CASES[case]
    bank.put("DF_B1.txt", content)
    bank.run()
    (lines,) = [bank.answer(name) for name in bank.outbox_files()]
    assert lines[0][:6] == ["H", "B1", "1", "20260310", code, lines[0][5]]
    assert bank.special()["balance_fen"] == 10**9
    assert bank.books()["refused_files"][0]["answer"] == "DFX_B1_1.txt"


def test_utf8_file_moves_no_money(bank):
    bank.put("DF_B1.txt", sealed([HEADER, FIRST, SECOND_ROW], 2, 300, encoding="utf-8"))
    bank.run()
    assert [line[4] for line in bank.answer("DFX_B1_1.txt")[:1]] in (["X07"], ["X08"], ["X10"])
    assert bank.special()["balance_fen"] == 10**9


def test_frozen_payer_is_refused(bank):
    bank.do("set-state", SPECIAL[0], "frozen")
    bank.put("DF_B1.txt", GOOD)
    bank.run()
    assert bank.answer("DFX_B1_1.txt")[0][4] == "X11"


def test_number_used_with_other_content_is_refused_and_the_first_stands(bank):
    bank.put("DF_B1.txt", GOOD)
    bank.run()
    bank.put("DF_B1.txt", payment("B1", [row("100000", 100), row("100001", 201)]))
    bank.run()
    assert bank.answer("DFX_B1_1.txt")[0][4] == "X01"
    assert bank.special()["paid_out_fen"] == 300


def test_mended_file_comes_under_the_same_number(bank):
    bank.put("DF_B1.txt", GOOD[:90])
    bank.run()
    bank.put("DF_B1.txt", GOOD[:95])
    bank.run()
    bank.put("DF_B1.txt", GOOD[:90])
    bank.run()
    bank.put("DF_B1.txt", GOOD)
    bank.run()
    assert sorted(bank.outbox_files()) == ["DFR_B1_1.txt", "DFX_B1_1.txt", "DFX_B1_2.txt"]
    assert bank.special()["paid_out_fen"] == 300


def test_large_amounts_are_counted_exactly(bank):
    amounts = [10**9, 10**12, 9_999_999_999_999]
    bank.put("DF_B1.txt", payment("B1", [row("100000", amount) for amount in amounts]))
    bank.run()
    assert str(sum(amounts)) in bank.answer("DFX_B1_1.txt")[0][6]


def test_too_large_a_file_is_not_read(bank):
    with (bank.inbox / "DF_B1.txt").open("wb") as stream:
        stream.truncate(64 * 2**20 + 1)
    bank.run()
    assert bank.answer("DFX_B1_1.txt")[0][4] == "X13"


def test_too_many_rows_are_refused(bank):
    bank.put("DF_B1.txt", sealed([HEADER, *["D|1"] * 200_001], 200_001, 300))
    bank.run()
    assert bank.answer("DFX_B1_1.txt")[0][4] == "X13"


def test_strange_entries_are_left_alone_and_reported(bank, tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_bytes(GOOD)
    (bank.inbox / "DF_LINK.txt").symlink_to(outside)
    (bank.inbox / "DF_FOLDER.txt").mkdir()
    os.mkfifo(bank.inbox / "DF_PIPE.txt")
    strange = [
        "DF_..\\..\\B1.txt",
        "DF_B1.txt.exe",
        "DF_b1.txt",
        "DFR_B1_1.txt",
        "notes.doc",
        "DF_\x1b[31m.txt",
        "DF_%2e%2e.txt",
    ]
    for name in strange:
        bank.put(name, GOOD)
    (bank.inbox.joinpath(os.fsdecode(b"DF_\xff\xfe.txt"))).write_bytes(GOOD)
    for name in (".DF_B1.txt.part", "DF_B1.txt.tmp"):
        bank.put(name, GOOD)
    said = bank.run(expect=1)
    assert said.count("未处理") == len(strange) + 4
    assert "\x1b" not in said
    assert bank.outbox_files() == {}
    assert bank.special()["balance_fen"] == 10**9


def test_wrong_commands_say_so(bank, tmp_path):
    assert "不存在" in bank.do(
        "run", "--inbox", str(tmp_path / "no"), "--outbox", str(tmp_path), "--date", "2026-03-10", expect=2
    )
    with pytest.raises(SystemExit) as left:
        bank.do("run", "--inbox", "x", "--outbox", "y", "--date", "2026-02-30")
    assert left.value.code == 2


def test_broken_books_or_description_are_named(bank, tmp_path):
    (tmp_path / "bad.yaml").write_text("format: [", encoding="utf-8")
    assert "读不懂" in bank.do("--format", str(tmp_path / "bad.yaml"), "books", expect=2)
    (tmp_path / "bad.yaml").write_text("format: other", encoding="utf-8")
    assert "bad.yaml" in bank.do("--format", str(tmp_path / "bad.yaml"), "books", expect=2)
    (bank.home / "books.sqlite3").write_bytes(b"not a database" * 100)
    assert "账簿打不开" in bank.do("books", expect=2)
