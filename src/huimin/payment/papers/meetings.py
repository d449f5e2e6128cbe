"""Papers of community review: invitations, sign-in sheet, what is read aloud, minutes; and the record of 一事一议 (CASE-03).

in    a meeting (or a collective decision), which paper, the address its code leads to
out   PDF/A-2b; who took it is remembered

What is read aloud and the minutes print what was frozen. Minutes whose rows no longer give the digest that was signed are
not printed at all. No number of a person, card or phone is on any of them. Law: 皖政办〔2008〕23号 附件3 第21–24条.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from huimin.audit.models import Event
from huimin.divisions.queries import chain_names
from huimin.kernel.errors import Refusal
from huimin.kernel.money import yuan
from huimin.meetings import queries
from huimin.meetings.judging import minutes_digest
from huimin.meetings.models import CollectiveDecision, Item, Meeting, Participant
from huimin.meetings.rules import COUNTERS, carries, quorum
from huimin.organisation.acting import Actor, command, record_event
from huimin.organisation.posts import Post
from huimin.payment.papers.registers import Register, register_pdf
from huimin.payment.papers.sheets import square_code
from huimin.payment.papers.typesetting import typeset
from huimin.payment.papers.words import day_in_words, wrappable
from huimin.policy.queries import programme_names

MEETING_PAPERS = {
    "invitations": "评议会通知",
    "sign-in": "评议会签到表",
    "reading": "评议宣读表",
    "minutes": "民主评议会议记录",
}
READERS = (
    Post.INFORMATION_OFFICER, Post.CLERK, Post.REVIEWER, Post.TOWNSHIP_HEAD, Post.COUNTY_OFFICER, Post.SUPERVISOR,
)  # fmt: skip
MARKS = {True: "符合", False: "不符合", None: "缺信息"}
State, Role = Meeting.State, Participant.Role


class NoSuchPaper(Refusal):
    """The meeting has not come to what this paper says."""


class MinutesChanged(Refusal):
    """What is stored is not what was signed."""


@dataclass
class Part:
    """One part of a record: a heading, lines, perhaps a table (heads, widths in mm, rows), lines after it."""

    head: str
    before: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    whole: bool = False

    def told(self) -> dict[str, Any]:
        return {
            "head": self.head, "before": _wrapped(self.before), "heads": self.heads, "widths": self.widths,
            "rows": [_wrapped(row) for row in self.rows], "after": _wrapped(self.after), "whole": self.whole,
        }  # fmt: skip


def _wrapped(lines: Iterable[str]) -> list[str]:
    return [wrappable(line) for line in lines]


def meeting_pdf(*, by: Actor, on: date, meeting: int, kind: str, address: str, mark: str = "") -> bytes:
    """NoSuchPaper when the meeting is not there yet; MinutesChanged; NoFonts."""
    content = gather_meeting(by=by, on=on, meeting=meeting, kind=kind)
    if kind == "sign-in":
        return register_pdf(_sign_in(content, address), by=by, on=on, mark=mark)
    code = {"code": square_code(address), "address": address} if kind != "invitations" else {}
    return typeset("invitation" if kind == "invitations" else "record", {**content, **code}, on=on, mark=mark)


@command(*READERS)
def gather_meeting(*, by: Actor, on: date, meeting: int, kind: str) -> dict[str, Any]:
    """What the paper says; remembers that it was taken."""
    row = queries.find_meeting(meeting)
    if row is None:
        raise NoSuchPaper("没有这次会议，或它不在您的辖区内", remedy="请从会议列表进入")
    _require_there(row, kind)
    place = "".join(chain_names(row.division, row.meets_on)[2:])
    common = {
        "title": f"{place}{MEETING_PAPERS[kind]}", "issuer": place, "number": row.number, "date": day_in_words(on),
        "printed": f"打印日期 {on}", "digest": "", "seats": [], "code": "", "address": "",
    }  # fmt: skip
    record_event(by, Event.Kind.EXPORTED, row.subject, {"paper": kind})
    return common | {"invitations": _invitations, "sign-in": _seats, "reading": _reading, "minutes": _minutes}[kind](
        row
    )


def _require_there(row: Meeting, kind: str) -> None:
    there = {
        "invitations": row.state == State.PLANNED, "sign-in": row.state != State.CANCELLED,
        "reading": row.state in (State.PLANNED, State.HELD, State.RECORDED), "minutes": row.state in (State.RECORDED, State.VOID),
    }[kind]  # fmt: skip
    if not there:
        remedy = "登记完各件的结果、签名定稿后打印" if kind == "minutes" else "请刷新后查看"
        raise NoSuchPaper(f"这次会议没有{MEETING_PAPERS[kind]}", why=row.get_state_display(), remedy=remedy)


def _when(row: Meeting) -> str:
    return f"{day_in_words(row.meets_on)} {row.meets_at}"


def _invitations(row: Meeting) -> dict[str, Any]:
    cases: dict[str, int] = {}
    names = programme_names()
    for code in row.items.values_list("case__programme", flat=True):
        cases[names.get(code, code)] = cases.get(names.get(code, code), 0) + 1
    about = "、".join(f"{name} {count} 件" for name, count in sorted(cases.items()))
    invited = [each for each in queries.list_participants(row) if each.role != Role.CADRE]
    return {
        "says": [
            f"定于{_when(row)}在{row.location}召开民主评议会，由{row.chair}主持，请您到会。",
            f"评议：{about}。会上先宣读各户情况和政策条件，再评议；意见不一致的投票。",
            "到会居民代表达到法定代表数的三分之二，会议才有效；不能到会的请提前告知。",
            "与申请人是近亲属的，请在会上申明并回避。",
        ],
        "invited": [{"name": wrappable(each.name), "title": wrappable(each.title)} for each in invited],
    }  # fmt: skip


def _seats(row: Meeting) -> dict[str, Any]:
    people = queries.list_participants(row)
    return {
        "row": row,
        "people": [each for each in people if each.role != Role.CADRE],
        "number_needed": queries.statutory(row.division, row.meets_on),
    }


def _sign_in(content: dict[str, Any], address: str) -> Register:
    """The sheet to sign at the door; cadres write themselves into the empty lines."""
    row: Meeting = content["row"]
    rows = [[at, each.name, each.title, each.get_role_display(), ""] for at, each in enumerate(content["people"], 1)]
    rows += [["", "", "", Role.CADRE.label, ""] for _ in range(3)]
    needed = content["number_needed"]
    law = f"法定代表数 {needed} 人，到会 {quorum(needed)} 人以上有效；须有义务监督员、乡镇干部到会" if needed else ""
    return Register(
        content["title"], [("序号", 14), ("姓名", 38), ("组别、职务", 0), ("身份", 30), ("签名", 46)], rows,
        lines=[f"{row.number}　时间：{_when(row)}　地点：{row.location}　主持人：{row.chair}", law], seats=["主持人", "记录人"],
        to_sign=True, address=address, notes=["实到居民代表＿＿＿人，义务监督员＿＿＿人，乡镇干部＿＿＿人"],
    )  # fmt: skip


def _reading(row: Meeting) -> dict[str, Any]:
    """The law's conditions once for each programme, then every case with how it stands to them."""
    names, items = programme_names(), queries.list_items(row)
    laws = {(item.case.programme, item.told["policy"]): item for item in items if item.told["conditions"]}
    parts = [_law(item, names) for item in laws.values()] + [_read_aloud(item, names) for item in items]
    lines = [
        f"时间：{_when(row)}　地点：{row.location}　主持人：{row.chair}",
        "先说明政策条件，再逐户宣读，由到会代表评议。与申请人是近亲属的代表回避。不宣读证件、银行卡、电话号码和病情。",
    ]
    return {"lines": lines, "parts": [part.told() for part in parts]}


