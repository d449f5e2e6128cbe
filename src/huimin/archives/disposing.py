"""Moving and destroying papers: proposed by one, decided by another, and destroyed only when their time is over (REG-08, SEC-02).

    proposed ──► done        the papers lie in the target box, or are destroyed; signed over what was decided
        └──────► refused

Always true: a paper is in one open proposal at a time; nothing is destroyed for whose kind the county has set no years,
that is kept for ever, or whose years have not passed; what was destroyed stays in the catalogue as destroyed.
"""

from collections.abc import Sequence
from datetime import date

from huimin.archives.keeping import KEEPERS, locked_box
from huimin.archives.lending import locked_papers
from huimin.archives.models import Box, Disposal, DisposalPaper, Paper, PaperKind, RetentionRule
from huimin.database.bulk import run
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import chain
from huimin.organisation.acting import Actor, AlreadyDone, SamePerson, command, refused_by_constraint, require_another
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.registry.snapshots import NotRegistered

DECIDERS = (Post.REVIEWER, Post.TOWNSHIP_HEAD, Post.COUNTY_OFFICER)

refused_by_constraint("disposal_by_two_people", SamePerson, "提出的人不能审批", "请由另一人办理")


class StillKept(Refusal):
    """The paper's time is not over."""


def kept_until(kind: str, dated_on: date, years: dict[str, int]) -> date | None:
    """The first day on which it may be destroyed; None for never (for ever, or no rule)."""
    return date(dated_on.year + 1 + years[kind], 1, 1) if years.get(kind) else None


def years_at(division: str) -> dict[str, int]:
    """Years by kind, of the nearest place and its newest rule."""
    codes = chain(division)
    rows = RetentionRule.objects.filter(division__in=codes)
    return {row.kind: row.years for row in sorted(rows, key=lambda row: (codes.index(row.division), row.pk))}


@command(*KEEPERS)
def propose_disposal(
    *, by: Actor, on: date, act: str, papers: Sequence[int], reason: str, target: int | None = None
) -> Disposal:
    """Propose to move papers to a box, or to destroy them."""
    if act not in Disposal.Act.values or not 2 <= len(reason.strip()) <= 200:
        raise BadInput("没有选移交还是销毁，或没有写原因", where="原因", remedy="请选择并写明原因")
    rows = locked_papers(by, papers, Paper.State.KEPT)
    ids = [row.pk for row in rows]
    if DisposalPaper.objects.filter(paper__in=ids, disposal__state=Disposal.State.PROPOSED).exists():
        raise AlreadyDone("其中有材料已在待审批的移交或销毁里", remedy="请先办完那一件")
    box = _target(by, act, target)
    if act == Disposal.Act.DESTROY:
        _require_over(rows, on)
    made = Disposal.objects.create(
        division=by.division, act=act, target=box, reason=reason.strip(), papers_count=len(rows), proposed_by=by.appointment,
        proposer=by.title[:160], proposed_on=on,
    )  # fmt: skip
    boxes = {each.pk: each for each in Box.objects.filter(pk__in={row.box_id for row in rows}).select_related("store")}
    DisposalPaper.objects.bulk_create(
        DisposalPaper(
            disposal=made, paper=row, division=row.division,
            lay_in=f"{boxes[row.box_id].store.name} {boxes[row.box_id].place}",
        )
        for row in rows
    )  # fmt: skip
    return made


def _target(by: Actor, act: str, target: int | None) -> Box | None:
    if act == Disposal.Act.DESTROY:
        return None
    if target is None:
        raise BadInput("没有选移到哪个盒", where="移到", remedy="请选择盒")
    return locked_box(by, target)


def _require_over(rows: list[Paper], on: date) -> None:
    years = years_at(rows[0].division)
    for row in rows:
        until = kept_until(row.kind, row.dated_on, years)
        if until is None:
            told = "永久保管" if row.kind in years else "县里没有规定保管年限"
            raise StillKept(
                f"“{row.title}”不能销毁", why=f"{PaperKind(row.kind).label}：{told}", remedy="请由县惠民办先规定年限"
            )
        if on < until:
            raise StillKept(f"“{row.title}”保管到 {until} 前", why="保管期限未满", remedy="期满后再办")


_MOVE = """
UPDATE archives_paper p SET box_id = %(box)s, division = %(division)s, place_no = n.place_no
FROM (SELECT d.paper_id, row_number() OVER (ORDER BY d.id) + (SELECT coalesce(max(place_no), 0) FROM archives_paper
      WHERE box_id = %(box)s) AS place_no FROM archives_disposalpaper d WHERE d.disposal_id = %(disposal)s) n
WHERE p.id = n.paper_id AND p.state = 'kept'
"""
_DESTROY = """
UPDATE archives_paper p SET state = 'destroyed' FROM archives_disposalpaper d
WHERE d.disposal_id = %(disposal)s AND p.id = d.paper_id AND p.state = 'kept'
"""


@command(*DECIDERS)
def decide_disposal(*, by: Actor, on: date, disposal: int, agreed: bool, refusal: str = "") -> Disposal:
    """Another person agrees, and it is done, or refuses with the reason."""
    row = Disposal.objects.select_for_update().filter(pk=disposal).first()
    if row is None:
        raise NotRegistered("没有这件移交或销毁", why="不存在，或不在您的辖区内", remedy="请从列表进入")
    if row.state != Disposal.State.PROPOSED:
        raise AlreadyDone(f"这件{row.get_act_display()}{row.get_state_display()}", remedy="请刷新后查看")
    require_another(by, row.proposed_by, "提出")
    if not agreed and len(refusal.strip()) < 2:
        raise BadInput("没有写不同意的原因", where="原因", remedy="请写明原因")
    if agreed:
        _carry_out(by, on, row)
    row.state = Disposal.State.DONE if agreed else Disposal.State.REFUSED
    row.decided_by, row.decided_on, row.refusal = by.appointment, on, "" if agreed else refusal.strip()[:200]
    row.save(update_fields=["state", "decided_by", "decided_on", "refusal", "signature"])
    return row


def _carry_out(by: Actor, on: date, row: Disposal) -> None:
    papers = list(row.papers.order_by("paper_id").values_list("paper_id", flat=True))
    if row.act == Disposal.Act.MOVE:
        box = Box.objects.get(pk=row.target_id)
        done = run(_MOVE, {"box": box.pk, "division": box.division, "disposal": row.pk})
    else:
        done = run(_DESTROY, {"disposal": row.pk})
    if done != len(papers):
        raise AlreadyDone("其中有材料已不在架", why="提出以后被借出或清点未见", remedy="请退回，重新提出")
    content = digest({"disposal": row.pk, "act": row.act, "target": row.target_id, "papers": papers})
    row.signature = sign(
        by=by, on=on, act=f"档案{row.get_act_display()}", subject=f"disposal:{row.pk}", content_digest=content,
        division=row.division,
    )  # fmt: skip
