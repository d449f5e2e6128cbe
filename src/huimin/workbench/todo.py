"""What waits for the acting person: one line a matter, with number, sum and deadline, leading to it in one click.

in    the actor and the business date; queries of the rooms
out   `Todo` rows, the most urgent first

A matter is listed when the actor's post may do its next step, so nobody sees what another has to do. Deadlines:
7 days a level for decisions (S0 A3 art 25–27) and objections; those of money are with it (payment_todo).
"""

from collections.abc import Iterator
from datetime import date, timedelta
from urllib.parse import urlencode

from django.urls import reverse

from huimin.archives import queries as archives
from huimin.archives.disposing import decide_disposal
from huimin.archives.lending import lend_papers
from huimin.calendars.commands import confirm_year
from huimin.calendars.queries import count_waiting_years
from huimin.capacity import queries as capacity
from huimin.capacity.staffing import check_staffing
from huimin.capacity.training import TRAINED
from huimin.capacity.versions import versions_at
from huimin.casework import changes
from huimin.casework import relief as reliefs
from huimin.casework.commands import apart, decide_proposals
from huimin.casework.models import Relief
from huimin.duplicates import queries as duplicates
from huimin.duplicates.commands import dismiss_pair
from huimin.duplicates.merging import confirm_merge
from huimin.duplicates.separating import confirm_separation
from huimin.kinship import queries as kin
from huimin.kinship.declaring import declare_kin, link_relatives, reads_file
from huimin.notices.objections import ABOVE, answer_objection
from huimin.notices.queries import list_due_objections
from huimin.organisation.acting import Actor, may
from huimin.organisation.posts import Post
from huimin.policy.drafts import WAY as DRAFT_STEPS
from huimin.policy.own_facts import decide_fact
from huimin.policy.queries import list_waiting_drafts, list_waiting_facts
from huimin.registry.card_queries import waiting_rule
from huimin.registry.commands import settle_cooling_time
from huimin.registry.models import ReportedChange
from huimin.screening.commands import request_screening
from huimin.screening.queries import ProposalFilter, started_on, total_proposals
from huimin.workbench import (
    book_todo,
    case_todo,
    comparison_todo,
    field_todo,
    funds_todo,
    letter_todo,
    meeting_todo,
    payment_todo,
    recheck_todo,
    recovery_todo,
    rectification_todo,
    sample_todo,
    visit_todo,
)
from huimin.workbench.todo_rows import ROWS_MAX, Asking, Finder, Todo

DAYS_A_LEVEL = 7


def list_todo(by: Actor, on: date, programmes: dict[str, str]) -> list[Todo]:
    """Inside `reading(by)`; the earliest deadline first, then the largest sum."""
    asking = Asking(by, on, programmes)
    rows = [row for finder in _FINDERS for row in finder(asking)]
    far = date(9999, 12, 31)
    return sorted(rows, key=lambda row: (row.due or far, -(row.amount_fen or 0)))[:ROWS_MAX]


def _changes(asking: Asking) -> Iterator[Todo]:
    """Reports to enter, entries to confirm, and what the next screening should look at (REG-05)."""
    waiting = (
        (changes.enter_change, ReportedChange.State.REPORTED, "录入村里上报的变更"),
        (changes.confirm_change, ReportedChange.State.ENTERED, "确认变更"),
    )
    for act, state, title in waiting:
        found = changes.count_waiting(asking.by.prefix, state) if may(asking.by, act) else 0
        if found:
            url = f"{reverse('changes')}?{urlencode({'state': state})}"
            yield Todo(title, "件，涉及待遇和账户的须另一人确认", asking.by.office_name, found, None, None, url)
    if may(asking.by, request_screening) and (found := changes.count_unscreened(asking.by.prefix)):
        note = "件变更影响待遇，筛查后产生建议"
        yield Todo("变更后重新筛查", note, asking.by.office_name, found, None, None, reverse("runs"))


def _cooling_time(asking: Asking) -> Iterator[Todo]:
    """A cooling time that waits for the second person (REG-07)."""
    if may(asking.by, settle_cooling_time) and (rule := waiting_rule(asking.by.division)):
        yield Todo(
            "审核账户更正冷静期",
            f"提出改为 {rule.cooling_days} 天",
            asking.by.office_name,
            1,
            None,
            None,
            reverse("cooling"),
        )


