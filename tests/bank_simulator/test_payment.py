"""PAY-04 to PAY-06, FUND-02, FUND-03: what a batch does at the bank: each way a row fails, slow rows, funding, repeats."""

import pytest

from tests.bank_simulator.paper import NAMES, SPECIAL, TREASURY, id_number, payment, row, transfer, write_usual_accounts

SECOND = ("800000000002", "绿水乡惠民资金专户")


def states(lines: list[list[str]]) -> list[tuple[str, ...]]:
    return [tuple(line[4:6]) for line in lines[1:-1]]


def test_a_batch_is_credited_and_answered_line_by_line(bank):
    bank.put("DF_B1.txt", payment("B1", [row(account, 100 + index) for index, account in enumerate(NAMES)]))
    bank.run()
    lines = bank.answer("DFR_B1_1.txt")
    assert lines[0][1:12] == ["B1", "1", "20260310", "5", "510", "5", "510", "0", "0", "0", "0"]
    assert [line[:5] for line in lines[1:3]] == [["D", "1", "B1-1", "100", "S"], ["D", "2", "B1-2", "101", "S"]]
    assert len({line[8] for line in lines[1:-1]}) == 5
    assert bank.special() == {
        "account": SPECIAL[0], "name": SPECIAL[1], "state": "normal", "opening_fen": 10**9, "funded_fen": 0,
        "came_back_fen": 0, "transferred_fen": 0, "paid_out_fen": 510, "pending_fen": 0, "balance_fen": 10**9 - 510,
    }  # fmt: skip
    entry = bank.statement("100003")["entries"][0]
    assert (entry["amount_fen"], entry["memo"], entry["row_id"], entry["serial"]) == (
        103,
        "农村低保",
        "B1-4",
        lines[4][8],
    )


@pytest.mark.parametrize(
    "state, code", [("frozen", "F04"), ("closed", "F05"), ("inactive", "F06"), ("dormant", "F07"), ("faulty", "F10")]
)
def test_state_of_the_account_fails_its_row_only(bank, state, code):
    bank.do("set-state", "100001", state)
    bank.put("DF_B1.txt", payment("B1", [row("100000", 100), row("100001", 200)]))
    bank.run()
    lines = bank.answer("DFR_B1_1.txt")
    assert states(lines) == [("S", ""), ("F", code)]
    assert lines[0][6:12] == ["1", "100", "1", "200", "0", "0"]
    assert lines[2][7:] == ["", ""]
    assert bank.special()["balance_fen"] == 10**9 - 100


@pytest.mark.parametrize(
    "spoilt, code",
    [
        (row("100009", 200), "F01"),
        (row("100001", 200, name="李四"), "F02"),
        (row("100001", 200, id_number="341524197001010009"), "F03"),
        (row("100001", 10_000_001), "F08"),
        (row("100001", 200, row_id="B1-1"), "F09"),
        (row(TREASURY[0], 200, name=TREASURY[1]), "F11"),
    ],
)
def test_row_that_does_not_fit_fails(bank, spoilt, code):
    bank.put("DF_B1.txt", payment("B1", [row("100000", 100), spoilt]))
    bank.run()
    assert states(bank.answer("DFR_B1_1.txt")) == [("S", ""), ("F", code)]
    assert bank.special()["paid_out_fen"] == 100


def test_renamed_account_is_paid_under_its_new_name_only(bank):
    bank.do("rename", "100000", "王秀英子")
    bank.put("DF_B1.txt", payment("B1", [row("100000", 100), row("100000", 100, name="王秀英子")]))
    bank.run()
    assert states(bank.answer("DFR_B1_1.txt")) == [("F", "F02"), ("S", "")]


