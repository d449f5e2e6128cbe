"""What the applicant takes home or signs: 受理通知书 with 承办单, 一次性告知书, 不予受理告知书, 申请书 (CASE-01, SVC-01, CASE-11, VER-01).

in    a case, which of its papers, the address its code leads to
out   PDF/A-2b: number, QR, what was asked, what is missing or when it will be decided, rights, lines to sign

Law: 皖政办〔2008〕23号 附件5 第13–15条 (补充材料清单, 承办单, 告知权利义务); 伊民规〔2022〕2号 二(一)2 (一次性告知);
民发〔2021〕57号 第13, 14, 17条 (what is declared, and what may be checked).
"""

from datetime import date
from typing import Any

from huimin.audit.models import Event
from huimin.cases.asking import looked_up_of
from huimin.cases.models import Case, CasePaper
from huimin.divisions.queries import chain_names
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import Actor, command, record_event
from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.payment.papers.sheets import square_code
from huimin.payment.papers.typesetting import typeset
from huimin.payment.papers.words import day_in_words, wrappable
from huimin.policy.models import Programme
from huimin.processes.language import Process
from huimin.processes.queries import way_of
from huimin.registry.models import Membership, Person

CASE_PAPERS = {
    "slip": "受理通知书", "missing": "一次性告知书", "declined": "不予受理告知书", "declaration": "申请书和核对授权书",
}  # fmt: skip
CHECKED = (
    "户籍、婚姻、死亡登记", "纳税、社会保险、住房公积金", "不动产、市场主体登记", "机动车船、农机", "存款、证券、商业保险、互联网金融资产",
)  # fmt: skip
"""What the applicant lets the office ask about, 民发〔2021〕57号 第17条."""
ADULT = 18
State = Case.State


class NoSuchPaper(Refusal):
    """The case has not come to what this paper says."""


def case_pdf(*, by: Actor, on: date, case_id: int, kind: str, address: str) -> bytes:
    """NoSuchPaper when the case is not there yet; NoFonts."""
    content = gather_case(by=by, on=on, case_id=case_id, kind=kind)
    template = "declaration" if kind == "declaration" else "case"
    return typeset(template, {**content, "code": square_code(address), "address": address}, on=on)


@command(
    Post.INFORMATION_OFFICER,
    Post.CLERK,
    Post.REVIEWER,
    Post.TOWNSHIP_HEAD,
    Post.DEPARTMENT_OFFICER,
    Post.COUNTY_OFFICER,
)
def gather_case(*, by: Actor, on: date, case_id: int, kind: str) -> dict[str, Any]:
    """What the paper says; remembers that it was taken."""
    case = Case.objects.select_related("process", "household", "person").get(pk=case_id)
    _require_told(case, kind)
    way = way_of(case.process)
    makers = {"slip": _slip, "missing": _missing, "declined": _declined, "declaration": _declaration}
    lines = makers[kind](case, way)
    record_event(by, Event.Kind.EXPORTED, case.subject, {"paper": kind})
    law = Programme.objects.get(code=case.programme)
    return {
        "title": CASE_PAPERS[kind], "issuer": by.office_name, "number": case.number, "programme": law.name,
        "name": wrappable(_name(case)), "household": case.household.household_no if case.household else "",
        "place": "".join(chain_names(case.division, on)[2:]), "channel": case.get_channel_display(),
        "asked": day_in_words(case.asked_on), "proxy": case.proxy, "date": day_in_words(on), "process": way.name,
        "responsible": _responsible(case), **lines,
    }  # fmt: skip


def _require_told(case: Case, kind: str) -> None:
    there = {
        "slip": case.accepted_on, "missing": case.told_on, "declined": case.state == State.OUT_OF_SCOPE,
        "declaration": case.step,
    }[kind]  # fmt: skip
    if not there or case.household_id is None:
        raise NoSuchPaper(f"这件事没有{CASE_PAPERS[kind]}", why=case.get_state_display(), remedy="请刷新后查看")


