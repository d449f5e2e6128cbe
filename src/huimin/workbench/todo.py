"""What waits for the acting person: one line a matter, with number, sum and deadline, leading to it in one click.

in    the actor and the business date; queries of the rooms
out   `Todo` rows, the most urgent first, and the progress of the quarter

A matter is listed when the actor's post may do its next step, so nobody sees what another has to do. Deadlines:
7 days a level for decisions (S0 A3 art 25–27) and objections; a quarter's rosters are posted in time for the
application on the 15th of its third month (A4 art 19–20); the bank has five working days (art 22).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from django.core.cache import cache
from django.db import connection
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
from huimin.casework.commands import decide_proposals
from huimin.casework.models import Relief
from huimin.divisions.queries import names_of
from huimin.duplicates import queries as duplicates
from huimin.duplicates.commands import dismiss_pair
from huimin.duplicates.merging import confirm_merge
from huimin.duplicates.separating import confirm_separation
from huimin.funds.commands import reserve_funding, transfer_funding
from huimin.funds.models import FundingApplication
from huimin.funds.queries import list_applications
from huimin.kernel.periods import Period
from huimin.kinship import queries as kin
from huimin.kinship.declaring import declare_kin, link_relatives, reads_file
from huimin.notices.objections import ABOVE, answer_objection
from huimin.notices.queries import list_due_objections
from huimin.organisation.acting import Actor, may
from huimin.organisation.posts import Post
from huimin.payment import commands, queries
from huimin.payment import exchange_queries as exchange
from huimin.payment.models import Batch, Roster
from huimin.policy.drafts import WAY as DRAFT_STEPS
from huimin.policy.queries import list_waiting_drafts
from huimin.registry.card_queries import waiting_rule
from huimin.registry.commands import settle_cooling_time
from huimin.registry.models import ReportedChange
from huimin.screening.commands import request_screening
from huimin.screening.models import Run
from huimin.screening.queries import ProposalFilter, find_latest_run, total_proposals
from huimin.workbench import book_todo, case_todo, meeting_todo, sample_todo
from huimin.workbench.guard import SETTLERS, STAFF

DAYS_A_LEVEL = 7
ROWS_MAX = 60
SECONDS_KEPT = 30


@dataclass(frozen=True)
class Todo:
    """One matter. `count` is of households or people unless `note` says otherwise; `due` None has no deadline."""

    title: str
    note: str
    place: str
    count: int
    amount_fen: int | None
    due: date | None
    url: str


@dataclass(frozen=True)
class Asking:
    """Who asks what waits, when, with the names a line needs."""

    by: Actor
    on: date
    programmes: dict[str, str]

    def name(self, code: str) -> str:
        return self.programmes.get(code, code)

    def places(self, codes: set[str]) -> dict[str, str]:
        return names_of(codes, self.on)


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
    run = find_latest_run()
    if not may(asking.by, decide_proposals) or run is None:
        return
    wanted = ProposalFilter(prefix=asking.by.prefix, programmes=asking.by.programmes)
    for total in total_proposals(wanted):
        if total.kind != "unknown":
            query = urlencode({"programme": total.programme, "kind": total.kind})
            yield Todo(
                f"审批{total.kind_label}",
                asking.name(total.programme),
                "全辖区",
                total.count,
                total.amount_fen,
                run.started_on + timedelta(days=DAYS_A_LEVEL),
                f"{reverse('proposals')}?{query}",
            )


def _owed(asking: Asking) -> Iterator[Todo]:
    if not may(asking.by, commands.compile_roster):
        return
    period = queries.current_quarter(asking.on)
    for owed in queries.owed_without_roster(asking.by.prefix, period, asking.on):
        if owed.count:
            yield Todo(
                f"编制{asking.name(owed.programme)}清册",
                str(period),
                asking.by.office_name,
                owed.count,
                owed.amount_fen,
                queries.publish_due_on(period),
                reverse("compile"),
            )


def _rosters(
    act: Callable[..., object], states: tuple[str, ...], verb: str, due: Callable[[Period], date]
) -> "_Finder":
    def find(asking: Asking) -> Iterator[Todo]:
        if not may(asking.by, act):
            return
        mine = asking.by.programmes if act is commands.confirm_by_department else None
        wanted = queries.RosterFilter(prefix=asking.by.prefix, states=states, programmes=mine)
        yield from _roster_rows(asking, list(queries.page_rosters(wanted)), verb, due)

    return find


def _roster_rows(asking: Asking, rosters: list[Roster], verb: str, due: Callable[[Period], date]) -> Iterator[Todo]:
    places = asking.places({roster.division for roster in rosters})
    for roster in rosters:
        period = Period(roster.period_from, roster.period_until)
        yield Todo(
            f"{verb}{asking.name(roster.programme)}清册",
            str(period),
            places.get(roster.division, roster.division),
            roster.lines_count,
            roster.amount_fen,
            due(period),
            reverse("roster", args=[roster.pk]),
        )


def _to_sign(asking: Asking) -> Iterator[Todo]:
    if may(asking.by, commands.sign_roster):
        ready = queries.list_ready_to_sign(asking.by.prefix, asking.on)
        yield from _roster_rows(asking, ready, "签批", queries.application_due_on)


def _to_apply(asking: Asking) -> Iterator[Todo]:
    if may(asking.by, commands.apply_for_funds):
        wanted = queries.RosterFilter(prefix=asking.by.prefix, state=Roster.State.CONFIRMED)
        rosters = [roster for roster in queries.page_rosters(wanted) if roster.application_id is None]
        yield from _roster_rows(asking, rosters, "申请拨款：", queries.application_due_on)


def _to_prepare(asking: Asking) -> Iterator[Todo]:
    if not may(asking.by, commands.prepare_batch) or asking.by.post != "settlement":
        return
    wanted = queries.RosterFilter(prefix=asking.by.prefix, states=(Roster.State.CONFIRMED, Roster.State.FUNDED))
    found = wanted.rows().filter(application__state="transferred")
    live = Batch.objects.exclude(state__in=[Batch.State.CANCELLED, Batch.State.REJECTED]).values("roster")
    rosters = list(found.exclude(pk__in=live).order_by("id")[:ROWS_MAX])
    yield from _roster_rows(asking, rosters, "编制批次：", lambda period: period.last_day)


def _to_release(asking: Asking) -> Iterator[Todo]:
    if not may(asking.by, commands.release_batch):
        return
    batches = [
        batch
        for batch in queries.page_batches(queries.BatchFilter(state=Batch.State.PREPARED))
        if batch.prepared_by != asking.by.appointment
    ]
    yield from _batch_rows(asking, batches, "复核放行", lambda batch: batch.prepared_on + timedelta(days=1))


def _late_answers(asking: Asking) -> Iterator[Todo]:
    if may(asking.by, commands.take_result):
        written = list(queries.page_batches(queries.BatchFilter(state=Batch.State.WRITTEN)))
        yield from _batch_rows(asking, written, "等银行回盘", lambda batch: batch.answer_due_on)


def _to_fetch(asking: Asking) -> Iterator[Todo]:
    if asking.by.audience == "bank":
        written = list(queries.page_batches(queries.BatchFilter(state=Batch.State.WRITTEN)))
        yield from _batch_rows(asking, written, "取件代发", lambda batch: batch.answer_due_on)


def _bank_files(asking: Asking) -> Iterator[Todo]:
    """Files that did not get through, settings that wait for the second person, checks not written yet (PAY-04)."""
    by = asking.by
    counts = exchange.count_files() if may(by, commands.request_sending) or may(by, commands.request_fetching) else {}
    if may(by, commands.request_sending) and (found := counts.get(("out", "failed"), 0)):
        yield Todo(
            "重送银行文件",
            "个文件没有送成",
            by.office_name,
            found,
            None,
            asking.on,
            f"{reverse('bank-files')}?state=failed",
        )
    if may(by, commands.request_fetching) and (found := counts.get(("in", "refused"), 0)):
        yield Todo(
            "核对拒收的回盘",
            "个文件整份不收",
            by.office_name,
            found,
            None,
            asking.on,
            f"{reverse('bank-files')}?state=refused",
        )
    if may(by, commands.decide_bank_setting) and (found := exchange.count_waiting_settings(by.appointment)):
        yield Todo("复核银行设置", "份设置", by.office_name, found, None, None, reverse("bank-settings"))


def _batch_rows(asking: Asking, batches: list[Batch], verb: str, due: Callable[[Batch], date | None]) -> Iterator[Todo]:
    places = asking.places({batch.division for batch in batches})
    for batch in batches:
        yield Todo(
            f"{verb} {asking.name(batch.programme)}" if asking.programmes else verb,
            f"批次 {batch.batch_no}",
            places.get(batch.division, batch.division),
            batch.lines_count,
            batch.amount_fen,
            due(batch),
            reverse("batch", args=[batch.pk]),
        )


def _applications(asking: Asking) -> Iterator[Todo]:
    steps = ((reserve_funding, FundingApplication.State.APPLIED, "核指标、预留"),)
    steps += ((transfer_funding, FundingApplication.State.RESERVED, "复核拨付"),)
    for act, state, verb in steps:
        if not may(asking.by, act):
            continue
        releasable = state == FundingApplication.State.RESERVED
        waiting = list(list_applications(prefix=asking.by.prefix, state=state, releasable=releasable, size=1000))
        if waiting:
            dues = [each.transfer_due_on or each.due_on for each in waiting]
            yield Todo(
                verb, f"{len(waiting)} 件拨款申请", "全辖区", len(waiting), sum(each.amount_fen for each in waiting),
                min(dues), f"{reverse('applications')}?state={state}",
            )  # fmt: skip


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


def _reissues(asking: Asking) -> Iterator[Todo]:
    if not may(asking.by, commands.reissue_returned):
        return
    for total in queries.list_reissuable(asking.by.prefix, asking.on):
        yield Todo(
            "重发退汇", "账户已更正并审核", asking.by.office_name, total.count, total.amount_fen, None,
            reverse("roster-step", args=[int(total.key), "reissue"]),
        )  # fmt: skip


def _exceptions(asking: Asking) -> Iterator[Todo]:
    if asking.by.post not in SETTLERS:
        return
    wanted = queries.ExceptionFilter(prefix=asking.by.prefix)
    labels = dict(queries.PaymentException.Kind.choices)
    for total in queries.total_exceptions(wanted):
        only = queries.ExceptionFilter(prefix=asking.by.prefix, kind=total.key)
        yield Todo(
            f"处理{labels[total.key]}", "逐笔核对", asking.by.office_name, total.count, total.amount_fen,
            queries.earliest_exception(only), f"{reverse('exceptions')}?kind={total.key}",
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


from huimin.workbench import (  # noqa: E402  (their lines are of the types above)
    field_todo,
    letter_todo,
    recheck_todo,
    rectification_todo,
    visit_todo,
)

_Finder = Callable[[Asking], Iterator[Todo]]
_FINDERS: tuple[_Finder, ...] = (
    _reliefs,
    _changes,
    _kinship,
    _capacity,
    _archives,
    _duplicates,
    _decisions,
    _owed,
    _rosters(commands.publish_roster, (Roster.State.COMPILED,), "公示", queries.publish_due_on),
    _objections,
    _to_sign,
    _rosters(commands.confirm_by_department, (Roster.State.SIGNED,), "核定", queries.application_due_on),
    _rosters(commands.confirm_by_finance, (Roster.State.DEPARTMENT_CONFIRMED,), "核定", queries.application_due_on),
    _to_apply,
    _applications,
    _to_prepare,
    _to_release,
    _to_fetch,
    _late_answers,
    _bank_files,
    _exceptions,
    _reissues,
    _drafts,
    *field_todo.FINDERS,
    *letter_todo.FINDERS,
    *visit_todo.FINDERS,
    rectification_todo.rectifications,
    *recheck_todo.FINDERS,
    _calendar_years,
    _cases,
    _meetings,
    _cooling_time,
    _books,
)


@dataclass(frozen=True)
class Progress:
    """One bar of the quarter: `done` of `whole`, in words."""

    label: str
    done: int
    whole: int
    text: str


def list_progress(by: Actor, on: date) -> list[Progress]:
    """How far the quarter is in the actor's place; nothing for what has not begun. Inside `reading(by)`."""
    if by.post not in STAFF:
        return []
    period = queries.current_quarter(on)
    rosters = queries.list_quarter(by.prefix, period)
    bars = (_screened(), _noticed(rosters), _confirmed(rosters), _paid(by, period, rosters))
    return [bar for bar in bars if bar]