def test_slow_rows_are_pending_then_settled_in_a_further_answer(bank):
    bank.do("set-state", "100000", "slow")
    bank.do("set-state", "100001", "slow")
    bank.put("DF_B1.txt", payment("B1", [row("100000", 100), row("100001", 200), row("100002", 400)]))
    bank.run()
    assert states(bank.answer("DFR_B1_1.txt")) == [("U", ""), ("U", ""), ("S", "")]
    assert (bank.special()["pending_fen"], bank.special()["balance_fen"]) == (300, 10**9 - 700)
    bank.do("set-state", "100001", "closed")
    bank.settle()
    lines = bank.answer("DFR_B1_2.txt")
    assert lines[0][1:12] == ["B1", "2", "20260312", "2", "300", "1", "100", "1", "200", "0", "0"]
    assert [line[1] for line in lines[1:-1]] == ["1", "2"]
    assert states(lines) == [("S", ""), ("F", "F05")]
    assert (bank.special()["paid_out_fen"], bank.special()["balance_fen"]) == (500, 10**9 - 500)
    before = bank.outbox_files()
    assert "没有处理中" in bank.settle()
    bank.run()
    assert bank.outbox_files() == before


def test_settling_without_an_outbox_is_delivered_by_the_next_run(bank):
    bank.do("set-state", "100000", "slow")
    bank.put("DF_B1.txt", payment("B1", [row("100000", 100)]))
    bank.run()
    bank.do("settle", "--date", "2026-03-12")
    (bank.inbox / "DF_B1.txt").unlink()
    bank.run()
    assert states(bank.answer("DFR_B1_2.txt")) == [("S", "")]


def test_funding_is_booked_before_the_batch_it_pays_for(bank):
    bank.open((*SECOND, "", "special", "", ""))
    bank.put("DF_B1.txt", payment("B1", [row("100000", 500)], payer=SECOND))
    bank.put("ZJ_Z1.txt", transfer("Z1", 600, target=SECOND))
    bank.run()
    assert bank.answer("ZJR_Z1_1.txt")[0][1:12] == ["Z1", "1", "20260310", "1", "600", "1", "600", "0", "0", "0", "0"]
    assert states(bank.answer("DFR_B1_1.txt")) == [("S", "")]
    funds = {one["account"]: one for one in bank.books()["special_accounts"]}[SECOND[0]]
    assert (funds["funded_fen"], funds["paid_out_fen"], funds["balance_fen"]) == (600, 500, 100)


def test_special_account_gives_back_only_where_the_money_came_from(bank):
    bank.open((*SECOND, "", "special", "", ""), ("900000000002", "邻县财政局", "", "treasury", "", ""))
    bank.put("ZJ_Z1.txt", transfer("Z1", 600))
    bank.put("ZJ_Z2.txt", transfer("Z2", 100, source=SPECIAL, target=TREASURY))
    bank.put("ZJ_Z3.txt", transfer("Z3", 100, source=SPECIAL, target=SECOND))
    bank.put("ZJ_Z4.txt", transfer("Z4", 100, source=SPECIAL, target=("900000000002", "邻县财政局")))
    bank.put("ZJ_Z5.txt", transfer("Z5", 100, target=("800000000009", "没有的专户")))
    bank.run()
    found = [states(bank.answer(f"ZJR_Z{number}_1.txt"))[0] for number in range(1, 6)]
    assert found == [("S", ""), ("S", ""), ("F", "F11"), ("F", "F11"), ("F", "F01")]
    assert (bank.special()["funded_fen"], bank.special()["transferred_fen"]) == (600, 100)


def test_treasury_may_pay_persons_directly(bank):
    bank.put("DF_B1.txt", payment("B1", [row("100000", 500)], payer=TREASURY))
    bank.run()
    assert bank.books()["treasury_accounts"][0]["paid_out_fen"] == 500


def test_same_content_again_moves_nothing_and_restores_lost_answers(bank):
    bank.put("DF_B1.txt", payment("B1", [row("100000", 100)]))
    bank.run()
    first = bank.outbox_files()
    (bank.outbox / "DFR_B1_1.txt").write_bytes(b"spoilt")
    assert "重复报送" in bank.run()
    assert bank.outbox_files() == first
    (bank.outbox / "DFR_B1_1.txt").unlink()
    bank.run()
    assert bank.outbox_files() == first
    assert bank.special()["paid_out_fen"] == 100


