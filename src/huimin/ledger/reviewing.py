"""A second person reviews what was posted (审核): all of a month that agree with their business, and one by one (LED-02).

in    vouchers that nobody reviewed yet; what the rooms downstream say of their business (ledger.sources)
out   reviews, signed; the vouchers that were left out, each with its reason

Always true when a function of this module returns: nobody reviewed what he prepared (also by a trigger over the people,
not only their posts); a voucher is reviewed once; the set's signature is over ids, numbers and amounts of the set.
"""

from dataclasses import dataclass
from datetime import date

from huimin.database.bulk import run
from huimin.database.context import scope_of
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.ledger.models import Voucher, VoucherReview
from huimin.ledger.sources import checked
from huimin.organisation.acting import Actor, AlreadyDone, SamePerson, command, refused_by_constraint, require_another
from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign

AT_ONCE_MAX = 20_000
OWN = "您自己制单或办理的业务，须另一人审核"
REVERSED = "已被红字冲销，请逐张审核"


class NoSuchVoucher(Refusal):
    """No voucher of this number in the actor's place."""


refused_by_constraint("ledger_reviewed_by_another", SamePerson, "制单人不能审核自己的凭证", "请由另一人审核")
refused_by_constraint("ledger_voucherreview_voucher_id_key", AlreadyDone, "这张凭证已经审核", "请刷新后查看")


@dataclass(frozen=True)
class Reviewed:
    """How many were found in order, and what was left out: (voucher, why)."""

    count: int
    left: list[tuple[Voucher, str]]


def unreviewed(prefix: str, month: date) -> list[Voucher]:
    """A month's vouchers of a place and all beneath it that nobody reviewed, by place and number; one query, bounded."""
    first, last = scope_of(prefix)
    rows = Voucher.objects.filter(division__gte=first, division__lt=last, month=month, review=None)
    return list(rows.order_by("division", "word", "number")[:AT_ONCE_MAX])


def verdicts(by: Actor, vouchers: list[Voucher]) -> dict[int, str]:
    """Voucher id -> "" where `by` may review it with the others, else why it stands apart. Four queries and the rooms' own."""
    own = set(Appointment.objects.filter(account=by.account).values_list("pk", flat=True)) | {by.appointment}
    ids = [each.pk for each in vouchers]
    reversed_ = set(Voucher.objects.filter(reverses__in=ids).values_list("reverses", flat=True))
    told = checked(each for each in vouchers if each.pk not in reversed_ and each.manual_id is None)
    found = {
        each.pk: REVERSED if each.pk in reversed_ else told.get(each.pk, "由人制单，请逐张审核") for each in vouchers
    }
    return found | {each.pk: OWN for each in vouchers if each.posted_by in own}


@command(Post.ACCOUNTANT, Post.FINANCE_OFFICER)
def review_month(*, by: Actor, on: date, prefix: str, month: date) -> Reviewed:
    """Review every voucher of the month that agrees with its business; the rest is left, each with its reason.

    Again reviews what has come since. Some ten queries, whatever the number.
    """
    prefix = prefix if prefix.startswith(by.prefix) else by.prefix
    waiting = unreviewed(prefix, month)
    told = verdicts(by, waiting)
    agreed = [each for each in waiting if not told[each.pk]]
    if agreed:
        content = [[each.pk, each.word, each.number, each.amount_fen] for each in agreed]
        signature = sign(
            by=by, on=on, act="审核凭证", subject=f"vouchers:{month:%Y-%m}", content_digest=digest(content)
        )
        run(
            "INSERT INTO ledger_voucherreview (voucher_id, division, matched, note, reviewed_by, reviewed_on, signature_id)"
            " SELECT v.id, v.division, true, '', %s, %s, %s FROM ledger_voucher v WHERE v.id = ANY(%s) ORDER BY v.id"
            " ON CONFLICT (voucher_id) DO NOTHING",
            [by.appointment, on, signature.pk, [each.pk for each in agreed]],
        )
    return Reviewed(len(agreed), [(each, told[each.pk]) for each in waiting if told[each.pk]])


@command(Post.ACCOUNTANT, Post.FINANCE_OFFICER)
def review_voucher(*, by: Actor, on: date, voucher_id: int, note: str) -> VoucherReview:
    """Review one voucher that was looked at by itself; the note says on what. NoSuchVoucher, SamePerson, AlreadyDone."""
    voucher = Voucher.objects.filter(pk=voucher_id).first()
    if voucher is None:
        raise NoSuchVoucher("没有这张凭证，或它不在您的辖区内", remedy="请从序时账进入")
    require_another(by, voucher.posted_by, "制单或办理业务")
    note = " ".join(note.split())
    if not 2 <= len(note) <= 200:
        raise BadInput("没有写明看了什么", where="审核意见", remedy="如：与银行回单、批次核对一致")
    if VoucherReview.objects.filter(voucher=voucher).exists():
        raise AlreadyDone("这张凭证已经审核", remedy="请刷新后查看")
    return add_review(by, on, voucher, note)


def add_review(by: Actor, on: date, voucher: Voucher, note: str) -> VoucherReview:
    """One review with its signature; inside a command that has checked who `by` is."""
    signature = sign(
        by=by, on=on, act="审核凭证", subject=f"voucher:{voucher.pk}", division=voucher.division,
        content_digest=digest([voucher.pk, voucher.word, voucher.number, voucher.amount_fen]),
    )  # fmt: skip
    return VoucherReview.objects.create(
        voucher=voucher, division=voucher.division, matched=False, note=note, reviewed_by=by.appointment,
        reviewed_on=on, signature=signature,
    )  # fmt: skip
