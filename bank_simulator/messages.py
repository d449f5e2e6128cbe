"""Messages of ISO 20022 as this bank reads and writes them, with the standard library only.

in    a pain.001; or what an answer says
out   an `Order`; a pain.002 (status of every line, or a refusal of the whole), a camt.053 (what moved on an account)

Written from the standard, not from Huimin's code: what one side misreads the other must not misread the same way.
"""

import re
import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from xml.sax.saxutils import escape

from bank_simulator.errors import FileRefused
from bank_simulator.layout import FileKind
from bank_simulator.reading import Order

_IN = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}
_NAMES = ("sequence", "account", "name", "id_number", "row_amount_fen", "memo", "period", "row_id")
CODES = {
    "F01": "AC03", "F02": "BE01", "F03": "BE16", "F04": "AC06", "F05": "AC04", "F06": "AC05", "F07": "AC05",
    "F08": "AM02", "F09": "AM05", "F10": "MS03", "F11": "AC14",
}  # fmt: skip
REFUSALS = {"X01": "DUPL", "X02": "AM10", "X05": "AC01", "X06": "AM04"}
STATES = {"S": "ACSC", "F": "RJCT", "U": "PDNG"}


def read_pain001(kind: FileKind, number: str, content: bytes) -> Order:
    """FileRefused for what is no such message, or does not add up."""
    if b"<!DOCTYPE" in content:
        raise FileRefused("X07", "报文里有文档类型声明")
    try:
        root = ET.fromstring(content)
    except ET.ParseError as wrong:
        raise FileRefused("X03", f"报文读不完：{wrong}", wrong.position[0]) from None
    if root.tag != f"{{{_IN['p']}}}Document":
        raise FileRefused("X14", "不是 pain.001.001.09")
    if _text(root, ".//p:GrpHdr/p:MsgId") != number:
        raise FileRefused("X09", f"文件名中的编号是 {number}")
    rows = [_row(each) for each in root.iterfind(".//p:CdtTrfTxInf", _IN)]
    if not rows:
        raise FileRefused("X07", "没有明细")
    total = sum(int(row[4]) for row in rows)
    for path in (".//p:GrpHdr", ".//p:PmtInf"):
        if int(_text(root, f"{path}/p:NbOfTxs")) != len(rows) or _fen(_text(root, f"{path}/p:CtrlSum")) != total:
            raise FileRefused("X02", f"实有 {len(rows)} 笔 {total} 分")
    header = {
        "batch_no": number, "programme_code": "", "programme_short": rows[0][5],
        "business_date": _text(root, ".//p:ReqdExctnDt/p:Dt").replace("-", ""), "rows_count": str(len(rows)),
        "amount_fen": str(total), "payer_account": _text(root, ".//p:DbtrAcct/p:Id/p:Othr/p:Id"),
        "payer_name": _text(root, ".//p:Dbtr/p:Nm"),
    }  # fmt: skip
    return Order(kind, header, rows, _NAMES)


def _row(each: ET.Element) -> list[str]:
    lines = [line.text or "" for line in each.iterfind("p:RmtInf/p:Ustrd", _IN)]
    return [
        _text(each, "p:PmtId/p:InstrId"), _text(each, "p:CdtrAcct/p:Id/p:Othr/p:Id"), _text(each, "p:Cdtr/p:Nm"),
        _text(each, "p:Cdtr/p:Id/p:PrvtId/p:Othr/p:Id"), str(_fen(_text(each, "p:Amt/p:InstdAmt"))), lines[0],
        lines[1] if len(lines) > 1 else "", _text(each, "p:PmtId/p:EndToEndId"),
    ]  # fmt: skip


def _text(element: ET.Element, path: str) -> str:
    found = element.findtext(path, "", _IN)
    if not found:
        raise FileRefused("X07", f"缺 {path.rpartition(':')[2]}")
    return found


def _fen(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,13}(\.[0-9]{1,2})?", text):
        raise FileRefused("X07", "金额的写法不对")
    try:
        return int(Decimal(text) * 100)
    except InvalidOperation:
        raise FileRefused("X07", "金额的写法不对") from None


def yuan(fen: str) -> str:
    """Only whole 分 are turned; anything else (spoiled on purpose) stays as it is."""
    return f"{int(fen) // 100}.{int(fen) % 100:02d}" if fen.isdigit() else fen


def _day(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}"


