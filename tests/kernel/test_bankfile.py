"""PAY-04, PAY-05: files for the bank written and read by their description; what is wrong with one is named exactly."""

import csv
import hashlib
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huimin.kernel.bankfile import Parsed, parse_file, read_format, read_formats, write_file
from huimin.kernel.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]
FORM = read_format(ROOT / "policy" / "banks" / "rural-bank-batch.yaml")
RARE = "𬱖㛃䶮𠮷瑠艤囍巛雧"  # beyond GBK, or with 0x7C or 0x5C as a byte in GB18030
DAY = date(2021, 9, 28)


def payment(rows: list[dict[str, Any]], **header: Any) -> dict[str, Any]:
    told = {
        "batch_no": "341524100-1", "programme_code": "dibao-rural", "programme_short": "农村低保", "business_date": DAY,
        "rows_count": len(rows), "amount_fen": sum(row["row_amount_fen"] for row in rows),
        "payer_account": "800000000001", "payer_name": "梅山镇惠民资金专户", "format_version": "1.0",
    }  # fmt: skip
    return told | header


def row(number: int = 1, **other: Any) -> dict[str, Any]:
    told = {
        "sequence": number, "account": f"62170000{number:08d}", "name": "李𠮷", "id_type": "01",
        "id_number": "341599196512011284", "row_amount_fen": 12_345, "memo": "农村低保", "period": "202107-202109",
        "row_id": str(number),
    }  # fmt: skip
    return told | other


def answer(states: str = "SFU", **header: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    rows = [
        {
            "sequence": n, "row_id": f"L{n}", "row_amount_fen": 100 * n, "row_state": state,
            "failure_code": "F05" if state == "F" else "", "failure_reason": "已销户" if state == "F" else "",
            "booked_on": DAY if state == "S" else None, "bank_serial": f"2021092800{n}" if state == "S" else "",
        }
        for n, state in enumerate(states, 1)
    ]  # fmt: skip
    told: dict[str, Any] = {
        "batch_no": "B-1", "answer_no": 2, "business_date": DAY, "rows_count": len(rows),
        "amount_fen": sum(one["row_amount_fen"] for one in rows), "order_sha256": "ab" * 32, "format_version": "1.0",
    }  # fmt: skip
    for state, name in (("S", "paid"), ("F", "failed"), ("U", "pending")):
        amounts = [one["row_amount_fen"] for one in rows if one["row_state"] == state]
        told |= {f"{name}_count": len(amounts), f"{name}_fen": sum(amounts)}
    return told | header, rows


def written_answer(**header: Any) -> bytes:
    return write_file(FORM, "payment_answer", *answer(**header))


def take(data: bytes, name: str = "DFR_B-1_2.txt") -> Parsed:
    return parse_file(FORM, "payment_answer", data, name)


def resealed(data: bytes, old: str, new: str) -> bytes:
    """The file with `old` replaced and its digest made to fit again, as a bank that errs would send it."""
    lines = data.decode("gb18030").replace(old, new, 1).split("\r\n")[:-2]
    trailer = data.decode("gb18030").replace(old, new, 1).split("\r\n")[-2].rsplit("|", 1)[0]
    body = "".join(line + "\r\n" for line in lines).encode("gb18030")
    return body + f"{trailer}|{hashlib.sha256(body).hexdigest()}\r\n".encode("gb18030")


def test_PAY_05_an_answer_reads_back_as_numbers_and_dates() -> None:
    header, rows = answer()
    parsed = take(write_file(FORM, "payment_answer", header, rows))
    assert (parsed.kind, parsed.header, parsed.rows) == ("payment_answer", header, rows)


def test_PAY_05_a_refusal_has_no_rows() -> None:
    header = {
        "batch_no": "B-1", "refusal_no": 1, "business_date": DAY, "refusal_code": "X06",
        "refusal_reason": "付款账户余额不足", "refusal_detail": "", "line_no": 1, "order_sha256": "0f" * 32,
        "format_version": "1.0",
    }  # fmt: skip
    data = write_file(FORM, "payment_refusal", header)
    assert parse_file(FORM, "payment_refusal", data, "DFX_B-1_1.txt") == Parsed("payment_refusal", header, [])
    assert FORM.refusal_codes["X06"] == "付款账户余额不足"


_NAMES = st.text(
    st.one_of(
        st.sampled_from(RARE), st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), st.sampled_from("·• A")
    ),
    min_size=1,
    max_size=60,
).filter(lambda text: text == text.strip())
_ROWS = st.lists(
    st.tuples(
        _NAMES, st.integers(1, 10**13 - 1), st.from_regex(r"\A[0-9]{6,32}\Z"), st.sampled_from(["01", "03", "99"])
    ),
    max_size=20,
)