def _law(item: Item, names: dict[str, str]) -> Part:
    rows = [[str(at), text, basis] for at, (text, _, basis) in enumerate(item.told["conditions"], 1)]
    name = names.get(item.case.programme, item.case.programme)
    return Part(f"政策条件：{name}", heads=["序", "同时符合以下各条", "依据"], widths=[10, 0, 70], rows=rows)


def _read_aloud(item: Item, names: dict[str, str]) -> Part:
    part = Part(_heading(item, names), facts_of(item), after=[f"按登记和政策：{says_of(item)}"], whole=True)
    for at, (text, met, _) in enumerate(item.told["conditions"], 1):
        part.rows.append([str(at), text, MARKS[met]])
    if part.rows:
        part.heads, part.widths = ["序", "条件", "这一户"], [10, 0, 22]
    return part


def _heading(item: Item, names: dict[str, str]) -> str:
    return (
        f"{item.number}. {item.told['name']}　{names.get(item.case.programme, item.case.programme)}　{item.case.number}"
    )


def facts_of(item: Item) -> list[str]:
    told = item.told
    ages = [f"未成年 {told['minors']} 人"] * bool(told["minors"]) + [f"60 岁以上 {told['elders']} 人"] * bool(
        told["elders"]
    )
    people = f"家庭人口 {told['people']} 人{'（' + '，'.join(ages) + '）' if ages else ''}"
    facts = "；".join([people, *([told["income"]] if told["income"] else []), f"登记截至 {item.told_on}"])
    return [facts, *([f"困难情况：{item.hardship}"] if item.hardship else [])]