def _decisions(asking: Asking) -> Iterator[Todo]:
    if not may(asking.by, decide_proposals):
        return
    wanted = ProposalFilter(prefix=asking.by.prefix, programmes=asking.by.programmes, apart=apart())
    totals = total_proposals(wanted)
    begun = started_on({total.oldest for total in totals})
    for total in totals:
        if total.kind != "unknown":
            query = urlencode({"programme": total.programme, "kind": total.kind})
            yield Todo(
                f"审批{total.kind_label}",
                asking.name(total.programme),
                "全辖区",
                total.count,
                total.amount_fen,
                begun[total.oldest] + timedelta(days=DAYS_A_LEVEL),
                f"{reverse('proposals')}?{query}",
            )


def _objections(asking: Asking) -> Iterator[Todo]:
    if not may(asking.by, answer_objection):
        return
    # What is about a colleague is the head's and the county's; the rest the reviewer's.
    staff = True if asking.by.post in ABOVE else None
    waiting = list(list_due_objections(prefix=asking.by.prefix, about_staff=staff))
    places = asking.places({each.division for each in waiting})
    for each in waiting:
        yield Todo(
            "答复公示异议", f"第 {each.row.row_no} 行，{each.text[:30]}", places.get(each.division, each.division), 1,
            each.row.amount_fen, each.due_on, reverse("objection-answer", args=[each.pk]),
        )  # fmt: skip


def _drafts(asking: Asking) -> Iterator[Todo]:
    """New versions of policies that wait for this post; not for who drafted them or recorded another step."""
    waiting = [state for act, state in DRAFT_STEPS if may(asking.by, act)]
    if not waiting:
        return
    for draft in list_waiting_drafts(asking.by, waiting):
        yield Todo(
            f"{asking.name(draft.programme)}新版", f"{draft.get_state_display()}，{draft.reason[:40]}",
            asking.by.office_name, 1, None, draft.effective_on - timedelta(days=1),
            reverse("policy-draft", args=[draft.pk]),
        )  # fmt: skip


def _own_facts(asking: Asking) -> Iterator[Todo]:
    """Facts the county wants to ask, for who decides."""
    if may(asking.by, decide_fact):
        for each in list_waiting_facts(asking.by):
            yield Todo(
                "审批本地事实", f"{each.name}，{each.reason[:40]}", asking.by.office_name, 1, None, None,
                reverse("own-fact", args=[each.pk]),
            )  # fmt: skip


def _reliefs(asking: Asking) -> Iterator[Todo]:
    """Emergencies that wait for the head, at once; papers that were to follow, by their day; money given to a fund."""
    if may(asking.by, reliefs.approve_relief):
        for each in reliefs.list_waiting(asking.by.prefix):
            yield _relief_row(asking, each, "审批急难救助", each.recorded_on)
    if may(asking.by, reliefs.file_papers):
        for each in reliefs.list_owing(asking.by.prefix):
            yield _relief_row(asking, each, "补齐救助材料", each.papers_due_on)
    if may(asking.by, reliefs.tie_guest):
        for each in reliefs.list_untied(asking.by.prefix):
            yield _relief_row(asking, each, "认领在外地受救助的居民", each.papers_due_on)
    if may(asking.by, reliefs.confirm_topup):
        for entry in reliefs.list_proposed(asking.by.prefix):
            yield Todo(
                "复核备用金拨入", entry.note, asking.places({entry.division}).get(entry.division, entry.division), 1,
                entry.amount_fen, entry.entered_on + timedelta(days=1), reverse("petty-confirm", args=[entry.pk]),
            )  # fmt: skip


def _relief_row(asking: Asking, relief: Relief, title: str, due: date) -> Todo:
    place = asking.places({relief.division}).get(relief.division, relief.division)
    url = reverse("relief", args=[relief.pk])
    return Todo(title, f"{relief.get_cause_display()} {relief.whom}", place, 1, relief.amount_fen, due, url)


def _cases(asking: Asking) -> Iterator[Todo]:
    """Steps of applications and lists (CASE-05)."""
    for row in case_todo.rows_of(asking.by, asking.on, asking.places):
        yield Todo(*row)
    for row in sample_todo.rows_of(asking.by, asking.on, asking.name, asking.places):
        yield Todo(*row)


def _meetings(asking: Asking) -> Iterator[Todo]:
    """Community reviews to call, to write down, to look into (CASE-03)."""
    for row in meeting_todo.rows_of(asking.by, asking.on, asking.places):
        yield Todo(*row)