def write_pain002(header: Mapping[str, str], rows: Sequence[Mapping[str, str]]) -> bytes:
    """The status of every line; a refusal of the whole when there are none and a code is given."""
    day, number = _day(header["business_date"]), header["batch_no"]
    refused = header.get("refusal_code", "")
    counts = {state: sum(row["row_state"] == state for row in rows) for state in STATES}
    group = "RJCT" if refused else "RCVD" if not rows else "ACSC" if counts["S"] == len(rows) else "PART"
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>{number}-{header['answer_no']}</MsgId><CreDtTm>{day}T17:00:00</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{number}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>{group}</GrpSts>"
    ]
    if refused:
        code = REFUSALS.get(refused, "FF01")
        detail = escape(header.get("refusal_detail", "")[:105])
        out.append(f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn><AddtlInf>{detail or '拒收'}</AddtlInf></StsRsnInf>")
    stated = {**counts, **{state: int(header[f"stated_{state}"]) for state in STATES if f"stated_{state}" in header}}
    out += [
        f"<NbOfTxsPerSts><DtldNbOfTxs>{count}</DtldNbOfTxs><DtldSts>{STATES[state]}</DtldSts></NbOfTxsPerSts>"
        for state, count in stated.items() if count
    ]  # fmt: skip
    out.append("</OrgnlGrpInfAndSts>")
    if rows:
        out.append(f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{number}</OrgnlPmtInfId>")
        out += [_status(row) for row in rows]
        out.append("</OrgnlPmtInfAndSts>")
    out.append("</CstmrPmtStsRpt></Document>\n")
    return "".join(out).encode()


def _status(row: Mapping[str, str]) -> str:
    state = row["row_state"]
    reason = when = serial = ""
    if state == "F":
        reason = f"<StsRsnInf><Rsn><Cd>{CODES.get(row['failure_code'], 'MS03')}</Cd></Rsn></StsRsnInf>"
    if state == "S":
        when = f"<AccptncDtTm>{_day(row['booked_on'])}T16:00:00</AccptncDtTm>"
        serial = f"<AcctSvcrRef>{row['bank_serial']}</AcctSvcrRef>"
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>{row['row_id']}</OrgnlEndToEndId><TxSts>{STATES[state]}</TxSts>{reason}{when}{serial}"
        f'<OrgnlTxRef><Amt><InstdAmt Ccy="CNY">{yuan(row["row_amount_fen"])}</InstdAmt></Amt>'
        f"<CdtrAcct><Id><Othr><Id>{row['account']}</Id></Othr></Id></CdtrAcct></OrgnlTxRef></TxInfAndSts>\n"
    )


_MOVED = """
SELECT p.id, p.booked_on, p.amount_fen, p.target = :account AS credit, coalesce(files.number, '') AS number,
       coalesce(files.kind, '') AS kind, coalesce(r.row_id, '') AS row_id, o.account AS counter, coalesce(r.memo, '') AS memo
FROM postings AS p JOIN accounts AS o ON o.account = CASE WHEN p.target = :account THEN p.source ELSE p.target END
    LEFT JOIN files ON files.id = p.file_id
    LEFT JOIN order_rows AS r ON r.file_id = p.file_id AND r.sequence = p.sequence
WHERE :account IN (p.source, p.target) AND p.booked_on BETWEEN :first AND :last ORDER BY p.id
"""
_BEFORE = """
SELECT coalesce(sum(CASE WHEN target = :account THEN amount_fen ELSE -amount_fen END), 0)
FROM postings WHERE :account IN (source, target) AND booked_on < :first
"""


def write_camt053(books: sqlite3.Connection, account: str, first: str, last: str, reference: str) -> bytes:
    """Everything that moved on a public account from `first` to `last` (YYYYMMDD), with both balances.

    What went to a line's payee by way of the bank's transit account is booked against the account once, when it left it.
    """
    where = {"account": account, "first": first, "last": last}
    opening = books.execute(_BEFORE, where).fetchone()[0]
    moved = books.execute(_MOVED, where).fetchall()
    closing = opening + sum(row["amount_fen"] if row["credit"] else -row["amount_fen"] for row in moved)
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>{reference}</MsgId><CreDtTm>{_day(last)}T23:00:00</CreDtTm></GrpHdr><Stmt><Id>{reference}</Id>"
        f"<CreDtTm>{_day(last)}T23:00:00</CreDtTm><Acct><Id><Othr><Id>{account}</Id></Othr></Id><Ccy>CNY</Ccy></Acct>"
        + _balance("OPBD", opening, first) + _balance("CLBD", closing, last)
    ]  # fmt: skip
    out += [_entry(row) for row in moved]
    out.append("</Stmt></BkToCstmrStmt></Document>\n")
    return "".join(out).encode()


def _balance(kind: str, fen: int, day: str) -> str:
    sign = "CRDT" if fen >= 0 else "DBIT"
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">{yuan(str(abs(fen)))}</Amt>'
        f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>{_day(day)}</Dt></Dt></Bal>"
    )


def _entry(row: sqlite3.Row) -> str:
    serial = f"{row['booked_on']}{row['id']:010d}"
    returned = row["credit"] and row["kind"] == "payment"
    refs = f"<MsgId>{row['number']}</MsgId>" if row["number"] else ""
    refs += f"<AcctSvcrRef>{serial}</AcctSvcrRef>"
    refs += f"<PmtInfId>{row['number']}</PmtInfId>" if row["kind"] == "payment" else ""
    refs += f"<EndToEndId>{row['row_id']}</EndToEndId>" if row["row_id"] and row["kind"] == "payment" else ""
    back = "<RtrInf><Rsn><Cd>MS03</Cd></Rsn></RtrInf>" if returned else ""
    amount = f'<Amt Ccy="CNY">{yuan(str(row["amount_fen"]))}</Amt>'
    sign = "CRDT" if row["credit"] else "DBIT"
    note = f"<RmtInf><Ustrd>{escape(row['memo'])}</Ustrd></RmtInf>" if row["memo"] else ""
    return (
        f"<Ntry>{amount}<CdtDbtInd>{sign}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{_day(row['booked_on'])}</Dt></BookgDt>"
        f"<AcctSvcrRef>{serial}</AcctSvcrRef><BkTxCd><Prtry><Cd>DF</Cd></Prtry></BkTxCd><NtryDtls><TxDtls><Refs>{refs}</Refs>"
        f"{amount}<CdtDbtInd>{sign}</CdtDbtInd>{note}{back}</TxDtls></NtryDtls></Ntry>\n"
    )
