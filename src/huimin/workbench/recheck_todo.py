"""What living with a grant asks of a desk: re-checks due and waiting, refusals of work, the dead who still draw, appeals (CASE-09).

in    who asks and when (todo_rows.Asking), inside `reading(by)`
out   lines of the desk; each post sees what its own next step is, and whoever watches a place what is late there
"""

from collections.abc import Iterator
from datetime import date
from typing import cast

from django.core.cache import cache
from django.db import connection
from django.urls import reverse

from huimin.appeals import filing, ruling
from huimin.appeals import queries as appeals
from huimin.appeals.models import AppealRule
from huimin.appeals.rules import settle_terms
from huimin.cases.models import FAR
from huimin.casework.adjusting import ADJUSTED, deciding_step
from huimin.kernel.periods import add_months, month_start
from huimin.kernel.places import Level, chain
from huimin.organisation.acting import may
from huimin.organisation.posts import Post
from huimin.rechecks import cuts, queries
from huimin.rechecks.beginning import begin_rechecks
from huimin.rechecks.concluding import conclude_rechecks, confirm_rechecks
from huimin.rechecks.deaths import count_still_drawn, propose_stop
from huimin.rechecks.due import count_due
from huimin.rechecks.offers import judge_refusal
from huimin.rechecks.rules import count_waiting_rules, settings_of, settle_rule
from huimin.screening.queries import ProposalFilter, total_proposals
from huimin.workbench.listing import programmes_seen
from huimin.workbench.todo_rows import Asking, Todo

SECONDS_KEPT = 60
OVERSEERS = frozenset({Post.TOWNSHIP_HEAD, Post.COUNTY_OFFICER, Post.SUPERVISOR})


def due(asking: Asking) -> Iterator[Todo]:
    """Households to begin with, and for who watches a place how many are late."""
    by = asking.by
    begins = by.post == Post.CLERK and may(by, begin_rechecks)
    if not begins and by.post not in OVERSEERS:
        return
    late, soon, earliest = _counts(asking)
    if late:
        title = "定期复核" if begins else "督办超期的复核"
        yield Todo(
            title, "户，复核已超期", by.office_name, late, None, earliest, f"{reverse('rechecks')}?standing=overdue"
        )
    if soon and begins:
        first = earliest if not late else None
        yield Todo("定期复核", "户，快到期", by.office_name, soon, None, first, f"{reverse('rechecks')}?standing=soon")


def _counts(asking: Asking) -> tuple[int, int, date | None]:
    """Overdue, due soon, the earliest day; counted at most once a minute for a county."""
    by, on = asking.by, asking.on

    def count() -> tuple[int, int, date | None]:
        rows = count_due(by.prefix, on, settings_of(by.division, on), int(Level.TOWNSHIP))
        days = [row.earliest for row in rows if row.earliest]
        return sum(row.overdue for row in rows), sum(row.soon for row in rows), min(days, default=None)

    if by.level >= Level.TOWNSHIP:
        return count()
    key = f"rechecks:{connection.settings_dict['NAME']}:{by.prefix}:{on}"
    return cast(tuple[int, int, date | None], cache.get_or_set(key, count, SECONDS_KEPT))


def under_way(asking: Asking) -> Iterator[Todo]:
    """Re-checks to finish, and conclusions that wait for another."""
    by = asking.by
    if not may(by, conclude_rechecks) and not may(by, confirm_rechecks):
        return
    found = queries.waiting(by.prefix)
    for state, act, title, note in (
        ("open", conclude_rechecks, "办完在办的复核", "户，还没有结论"), ("concluded", confirm_rechecks, "确认复核", "户，经办人已作结论"),
    ):  # fmt: skip
        if may(by, act) and state in found:
            count, first = found[state]
            yield Todo(title, note, by.office_name, count, None, first, f"{reverse('recheck-list')}?state={state}")


def adjustments(asking: Asking) -> Iterator[Todo]:
    """Increases, decreases and stops that the place's own process has this post decide (伊春: the township)."""
    by, on = asking.by, asking.on
    if by.post != Post.TOWNSHIP_HEAD:
        return
    for total in total_proposals(ProposalFilter(prefix=by.prefix)):
        step = deciding_step(total.programme, by.division, on) if total.kind in ADJUSTED else None
        if step is not None and step.may(by.post, by.level):
            where = f"{reverse('proposals')}?programme={total.programme}&kind={total.kind}"
            yield Todo(
                f"决定{total.kind_label}", asking.name(total.programme), by.office_name, total.count, None, None, where
            )


