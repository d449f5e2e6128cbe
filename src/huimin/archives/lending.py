"""Loans and returns: 借出有登记、归还有核销 (REG-08; 皖政办〔2008〕23号 附件4 第26条).

Always true: only a paper on its shelf is lent; it is with one borrower at a time; a set is lent, or returned, whole.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from huimin.archives.keeping import KEEPERS
from huimin.archives.models import Loan, Paper
from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint, require_place

PAPERS_MAX = 500
DAYS_MAX = 365

refused_by_constraint("paper_lent_once", AlreadyDone, "其中有材料刚刚借出", "请刷新后再选")


class NotOnShelf(Refusal):
    """A paper is lent, missing or destroyed."""


@command(*KEEPERS)
def lend_papers(
    *, by: Actor, on: date, papers: Sequence[int], borrower: str, office: str, purpose: str, due_on: date
) -> str:
    """Lend papers under one slip, whose number is returned."""
    rows = locked_papers(by, papers, Paper.State.KEPT)
    for where, words, most in (("借阅人", borrower, 40), ("单位", office, 80), ("用途", purpose, 120)):
        if not 2 <= len(words.strip()) <= most:
            raise BadInput(f"没有写明{where}", where=where, remedy=f"请用 2 至 {most} 个字写明")
    if not on <= due_on <= on + timedelta(days=DAYS_MAX):
        raise BadInput("归还期限不对", where="归还期限", remedy="从今天起，最长一年")
    slip = f"{on:%Y%m%d}-{rows[0].pk}"
    Loan.objects.bulk_create(
        Loan(
            paper=row, division=row.division, slip=slip, borrower=borrower.strip(), office=office.strip(),
            purpose=purpose.strip(), lent_on=on, due_on=due_on, lent_by=by.appointment,
        )
        for row in rows
    )  # fmt: skip
    Paper.objects.filter(pk__in=[row.pk for row in rows]).update(state=Paper.State.LENT)
    return slip


@command(*KEEPERS)
def return_papers(*, by: Actor, on: date, papers: Sequence[int], remark: str = "") -> int:
    """They are back on their shelf; `remark` tells of damage. How many."""
    rows = locked_papers(by, papers, Paper.State.LENT)
    ids = [row.pk for row in rows]
    back = Loan.objects.filter(paper__in=ids, returned_on=None)
    back.update(returned_on=on, returned_to=by.appointment, remark=remark.strip()[:120])
    return Paper.objects.filter(pk__in=ids).update(state=Paper.State.KEPT)


def locked_papers(by: Actor, papers: Sequence[int], state: str) -> list[Paper]:
    """The papers, locked in the order of their ids; every one must be in `state` and in the place of `by`."""
    ids = sorted(set(papers))
    if not 0 < len(ids) <= PAPERS_MAX:
        raise BadInput("没有选材料，或太多", where="材料", remedy=f"请选 1 至 {PAPERS_MAX} 件")
    rows = list(Paper.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    wrong = [row for row in rows if row.state != state]
    if len(rows) < len(ids) or wrong:
        told = f"“{wrong[0].title}”{wrong[0].get_state_display()}" if wrong else "有材料不在您的辖区内"
        raise NotOnShelf(told, why="只能办理状态相符的材料", remedy="请刷新后再选")
    for row in rows:
        require_place(by, row.division)
    return rows
