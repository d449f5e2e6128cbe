"""What money asks of a desk: rosters, funds, batches, the bank's files, what failed and what can be sent anew.

in    who asks and when (todo_rows.Asking), inside `reading(by)`
out   lines of the desk

A quarter's rosters are posted in time for the application on the 15th of its third month (S0 A4 art 19–20); the bank has five
working days (art 22).
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from django.db.models import Q
from django.urls import reverse

from huimin.agentbanks import queries as agentbanks
from huimin.agentbanks.commands import answer_complaint, settle_agreement
from huimin.funds.commands import reserve_funding, transfer_funding
from huimin.funds.models import FundingApplication
from huimin.funds.queries import list_applications
from huimin.kernel.periods import Period
from huimin.organisation.acting import may
from huimin.organisation.posts import Post
from huimin.payment import commands, queries
from huimin.payment import exchange_queries as exchange
from huimin.payment.counting import with_sums
from huimin.payment.exception_queries import waiting_exceptions
from huimin.payment.finding_queries import FindingFilter, count_findings
from huimin.payment.models import Batch, PaymentException, Roster, RosterFinding
from huimin.payment.summary_queries import list_unsigned
from huimin.printing.queries import half_years_about, made_of
from huimin.registry.commands import propose_card_correction
from huimin.workbench.guard import SETTLERS
from huimin.workbench.todo_rows import ROWS_MAX, Asking, Finder, Todo


def _owed(asking: Asking) -> Iterator[Todo]:
    if not may(asking.by, commands.compile_roster):
        return
    period = queries.current_quarter(asking.on)
    for owed in queries.owed_without_roster(asking.by.prefix, period, asking.on):
        if owed.ready.count:
            yield Todo(
                f"编制{asking.name(owed.programme)}清册",
                str(period),
                asking.by.office_name,
                owed.ready.count,
                owed.ready.amount_fen,
                queries.publish_due_on(period),
                reverse("compile"),
            )


def _findings(asking: Asking) -> Iterator[Todo]:
    """What the check of rosters found and nobody has answered; held lines that another person may free (PAY-01)."""
    by = asking.by
    waiting = (
        (commands.explain_findings, RosterFinding.State.OPEN, "处理清册核对事项", "件，处理后才能公示"),
        (commands.release_hold, RosterFinding.State.HELD, "核实缓发的行", "件，核实后解除，编入补充清册"),
    )
    for act, state, title, note in waiting:
        wanted = FindingFilter(prefix=by.prefix, state=state, programmes=by.programmes)
        if may(by, act) and (found := count_findings(wanted).get(state, 0)):
            yield Todo(title, note, by.office_name, found, None, None, f"{reverse('findings')}?state={state}")


def _rosters(act: Callable[..., object], states: tuple[str, ...], verb: str, due: Callable[[Period], date]) -> Finder:
    def find(asking: Asking) -> Iterator[Todo]:
        if not may(asking.by, act):
            return
        mine = asking.by.programmes if act is commands.confirm_by_department else None
        wanted = queries.RosterFilter(prefix=asking.by.prefix, states=states, programmes=mine)
        yield from _roster_rows(asking, list(queries.page_rosters(wanted)), verb, due)

    return find


def _roster_rows(asking: Asking, rosters: list[Roster], verb: str, due: Callable[[Period], date]) -> Iterator[Todo]:
    places = asking.places({roster.division for roster in rosters})
    for roster in with_sums(rosters):
        period = Period(roster.period_from, roster.period_until)
        yield Todo(
            f"{verb}{asking.name(roster.programme)}清册",
            str(period),
            places.get(roster.division, roster.division),
            roster.sums.lines,
            roster.sums.amount_fen,
            due(period),
            reverse("roster", args=[roster.pk]),
        )


def _to_sign(asking: Asking) -> Iterator[Todo]:
    if may(asking.by, commands.sign_roster):
        ready = queries.list_ready_to_sign(asking.by.prefix, asking.on)
        yield from _roster_rows(asking, ready, "签批", queries.application_due_on)


def _summaries(asking: Asking) -> Iterator[Todo]:
    """Summary rosters that wait for the head (PAY-01)."""
    if may(asking.by, commands.sign_summary):
        for each in list_unsigned(asking.by.prefix):
            period = Period(each.period_from, each.period_until)
            yield Todo(
                "签字汇总清册", str(period), asking.by.office_name, each.households, each.amount_fen,
                queries.application_due_on(period), reverse("summary", args=[each.pk]),
            )  # fmt: skip


def _to_apply(asking: Asking) -> Iterator[Todo]:
    if may(asking.by, commands.apply_for_funds):
        wanted = queries.RosterFilter(prefix=asking.by.prefix, state=Roster.State.CONFIRMED)
        found = wanted.rows().filter(Q(application=None) | Q(application__state="withdrawn"))
        rosters = list(found.order_by("id")[:ROWS_MAX])
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
    counts = exchange.count_files() if may(by, commands.request_sending) else {}
    if may(by, commands.write_batch_files) and (found := exchange.count_unwritten()):
        yield Todo(
            "写出银行文件",
            "个批次或户名核验，还没有写出送银行",
            by.office_name,
            found,
            None,
            asking.on,
            reverse("batches"),
        )
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
    if may(by, commands.request_fetching):
        found, first = exchange.count_open()
        if found:
            url = f"{reverse('bank-files')}?state={exchange.OPEN}"
            note = "个取回的文件整份不收，请银行更正；收到对的就不再列"
            yield Todo("核对拒收的回盘", note, by.office_name, found, None, first, url)
    if may(by, commands.decide_bank_setting) and (found := exchange.count_waiting_settings(by.appointment)):
        yield Todo("复核银行设置", "份设置", by.office_name, found, None, None, reverse("bank-settings"))


def _batch_rows(asking: Asking, batches: list[Batch], verb: str, due: Callable[[Batch], date | None]) -> Iterator[Todo]:
    places = asking.places({batch.division for batch in batches})
    for batch in batches:
        yield Todo(
            f"{verb} {asking.programmes.get(batch.programme) or batch.title}",
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


def _reissues(asking: Asking) -> Iterator[Todo]:
    if not may(asking.by, commands.reissue_returned):
        return
    for total in queries.list_reissuable(asking.by.prefix, asking.on):
        yield Todo(
            "重发退汇", "账户已更正并审核", asking.by.office_name, total.count, total.amount_fen, None,
            reverse("roster-step", args=[int(total.key), "reissue"]),
        )  # fmt: skip


def _exceptions(asking: Asking) -> Iterator[Todo]:
    """What failed, by kind. An account is registered by the clerk: his by its deadline, told to those who wait for it.

    Lines whose account was corrected stand under 重发退汇 on the desk that has it, and not here as well.
    """
    by, kinds = asking.by, PaymentException.Kind
    registers = may(by, propose_card_correction)
    if by.post not in SETTLERS and not registers:
        return
    apart = may(by, commands.reissue_returned)
    for kind, count, fen, due in waiting_exceptions(by.prefix, asking.on, apart=apart):
        where = f"{reverse('exceptions')}?kind={kind}"
        if kind == kinds.NO_CARD and registers:
            yield Todo("登记收款账户", "没有可用账户，登记后由另一人审核", by.office_name, count, fen, due, where)
        elif kind == kinds.NO_CARD:
            yield Todo(
                "没有可用账户，等乡镇统计员登记", "登记、审核后补编清册", by.office_name, count, fen, None, where
            )
        elif by.post in SETTLERS:
            yield Todo(f"处理{kinds(kind).label}", "逐笔核对", by.office_name, count, fen, due, where)


def _cards(asking: Asking) -> Iterator[Todo]:
    """明白卡 of the half-year that has ended or ends this month, where no run was made of it (PAY-07, S0 A4 art 24)."""
    by, on = asking.by, asking.on
    if by.post != Post.SETTLEMENT:
        return
    for period in half_years_about(on):
        if not made_of(by.division, period):
            yield Todo("印发明白卡", str(period), by.office_name, 1, None, None, reverse("print-run-new"))


def _agent_banks(asking: Asking) -> Iterator[Todo]:
    """Agreements, methods and assessments that wait for a second person; complaints about banks (PAY-09)."""
    by = asking.by
    if may(by, settle_agreement) and (found := agentbanks.count_proposed(by.division, by.appointment)):
        yield Todo("复核代理银行协议、考评", "份", by.office_name, found, None, None, reverse("agent-banks"))
    if may(by, answer_complaint) and (found := agentbanks.count_open_complaints(by.prefix, by.appointment)):
        url = f"{reverse('bank-complaints')}?state=open"
        yield Todo("核查对银行的投诉", "件", by.office_name, found, None, None, url)


FINDERS: tuple[Finder, ...] = (
    _owed,
    _findings,
    _rosters(commands.publish_roster, (Roster.State.COMPILED,), "公示", queries.publish_due_on),
    _to_sign,
    _summaries,
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
    _agent_banks,
    _cards,
)