@settings(max_examples=150, deadline=None)
@given(told=_ROWS, payer=_NAMES)
def test_PAY_04_whatever_is_written_reads_back(told: list[Any], payer: str) -> None:
    rows = [
        row(n, name=name, row_amount_fen=amount, account=account, id_type=kind)
        for n, (name, amount, account, kind) in enumerate(told, 1)
    ]
    header = payment(rows, payer_name=payer)
    data = write_file(FORM, "payment", header, rows)
    assert parse_file(FORM, "payment", data, "DF_341524100-1.txt") == Parsed("payment", header, rows)


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0), value=st.integers(0, 255))
def test_PAY_05_no_altered_byte_and_no_cut_passes(at: int, value: int) -> None:
    data = written_answer()
    cut = data[: at % len(data)]
    with pytest.raises(BadInput):
        take(cut)
    position = at % len(data)
    if data[position] != value:
        with pytest.raises(BadInput):
            take(data[:position] + bytes([value]) + data[position + 1 :])


def test_PAY_05_a_cut_file_is_called_cut() -> None:
    data = written_answer()
    trailer_at = data.rindex(b"T|")
    for cut in (data[: len(data) // 2], data[:trailer_at], data[:-1], b"", b"T|0|0|" + b"0" * 64 + b"\r\n"):
        with pytest.raises(BadInput, match="文件不完整"):
            take(cut)


def test_PAY_05_a_file_that_was_opened_and_saved_is_told_what_happened_to_it() -> None:
    """Other line ends, a mark, another encoding: named with what was agreed, never called cut; limits and sums with their unit."""
    data, csv_form = written_answer(), read_formats(ROOT / "policy" / "banks")["csv-utf8"]
    text = data.decode("gb18030")
    table = (
        "行标识,账号,金额（元）,结果,原因码,原因,入账日期,流水号\n1,6217000000001,1.00,失败,E05,已销户,,\n合计,1,1.00\n"
    )
    name = "jieguo-1-1.csv"
    assert parse_file(csv_form, "payment_answer", table.encode(), name).rows[0]["row_amount_fen"] == 100
    for form, wrong, called, words in (
        (FORM, data.replace(b"\r\n", b"\n"), "DFR_B-1_2.txt", "第1行：行尾是 LF（换行），约定的是 CRLF"),
        (FORM, data.replace(b"\r\n", b"\r"), "DFR_B-1_2.txt", "行尾是 CR（回车），约定的是 CRLF"),
        (FORM, data[:-60].replace(b"\r\nD|3", b"\nD|3") + data[-60:], "DFR_B-1_2.txt", "第3行：行尾是 LF"),
        (FORM, text.encode(), "DFR_B-1_2.txt", "文件是 UTF-8 编码，约定的是 GB18030。照约定读时：校验码与内容不符"),
        (FORM, text.encode("utf-8-sig"), "DFR_B-1_2.txt", "文件是 UTF-8 编码，约定的是 GB18030"),
        (FORM, text.encode("utf-16"), "DFR_B-1_2.txt", "文件是 UTF-16 编码"),
        (csv_form, table.replace("\n", "\r\n").encode(), name, "行尾是 CRLF（回车换行），约定的是 LF"),
        (csv_form, table.encode("utf-8-sig"), name, "文件开头多了 UTF-8 的标记（BOM）"),
        (csv_form, table.encode("gbk"), name, "文件是 GBK 编码，约定的是 UTF-8"),
        (csv_form, table.replace("合计,1,1.00", "合计,1,2.00").encode(), name, "写的是 2.00 元，明细合计 1.00 元"),
        (csv_form, table.replace("合计,1,1.00", "合计,2,1.00").encode(), name, "写的是 2 笔，明细合计 1 笔"),
        (csv_form, b"," * (csv_form.bytes_max + 1), name, "文件超过 128 MB"),
    ):  # fmt: skip
        with pytest.raises(BadInput) as refused:
            parse_file(form, "payment_answer", wrong, called)
        assert words in str(refused.value) and "不完整" not in str(refused.value), refused.value


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("|300|U|", "|3O0|U|", "DFR_B-1_2.txt 第4行 第4栏 金额(分)", "整数"),
        ("|300|U|", "|0300|U|", "DFR_B-1_2.txt 第4行 第4栏 金额(分)", "整数"),
        ("|300|U|", "|３００|U|", "DFR_B-1_2.txt 第4行 第4栏 金额(分)", "整数"),
        (
            "|300|U|",
            "|1.2E+05|U|",
            "DFR_B-1_2.txt 第4行 第4栏 金额(分)",
            "写的是“1.2E+05”，是科学计数法。整份不收，不要自己改文件",
        ),
        ("|300|U|", "|-100|U|", "DFR_B-1_2.txt 第4行 第4栏 金额(分)", "写的是“-100”，是负数"),
        ("|300|U|", "|6229998888000011112|U|", "DFR_B-1_2.txt 第4行 第4栏 金额(分)", "写的有 19 位"),
        ("|300|U|", "|300|X|", "DFR_B-1_2.txt 第4行 第5栏 状态", "取值"),
        ("|20210928|20210928001", "|20210931|20210928001", "DFR_B-1_2.txt 第2行 第8栏 入账日期", "日期"),
        ("|已销户|", "|已\u200b销户|", "DFR_B-1_2.txt 第3行 第7栏 失败原因", "文本"),
        ("|已销户|", "|已销户||", "DFR_B-1_2.txt 第3行", "应有 9 栏"),
        ("D|3|", "E|3|", "DFR_B-1_2.txt 第4行", "以 D 开头"),
        ("|300|U|", "|301|U|", "DFR_B-1_2.txt 表头", "总金额不符"),
        ("|1|200|1|300|", "|2|200|0|300|", "DFR_B-1_2.txt 表头", "失败笔数不符"),
        ("|1|200|1|300|", "|1|300|1|200|", "DFR_B-1_2.txt 表头", "失败金额不符"),
        ("|3|600|1|", "|4|600|1|", "DFR_B-1_2.txt 表头", "总笔数不符"),
        ("T|3|600|", "T|3|601|", "DFR_B-1_2.txt 汇总行", "总金额不符"),
        ("H|B-1|2|", "H|B-2|2|", "DFR_B-1_2.txt 第1行", "编号与文件名不同"),
        ("H|B-1|2|", "H|B-1|3|", "DFR_B-1_2.txt 第1行", "编号与文件名不同"),
        ("|1.0\r\n", "|2.0\r\n", "DFR_B-1_2.txt 第1行", "版本"),
    ],
)
def test_PAY_05_what_is_wrong_is_named_by_line_and_field(old: str, new: str, where: str, what: str) -> None:
    with pytest.raises(BadInput) as refused:
        take(resealed(written_answer(), old, new))
    assert refused.value.where == where and what in str(refused.value) and refused.value.remedy
    assert "按格式说明更正" not in str(refused.value)


