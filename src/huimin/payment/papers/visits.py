"""Papers of home visits: 入户调查表 (empty or filled), 信函索证 and 委托调查函 with their return slips, 疑点核实单 (CASE-02, VER-02).

in    a visit, letter, entrusted visit or household; the address its code leads to
out   PDF/A-2b, remembered as taken; what was found stands on the filled form in plain, because both sides sign it

Law: 伊民规〔2022〕2号 二(一)3 (当场确认签署《入户调查表》; 信函索证; 委托居住地调查).
"""

from datetime import date
from typing import Any

from huimin.audit.models import Event
from huimin.database.personal import ADDRESS, plain
from huimin.divisions.queries import chain_names
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import Actor, command, record_event
from huimin.payment.papers.sheets import square_code
from huimin.payment.papers.typesetting import typeset
from huimin.payment.papers.words import day_in_words, wrappable
from huimin.policy.models import Programme
from huimin.registry.models import Household, Membership
from huimin.registry.showing import text_of
from huimin.visits.doubts import facts_here
from huimin.visits.findings import TOPICS, read
from huimin.visits.models import Doubt, Entrustment, ProofLetter, Visit
from huimin.visits.queries import list_doubts_of
from huimin.visits.recording import VISITORS

TITLE = "入户调查表"
LINES_OF_TOPIC = 3


class NothingToAsk(Refusal):
    """There is nothing for this paper to say."""


def visit_pdf(*, by: Actor, on: date, visit_id: int, address: str, mark: str = "") -> bytes:
    """The form of a visit as it was recorded, with lines for both sides."""
    return _sheet("visit", gather_visit(by=by, on=on, visit_id=visit_id), address, on, mark)


def visit_form_pdf(*, by: Actor, on: date, household: int, label: str, address: str, mark: str = "") -> bytes:
    """The empty form of a household, to take along."""
    return _sheet("visit", gather_visit_form(by=by, on=on, household=household, label=label), address, on, mark)


def proof_letter_pdf(*, by: Actor, on: date, letter: int, address: str, mark: str = "") -> bytes:
    return _sheet("inquiry", gather_proof_letter(by=by, on=on, letter=letter), address, on, mark)


def entrustment_pdf(*, by: Actor, on: date, entrustment: int, address: str, mark: str = "") -> bytes:
    return _sheet("inquiry", gather_entrustment(by=by, on=on, entrustment=entrustment), address, on, mark)


def doubts_pdf(*, by: Actor, on: date, household: int, address: str, mark: str = "") -> bytes:
    return _sheet("inquiry", gather_doubts(by=by, on=on, household=household), address, on, mark)


def _sheet(template: str, content: dict[str, Any], address: str, on: date, mark: str) -> bytes:
    return typeset(template, {**content, "code": square_code(address), "address": address}, on=on, mark=mark)


@command(*VISITORS)
def gather_visit(*, by: Actor, on: date, visit_id: int) -> dict[str, Any]:
    """What the filled form says; remembers that it was taken."""
    visit = Visit.objects.select_related("household", "case").get(pk=visit_id)
    record_event(by, Event.Kind.EXPORTED, f"visit:{visit.pk}", {"paper": TITLE})
    found = read(visit.payload_enc)
    told = _of_household(visit.household, on) | {
        "issuer": by.office_name, "number": visit.number, "label": _label(visit), "visited": day_in_words(visit.visited_on),
        "met": f"{visit.get_met_display()} {visit.met_name}".strip(), "place_of_visit": found.place, "blank": False,
        "went": [wrappable(each.title) for each in visit.investigators.order_by("id")],
        "topics": [[label, wrappable(found.topics.get(code, "—"))] for code, label in TOPICS.items()],
        "neighbours": [[wrappable(each.name), each.relation, wrappable(each.words)] for each in found.neighbours],
        "differences": [_difference(row) for row in list_doubts_of(visit=visit.pk)],
        "refused": visit.refused, "witness": visit.witness, "date": day_in_words(on),
    }  # fmt: skip
    return {"title": TITLE, **told}


def _label(visit: Visit) -> str:
    if visit.case is None:
        return visit.get_purpose_display()
    name = Programme.objects.filter(code=visit.case.programme).values_list("name", flat=True).first()
    return f"{name or visit.case.programme} {visit.get_purpose_display()}"


@command(*VISITORS)
def gather_visit_form(*, by: Actor, on: date, household: int, label: str) -> dict[str, Any]:
    """What the empty form says of the household; remembers that it was taken."""
    home = Household.objects.get(pk=household)
    record_event(by, Event.Kind.EXPORTED, f"visit-form:{home.pk}", {"paper": TITLE})
    return {
        "title": TITLE, **_of_household(home, on), "issuer": by.office_name, "number": "", "label": label, "visited": "",
        "met": "", "place_of_visit": "", "blank": True, "went": [], "topics": [[each, ""] for each in TOPICS.values()],
        "neighbours": [], "differences": [], "refused": "", "witness": "", "date": day_in_words(on),
    }  # fmt: skip