def says_of(item: Item) -> str:
    if item.eligible is None:
        lacking = "、".join(item.told["missing"])
        return f"还不能判断，缺{lacking}" if lacking else "这个项目在本地没有生效"
    return f"符合，{item.told['period']} {yuan(item.amount_fen or 0)} 元" if item.eligible else "不符合"


def _minutes(row: Meeting) -> dict[str, Any]:
    if row.state == State.RECORDED and minutes_digest(row) != row.digest:
        raise MinutesChanged("会议记录与签名时的摘要不符", why="数据可能被改动", remedy="请停止使用并报告监督员核查")
    people, items, names = queries.list_participants(row), queries.list_items(row), programme_names()
    parts = [_attendance(row, people)]
    if row.state == State.RECORDED:
        parts += [Part("二、宣读和评议", [f"{row.get_majority_display()}赞成通过；回避的代表没有表决权。"])]
        parts += [_judged(item, names) for item in items]
        parts += [Part("三、会议记录", row.words.splitlines()), *_after(row, items)]
    counted = any(item.how == Item.How.VOTE for item in items)
    seats = ["主持人", "记录人", "义务监督员", "乡镇干部", *(COUNTERS if counted else ())]
    held = f"法定代表数 {row.statutory} 人，三分之二为 {quorum(row.statutory or 0)} 人，实到 {row.present} 人"
    lines = [
        f"{row.number}　时间：{_when(row)}　地点：{row.location}", f"主持人：{row.chair}　记录人：{row.recorder or '—'}",
        f"{held}；义务监督员 {row.supervisors} 人，乡镇干部 {row.cadres} 人",
        *([f"会议不成立：{row.reason}"] if row.state == State.VOID else []),
    ]  # fmt: skip
    return {
        "lines": lines,
        "parts": [part.told() for part in parts],
        "seats": seats,
        "digest": row.digest or "（会议不成立，没有定稿）",
    }


def _attendance(row: Meeting, people: list[Participant]) -> Part:
    part = Part("一、到会情况", heads=["身份", "到会", "未到会"], widths=[26, 0, 40])
    for role in Role:
        of = [each for each in people if each.role == role]
        there = "、".join(f"{each.name}（{each.title}）" for each in of if each.present)
        away = "、".join(each.name for each in of if not each.present)
        part.rows.append([role.label, there, away])
    return part


def _judged(item: Item, names: dict[str, str]) -> Part:
    part = Part(_heading(item, names), [*facts_of(item), f"按登记和政策：{says_of(item)}"])
    if item.state == Item.State.PUT_OFF:
        part.after = [f"没有评议：{item.put_off}"]
        return part
    if item.state not in (Item.State.JUDGED, Item.State.REOPENED):
        return part
    near = "、".join(
        f"{each.participant.name}（{each.relation}，{each.get_source_display()}）"
        for each in item.recusals.all()
        if not each.withdrawn
    )
    part.after = [*([f"回避：{near}"] if near else []), f"评议意见：{item.words}", _result(item)]
    if item.contested:
        part.after.append(f"与认定不一致，代表的理由：{item.reasons}。转乡镇核查。")
    return part


