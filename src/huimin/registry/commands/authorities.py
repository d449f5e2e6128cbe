"""Guardians and proxies: a signed authority on file, approved by a second person, with its end (REG-07).

in    a clerk's record of the signed paper: for whom, who draws, as what, paper number, note, days
out   an authority in force, refused or revoked

Always true: the agent is of the same township and has an account in use; staff and village cadres draw for others only
as spouse or guardian; a proxy draws for one person; a person has one agent at a time. Whose standing is not known is
not taken for an ordinary person. After its last day an authority serves no more and nobody need revoke it.
Law: 皖政办〔2008〕23号 附件4 第13–15条.
"""

from datetime import date, timedelta

from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    SamePerson,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.registry.commands.facts import locked_person
from huimin.registry.commands.families import find_person
from huimin.registry.models import Card, CardAuthority, Person, PersonFacts
from huimin.registry.queries import holding
from huimin.registry.snapshots import NotRegistered

Kind, State = CardAuthority.Kind, CardAuthority.State
ADULT_YEARS = 18
YEARS_MAX = 5


class MayNotDraw(Refusal):
    """This person may not hold, or draw, for the other."""


refused_by_constraint("authority_needs_two_people", SamePerson, "录入授权的人不能审核", "请由另一位审核员办理")
refused_by_constraint("authority_open_once", AlreadyDone, "此人已有待审核的授权", "请等待审核")


@command(Post.CLERK)
def propose_authority(
    *, by: Actor, on: date, beneficiary: int, agent_number: str, kind: str, paper_no: str, note: str, since: date,
    until: date,
) -> CardAuthority:  # fmt: skip
    """Record a signed authority: the person with `agent_number` draws for `beneficiary` on the days `since` to `until`,
    both included. A reviewer decides.
    """
    helped = locked_person(by, beneficiary)
    agent = _agent(by, agent_number, on)
    if kind not in Kind.values:
        raise BadInput("没有选择关系", where="身份", remedy="可选：配偶、监护人、代领人")
    _require_paper(paper_no, note, since, until)
    _require_may_draw(agent, helped, kind, on)
    _require_nobody_else(helped, since, until)
    return CardAuthority.objects.create(
        division=helped.division, beneficiary=helped, agent=agent, kind=kind, paper_no=paper_no.strip()[:60],
        note=note.strip()[:200], valid_from=since, valid_to=until + timedelta(days=1), proposed_by=by.appointment,
        proposed_on=on,
    )  # fmt: skip


@command(Post.REVIEWER)
def approve_authority(*, by: Actor, on: date, authority: int) -> CardAuthority:
    """The authority is on file and serves in its days; whether the agent may draw is looked at anew."""
    found = _locked(by, authority, State.PROPOSED)
    require_another(by, found.proposed_by, "录入授权")
    _require_may_draw(found.agent, found.beneficiary, found.kind, on)
    _require_nobody_else(found.beneficiary, found.valid_from, found.valid_to - timedelta(days=1))
    content = {
        "beneficiary": found.beneficiary_id, "agent": found.agent_id, "kind": found.kind, "paper": found.paper_no,
        "from": str(found.valid_from), "to": str(found.valid_to),
    }  # fmt: skip
    subject = f"card_authority:{found.pk}"
    sign(by=by, on=on, act="审核代领授权", subject=subject, content_digest=digest(content), division=found.division)
    return _decide(found, State.APPROVED, by, on)


@command(Post.REVIEWER)
def refuse_authority(*, by: Actor, on: date, authority: int, refusal: str) -> CardAuthority:
    """The authority is not put on file, for the reason the clerk is told."""
    found = _locked(by, authority, State.PROPOSED)
    require_another(by, found.proposed_by, "录入授权")
    return _decide(found, State.REFUSED, by, on, refusal)


@command(Post.CLERK, Post.REVIEWER)
def revoke_authority(*, by: Actor, on: date, authority: int, refusal: str) -> CardAuthority:
    """The authority serves no more from `on`: withdrawn by who gave it, or found to be misused."""
    found = _locked(by, authority, State.APPROVED)
    return _decide(found, State.REVOKED, by, on, refusal)


def _decide(found: CardAuthority, state: str, by: Actor, on: date, refusal: str | None = None) -> CardAuthority:
    if refusal is not None and not refusal.strip():
        raise BadInput("没有写明原因", where="原因", remedy="请写明不予备案或撤销的原因")
    found.state, found.refusal = state, (refusal or "").strip()[:200]
    found.decided_by, found.decided_on = by.appointment, on
    found.save(update_fields=["state", "refusal", "decided_by", "decided_on"])
    return found