def test_PAY_05_names_encoding_size_and_digest_are_checked() -> None:
    data = written_answer()
    for name in ("DFR_B-1.txt", "DF_B-1_2.txt", "DFR_B-1_02.txt", "../DFR_B-1_2.txt"):
        with pytest.raises(BadInput, match="文件名"):
            take(data, name)
    with pytest.raises(BadInput, match="校验码"):
        take(data.replace(b"|300|U|", b"|400|U|"))
    with pytest.raises(BadInput, match="GB18030") as refused:
        take(data.replace("已销户".encode("gb18030"), b"\xff\xff"))
    assert refused.value.where == "DFR_B-1_2.txt 第3行"
    with pytest.raises(BadInput, match="超过"):
        take(b"H|" * FORM.bytes_max)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "李|𠮷"}, "户名"),
        ({"name": " 李"}, "户名"),
        ({"name": "李\n"}, "户名"),
        ({"name": ""}, "户名"),
        ({"name": "李" * 61}, "户名"),
        ({"account": "6217-1"}, "账号"),
        ({"row_amount_fen": 0}, "金额(分)"),
        ({"row_amount_fen": -5}, "金额(分)"),
        ({"row_amount_fen": 10**13}, "金额(分)"),
        ({"memo": "九个字的项目简称长"}, "摘要"),
        ({"period": "202113"}, "期间"),
        ({"id_type": "1"}, "证件类型"),
    ],
)
def test_PAY_04_what_the_bank_would_refuse_is_not_written(wrong: dict[str, Any], field: str) -> None:
    rows = [row(1), row(2, **wrong)]
    with pytest.raises(BadInput) as refused:
        write_file(FORM, "payment", payment(rows), rows)
    assert refused.value.where.startswith("代发批次 第3行") and refused.value.where.endswith(field)
    assert not any(str(value) in str(refused.value) for value in wrong.values() if len(str(value)) > 3)