def _result(item: Item) -> str:
    if item.how != Item.How.VOTE:
        return f"有表决权的代表 {item.voters} 人，一致评议：{item.get_outcome_display()}"
    four = (item.scrutineer, item.caller, item.counter, item.overseer)
    who = "，".join(f"{title}{each.name}" for title, each in zip(COUNTERS, four, strict=True) if each)
    needed = carries(item.voters or 0, item.majority)
    return (
        f"有表决权的代表 {item.voters} 人，发出 {item.ballots} 票：赞成 {item.in_favour}，反对 {item.against}，"
        f"弃权（含废票）{item.abstained}；{needed} 票通过。{who}。{item.get_outcome_display()}"
    )


def _after(row: Meeting, items: list[Item]) -> list[Part]:
    """What was found and put right since: it stands beside the minutes and changes nothing in them."""
    found = [
        f"{item.number}. {item.told['name']}：{item.inquiry.get_conclusion_display()}。{item.inquiry.text}"
        f"（{item.inquiry.signature.signer}，{item.inquiry.written_on}）"
        for item in items if hasattr(item, "inquiry")
    ]  # fmt: skip
    told = [
        f"{each.text}（{each.signature.signer}，{each.written_on}）"
        for each in row.corrections.select_related("signature").order_by("id")
    ]
    return [*([Part("定稿后：乡镇核查", found)] if found else []), *([Part("定稿后：更正说明", told)] if told else [])]


def collective_pdf(*, by: Actor, on: date, decision: int, address: str, mark: str = "") -> bytes:
    """The record of a collective decision, to be signed by who met; NoFonts."""
    content = gather_collective(by=by, on=on, decision=decision)
    return typeset("record", {**content, "code": square_code(address), "address": address}, on=on, mark=mark)


@command(Post.CLERK, Post.REVIEWER, Post.TOWNSHIP_HEAD, Post.COUNTY_OFFICER, Post.SUPERVISOR)
def gather_collective(*, by: Actor, on: date, decision: int) -> dict[str, Any]:
    """What it says; remembers that it was taken."""
    row = CollectiveDecision.objects.select_related("case", "relief", "signature").filter(pk=decision).first()
    if row is None:
        raise NoSuchPaper("没有这次一事一议，或它不在您的辖区内", remedy="请从申请的页面进入")
    record_event(by, Event.Kind.EXPORTED, row.case.subject, {"paper": "collective", "decision": row.pk})
    place = "".join(chain_names(row.division[:9].ljust(12, "0"), row.held_on)[2:])
    parts = [
        Part("一、无法核实的事项", [row.unverified]), Part("二、不是申请人的原因", [row.no_fault]),
        Part("三、基本生活困难情况", [row.hardship]), Part("四、会议记录", row.minutes.splitlines()),
        Part("五、决定", [
            f"参加 {len(row.officials)} 人：赞成 {row.in_favour}，反对 {row.against}，弃权 {row.abstained}。{row.get_conclusion_display()}。",
            *([f"集体认定：{row.findings}"] if row.findings else []),
            *([f"先行救助 {yuan(row.relief.amount_fen)} 元，由乡镇负责人审批后从备用金支付。"] if row.relief else []),
        ]),
    ]  # fmt: skip
    return {
        "title": f"{place}一事一议会议记录", "issuer": place, "number": row.case.number, "date": day_in_words(on),
        "printed": f"打印日期 {on}", "parts": [part.told() for part in parts], "digest": row.digest,
        "lines": [f"申请编号：{row.case.number}　会议日期：{day_in_words(row.held_on)}　地点：{row.location}", f"依据：{row.basis}"],
        "seats": [wrappable(each) for each in row.officials],
    }  # fmt: skip