def _locked(by: Actor, authority: int, state: str) -> CardAuthority:
    rows = CardAuthority.objects.select_for_update(of=("self",)).select_related("agent", "beneficiary")
    found = rows.filter(pk=authority).first()
    if found is None:
        raise NotRegistered("没有这份授权", why="不存在，或不在您的辖区内", remedy="请从列表中重新选择")
    require_place(by, found.division)
    if found.state != state:
        raise AlreadyDone(f"这份授权已是“{found.get_state_display()}”", remedy="请刷新后查看")
    return found


def _agent(by: Actor, number: str, on: date) -> Person:
    found = find_person(number, on)
    if found is None:
        raise NotRegistered("没有这个证件号码的人", why="未登记，或不在本乡镇", remedy="请核对号码")
    require_place(by, found.division)
    return found


def _require_paper(paper_no: str, note: str, since: date, until: date) -> None:
    if not paper_no.strip() or not note.strip():
        raise BadInput("没有写授权书编号或说明", where="授权书", remedy="请写明编号、谁签的字、存放在哪里")
    if until < since:
        raise BadInput("截止日期早于开始日期", where="截止日期", remedy="请对照授权书核对")
    if (until - since).days > 366 * YEARS_MAX:
        raise BadInput(f"授权超过 {YEARS_MAX} 年", where="截止日期", remedy="请按授权书填写；到期后重新签署")


def _require_may_draw(agent: Person, helped: Person, kind: str, on: date) -> None:
    """MayNotDraw with the rule: oneself, children, people of elsewhere, without an account, cadres, collectors."""
    if agent.pk == helped.pk:
        raise MayNotDraw("代领人就是本人", why="本人领取不需要授权", remedy="请填写代领人的证件号码")
    if agent.closed_on is not None or helped.closed_on is not None:
        raise MayNotDraw("其中一人已注销", remedy="请核对")
    if (on - agent.birth_date).days < ADULT_YEARS * 365.25:
        raise MayNotDraw(f"{agent.name}未满 {ADULT_YEARS} 周岁", why="未成年人不能代领", remedy="请另行授权成年人")
    if agent.division[:9] != helped.division[:9]:
        raise MayNotDraw(f"{agent.name}不是本乡镇的人", why="代领人的账户须由本乡镇核对", remedy="请为本人办理账户")
    if not Card.objects.filter(holder=agent, recorded_to=None, state=Card.State.ACTIVE).exists():
        raise MayNotDraw(f"{agent.name}名下没有在用的账户", remedy="请先登记代领人的账户")
    if kind == Kind.PROXY:
        require_ordinary(agent, on)
        others = CardAuthority.objects.filter(agent=agent, kind=Kind.PROXY, state__in=(State.PROPOSED, State.APPROVED))
        if others.filter(valid_to__gt=on).exclude(beneficiary=helped).exists():
            raise MayNotDraw(
                f"{agent.name}已在为另一人代领", why="一个账户不得为几个人代领，监护人和配偶除外",
                remedy="请另行授权他人，或以监护人身份备案",
            )  # fmt: skip


def require_ordinary(agent: Person, on: date) -> None:
    """Neither staff nor village cadre, and known to be neither."""
    known = PersonFacts.objects.filter(holding(on), person=agent).first()
    for value, what in (
        (known and known.village_cadre, "村干部"),
        (known and known.fiscal_payroll, "财政供养的工作人员"),
    ):
        if value:
            raise MayNotDraw(
                f"{agent.name}是{what}，不能为他人持卡或代领", why="附件4 第15条；配偶、监护人除外",
                remedy="请另行授权他人",
            )  # fmt: skip
        if value is None:
            raise MayNotDraw(
                f"还不知道{agent.name}是不是{what}", why="工作人员和村干部不能代领", remedy="请先在基本信息中补录"
            )


def _require_nobody_else(helped: Person, since: date, until: date) -> None:
    others = CardAuthority.objects.filter(beneficiary=helped, state=State.APPROVED, valid_from__lte=until)
    if others.filter(valid_to__gt=since).exists():
        raise AlreadyDone(f"{helped.name}在这段时间已有授权在案", remedy="请先撤销原授权，或核对日期")
