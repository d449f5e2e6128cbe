"""Messages of ISO 20022 from hostile hands: refused by line, with flat memory; and written for 100,000 lines likewise (PAY-04, PAY-05)."""

import os
import tracemalloc
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings

from bank_simulator.messages import write_pain002
from huimin.kernel.bankfile import read_formats
from huimin.kernel.errors import BadInput
from huimin.payment.exchange.iso_answers import open_camt053, open_pain002
from huimin.payment.exchange.iso_writing import write_pain001

FORM = read_formats(settings.BANK_FORMATS_FOLDER)["iso20022"]
NUMBER = "B1"
NAME = f"pain002-{NUMBER}-1.xml"


def status(rows: list[dict[str, str]] | None = None, **other: str) -> bytes:
    header = {"batch_no": NUMBER, "answer_no": "1", "business_date": "20210922"} | other
    told = rows if rows is not None else [
        {"row_state": "S", "row_id": "1", "row_amount_fen": "12345", "booked_on": "20210917", "bank_serial": "X1", "account": "6217",
         "failure_code": ""},
        {"row_state": "F", "row_id": "2", "row_amount_fen": "100", "booked_on": "", "bank_serial": "", "account": "6218",
         "failure_code": "F05"},
    ]  # fmt: skip
    return write_pain002(header, told)


def read(data: bytes, name: str = NAME) -> Any:
    came = open_pain002(FORM, FORM.files["payment_answer"], BytesIO(data), name)
    return came, [row for piece in came.rows() for row in piece]


def test_PAY_05_a_status_report_is_read_line_by_line() -> None:
    came, rows = read(status())
    assert (came.outcome, came.header["batch_no"], came.header["answer_no"]) == ("answer", NUMBER, 1)
    assert [(row["row_id"], row["row_state"], row["row_amount_fen"]) for row in rows] == [
        ("1", "S", 12_345),
        ("2", "F", 100),
    ]
    assert (rows[1]["failure_code"], rows[1]["failure_reason"]) == ("AC04", "已销户")
    assert rows[0]["booked_on"] == date(2021, 9, 17)
    assert read(status([], refusal_code="X06"))[0].outcome == "refusal"
    assert read(status([]))[0].outcome == "acknowledgement"


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>&b;</CstmrPmtStsRpt></Document>'
)
OUTSIDE = BOMB.replace(b'<!ENTITY a "aaaaaaaaaa">', b'<!ENTITY a SYSTEM "file:///etc/passwd">')


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (BOMB, "文档类型"), (OUTSIDE, "文档类型"), (b"", "不完整"), (b"no xml", "XML"), (status()[:-30], "不完整"),
        (status().replace(b"UTF-8", b"GBK"), "编码是 GBK"), (status().decode().encode("utf-16"), "编码|XML"),
        (status().replace(b"pain.002", b"pain.008"), "不是 pain.002"), (status().replace(b">123.45<", b">1.2345E2<"), "金额的写法"),
        (status().replace(b">123.45<", b">-123.45<"), "金额的写法"), (status().replace(b">123.45<", b">123.456<"), "金额的写法"),
        (status().replace(b"ACSC</TxSts>", b"GOOD</TxSts>"), "不在约定的代码里"), (status(stated_S="9"), "笔数写的是 9"),
        (status().replace(b"2021-09-17", b"2021-09-31"), "日期的写法"), (status(batch_no="B2"), "与文件名不同"),
        (status().replace(b"<OrgnlEndToEndId>1", b"<?php x?><OrgnlEndToEndId>1"), "处理指令"),
        (status().replace(b"<GrpHdr>", b"<a>" * 40 + b"<GrpHdr>", 1), "层以上"),
        (status().replace(b"X1<", b"X" * 5_000 + b"<"), "字以上"),
        (status().replace(b"</TxInfAndSts>", b"".join(b"<a%d>1</a%d>" % (n, n) for n in range(500)) + b"</TxInfAndSts>", 1), "值"),
    ],
)  # fmt: skip
def test_PAY_05_hostile_and_wrong_messages_are_refused_with_their_line(data: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        read(data)
    assert refused.value.where.startswith(NAME) and refused.value.remedy


def test_PAY_05_a_message_of_two_gigabytes_is_refused_by_its_size() -> None:
    class Huge(BytesIO):
        def seek(self, offset: int, whence: int = 0) -> int:
            return 2 * 1024**3 if whence == 2 else 0

        def read(self, *_: Any) -> bytes:
            raise AssertionError("not to be read")

    with pytest.raises(BadInput, match="超过"):
        open_pain002(FORM, FORM.files["payment_answer"], Huge(), NAME)
    with pytest.raises(BadInput, match="样式"):
        open_camt053(FORM, FORM.files["statement"], BytesIO(b"<a/>"), "x.xml")


def test_PAY_04_05_memory_does_not_grow_with_the_message() -> None:
    """Three times as many lines out and in take the memory of one piece of them."""
    small, large = _peak(6_000), _peak(18_000)
    assert large < small * 1.3, (small, large)


def _peak(lines: int) -> int:
    """Bytes at most, writing a batch and reading its answer."""
    told = [{"row_state": "S", "row_id": str(n), "row_amount_fen": "100", "booked_on": "20210917", "bank_serial": str(n),
             "account": "6217", "failure_code": ""} for n in range(lines)]  # fmt: skip
    answer = BytesIO(write_pain002({"batch_no": NUMBER, "answer_no": "1", "business_date": "20210922"}, told))
    header = {"batch_no": NUMBER, "business_date": date(2021, 9, 17), "rows_count": lines, "amount_fen": 100 * lines,
              "payer_account": "80000001", "payer_name": "专户"}  # fmt: skip
    rows = (
        {"sequence": n, "account": f"6217{n:012d}", "name": "王秀英", "id_number": "341599196512011284", "row_amount_fen": 100,
         "memo": "农村低保", "period": "202107", "row_id": str(n)}
        for n in range(1, lines + 1)
    )  # fmt: skip
    tracemalloc.start()
    with open(os.devnull, "wb") as nowhere:
        write_pain001(nowhere, FORM, header, "银行", rows)
    came = open_pain002(FORM, FORM.files["payment_answer"], answer, NAME)
    assert sum(len(piece) for piece in came.rows()) == lines
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_PAY_04_what_a_message_cannot_carry_is_refused() -> None:
    header = {"batch_no": NUMBER, "business_date": date(2021, 9, 17), "rows_count": 1, "amount_fen": 100,
              "payer_account": "80000001", "payer_name": "专户"}  # fmt: skip
    good = {"sequence": 1, "account": "62170000", "name": "王", "id_number": "3415", "row_amount_fen": 100, "memo": "低保",
            "period": "202107", "row_id": "1"}  # fmt: skip
    for wrong, words in (
        ({"name": "王\x00"}, "户名"), ({"name": " 王"}, "户名"), ({"name": "王" * 141}, "户名"), ({"row_amount_fen": 0}, "金额"),
        ({"row_amount_fen": 200}, "不符"), ({"account": ""}, "账号"),
    ):  # fmt: skip
        with pytest.raises(BadInput) as refused:
            write_pain001(BytesIO(), FORM, header, "银行", [good | wrong])
        assert words in str(refused.value)