def _books(asking: Asking) -> Iterator[Todo]:
    """Vouchers to review, months to close, quarters to prove (LED-02, LED-03)."""
    for row in book_todo.rows_of(asking.by, asking.on):
        yield Todo(*row)


def _calendar_years(asking: Asking) -> Iterator[Todo]:
    """A year's holidays that somebody else entered (CASE-05)."""
    if may(asking.by, confirm_year) and (found := count_waiting_years(asking.by.appointment)):
        yield Todo(
            "复核放假安排", "年，生效后按它计算期限", asking.by.office_name, found, None, None, reverse("calendar")
        )


def _kinship(asking: Asking) -> Iterator[Todo]:
    """One's own declaration of the year, and what the county has to settle of the file (REG-10)."""
    by = asking.by
    if may(by, declare_kin):
        days = kin.within_days(by.division)
        for each in kin.list_officers(by.prefix, asking.on, days, account=by.account):
            if each.signed_on is None:
                note = f"{asking.on.year} 年，没有的也要申报"
                yield Todo("申报近亲属", note, by.office_name, 1, None, each.due, reverse("kinship"))
    if may(by, link_relatives) and reads_file(by) and (found := kin.count_unsettled(by.prefix)):
        url = f"{reverse('kinship-relatives')}?state=unsettled"
        yield Todo("核对按文字备案的近亲属", "位", by.office_name, found, None, None, url)


def _capacity(asking: Asking) -> Iterator[Todo]:
    """One's own training that is due, and desks' figures the county has to check (ORG-07, ORG-08)."""
    by, on = asking.by, asking.on
    if by.post in TRAINED:
        days = capacity.asked_at(by.division).training_days
        versions = versions_at(by.division, on)
        for each in capacity.list_training_due(by.prefix, on, days, versions.values(), account=by.account):
            if each.missing:
                note = "、".join(versions[code].name for code in each.missing[:3])
                yield Todo(
                    "参加政策培训", note, by.office_name, len(each.missing), None, each.due, reverse("training-due")
                )
    if may(by, check_staffing) and (found := capacity.count_unchecked(by.prefix)):
        yield Todo("核对乡镇经办力量", "份填报", by.office_name, found, None, None, reverse("staffing"))


def _duplicates(asking: Asking) -> Iterator[Todo]:
    """Pairs to judge, merges and separations to confirm, questions to the village; each of its own level (REG-04)."""
    by = asking.by
    merges = duplicates.count_merges(by.prefix, by.level)
    waiting = (
        (dismiss_pair, duplicates.count_pairs(by.prefix, by.level).get("open", 0), "判断相似的档案", "duplicates"),
        (confirm_merge, merges.get("proposed", 0), "确认并档", "merges"),
        (confirm_separation, merges.get("splitting", 0), "确认拆分", "merges"),
    )
    for act, found, title, route in waiting:
        if may(by, act) and found:
            yield Todo(title, "对", by.office_name, found, None, None, reverse(route))
    if by.post == Post.INFORMATION_OFFICER and (found := duplicates.count_inquiries(by.prefix)):
        yield Todo("核查是不是同一人", "件", by.office_name, found, None, None, reverse("inquiries"))


def _archives(asking: Asking) -> Iterator[Todo]:
    """Papers not brought back in time; moves and destructions that wait for a second person (REG-08)."""
    by = asking.by
    if may(by, lend_papers) and (found := archives.count_overdue(by.prefix, asking.on)):
        url = f"{reverse('archive-loans')}?state=overdue"
        yield Todo("催还超期的档案", "件", by.office_name, found, None, asking.on, url)
    if may(by, decide_disposal) and (found := archives.count_proposed(by.prefix)):
        url = f"{reverse('archive-disposals')}?state=proposed"
        yield Todo("审批档案移交、销毁", "件", by.office_name, found, None, None, url)


_FINDERS: tuple[Finder, ...] = (
    _reliefs,
    _changes,
    _kinship,
    _capacity,
    _archives,
    _duplicates,
    _decisions,
    _objections,
    *payment_todo.FINDERS,
    *comparison_todo.FINDERS,
    *funds_todo.FINDERS,
    _drafts,
    _own_facts,
    *field_todo.FINDERS,
    *letter_todo.FINDERS,
    *visit_todo.FINDERS,
    rectification_todo.rectifications,
    *recheck_todo.FINDERS,
    *recovery_todo.FINDERS,
    _calendar_years,
    _cases,
    _meetings,
    _cooling_time,
    _books,
)