def work(asking: Asking) -> Iterator[Todo]:
    """Refusals to judge, cuts to tell, answer, decide; cuts whose effect a later decision ended."""
    by = asking.by
    civil = programmes_seen(by)
    if civil is not None and "dibao-rural" not in civil:
        return
    if not any(may(by, act) for act in (judge_refusal, cuts.tell_cut, cuts.answer_objection, cuts.confirm_cut)):
        return
    found = queries.waiting_work(by.prefix)
    lines = (
        ("judge", judge_refusal, "评判拒绝就业的理由", f"{reverse('work-offers')}?standing=waiting"),
        ("tell", cuts.tell_cut, "告知拟减发本人份额", f"{reverse('work-cuts')}?state=proposed"),
        ("answer", cuts.answer_objection, "答复拒绝就业的申辩", f"{reverse('work-cuts')}?state=told"),
        ("decide", cuts.confirm_cut, "决定拒绝就业的减发", f"{reverse('work-cuts')}?state=told"),
    )
    for key, act, title, where in lines:
        if may(by, act) and found[key]:
            yield Todo(title, "件", by.office_name, found[key], None, None, where)
    if may(by, cuts.end_cut) and (over := cuts.lapsed(by.prefix, asking.on).count()):
        yield Todo(
            "减发已被后来的决定取代",
            "件，解除或重新提出",
            by.office_name,
            over,
            None,
            None,
            f"{reverse('work-cuts')}?state=confirmed",
        )


def deaths(asking: Asking) -> Iterator[Todo]:
    """Entitlements that go on after a death, until they are stopped; due with the month of the earliest death."""
    by, on = asking.by, asking.on
    if not may(by, propose_stop) or by.post == Post.REVIEWER:
        return
    found = count_still_drawn(by.prefix, on, programmes_seen(by))
    gone = {sort: told for sort, told in found.items() if sort != "member"}
    if gone:
        first = min(day for _, day in gone.values())
        last = date.fromordinal(add_months(month_start(first), 1).toordinal() - 1)
        count = sum(number for number, _ in gone.values())
        yield Todo("死亡后仍未停发", "项待遇", by.office_name, count, None, last, reverse("still-drawn"))
    if "member" in found:
        count, first = found["member"]
        within = settings_of(by.division, on).death
        last = add_months(first, within) if within else None
        where = f"{reverse('still-drawn')}?sort=member"
        yield Todo("成员去世后调整待遇", "户，等审批", by.office_name, count, None, last, where)


def complaints(asking: Asking) -> Iterator[Todo]:
    """Appeals to accept, to answer, to correct, to bring to who appealed."""
    by = asking.by
    if not (may(by, filing.accept_appeal) or may(by, ruling.tell_ruling)):
        return
    found = appeals.waiting(by.prefix, programmes_seen(by))
    for state, act, title, note in (
        ("filed", filing.accept_appeal, "受理申诉", "件"), ("accepted", ruling.rule_appeal, "答复申诉", "件，办理中"),
        ("upheld", ruling.correct_appeal, "纠正成立的申诉", "件，另作决定"), ("partly", ruling.correct_appeal, "纠正成立的申诉", "件，部分成立"),
    ):  # fmt: skip
        if may(by, act) and state in found:
            count, first = found[state]
            url = f"{reverse('appeals')}?state={'live' if state in ('filed', 'accepted') else 'correct'}"
            yield Todo(title, note, by.office_name, count, None, first if first and first < FAR else None, url)
    if by.post == Post.CLERK and (untold := appeals.count_untold(by.prefix)):
        yield Todo("送交申诉答复书", "件", by.office_name, untold, None, None, f"{reverse('appeals')}?state=")


def rules(asking: Asking) -> Iterator[Todo]:
    """Numbers of the county that wait for the second person."""
    by = asking.by
    civil = programmes_seen(by)
    if may(by, settle_rule) and (civil is None or "dibao-rural" in civil) and (found := count_waiting_rules(by)):
        yield Todo("复核定期复核的规定", "条", by.office_name, found, None, None, reverse("recheck-rules"))
    if may(by, settle_terms):
        rows = AppealRule.objects.filter(division__in=chain(by.division), state=AppealRule.State.PROPOSED)
        for row in rows.exclude(proposed_by=by.appointment)[:3]:
            where = reverse("appeal-rule-settle", args=[row.pk])
            yield Todo("复核申诉期限", row.basis, by.office_name, 1, None, None, where)


FINDERS = (due, under_way, adjustments, work, deaths, complaints, rules)
