"""Increases, decreases and stops where a place sends proposals through a household's process: who decides there decides them (DET-06).

in    open proposals for what somebody holds already; the post that the place's process has decide
out   decisions, and entitlements changed or ended from the month after, as `commands.decide_proposals` makes them

Where proposals are decided at a stroke nothing changes: the department decides. Where they follow a household's process (伊春: the
township; 日喀则: the county), who enters goes through a case, step by step; but who is in already is adjusted "by procedure" on what was
re-checked or reported (伊民规〔2022〕2号 二(二)3), by the post of the step that decides. Always true: never a proposal to enter; another
person than who had it determined; no relative; a refusal with its reason.
"""

from collections.abc import Sequence
from datetime import date

from huimin.casework.commands import decide_chosen
from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import Actor, AlreadyDone, NotYourPost, command, require_place, require_programme
from huimin.organisation.posts import Post
from huimin.processes.language import Step
from huimin.processes.models import Process
from huimin.processes.queries import find_rule, process_for, way_of
from huimin.screening.models import Proposal

ADJUSTED = (Proposal.Kind.LEAVE, Proposal.Kind.DECREASE, Proposal.Kind.INCREASE, Proposal.Kind.PHASE_OUT)
MANY_MAX = 500


class DecidedElsewhere(Refusal):
    """These are decided at a stroke, by the department, or through a case."""


def deciding_step(programme: str, division: str, on: date) -> Step | None:
    """The step that decides on a household here, where proposals follow its process; None where they do not."""
    if find_rule(programme, division, on, proposals=True) is None:
        return None
    process = process_for(programme, division, on, proposals=True)
    if process.subject != Process.Subject.HOUSEHOLD:
        return None
    return next((step for step in way_of(process).steps if step.decides), None)


def may_adjust(by: Actor, proposal: Proposal, on: date) -> bool:
    """Whether a page offers it to `by`; inside `reading(by)`."""
    if by.post not in adjust_proposals.posts or proposal.state != "open" or proposal.kind not in ADJUSTED:  # type: ignore[attr-defined]
        return False
    step = deciding_step(proposal.programme, proposal.division, on)
    own = by.post != Post.DEPARTMENT_APPROVER or proposal.programme in by.programmes
    return step is not None and own and step.may(by.post, by.level)


@command(Post.TOWNSHIP_HEAD, Post.DEPARTMENT_APPROVER)
def adjust_proposals(
    *, by: Actor, on: date, programme: str, proposal_ids: Sequence[int], grant: bool, reason: str = ""
) -> int:  # fmt: skip
    """Decide the named ones, of one programme; how many. A refusal needs its reason."""
    ids = sorted(set(proposal_ids))
    if not 0 < len(ids) <= MANY_MAX:
        raise BadInput(f"选了 {len(ids)} 条", where="建议", remedy=f"请一次选 1 至 {MANY_MAX} 条")
    if not grant and len(reason.strip()) < 4:
        raise BadInput("没有写不予调整的理由", where="理由", remedy="请写明理由，至少四个字")
    rows = list(Proposal.objects.filter(pk__in=ids, programme=programme, state=Proposal.State.OPEN))
    if len(rows) != len(ids):
        raise AlreadyDone("所选的建议已不在待办中", remedy="请刷新后再选")
    if by.post == Post.DEPARTMENT_APPROVER:
        require_programme(by, programme)
    for place in sorted({row.division for row in rows}):
        _require_here(by, on, programme, place)
    if any(row.kind not in ADJUSTED for row in rows):
        raise DecidedElsewhere("应进的须立案，不能直接批准", remedy="请从这一户的建议立案，按步骤办理")
    return decide_chosen(
        by=by, on=on, programme=programme, division=by.division, ids=ids, reason=reason.strip()[:300], grant=grant
    )


def _require_here(by: Actor, on: date, programme: str, place: str) -> None:
    require_place(by, place)
    step = deciding_step(programme, place, on)
    if step is None:
        raise DecidedElsewhere("这里的建议由主管部门集中审批", remedy="请转主管部门办理")
    if not step.may(by.post, by.level):
        who = "、".join(map(str, step.acting))
        raise NotYourPost(f"{by.post.label}不能决定增减", why=f"这里由{who}决定", remedy="请转交相应岗位")
