"""PAY-04: descriptions of banks' files: what is wrong with one is told by line, and every layout writes what it reads."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huimin.kernel.bankfile import BadDescription, parse_file, read_format, read_formats, write_file
from huimin.kernel.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]
BANKS = ROOT / "policy" / "banks"
FORMATS = read_formats(BANKS)
DAY = date(2021, 9, 28)


def test_PAY_04_every_shipped_description_is_whole() -> None:
    assert set(FORMATS) == {"rural-bank-batch", "fixed-gbk", "csv-utf8", "iso20022"}
    assert {form.layout for form in FORMATS.values()} == {"separated", "fixed", "table", "iso20022"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("layout: fixed", "layout: fixd", "第 8 行 “layout”写的是 'fixd'（可写的有：separated、fixed"),
        ("encoding: gbk", "encoding: gkb", "“encoding”写的是 'gkb'（可写的有：gbk"),
        ("line_ending:", "line_endings:", "没有“line_endings”这一项（最接近的是“line_ending”"),
        ("  rows_max: 200000\n", "  rows_max: 0\n", "limits 的 rows_max 应是大于 0 的整数"),
        ("  account: {title", "  acount: {title", "没有“acount”这种字段（最接近的是“account”"),
        ("min: 1, width: 6}", "min: 1}", "字段 sequence 没有 width（定长文件的每个字段都要写占几个字节"),
        ("type: yuan, max_length: 16", "type: euro, max_length: 16", "字段 amount_fen 的 type 写的是“euro”（可写的有：text、int"),
        ("    trailer:\n      mark: \"9\"\n      fields: [rows_count, amount_fen]\n\n  payment_answer", "\n  payment_answer", "文件 payment 缺 trailer（没有汇总行的文件断了也看不出来"),
        ("fields: [sequence, account, name, id_number, row_amount_fen, memo, period, row_id]", "fields: [sequence, account, name, row_amount_fen, row_id]", "明细缺 memo（代发明细至少有"),
        ("fields: [sequence, account, row_amount_fen, row_id, row_state,", "fields: [account, row_amount_fen, row_state,", "对不回原来的行"),
        ("(?P<number>[0-9A-Z][0-9A-Z-]{0,39})\\\\.dat\"\n    number: batch_no", "[0-9]+\"\n    number: batch_no", "没有 (?P<number>…)"),
        ("states: {\"0000\": S", "states: {\"0000\": Z", "写的是“Z”（S 成功、F 失败、U 处理中"),
        ("format: fixed-gbk", "format: fixed-gbk\nformat: twice", "“format”写了两遍"),
        ("files:\n", "files: [\n", "不是 YAML"),
        ("pattern: \"[0-9]{6,32}\", width: 32}\n  payer_name", "pattern: \"[0-9\", width: 32}\n  payer_name", "不是正则表达式"),
    ],
)  # fmt: skip
def test_PAY_04_a_wrong_description_says_where_and_what_would_be_right(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    text = (BANKS / "fixed-gbk.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "x.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadDescription) as refused:
        read_format(tmp_path / "x.yaml")
    assert words in str(refused.value) and "第 " in str(refused.value)


def payment(form: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "batch_no": "B1", "programme_code": "dibao", "programme_short": "农村低保", "business_date": DAY, "rows_count": len(rows),
        "amount_fen": sum(row["row_amount_fen"] for row in rows), "payer_account": "800000000001", "payer_name": "专户",
        "format_version": FORMATS[form].version,
    }  # fmt: skip


def row(number: int, name: str = "王秀英", fen: int = 12_345) -> dict[str, Any]:
    return {
        "sequence": number, "account": f"62170000{number:08d}", "name": name, "id_type": "01", "id_number": "341599196512011284",
        "row_amount_fen": fen, "memo": "农村低保", "period": "202107-202109", "row_id": str(number),
    }  # fmt: skip


_NAMES = st.text(st.sampled_from("王李秀英国强·凤霞赵钱孙"), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(
    form=st.sampled_from(["fixed-gbk", "csv-utf8"]),
    told=st.lists(st.tuples(_NAMES, st.integers(1, 10**9)), min_size=1, max_size=8),
)
def test_PAY_04_fixed_and_table_read_back_what_was_written(form: str, told: list[tuple[str, int]]) -> None:
    rows = [row(n, name, fen) for n, (name, fen) in enumerate(told, 1)]
    data = write_file(FORMATS[form], "payment", payment(form, rows), rows)
    name = FORMATS[form].files["payment"].name.format(batch_no="B1")
    parsed = parse_file(FORMATS[form], "payment", data, name)
    names = FORMATS[form].files["payment"].row.names  # type: ignore[union-attr]
    assert parsed.rows == [{key: value for key, value in one.items() if key in names} for one in rows]
    assert parsed.header["batch_no"] == "B1"


def test_PAY_04_fixed_lines_are_counted_in_bytes_and_refuse_what_gbk_has_not() -> None:
    form = FORMATS["fixed-gbk"]
    rows = [row(1, "王秀英"), row(2, "李强")]
    data = write_file(form, "payment", payment("fixed-gbk", rows), rows)
    lines = data.split(b"\n")
    assert len({len(line) for line in lines[1:3]}) == 1 and lines[1].startswith(b"2000001")
    assert b"0000000123.45" in lines[1] and "王秀英".encode("gbk") + b" " in lines[1]
    with pytest.raises(BadInput, match="无法编码") as refused:
        write_file(form, "payment", payment("fixed-gbk", rows), [row(1), row(2, "李𠮷")])
    assert refused.value.where == "代发文件 第3行"
    halved = data.replace("王".encode("gbk"), b"\xcd ", 1)
    for wrong, words in (
        (halved, "半个汉字|编码"), (data.replace(b"0000000123.45", b"00001.2345E+2", 1), "两位小数"), (data[:-40], "不完整"),
        (data.replace(b"\n2", b"\n3", 1), "以 2 开头"), (data.replace(b"9000002", b"9000003", 1), "总笔数"),
        (lines[0] + b"\n" + lines[1] + b"\n", "汇总行"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=words) as refused:
            parse_file(form, "payment", wrong, "PAYB1.dat")
        assert "PAYB1.dat" in refused.value.where


def test_PAY_04_a_table_has_its_titles_in_their_order() -> None:
    form = FORMATS["csv-utf8"]
    rows = [row(1)]
    data = write_file(form, "payment", payment("csv-utf8", rows), rows)
    assert data.decode().split("\n")[0] == "序号,账号,户名,证件号码,金额（元）,摘要,期间,行标识"
    for wrong, words in (
        (data.replace("户名".encode(), "姓名".encode(), 1), "第 3 栏应是“户名”"), (data.replace("期间,".encode(), b"", 1), "应是“期间”"),
        (data.replace("合计,1,".encode(), "合计,2,".encode()), "总笔数不符"), (data.replace(b"123.45", b"1.2E2", 1), "两位小数"),
        (data.replace("王秀英".encode(), '"王秀英"'.encode(), 1), "户名"), ("﻿".encode() + data, "BOM"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=words):
            parse_file(form, "payment", wrong, "daifa-B1.csv")
    with pytest.raises(BadInput, match="超过"):
        parse_file(form, "payment", b"x" * (form.bytes_max + 1), "daifa-B1.csv")