def test_PAY_04_a_name_no_encoding_carries_is_refused_by_line() -> None:
    rows = [row(1), row(2, name="李\ud800")]
    with pytest.raises(BadInput) as refused:
        write_file(FORM, "payment", payment(rows), rows)
    assert refused.value.where == "代发批次 第3行"


def test_PAY_04_a_total_that_is_not_the_rows_is_not_written() -> None:
    with pytest.raises(BadInput, match="总金额不符"):
        write_file(FORM, "payment", payment([row()], amount_fen=12_346), [row()])
    with pytest.raises(BadInput, match="总笔数不符"):
        write_file(FORM, "payment", payment([row()], rows_count=2), [row()])


def test_PAY_04_a_hundred_thousand_rows_take_a_second_or_so() -> None:
    rows = [row(n, name="王" + RARE[n % len(RARE)]) for n in range(1, 100_001)]
    header = payment(rows)
    started = time.process_time()
    data = write_file(FORM, "payment", header, rows)
    middle = time.process_time()
    parsed = parse_file(FORM, "payment", data, "DF_341524100-1.txt")
    ended = time.process_time()
    assert parsed.rows == rows
    assert middle - started < 1.5 and ended - middle < 1.5


def bank(home: Path, *command: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "bank_simulator", "--home", str(home), *command],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )


def test_PAY_04_the_bank_accepts_what_we_write_and_we_read_its_answer(tmp_path: Path) -> None:
    """The two programs share the description only: a batch of ours is booked, its answer matches line by line."""
    rows = [row(n, name=f"王{char}") for n, char in enumerate(RARE, 1)]
    with (tmp_path / "accounts.csv").open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["account", "name", "id_number", "kind", "state", "opening_fen"])
        out.writerow(["800000000001", "梅山镇惠民资金专户", "", "special", "", 10**9])
        out.writerows([one["account"], one["name"], one["id_number"], "person", "", ""] for one in rows[:-1])
    data = write_file(FORM, "payment", payment(rows), rows)
    inbox, outbox = tmp_path / "in", tmp_path / "out"
    inbox.mkdir()
    (inbox / "DF_341524100-1.txt").write_bytes(data)
    bank(tmp_path / "home", "open-accounts", str(tmp_path / "accounts.csv"))
    bank(tmp_path / "home", "run", "--inbox", str(inbox), "--outbox", str(outbox), "--date", "2021-09-28")
    [back] = outbox.iterdir()
    parsed = parse_file(FORM, "payment_answer", back.read_bytes(), back.name)
    assert parsed.header["order_sha256"] == hashlib.sha256(data).hexdigest()
    assert (parsed.header["paid_count"], parsed.header["failed_count"]) == (len(rows) - 1, 1)
    assert [(one["sequence"], one["row_id"], one["row_amount_fen"]) for one in parsed.rows] == [
        (one["sequence"], one["row_id"], one["row_amount_fen"]) for one in rows
    ]
    assert [one["failure_code"] for one in parsed.rows] == [""] * (len(rows) - 1) + ["F01"]
    assert parsed.rows[0]["booked_on"] == DAY and parsed.rows[-1]["booked_on"] is None
