"""Agencies that check for the county: their contract, what is entrusted to them, by when (CASE-08, SUP-02).

in    a contract (name, number, days, scope, fee a check, what it says of quality); drawn cases given to it
out   agencies; drawn cases with an agency and a day; the result is entered by the county (`checking.record_check`)

Always true: a check is entrusted under a contract in force, by a day within it; who has a result is entrusted no more.
Law: 皖政办〔2008〕23号 附件3 第28条 (委托社会中介机构进行核查); 附件1 第26条.
"""

from collections.abc import Sequence
from datetime import date

from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint, require_place
from huimin.organisation.posts import Post
from huimin.samples.models import Agency, Check, DrawCase

CONTRACTORS = (Post.COUNTY_OFFICER, Post.DEPARTMENT_OFFICER)
FEE_MAX_FEN = 10_000_00

refused_by_constraint("agency_contract_once", AlreadyDone, "这个合同编号已经登记过", "请核对编号，或从列表查看")


class NoContract(Refusal):
    """The contract is not in force."""


@command(*CONTRACTORS)
def add_agency(
    *, by: Actor, on: date, name: str, contract_no: str, valid_from: date, valid_to: date, scope: str, fee_fen: int,
    quality: str,
) -> Agency:  # fmt: skip
    """A contract with an agency; the same number again is refused."""
    for label, value in (("机构名称", name), ("合同编号", contract_no), ("委托范围", scope), ("质量条款", quality)):
        if len(value.strip()) < 2:
            raise BadInput(f"没有写{label}", where=label, remedy="请照合同填写")
    if valid_to < valid_from:
        raise BadInput("合同到期早于开始", where="到期", remedy="请核对合同")
    if not 0 <= fee_fen <= FEE_MAX_FEN:
        raise BadInput("每件费用不对", where="费用", remedy=f"请填 0 到 {FEE_MAX_FEN // 100:,} 元")
    return Agency.objects.create(
        division=by.division, name=name.strip()[:80], contract_no=contract_no.strip()[:60], valid_from=valid_from,
        valid_to=valid_to, scope=scope.strip()[:200], fee_fen=fee_fen, quality=quality.strip()[:300],
        recorded_by=by.appointment, recorded_on=on,
    )  # fmt: skip


@command(*CONTRACTORS)
def end_agency(*, by: Actor, on: date, agency_id: int, reason: str) -> Agency:
    """The contract ends before its day; what it was given and has not reported goes back to the county."""
    agency = _locked(by, agency_id)
    if agency.ended_on is not None:
        raise AlreadyDone("合同已经终止", remedy="请刷新后查看")
    if len(reason.strip()) < 4:
        raise BadInput("没有写终止的理由", where="理由", remedy="请写明理由")
    agency.ended_on, agency.ended_by, agency.end_reason = on, by.appointment, reason.strip()[:200]
    agency.save(update_fields=["ended_on", "ended_by", "end_reason"])
    open_lines = DrawCase.objects.filter(agency=agency).exclude(
        pk__in=Check.objects.filter(agency=agency).values("line")
    )
    open_lines.update(agency=None, assigned_on=None, assigned_by=None, due_on=None)
    return agency


@command(*CONTRACTORS)
def entrust(*, by: Actor, on: date, draw_id: int, lines: Sequence[int], agency_id: int, due_on: date) -> int:
    """Give drawn cases of one draw to an agency; how many. A named one that has a result refuses the whole act."""
    agency = _locked(by, agency_id)
    if not agency.holds(on) or due_on > agency.valid_to:
        raise NoContract(
            f"{agency.name}的合同不在有效期内",
            why=f"{agency.valid_from} 至 {agency.valid_to}",
            remedy="请先续签或换一家",
        )
    if due_on < on:
        raise BadInput(f"期限 {due_on} 已过", where="期限", remedy="请填今天或以后的一天")
    wanted = sorted(set(lines))
    found = DrawCase.objects.filter(draw=draw_id, pk__in=wanted, picked=True, check_made=None)
    if not wanted or found.count() != len(wanted):
        raise AlreadyDone("所选的有没抽中的，或已有结果", remedy="请刷新后再选")
    return found.update(agency=agency, assigned_on=on, assigned_by=by.appointment, due_on=due_on)


def _locked(by: Actor, agency_id: int) -> Agency:
    agency = Agency.objects.select_for_update().filter(pk=agency_id).first()
    if agency is None:
        raise BadInput("没有这家机构", where="机构", remedy="请从列表选择")
    require_place(by, agency.division)
    return agency
