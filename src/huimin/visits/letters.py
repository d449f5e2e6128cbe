"""信函索证: asking an employer or another place about a member's income, and what it answered (CASE-02).

in    whom the letter asks about what, by when; the answer with its paper
out   ProofLetters; a doubt when the wage it names is not the one registered

Always true: one open letter to an addressee about a person of a matter; an answer keeps its scan or says on what paper it
stands; nothing is written into the registry. 伊民规〔2022〕2号 二(一)3 (实地调查或信函索证).
"""

from datetime import date

from huimin.cases.taking import locked
from huimin.kernel.errors import BadInput
from huimin.kinship.recusal import require_not_related
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint, require_place
from huimin.registry.commands.attachments import keep_attachment
from huimin.registry.commands.facts import locked_household
from huimin.registry.commands.families import present
from huimin.visits.doubts import raise_doubts
from huimin.visits.findings import Differs
from huimin.visits.models import ProofLetter
from huimin.visits.recording import VISITORS, require_matter

WAGE = "wage_month"
DAYS_MAX = 90
State = ProofLetter.State

refused_by_constraint(
    "proof_letter_open_once", AlreadyDone, "已经发函问过，还没有回函", "请在那封信函上登记回函，或先撤回"
)


@command(*VISITORS)
def issue_letter(
    *, by: Actor, on: date, household: int, person: int, subject: str, purpose: str, kind: str, addressee: str,
    question: str, due_on: date, place: str = "", case_id: int | None = None,
) -> ProofLetter:  # fmt: skip
    """Ask `addressee` about a member of the household, by `due_on`."""
    home = locked_household(by, household)
    case = locked(by, case_id) if case_id is not None else None
    require_matter(home, purpose, subject, case)
    require_not_related(by, on, [home.pk])
    if person not in present(home.pk):
        raise BadInput("这个人不在这一户", where="问谁", remedy="请从这一户的成员中选择")
    if kind not in ProofLetter.Kind.values or len(addressee.strip()) < 2:
        raise BadInput("没有写发给哪个单位", where="单位", remedy="请选单位种类，写单位全称")
    if len(question.strip()) < 4:
        raise BadInput("没有写问什么", where="询问事项", remedy="如：2021年1月以来每月实发工资")
    if not 0 < (due_on - on).days <= DAYS_MAX:
        raise BadInput("回函期限不成立", where="回函期限", why=f"须在发函以后 {DAYS_MAX} 天内", remedy="请填写一个日期")
    return ProofLetter.objects.create(
        division=home.division, household=home, case=case, subject=subject, person_id=person, kind=kind,
        addressee=addressee.strip()[:80], place=place.strip()[:120], question=question.strip()[:300],
        issued_by=by.appointment, issued_on=on, due_on=due_on,
    )  # fmt: skip


@command(*VISITORS)
def answer_letter(
    *, by: Actor, on: date, letter_id: int, answered_on: date, answer: str, wage_fen: int | None = None,
    content: bytes = b"", file_name: str = "",
) -> ProofLetter:  # fmt: skip
    """What came back, with the paper; `wage_fen` a month, when it names one: another than the registered is a doubt."""
    letter = _locked(by, letter_id)
    if letter.state != State.SENT:
        raise AlreadyDone(f"这封信函{letter.get_state_display()}", remedy="请刷新后查看")
    if not letter.issued_on <= answered_on <= on:
        raise BadInput("回函日期不成立", where="回函日期", why="早于发函或还没有到", remedy="请照回函填写")
    if len(answer.strip()) < 4:
        raise BadInput("没有写回函说了什么", where="回函内容", remedy="请照回函写要点")
    if wage_fen is not None and not 0 <= wage_fen <= 10_000_000_00:
        raise BadInput("工资数额不成立", where="月工资", remedy="请照回函填写每月多少元")
    if not content:
        raise BadInput("没有上传回函", where="回函", remedy="请上传盖章回函的扫描件或照片")
    home = locked_household(by, letter.household_id)
    kept = keep_attachment(by, on, home, title=f"{letter.addressee}回函"[:80], file_name=file_name, content=content)
    letter.state, letter.answer, letter.wage_fen, letter.attachment = (
        State.ANSWERED,
        answer.strip()[:500],
        wage_fen,
        kept,
    )
    letter.answered_by, letter.answered_on = by.appointment, answered_on
    letter.save(update_fields=["state", "answer", "wage_fen", "attachment", "answered_by", "answered_on"])
    if wage_fen is not None and letter.person_id in present(home.pk):
        raise_doubts(on, letter, [Differs(wage_fen, WAGE, letter.person_id)])
    return letter


@command(*VISITORS)
def withdraw_letter(*, by: Actor, on: date, letter_id: int, reason: str) -> ProofLetter:
    """Nobody waits for it any more, for a reason."""
    letter = _locked(by, letter_id)
    if letter.state != State.SENT:
        raise AlreadyDone(f"这封信函{letter.get_state_display()}", remedy="请刷新后查看")
    if len(reason.strip()) < 4:
        raise BadInput("没有写撤回的原因", where="原因", remedy="如：单位已注销，改为实地核实")
    letter.state, letter.withdrawn_by, letter.withdrawn_on = State.WITHDRAWN, by.appointment, on
    letter.reason = reason.strip()[:200]
    letter.save(update_fields=["state", "withdrawn_by", "withdrawn_on", "reason"])
    return letter


def _locked(by: Actor, letter_id: int) -> ProofLetter:
    letter = ProofLetter.objects.select_for_update(of=("self",)).filter(pk=letter_id).first()
    if letter is None:
        raise BadInput("没有这封信函", where="编号", why="不存在，或不在您的辖区内", remedy="请从列表进入")
    require_place(by, letter.division)
    return letter