def test_opening_accounts_again_doubles_nothing(bank):
    before = bank.books()
    bank.do("set-state", "100000", "frozen")
    bank.do("open-accounts", str(write_usual_accounts(bank.home.parent)))
    assert bank.books() == before
    assert bank.statement("100000")["state"] == "frozen"


@pytest.mark.parametrize(
    "line",
    [
        ("100000", "王秀英", "341524197001019999", "person", "normal", ""),
        ("200000", "王秀英", "", "person", "", ""),
        ("200000", "王|秀英", id_number("200000"), "", "", ""),
        ("200000", "王秀英", id_number("200000"), "cash", "", ""),
        ("200000", "王秀英", id_number("200000"), "", "", "-1"),
        ("CAPITAL", "王秀英", id_number("200000"), "", "", ""),
    ],
)
def test_wrong_account_file_opens_nothing(bank, line):
    path = bank.home.parent / "wrong.csv"
    good = ",".join(("300000", "好人", id_number("300000"), "", "", ""))
    path.write_text(f"account,name,id_number,kind,state,opening_fen\n{good}\n{','.join(line)}\n", encoding="utf-8")
    bank.do("open-accounts", str(path), expect=2)
    bank.do("statement", "300000", expect=2)


def test_clerk_commands_refuse_unknown_accounts_and_the_banks_own(bank):
    for account in ("999999", "CAPITAL", "TRANSIT"):
        assert "没有账号" in bank.do("set-state", account, "frozen", expect=2)
        assert "没有账号" in bank.do("rename", account, "某人", expect=2)
    bank.do("rename", "100000", "王|秀", expect=2)


def test_money_comes_back_after_it_was_credited_once_and_is_told(bank):
    """PAY-05, PAY-06: the row stays credited, its return is a posting of its own; the next answers say it."""
    bank.put("DF_B1.txt", payment("B1", [row("100000", 100), row("100001", 200)]))
    bank.run()
    bank.do("take-back", "B1", "B1-2", "--date", "2026-03-15")
    bank.do("take-back", "B1", "B1-2", "--date", "2026-03-16", expect=2)
    bank.do("take-back", "B1", "B1-9", "--date", "2026-03-16", expect=2)
    bank.do("answer-again", "B1", "--date", "2026-03-17")
    bank.do("answer-again", "B9", "--date", "2026-03-17", expect=2)
    bank.run()
    assert states(bank.answer("DFR_B1_2.txt")) == [("F", "F10")]
    assert states(bank.answer("DFR_B1_3.txt")) == [("S", ""), ("S", "")]
    funds = bank.special()
    assert (funds["paid_out_fen"], funds["came_back_fen"], funds["balance_fen"]) == (300, 200, 10**9 - 100)


def test_paid_in_and_given_back_at_the_counter(bank):
    """FUND-02, PAY-06: one serial a slip; nobody pays more than he has."""
    bank.put("DF_B1.txt", payment("B1", [row("100000", 100)]))
    bank.run()
    slips = {
        bank.do("pay", "100000", SPECIAL[0], "60", "--date", "2026-03-15").strip(),
        bank.do("pay", SPECIAL[0], TREASURY[0], "50", "--date", "2026-03-15").strip(),
    }
    assert len(slips) == 2 and all(each.startswith("20260315") for each in slips)
    for wrong in (("100000", SPECIAL[0], "41"), ("100000", "1", "1"), ("100000", SPECIAL[0], "0")):
        bank.do("pay", *wrong, "--date", "2026-03-15", expect=2)
    funds = bank.special()
    assert (funds["came_back_fen"], funds["transferred_fen"], funds["balance_fen"]) == (60, 50, 10**9 - 100 + 10)