def _of_household(home: Household, on: date) -> dict[str, Any]:
    rows = Membership.objects.filter(household=home, recorded_to=None, valid_to=None).select_related("person")
    members = sorted(rows, key=lambda row: (row.relation != "户主", row.pk))
    return {
        "household": home.household_no, "place": "".join(chain_names(home.division, on)[2:]),
        "members": [wrappable(f"{row.person.name}（{row.relation}）") for row in members],
        "head": next((wrappable(row.person.name) for row in members if row.relation == "户主"), ""),
    }  # fmt: skip


def _difference(row: Doubt) -> list[str]:
    """Which fact of whom, as registered, as found."""
    fact = facts_here(row.household_id).get(row.fact) if row.fact else None
    if fact is None:
        return ["未申报的情况", "—", wrappable(row.what or row.fact)]
    who = f"{row.person.name}的" if row.person else ""
    return [wrappable(f"{who}{fact.name}"), text_of(fact, row.registered), text_of(fact, row.found)]


@command(*VISITORS)
def gather_proof_letter(*, by: Actor, on: date, letter: int) -> dict[str, Any]:
    """The letter to an employer and its return slip; remembers that it was taken."""
    row = ProofLetter.objects.select_related("household", "person").get(pk=letter)
    record_event(by, Event.Kind.EXPORTED, f"proof-letter:{row.pk}", {"paper": "信函索证"})
    name, due = wrappable(row.person.name), day_in_words(row.due_on)
    return {
        "title": "关于协助核实收入等情况的函", "issuer": by.office_name, "number": f"信函 {row.number}", "to": wrappable(row.addressee),
        "body": [
            f"{name}（家庭住{_village(row.division, on)}）的家庭正在申请或享受社会救助，已书面同意我们核实有关情况。请贵单位协助核实："
            f"{wrappable(row.question)}",
            f"请于{due}前填写回执，盖章后寄回或交来人带回。所填情况只用于社会救助审核，请如实填写。",
        ],
        "rows": [], "sender": by.office_name, "date": day_in_words(row.issued_on),
        "slip": {
            "title": "回　执", "opening": f"{row.number} 号函收悉。{name}的有关情况如下：",
            "lines": ["岗位和用工时间：", "今年以来每月实发工资（元）：", "其他收入、补贴：", "情况说明：", "经办人、联系电话：", "单位（盖章）、日期："],
        },
    }  # fmt: skip


def _village(division: str, on: date) -> str:
    return "".join(chain_names(division, on)[2:])


@command(*VISITORS)
def gather_entrustment(*, by: Actor, on: date, entrustment: int) -> dict[str, Any]:
    """The letter that entrusts a place with a visit; the address is on it in plain, since somebody must go there."""
    row = Entrustment.objects.get(pk=entrustment)
    record_event(by, Event.Kind.EXPORTED, f"entrustment:{row.pk}", {"paper": "委托调查函"})
    return {
        "title": "委托入户调查函", "issuer": by.office_name, "number": f"委托 {row.number}", "to": wrappable(row.to_office),
        "body": [
            f"{wrappable(row.who)}，户籍在{_village(row.division, on)}，现居住在贵地，正在我地申请或享受社会救助。因人户分离，"
            "请贵地按调查程序入户调查并访问邻里，协助我们掌握其家庭状况。",
            f"请于{day_in_words(row.due_on)}前将双方签字的《入户调查表》寄回；确实不能调查的，请写明原因。",
        ],
        "rows": [["现住址", wrappable(plain(row.address_enc, ADDRESS))], ["调查事项", wrappable(row.asks)]],
        "sender": by.office_name, "date": day_in_words(row.issued_on),
        "slip": {
            "title": "回　函", "opening": f"{row.number} 号委托函收悉。",
            "lines": ["调查日期：", "调查人（二人以上，单位、姓名）：", "见到的人：", "不能调查的原因：", "联系人、电话：", "单位（盖章）、日期："],
        },
    }  # fmt: skip


@command(*VISITORS)
def gather_doubts(*, by: Actor, on: date, household: int) -> dict[str, Any]:
    """What the household is asked about, with room for what it says; NothingToAsk when nothing is open."""
    home = Household.objects.get(pk=household)
    rows = [row for row in list_doubts_of(household=household) if row.state == Doubt.State.OPEN]
    if not rows:
        raise NothingToAsk("这一户没有待核实的疑点", remedy="请从疑点列表进入")
    record_event(by, Event.Kind.EXPORTED, f"doubts:{home.pk}", {"paper": "疑点核实单", "doubts": len(rows)})
    told = _of_household(home, on)
    items = [_difference(row) for row in rows]
    return {
        "title": "疑点核实单", "issuer": by.office_name, "number": home.household_no, "to": told["head"],
        "body": ["调查核对中，以下情况与您家申报的不一致，请逐条说明；不是这样的，请提供凭据。说明和凭据作为审核的依据保存。"],
        "rows": [[f"{n}. {what}", f"申报：{said}；查到：{found}"] for n, (what, said, found) in enumerate(items, 1)],
        "sender": by.office_name, "date": day_in_words(on),
        "slip": {
            "title": "申请人说明", "opening": "", "lines": [f"第 {n} 条：" for n in range(1, len(items) + 1)] + ["申请人签名、日期：", "核实人签名（二人）："],
        },
    }  # fmt: skip
