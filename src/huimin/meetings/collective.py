"""一事一议: a township's officials on a case that cannot be judged, through no fault of the applicant (CASE-01; 伊民规〔2022〕2号 二(一)6).

in    a case whose papers or facts are missing, and a family whose living is extremely hard; who met, how they voted, minutes
out   a CollectiveDecision on the case's page, signed; with it, where they so decided, an emergency relief before its head

Always true: three officials or more, each with one voice, and more than half in favour of anything that is done; nobody
decides of a relative's household; a case the law can judge today is not decided here. It grants nothing: help comes first
through the petty fund (casework.relief, with its own approval), and what the officials hold to be true becomes a change of
the registry with this decision as its evidence, after which the law is computed anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from huimin.cases.determining import determine
from huimin.cases.models import Case, CasePaper
from huimin.cases.taking import locked as locked_case
from huimin.casework import relief as reliefs
from huimin.casework.models import Relief
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kinship.recusal import require_not_related
from huimin.meetings.models import CollectiveDecision
from huimin.meetings.rules import doubled
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign

OFFICIALS_MIN, OFFICIALS_MAX = 3, 30
BASES = {"2307": "伊民规〔2022〕2号 二(一)6：集体决策、一事一议"}
"""The document that lets a township do so, by the place it is in force at; elsewhere the township names its own."""
Conclusion = CollectiveDecision.Conclusion

refused_by_constraint("collective_once_a_day", AlreadyDone, "这一天的一事一议已经登记", "请刷新后查看")


class CanBeJudged(Refusal):
    """The ordinary way is open: nothing for a collective decision."""


class NoMajority(Refusal):
    """Not more than half were in favour."""


@dataclass(frozen=True)
class Deliberation:
    """`officials` as `姓名 职务`; the three views add up to them."""

    held_on: date
    location: str
    officials: Sequence[str]
    in_favour: int
    against: int
    abstained: int
    unverified: str
    no_fault: str
    hardship: str
    minutes: str
    conclusion: str
    basis: str
    findings: str = ""


def basis_at(division: str) -> str:
    """What is known to be in force at a place; "" where the township has to name it."""
    return next((words for prefix, words in BASES.items() if division.startswith(prefix)), "")


@dataclass(frozen=True)
class Help:
    """The emergency relief that was decided with it, as casework.relief records one."""

    cause: str
    happened_on: date
    amount_fen: int


@command(Post.CLERK, Post.REVIEWER)
def decide_collectively(
    *, by: Actor, on: date, case_id: int, told: Deliberation, relief: Help | None = None
) -> CollectiveDecision:
    """What they held and decided. CanBeJudged where the law already says yes or no; NoMajority; BadInput."""
    case = locked_case(by, case_id)
    if case.household_id is None or case.state not in (Case.State.ASKED, Case.State.PAPERS, Case.State.OPEN):
        raise AlreadyDone(f"这件事{case.get_state_display()}", why="已有结果的不再一事一议", remedy="请刷新后查看")
    require_not_related(by, on, [case.household_id])
    officials = _require_met(on, case, told)
    _require_words(told)
    _require_stuck(by, on, case)
    if (told.conclusion == Conclusion.RELIEF) != (relief is not None):
        raise BadInput("先行救助没有写金额，或不救助却写了金额", where="救助金额", remedy="请核对结论和金额")
    helped = _help(by, on, case, told, officials, relief) if relief else None
    content = {
        "case": case.pk, "round": case.round, "held_on": told.held_on, "officials": officials, "conclusion": told.conclusion,
        "votes": [told.in_favour, told.against, told.abstained], "findings": told.findings, "minutes": told.minutes,
        "words": [told.unverified, told.no_fault, told.hardship], "relief": helped.pk if helped else None,
    }  # fmt: skip
    hashed = digest(content)
    signature = sign(by=by, on=on, act="一事一议", subject=case.subject, content_digest=hashed, division=case.division)
    return CollectiveDecision.objects.create(
        case=case, division=case.division, round=case.round, held_on=told.held_on, location=told.location.strip()[:60],
        officials=officials, in_favour=told.in_favour, against=told.against, abstained=told.abstained,
        unverified=told.unverified.strip(), no_fault=told.no_fault.strip(), hardship=told.hardship.strip(),
        conclusion=told.conclusion, findings=told.findings.strip(), minutes=told.minutes.strip(),
        basis=told.basis.strip()[:120], relief=helped, digest=hashed, signature=signature, recorded_by=by.appointment,
        recorded_on=on,
    )  # fmt: skip


def _require_met(on: date, case: Case, told: Deliberation) -> list[str]:
    """Who met, each with name and office; the views add up and carry."""
    officials = [" ".join(line.split())[:60] for line in told.officials if line.strip()]
    if not OFFICIALS_MIN <= len(officials) <= OFFICIALS_MAX or any(" " not in each for each in officials):
        raise BadInput(
            "参加的人不足三人，或没有写职务", where="参加人", remedy="请写三名以上乡镇干部，一行一人：姓名、空格、职务"
        )
    if twice := doubled(each.partition(" ")[0] for each in officials):
        raise BadInput(f"{twice}写了两次", where="参加人", remedy="每人一行；同名的请在姓名后注明")
    views = (told.in_favour, told.against, told.abstained)
    if min(views) < 0 or sum(views) != len(officials):
        raise BadInput(
            f"赞成、反对、弃权合计 {sum(views)} 人，参加的 {len(officials)} 人", where="赞成人数", remedy="请核对人数"
        )
    if not case.asked_on <= told.held_on <= on:
        raise BadInput(
            f"{told.held_on} 不是会议日期", where="会议日期", why="应在申请之后、今天以前", remedy="请核对日期"
        )
    if told.conclusion not in Conclusion.values:
        raise BadInput("没有选结论", where="结论", remedy="请选择结论")
    if told.conclusion != Conclusion.NOT_HELPED and told.in_favour * 2 <= len(officials):
        raise NoMajority(
            f"赞成 {told.in_favour} 人，没有过半数",
            why=f"参加的 {len(officials)} 人",
            remedy="请按会议意见选“不作认定”",
        )
    return officials


_WORDS = (
    ("unverified", "无法核实的事项", 500), ("no_fault", "为什么不是申请人的原因", 300), ("hardship", "基本生活困难情况", 500),
    ("minutes", "会议记录", 2000),
)  # fmt: skip


def _require_words(told: Deliberation) -> None:
    for name, where, most in _WORDS:
        if not 4 <= len(getattr(told, name).strip()) <= most:
            raise BadInput(f"没有写{where}，或太长", where=where, remedy=f"请用 4 至 {most} 个字写明{where}")
    if len(told.basis.strip()) < 2 or len(told.location.strip()) < 2:
        raise BadInput("没有写依据或地点", where="依据", remedy="请写明文件和开会的地点")
    if told.conclusion == Conclusion.SETTLED and not 4 <= len(told.findings.strip()) <= 1000:
        raise BadInput("没有写集体认定了什么", where="认定的情况", remedy="请写明认定哪一项、是多少、凭什么")


def _require_stuck(by: Actor, on: date, case: Case) -> None:
    """Papers are missing, or the law cannot say yes or no: only then is there something to decide together."""
    if CasePaper.objects.filter(case=case).exclude(state=CasePaper.State.PRESENT).exists():
        return
    try:
        finding = determine(by, on, case)
    except BadInput:
        return
    if finding is not None and finding.eligible is not None:
        law = "符合" if finding.eligible else "不符合"
        raise CanBeJudged(
            f"按现有登记已能判断：{law}", why="材料齐全、信息完整的按流程办，法规不给的一事一议也不能给",
            remedy="遇到急难的，请从急难救助办理；登记有误的先办理变更",
        )  # fmt: skip


def _help(by: Actor, on: date, case: Case, told: Deliberation, officials: list[str], relief: Help) -> Relief:
    """先行救助: recorded for the head to approve; above the fund's limit this meeting is the one the relief needs."""
    assert case.household_id is not None
    made = reliefs.record_relief(
        by=by, on=on, household=case.household_id, person=case.person_id, cause=relief.cause,
        story=told.hardship.strip(), happened_on=relief.happened_on, amount_fen=relief.amount_fen,
    )  # fmt: skip
    if made.collective:
        reliefs.record_meeting(
            by=by,
            on=on,
            relief_id=made.pk,
            held_on=told.held_on,
            attendants=officials,
            in_favour=told.in_favour,
            minutes=told.minutes.strip()[:1000],
        )
    return made
