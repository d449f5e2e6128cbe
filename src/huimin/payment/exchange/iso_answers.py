"""pain.002 and camt.053 as rows under the names of `kernel.bankfile` (PAY-05). Pure.

in    a stream, the format's description (which gives states and reasons their meaning)
out   `Answer`: header, rows; `Statement`: account, balances, entries; BadInput for what does not add up

pain.002  a row a transaction: reference, state, reason, day; a refusal of the whole batch when the group is RJCT; an
          acknowledgement (no rows) when the group is received or accepted and nothing is said of single lines. A group
          that is "settled" without its lines is an acknowledgement too: money is booked line by line.
camt.053  a row an entry or a detail of it: S for what left the account, F for what came back (a reversal or a return),
          C for any other credit. Opening balance and entries must come to the closing one.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any, BinaryIO

from huimin.kernel.bankfile import FileKind, Format, too_big
from huimin.kernel.errors import BadInput
from huimin.kernel.money import yuan
from huimin.payment.exchange.iso_reading import Message, Record

_PIECE = 5_000
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,12})(?:\.([0-9]{1,2})0{0,3})?")
_BLOCK = 1 << 20


@dataclass
class Answer:
    """A status report. `outcome` is "answer", "refusal" or "acknowledgement"."""

    form: Format
    kind: FileKind
    name: str
    sha256: str
    header: dict[str, Any]
    outcome: str
    message: Message
    sums: dict[str, list[int]] = field(default_factory=dict)

    def rows(self) -> Iterator[list[dict[str, Any]]]:
        """Pieces of rows; at their end the counts the report states are held against them."""
        left = (self._row(record) for record in self.message if record.tag == "TxInfAndSts")
        stated = self.header["stated"]
        while piece := list(islice(left, _PIECE)):
            yield piece
        for state, count in stated.items():
            found = self.sums.get(state, [0])[0]
            if found != count:
                raise self.message.wrong(f"{state} 的笔数写的是 {count}，明细 {found} 笔", "合计不符")

    def _row(self, record: Record) -> dict[str, Any]:
        told = record.get("TxSts") or self.message.head.get("CstmrPmtStsRpt/OrgnlPmtInfAndSts/PmtInfSts", "")
        state = self.form.states.get(told)
        if state is None:
            raise self.message.wrong(f"状态“{told[:10]}”不在约定的代码里")
        counted = self.sums.setdefault(told, [0])
        counted[0] += 1
        if sum(each[0] for each in self.sums.values()) > self.form.rows_max:
            raise self.message.wrong(f"明细超过 {self.form.rows_max} 笔")
        code = record.get("StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry")[:10] if state == "F" else ""
        amount = record.get("OrgnlTxRef/Amt/InstdAmt")
        day = record.get("FctvIntrBkSttlmDt/Dt", "FctvIntrBkSttlmDt/DtTm", "AccptncDtTm")[:10]
        return {
            "sequence": None, "row_id": record.get("OrgnlEndToEndId"),
            "row_amount_fen": _fen(self.message, amount) if amount else None, "row_state": state, "failure_code": code,
            "failure_reason": (self.form.failure_codes.get(code) or record.get("StsRsnInf/AddtlInf"))[:120] if code else "",
            "booked_on": (_day(self.message, day) if day else self.header["business_date"]) if state == "S" else None,
            "bank_serial": record.get("AcctSvcrRef", "StsId")[:40] if state == "S" else "",
            "account": record.get("OrgnlTxRef/CdtrAcct/Id/Othr/Id", "OrgnlTxRef/CdtrAcct/Id/IBAN"),
        }  # fmt: skip


def open_pain002(form: Format, kind: FileKind, source: BinaryIO, name: str) -> Answer:
    """The head of a status report; rows as they are asked for."""
    matched, sha256 = _opened(form, kind, source, name)
    message = Message(source, name, "pain.002", frozenset({"TxInfAndSts", "NbOfTxsPerSts"}))
    before = message.begin("TxInfAndSts")
    stated = {each.get("DtldSts"): _count(message, each.get("DtldNbOfTxs")) for each in before}
    head, top = message.head, "CstmrPmtStsRpt"
    group = f"{top}/OrgnlGrpInfAndSts"
    number = head.get(f"{group}/OrgnlMsgId", "")
    if number != matched["number"]:
        raise message.wrong("报文里的原报文号与文件名不同")
    status = head.get(f"{group}/GrpSts", "") or head.get(f"{top}/OrgnlPmtInfAndSts/PmtInfSts", "")
    if status and status not in form.states and status != "PART":
        raise message.wrong(f"整批状态“{status[:10]}”不在约定的代码里")
    outcome = (
        "answer" if message.first is not None else "refusal" if form.states.get(status) == "F" else "acknowledgement"
    )
    code = head.get(f"{group}/StsRsnInf/Rsn/Cd") or head.get(f"{group}/StsRsnInf/Rsn/Prtry", "")
    header = {
        "batch_no": number, "answer_no": int(matched["answer"]), "order_sha256": None, "stated": stated,
        "business_date": _day(message, head.get(f"{top}/GrpHdr/CreDtTm", "")[:10]),
        "reference": head.get(f"{top}/GrpHdr/MsgId", "")[:40], "refusal_code": code[:10],
        "refusal_reason": form.failure_codes.get(code) or head.get(f"{group}/StsRsnInf/AddtlInf", ""),
    }  # fmt: skip
    if not header["reference"]:
        raise message.wrong("报文没有自己的编号 MsgId")
    return Answer(form, kind, name, sha256, header, outcome, message)


@dataclass
class Statement:
    """One account's statement: who, which days, from what to what; entries once."""

    form: Format
    kind: FileKind
    name: str
    sha256: str
    message: Message
    reference: str
    account: str
    opening_fen: int = 0
    closing_fen: int = 0
    period_from: date | None = None
    period_until: date | None = None
    debit_fen: int = 0
    credit_fen: int = 0
    count: int = 0

    def rows(self) -> Iterator[list[dict[str, Any]]]:
        """Pieces of rows; at their end the balances are held against the entries."""
        made = self._made()
        while piece := list(islice(made, _PIECE)):
            yield piece
        if self.opening_fen + self.credit_fen - self.debit_fen != self.closing_fen:
            found = yuan(self.opening_fen + self.credit_fen - self.debit_fen)
            told = f"期初加收入减支出是 {found} 元，期末写的是 {yuan(self.closing_fen)} 元"
            raise self.message.wrong(told, "对账单不平")

    def _made(self) -> Iterator[dict[str, Any]]:
        inside = 0
        for record in self.message:
            if record.tag == "TxDtls":
                inside += self._fen_of(record, "Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt") or self._fen_of(
                    _around(record), "Amt"
                )
                yield self._row(record, _around(record))
            elif record.tag == "Ntry":
                yield from self._entry(record, inside)
                inside = 0

    def _entry(self, record: Record, inside: int) -> Iterator[dict[str, Any]]:
        amount = self._fen_of(record, "Amt")
        self._count(record, amount)
        if record.get("Sts/Cd", "Sts") not in ("BOOK", ""):
            raise self.message.wrong(f"有没入账的分录（{record.get('Sts/Cd', 'Sts')[:10]}）", "对账单只含已入账的")
        if record.inner == 0:
            yield self._row(record, record)
        elif inside != amount:
            raise self.message.wrong(f"分录 {yuan(amount)} 元，明细合计 {yuan(inside)} 元", "分录与明细不符")

    def _count(self, record: Record, amount: int) -> None:
        self.count += 1
        if record.get("CdtDbtInd") == "DBIT":
            self.debit_fen += amount
        elif record.get("CdtDbtInd") == "CRDT":
            self.credit_fen += amount
        else:
            raise self.message.wrong("分录没有借贷方向 CdtDbtInd")

    def _fen_of(self, record: Record, *paths: str) -> int:
        text = record.get(*paths)
        return _fen(self.message, text) if text else 0

    def add_balance(self, record: Record) -> None:
        fen = self._fen_of(record, "Amt") * (-1 if record.get("CdtDbtInd") == "DBIT" else 1)
        day = _day(self.message, record.get("Dt/Dt", "Dt/DtTm")[:10])
        if record.get("Tp/CdOrPrtry/Cd") in ("OPBD", "PRCD"):
            self.opening_fen, self.period_from = fen, day
        elif record.get("Tp/CdOrPrtry/Cd") == "CLBD":
            self.closing_fen, self.period_until = fen, day

    def _row(self, record: Record, entry: Record) -> dict[str, Any]:
        debit = (record.get("CdtDbtInd") or entry.get("CdtDbtInd")) == "DBIT"
        back = entry.get("RvslInd") == "true" or bool(
            record.get("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry", "RtrInf/AddtlInf")
        )
        code = record.get("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry")[:10]
        inside = record if record is entry else None
        return {
            "batch_no": record.get("Refs/PmtInfId", "Refs/MsgId"), "row_id": record.get("Refs/EndToEndId"),
            "row_amount_fen": self._fen_of(record, "Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt") or self._fen_of(entry, "Amt"),
            "row_state": "S" if debit else "F" if back else "C", "failure_code": code,
            "failure_reason": (self.form.failure_codes.get(code, "") or record.get("RtrInf/AddtlInf"))[:120],
            "booked_on": _day(self.message, entry.get("BookgDt/Dt", "BookgDt/DtTm")[:10]),
            "bank_serial": record.get("Refs/AcctSvcrRef", "AcctSvcrRef")[:40] or entry.get("AcctSvcrRef", "NtryRef")[:40],
            "account": record.get("RltdPties/CdtrAcct/Id/Othr/Id", "RltdPties/CdtrAcct/Id/IBAN"),
            "note": (record.get("RmtInf/Ustrd", "AddtlTxInf") or (inside or entry).get("AddtlNtryInf", "NtryRef"))[:120],
        }  # fmt: skip


