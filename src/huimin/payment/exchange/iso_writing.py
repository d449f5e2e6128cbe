"""pain.001.001.09 as the bank gets it, piece by piece (PAY-04). Pure.

in    what a batch says of itself, rows in the names of `kernel.bankfile`
out   an XML message in a stream; valid against the message's schema (tests/payment/test_iso.py)

One message, one payment information of the batch's number, one transaction a line. Our reference of a line is its
EndToEndId; the first line of RmtInf is the programme's abbreviation, which the bank prints in the passbook
(皖政办〔2008〕23号 附件4 第22条), the second the period. Amounts are CNY with two decimals, made from whole 分. The time of
creation is the day of release: the same batch is the same bytes however often it is written.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

from huimin.kernel.bankfile import AMOUNT, Format, Written
from huimin.kernel.errors import BadInput

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_PIECE = 2_000
_NAME_MAX, _ACCOUNT_MAX, _REFERENCE_MAX, _ID_MAX = 140, 34, 35, 35
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ue000-\uf8ff\ufdd0-\ufdef\ufeff\ufff9-\uffff\ud800-\udfff]"
)
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{namespace}"><CstmrCdtTrfInitn>
<GrpHdr><MsgId>{batch_no}</MsgId><CreDtTm>{day}T00:00:00</CreDtTm><NbOfTxs>{count}</NbOfTxs><CtrlSum>{sum}</CtrlSum><InitgPty><Nm>{payer_name}</Nm></InitgPty></GrpHdr>
<PmtInf><PmtInfId>{batch_no}</PmtInfId><PmtMtd>TRF</PmtMtd><BtchBookg>false</BtchBookg><NbOfTxs>{count}</NbOfTxs><CtrlSum>{sum}</CtrlSum><PmtTpInf><CtgyPurp><Cd>SSBE</Cd></CtgyPurp></PmtTpInf><ReqdExctnDt><Dt>{day}</Dt></ReqdExctnDt><Dbtr><Nm>{payer_name}</Nm></Dbtr><DbtrAcct><Id><Othr><Id>{payer_account}</Id></Othr></Id><Ccy>CNY</Ccy></DbtrAcct><DbtrAgt><FinInstnId><Nm>{bank_name}</Nm></FinInstnId></DbtrAgt><ChrgBr>SLEV</ChrgBr>
"""
_TAIL = "</PmtInf></CstmrCdtTrfInitn></Document>\n"


def write_pain001(
    sink: BinaryIO, form: Format, header: Mapping[str, Any], bank_name: str, rows: Iterable[Mapping[str, Any]]
) -> Written:
    """BadInput (with line and field) for what a message cannot carry, or when the rows are not what the header says."""
    whole, count, total = hashlib.sha256(), 0, 0

    def put(text: str) -> None:
        data = text.encode("utf-8")
        sink.write(data)
        whole.update(data)

    put(_head(header, bank_name))
    made: list[str] = []
    for row in rows:
        count += 1
        total += row[AMOUNT]
        made.append(_transaction(row, count))
        if len(made) == _PIECE:
            put("".join(made))
            made.clear()
    put("".join(made))
    if (count, total) != (header["rows_count"], header["amount_fen"]):
        raise BadInput(
            f"总笔数或总金额不符：写的是 {header['rows_count']} 笔 {yuan(header['amount_fen'])} 元，明细 {count} 笔 {yuan(total)} 元",
            where=form.files["payment"].title, remedy="请重新编制批次",
        )  # fmt: skip
    put(_TAIL)
    return Written(count, total, whole.hexdigest())


def _head(header: Mapping[str, Any], bank_name: str) -> str:
    return _HEAD.format(
        namespace=NAMESPACE, batch_no=_text(header["batch_no"], _REFERENCE_MAX, 0, "批次号"),
        day=header["business_date"].isoformat(), count=header["rows_count"], sum=yuan(header["amount_fen"]),
        payer_name=_text(header["payer_name"], _NAME_MAX, 0, "付款户名"),
        payer_account=_text(header["payer_account"], _ACCOUNT_MAX, 0, "付款账号"),
        bank_name=_text(bank_name, _NAME_MAX, 0, "开户机构"),
    )  # fmt: skip


def _transaction(row: Mapping[str, Any], number: int) -> str:
    amount = row[AMOUNT]
    if not isinstance(amount, int) or amount <= 0:
        raise BadInput("应为大于 0 的金额", where=f"代发报文 第{number}笔 金额", remedy="请核对清册")
    return (
        f"<CdtTrfTxInf><PmtId><InstrId>{row['sequence']}</InstrId><EndToEndId>{_text(row['row_id'], _REFERENCE_MAX, number, '行标识')}</EndToEndId></PmtId>"
        f'<Amt><InstdAmt Ccy="CNY">{yuan(amount)}</InstdAmt></Amt>'
        f"<Cdtr><Nm>{_text(row['name'], _NAME_MAX, number, '户名')}</Nm><Id><PrvtId><Othr><Id>{_text(row['id_number'], _ID_MAX, number, '证件号码')}</Id><SchmeNm><Cd>NIDN</Cd></SchmeNm></Othr></PrvtId></Id></Cdtr>"
        f"<CdtrAcct><Id><Othr><Id>{_text(row['account'], _ACCOUNT_MAX, number, '账号')}</Id></Othr></Id></CdtrAcct>"
        f"<RmtInf><Ustrd>{_text(row['memo'], _NAME_MAX, number, '摘要')}</Ustrd><Ustrd>{row['period']}</Ustrd></RmtInf></CdtTrfTxInf>\n"
    )


def _text(value: str, length_max: int, number: int, title: str) -> str:
    """The value for XML; blanks at an end, control characters and what is too long are refused."""
    if not value or len(value) > length_max or value != value.strip() or _FORBIDDEN.search(value):
        where = f"代发报文 第{number}笔 {title}" if number else f"代发报文 {title}"
        raise BadInput(f"应为不超过 {length_max} 个字、没有控制字符的文本", where=where, remedy="请核对登记的内容")
    return escape(value)


def yuan(amount_fen: int) -> str:
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"
