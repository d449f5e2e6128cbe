"""What dues and recoveries ask of a desk: recoveries to decide and to tell, receipts, write-offs and returns to confirm (PAY-06).

in    who asks and when (workbench.todo.Asking), inside `reading(by)`
out   lines of the desk; each post sees only what its own next step is
"""

from collections.abc import Iterator

from django.urls import reverse

from huimin.organisation.acting import may
from huimin.payment import commands, queries
from huimin.payment import recovery_queries as found
from huimin.payment.models import RecoveryReceipt, RecoveryWriteOff
from huimin.payment.recovery_rules import settle_share
from huimin.workbench.listing import programmes_seen
from huimin.workbench.todo_rows import Asking, Todo


def recoveries(asking: Asking) -> Iterator[Todo]:
    """To decide by the department, to tell by the township, to confirm by finance."""
    by = asking.by
    if may(by, commands.decide_recoveries):
        count, fen = found.count_waiting(by.prefix, programmes_seen(by), by.appointment)
        if count:
            yield Todo(
                "审定追缴", "户（人）多发", by.office_name, count, fen, None, f"{reverse('recoveries')}?state=proposed"
            )
    if may(by, commands.record_told):
        count, first = found.count_untold(by.prefix, programmes_seen(by))
        if count:
            yield Todo(
                "送达追缴通知书",
                "户（人）",
                by.office_name,
                count,
                None,
                first,
                f"{reverse('recoveries')}?state=decided",
            )
    if may(by, settle_share) and (
        waiting := [r for r in found.list_rules(by.prefix) if r.state == "proposed" and r.proposed_by != by.appointment]
    ):
        yield Todo("复核抵扣比例", "条", by.office_name, len(waiting), None, None, reverse("recovery-shares"))
    for act, model, title in (
        (commands.settle_receipt, RecoveryReceipt, "复核追缴交款"),
        (commands.settle_write_off, RecoveryWriteOff, "复核追缴核销"),
    ):
        if may(by, act) and (rows := found.list_waiting_by_two(by.prefix, model)):
            yield Todo(
                title,
                "笔",
                by.office_name,
                len(rows),
                sum(row.amount_fen for row in rows),
                rows[0].proposed_on,
                reverse("recovery-waiting"),
            )


def rebookings(asking: Asking) -> Iterator[Todo]:
    """Money that came back after it was paid, entered by finance."""
    by = asking.by
    if may(by, commands.settle_rebooking) and (count := queries.count_rebookings(by.prefix)):
        yield Todo(
            "复核重新入账",
            "笔，入账后又退回",
            by.office_name,
            count,
            None,
            asking.on,
            f"{reverse('exceptions')}?kind=reversed",
        )


FINDERS = (recoveries, rebookings)
