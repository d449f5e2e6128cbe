"""What visits ask of a desk: forms to sign, doubts to ask back, changes to report, letters that are due, entrusted visits (CASE-02, VER-02).

in    who asks and when (todo_rows.Asking), inside `reading(by)`
out   lines of the desk; households to visit are lines of their step (case_todo)
"""

from collections.abc import Iterator

from django.urls import reverse

from huimin.organisation.acting import may
from huimin.organisation.posts import Post
from huimin.visits import queries
from huimin.visits.doubts import report_found, settle_doubt
from huimin.visits.entrusting import issue_entrustment
from huimin.visits.models import Entrustment
from huimin.workbench.todo_rows import Asking, Todo

GOERS = frozenset({Post.INFORMATION_OFFICER, Post.CLERK})
"""Who is told of what visits left to do; other posts find it in the lists."""


def unfinished(asking: Asking) -> Iterator[Todo]:
    """Visits without signatures, doubts without an answer, confirmed ones without their change."""
    by = asking.by
    if by.post not in GOERS:
        return
    if unsigned := queries.count_unsigned(by.prefix):
        where = f"{reverse('visits-done')}?state=recorded"
        yield Todo("补齐入户调查的签字", "份，双方签字后才算数", by.office_name, unsigned, None, None, where)
    asked, confirmed = queries.count_doubts(by.prefix)
    if asked and may(by, settle_doubt):
        note = "条，核实完申请才能往下办"
        yield Todo("向申请人核实疑点", note, by.office_name, asked, None, None, f"{reverse('doubts')}?state=open")
    if confirmed and may(by, report_found):
        note = "条查实的还没有办完变更"
        yield Todo(
            "办理查实的变更", note, by.office_name, confirmed, None, None, f"{reverse('doubts')}?state=confirmed"
        )


def letters(asking: Asking) -> Iterator[Todo]:
    """Letters to employers that are due within three days, or late."""
    by = asking.by
    if by.post in GOERS:
        count, earliest = queries.count_letters(by.prefix, asking.on)
        if count:
            yield Todo(
                "催收信函回执", "封到期或将到期", by.office_name, count, None, earliest, reverse("proof-letters")
            )


def entrusted(asking: Asking) -> Iterator[Todo]:
    """Visits entrusted to a place of ours; answers that came; letters of ours nobody answered in time."""
    by = asking.by
    if by.post in GOERS:
        for row in queries.list_entrusted_waiting(by.prefix, "here"):
            yield Todo(
                "受委托入户调查",
                f"{row.who}，{row.issuer.split()[0]}来函",
                row.to_office,
                1,
                None,
                row.due_on,
                _at(row),
            )
    if by.post not in (Post.CLERK, Post.DEPARTMENT_OFFICER) or not may(by, issue_entrustment):
        return
    for row in queries.list_entrusted_waiting(by.prefix, "ours"):
        if row.state == Entrustment.State.ANSWERED:
            yield Todo("收下委托调查的回复", row.who, row.to_office, 1, None, asking.on, _at(row))
        elif row.overdue(asking.on):
            yield Todo("催办委托调查", row.who, row.to_office, 1, None, row.due_on, _at(row))


def _at(row: Entrustment) -> str:
    return reverse("entrustment", args=[row.pk])


FINDERS = (unfinished, letters, entrusted)