def open_camt053(form: Format, kind: FileKind, source: BinaryIO, name: str) -> Statement:
    """The head of a statement and its balances; entries as they are asked for."""
    _, sha256 = _opened(form, kind, source, name)
    message = Message(source, name, "camt.053", frozenset({"Bal", "Ntry", "TxDtls"}), frozenset({"Stmt"}))
    before = message.begin("Ntry", "TxDtls")
    head, top = message.head, "BkToCstmrStmt/Stmt"
    account = head.get(f"{top}/Acct/Id/Othr/Id") or head.get(f"{top}/Acct/Id/IBAN", "")
    reference = head.get(f"{top}/Id", "")[:40]
    if not account or not reference:
        raise message.wrong("对账单没有编号或账号")
    if head.get(f"{top}/Acct/Ccy", "CNY") != "CNY":
        raise message.wrong("对账单不是人民币账户")
    made = Statement(form, kind, name, sha256, message, reference, account)
    for record in before:
        made.add_balance(record)
    if made.period_from is None or made.period_until is None:
        raise message.wrong("对账单没有期初或期末余额")
    return made


def _opened(form: Format, kind: FileKind, source: BinaryIO, name: str) -> tuple[re.Match[str], str]:
    """The name's numbers and the digest; BadInput by size before a byte is read, or by name."""
    size = source.seek(0, os.SEEK_END)
    if size > form.bytes_max:
        raise too_big(form.bytes_max, name)
    matched = kind.name_pattern.fullmatch(name)
    if matched is None:
        raise BadInput(f"文件名不是{kind.title}的样式", where=name, remedy="请用银行给出的原文件名")
    source.seek(0)
    whole = hashlib.sha256()
    while block := source.read(_BLOCK):
        whole.update(block)
    return matched, whole.hexdigest()


def _around(record: Record) -> Record:
    assert record.around is not None
    return record.around


def _fen(message: Message, text: str) -> int:
    """分 of an amount with at most two decimals; an exponent, a sign or a third decimal is refused."""
    matched = _AMOUNT.fullmatch(text)
    if matched is None:
        raise message.wrong("金额的写法不对", "应为元、至多两位小数，不用科学计数法、正负号和千分位")
    return int(matched[1]) * 100 + int((matched[2] or "").ljust(2, "0"))


def _count(message: Message, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise message.wrong("笔数的写法不对", "应为不超过 9 位的整数")
    return int(text)


def _day(message: Message, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise message.wrong("日期的写法不对", "应为 YYYY-MM-DD") from None