def _screened() -> Progress | None:
    run = find_latest_run()
    if run is None:
        return None
    done = run.state == Run.State.FINISHED
    return Progress("甄别", int(done), 1, run.get_state_display())


def _noticed(rosters: list[Roster]) -> Progress | None:
    published = [roster for roster in rosters if roster.published_on]
    done = sum(roster.signed_on is not None for roster in published)
    return Progress("公示期满、乡镇签批", done, len(rosters), f"{done} / {len(rosters)} 份") if published else None


def _confirmed(rosters: list[Roster]) -> Progress | None:
    done = sum(roster.finance_on is not None for roster in rosters)
    return Progress("清册核定", done, len(rosters), f"{done} / {len(rosters)} 份") if rosters else None


def _paid(by: Actor, period: Period, rosters: list[Roster]) -> Progress | None:
    """Lines that arrived; counted when something was sent, and then at most twice a minute for a place."""
    whole = sum(roster.lines_count for roster in rosters)
    done = 0
    if any(roster.state in (Roster.State.SENT, Roster.State.SETTLED) for roster in rosters):
        key = f"paid:{connection.settings_dict['NAME']}:{by.prefix}:{period.start}"
        states = cache.get_or_set(key, lambda: queries.paid_so_far(by.prefix, period), SECONDS_KEPT)
        whole = sum(total.count for state, total in states.items() if state != "withheld")
        done = states["paid"].count if "paid" in states else 0
    return Progress("银行已付", done, whole, f"{done:,} / {whole:,} 笔") if whole else None
