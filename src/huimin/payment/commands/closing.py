"""An exception a person looked into and settled with the bank: closed with what came of it, never dropped (PAY-05).

in    an open exception that nothing will close by itself
out   the same, closed, with who, when, and in what words

What a later answer, another account or a reissue closes is left to them. While a line still waits for the bank, what was
wrong about its row stays open too: the money has no result yet.
"""

from datetime import date

from huimin.kernel.errors import BadInput
from huimin.organisation.acting import Actor, AlreadyDone, command, require_place
from huimin.organisation.posts import Post
from huimin.payment.commands.states import WrongState
from huimin.payment.models import PaymentException, RosterLine

Kind = PaymentException.Kind
BY_HAND = (Kind.UNMATCHED, Kind.DUPLICATE, Kind.AMOUNT, Kind.LATE, Kind.REVERSED, Kind.CONFLICT)
"""Kinds a person closes."""
_WAITS = (RosterLine.State.SENT, RosterLine.State.UNKNOWN)


@command(Post.FINANCE_OFFICER)
def close_exception(*, by: Actor, on: date, number: int, resolution: str) -> PaymentException:
    """The officer writes what the bank said and what was done."""
    row = PaymentException.objects.select_for_update(of=("self",)).select_related("line").get(pk=number)
    require_place(by, row.division)
    if row.state != "open":
        raise AlreadyDone("这一笔已经处理", why=row.resolution, remedy="请刷新后查看")
    if row.kind not in BY_HAND:
        raise WrongState(
            f"“{row.get_kind_display()}”不用手工了结",
            why="账户更正、重发或银行的下一次回盘会了结它",
            remedy="请按“怎么办”一栏办理",
        )
    if row.line is not None and row.line.state in _WAITS and row.kind in (Kind.UNMATCHED, Kind.AMOUNT):
        raise WrongState("这一笔银行还没有结果", why="钱还在途", remedy="请银行更正后重报，收到后自动了结")
    if len(resolution.strip()) < 4:
        raise BadInput("没有写清怎么处理的", where="处理结果", remedy="请写明银行怎么答复、怎么办的")
    row.state, row.resolution, row.closed_by, row.closed_on = "closed", resolution.strip()[:200], by.appointment, on
    row.save(update_fields=["state", "resolution", "closed_by", "closed_on"])
    return row