def _name(case: Case) -> str:
    if case.person:
        return case.person.name
    heads = Membership.objects.filter(household=case.household_id, relation="户主", recorded_to=None, valid_to=None)
    return heads.values_list("person__name", flat=True).first() or ""


def _responsible(case: Case) -> str:
    row = Appointment.objects.select_related("account", "office").filter(pk=case.responsible).first()
    return f"{row.office.name} {row.account.full_name}" if row else ""


def _slip(case: Case, way: Process) -> dict[str, Any]:
    assert case.accepted_on is not None
    received = list(CasePaper.objects.filter(case=case).order_by("id"))
    items = [
        f"{row.name}（{row.get_state_display()}{f'，{day_in_words(row.due_on)}前补齐' if row.due_on else ''}）"
        for row in received
    ]
    steps = [f"{step.name}{f'，{step.limit}' if step.limit else ''}" for step in map(way.step, way.demanded)]
    until = f"，最迟到{day_in_words(case.due_on)}" if case.due_on.year < 9999 else ""
    return {
        "opening": f"{_complete(received)}已于{day_in_words(case.accepted_on)}受理{until}。",
        "parts": [["收到的材料", items], ["接下来怎么办", steps]],
        "rights": "办理过程中您可以随时凭编号查询，可以补充说明、撤回申请；对公示、结果有异议可以提出，对不予批准可以申请复核。"
        "所报情况应当真实，家庭情况变化应当及时告知。",
    }  # fmt: skip


def _complete(received: list[CasePaper]) -> str:
    """先行救助 is accepted before its papers are there, and the slip says so."""
    later = sum(row.state == CasePaper.State.LATER for row in received)
    return f"先行救助，还有 {later} 样材料后补，" if later else "您的申请材料齐全，"


def _missing(case: Case, way: Process) -> dict[str, Any]:
    assert case.told_on is not None
    rows = CasePaper.objects.filter(case=case, state=CasePaper.State.MISSING).order_by("id")
    items = [row.name for row in rows] + (["申报声明和核对授权签字"] if case.declared_on is None else [])
    return {
        "opening": f"{day_in_words(case.told_on)}收到您的申请，还缺以下材料。补齐之日即受理，在此之前不计办理期限。",
        "parts": [["请补的材料", items]],
        "rights": f"以上为一次性告知，今后不再要求其他材料；行动不便的可以由村代理点代为送交。{_looked_up(case)}",
    }  # fmt: skip


def _looked_up(case: Case) -> str:
    names = looked_up_of(case.programme, case.division, case.asked_on)
    return f"{'、'.join(names)}由我们凭您签字的授权查询，不用您提供。" if names else ""


def _declined(case: Case, way: Process) -> dict[str, Any]:
    return {
        "opening": f"您的申请不属于这里受理的事项：{case.reason}",
        "parts": [["请到这里办", [case.where_to]]],
        "rights": "不服的可以向上级主管部门反映或申请复核。",
    }


def _declaration(case: Case, way: Process) -> dict[str, Any]:
    """What is declared and what may be checked; everybody of age signs for himself (授权)."""
    members = Membership.objects.filter(household=case.household_id, recorded_to=None, valid_to=None)
    rows = [
        [
            wrappable(each.person.name),
            each.relation,
            "本人签名" if _of_age(each.person, case.asked_on) else "由监护人签名",
        ]
        for each in members.select_related("person").order_by("id")
    ]
    return {
        "story": case.story,
        "members": rows,
        "checked": list(CHECKED),
        "declared": [
            "所报家庭成员、收入、财产、支出和困难情况真实、完整，没有隐瞒。",
            "家庭人口、收入、财产有变化的，及时告知乡镇或村代理点。",
            "知道虚报、隐瞒、伪造的要停止救助、退回多领的钱，并依法承担责任。",
            "申请人与经办人员、村（居）委会成员有近亲属关系的，在此写明：＿＿＿＿＿＿",
        ],
    }


def _of_age(person: Person, on: date) -> bool:
    born = person.birth_date
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day)) >= ADULT
