"""救助证: issued to who was confirmed, replaced when lost, taken back when the holding is over (CASE-11).

in    entitlements in force of the programmes a county publishes long-term; losses; what was taken back
out   certificates with a number of the township's book, printed as often as needed

Always true: a household (or person) has one valid certificate of a programme at most; it is issued only on an entitlement in
force, and is valid as long as the holding lasts, through increases and reductions; a lost one keeps its number, and what
replaces it names it; what has ended stays so. Law: S0 附件3 第31条 (发给有关证明); 伊民规〔2022〕2号 二(一)5 (发放救助保障证).

The number: nine digits of the township, four of the year, five of the book; so no two in a county are alike.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet

from huimin.casework.models import Entitlement
from huimin.casework.queries import live_on
from huimin.database.bulk import fetch, run, temporary
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.kernel.errors import BadInput, Refusal
from huimin.notices.rules import rule_of
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint
from huimin.organisation.posts import Post
from huimin.telling.models import Certificate
from huimin.telling.numbers import take_numbers

ISSUERS = (Post.CLERK, Post.DEPARTMENT_OFFICER)
HANDLERS = (Post.CLERK, Post.INFORMATION_OFFICER)
SERIES = "certificate"
AT_ONCE_MAX = 20_000
WITHDRAWN_MAX = 200
State = Certificate.State

refused_by_constraint("certificate_valid_once", AlreadyDone, "已有有效的证件", "丢了的先挂失")
refused_by_constraint("certificate_final", AlreadyDone, "证件已挂失或收回", "请刷新后查看")


class NoHolding(Refusal):
    """There is no entitlement in force that a certificate could show."""


# In force, and without a valid certificate of the same holding; a holding goes on through changes of the amount.
_WITHOUT = """
SELECT e.id, e.division, e.household_id, e.person_id, e.programme, e.people, coalesce(e.since, e.valid_from) AS since,
       coalesce(p.name, m.name, '户主') AS holder, left(e.division, 9) AS township
FROM casework_entitlement e
LEFT JOIN registry_person p ON p.id = e.person_id
LEFT JOIN LATERAL (
    SELECT x.name FROM registry_membership s JOIN registry_person x ON x.id = s.person_id
    WHERE e.person_id IS NULL AND s.household_id = e.household_id AND s.relation = '户主' AND s.recorded_to IS NULL
      AND s.valid_from <= %(on)s AND (s.valid_to IS NULL OR s.valid_to > %(on)s) ORDER BY s.id LIMIT 1) m ON true
WHERE e.programme = ANY (%(programmes)s) AND e.division >= %(low)s AND e.division < %(high)s
  AND e.valid_from <= %(on)s AND (e.valid_to IS NULL OR e.valid_to > %(on)s)
  AND (%(ids)s::bigint[] IS NULL OR e.id = ANY (%(ids)s))
  AND NOT EXISTS (SELECT 1 FROM telling_certificate c WHERE c.state = 'valid' AND c.household_id = e.household_id
                  AND c.programme = e.programme AND c.person_id IS NOT DISTINCT FROM e.person_id)
"""
_ISSUE = """
INSERT INTO telling_certificate (division, household_id, person_id, entitlement_id, programme, number, holder, people,
    valid_from, issued_on, issued_by, prints, state, reason)
SELECT w.division, w.household_id, w.person_id, w.id, w.programme,
       w.township || %(year)s || lpad((%(first)s - 1 + row_number() OVER (ORDER BY w.division, w.household_id, w.id))::text, 5, '0'),
       w.holder, w.people, w.since, %(on)s, %(by)s, 0, 'valid', ''
FROM without_certificate w WHERE w.township = %(township)s
"""


@command(*ISSUERS)
def issue_certificates(
    *, by: Actor, on: date, programmes: Collection[str] = (), entitlements: Sequence[int] | None = None
) -> int:
    """Certificates for everybody in the place of `by` who holds one of the programmes and has none (or for these
    entitlements only); how many. Again, it issues nothing."""
    allowed = [code for code in rule_of(by.division).programmes if not programmes or code in programmes]
    if by.post == Post.DEPARTMENT_OFFICER:
        allowed = [code for code in allowed if code in by.programmes]
    low, high = scope_of(by.prefix)
    asked = {"on": on, "programmes": allowed, "low": low, "high": high, "ids": entitlements}
    temporary("without_certificate", _WITHOUT, asked)
    counts = fetch("SELECT township, count(*)::int FROM without_certificate GROUP BY 1 ORDER BY 1")
    if sum(count for _, count in counts) > AT_ONCE_MAX:
        raise BadInput(f"超过 {AT_ONCE_MAX:,} 本", where="证件", remedy="请由乡镇分别办理")
    for township, count in counts:
        first = take_numbers(township.ljust(12, "0"), SERIES, on.year, count)
        told = {"first": first, "township": township, "year": str(on.year), "on": on, "by": by.appointment}
        run(_ISSUE, told)
    return sum(count for _, count in counts)


@command(*HANDLERS)
def replace_lost(*, by: Actor, on: date, certificate_id: int, reason: str) -> Certificate:
    """A certificate is lost: it is called off, and while the holding lasts a new one takes its place. The lost one again
    gives what replaced it."""
    row = _locked(certificate_id)
    if row.state == State.LOST and (made := Certificate.objects.filter(replaces=row).first()):
        return made
    _require_valid(row)
    if len(reason.strip()) < 2:
        raise BadInput("没有写怎么丢的", where="原因", remedy="如：本人遗失、被水损毁")
    held = _holding(row, on)
    if held is None:
        raise NoHolding("待遇已经停止，不补发证件", why="持有的待遇没有在享的", remedy="请登记收回")
    _end(by, on, row, State.LOST, reason)
    first = take_numbers(row.division[:9].ljust(12, "0"), SERIES, on.year, 1)
    return Certificate.objects.create(
        division=row.division, household=row.household, person=row.person, entitlement=held, programme=row.programme,
        number=f"{row.division[:9]}{on.year}{first:05d}", holder=row.holder, people=held.people, valid_from=row.valid_from,
        issued_on=on, issued_by=by.appointment, replaces=row,
    )  # fmt: skip


@command(*HANDLERS)
def withdraw_certificates(*, by: Actor, on: date, certificate_ids: Collection[int], reason: str) -> int:
    """Certificates were taken back; how many now. One whose holding lasts is not taken back by this."""
    ids = sorted(set(certificate_ids))
    if not 0 < len(ids) <= WITHDRAWN_MAX:
        raise BadInput("没有勾选，或一次太多", where="证件", remedy=f"请勾选 1 至 {WITHDRAWN_MAX} 本")
    if len(reason.strip()) < 2:
        raise BadInput("没有写收回的原因", where="原因", remedy="如：待遇已停发，本人交回；本人去世，家属交回")
    rows = list(Certificate.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk"))
    if len(rows) != len(ids):
        raise BadInput("有的证件不存在，或不在您的辖区内", where="证件", remedy="请刷新列表后再选")
    waiting = [row for row in rows if row.state == State.VALID]
    if still := next((row for row in waiting if _holding(row, on)), None):
        raise BadInput(f"{still.number} 的待遇还在享", where="证件", remedy="待遇停止后再收回；丢了的办挂失补发")
    for row in waiting:
        _end(by, on, row, State.WITHDRAWN, reason)
    return len(waiting)


def count_print(certificate_ids: Collection[int]) -> list[Certificate]:
    """The valid ones of these, each printed once more; a step of the command that makes the paper."""
    ids = sorted(set(certificate_ids))
    run("UPDATE telling_certificate SET prints = prints + 1 WHERE id = ANY (%s) AND state = 'valid'", [ids])
    rows = Certificate.objects.filter(pk__in=ids, state=State.VALID).select_related("household", "person")
    return list(rows.order_by("division", "id"))


def _locked(certificate_id: int) -> Certificate:
    row = (
        Certificate.objects.select_for_update(of=("self",))
        .select_related("household", "person")
        .filter(pk=certificate_id)
        .first()
    )
    if row is None:
        raise BadInput("没有这本证件", where="证件", why="不存在，或不在您的辖区内", remedy="请从证件列表进入")
    return row


def _require_valid(row: Certificate) -> None:
    if row.state != State.VALID:
        raise AlreadyDone(f"证件{row.get_state_display()}", why=f"{row.ended_on} 登记", remedy="请刷新后查看")


def _end(by: Actor, on: date, row: Certificate, state: str, reason: str) -> None:
    row.state, row.ended_on, row.ended_by, row.reason = state, on, by.appointment, reason.strip()[:120]
    row.save(update_fields=["state", "ended_on", "ended_by", "reason"])


def _holding(row: Certificate, on: date) -> Entitlement | None:
    held = Entitlement.objects.filter(
        live_on(on), household=row.household_id, person=row.person_id, programme=row.programme
    )
    return held.first()


# Reads.

STANDINGS = {"valid": "有效", "ended": "该收回的", "lost": "已挂失", "withdrawn": "已收回"}
_ENDED = """NOT EXISTS (SELECT 1 FROM casework_entitlement e WHERE e.household_id = telling_certificate.household_id
  AND e.programme = telling_certificate.programme AND e.person_id IS NOT DISTINCT FROM telling_certificate.person_id
  AND e.valid_from <= %s AND (e.valid_to IS NULL OR e.valid_to > %s))"""


@dataclass(frozen=True)
class CertificateFilter:
    """Which certificates: beneath `prefix`, of a standing (STANDINGS; "" for all) and programme."""

    prefix: str
    on: date
    standing: str = ""
    programme: str = ""
    programmes: tuple[str, ...] | None = None

    def rows(self) -> QuerySet[Certificate]:
        low, high = scope_of(self.prefix)
        rows = Certificate.objects.filter(division__gte=low, division__lt=high)
        rows = rows.filter(programme=self.programme) if self.programme else rows
        rows = rows.filter(programme__in=self.programmes) if self.programmes is not None else rows
        if self.standing == "ended":
            return rows.filter(state=State.VALID).extra(where=[_ENDED], params=[self.on, self.on])
        return rows.filter(state=self.standing) if self.standing else rows


def page_certificates(wanted: CertificateFilter, place: str = "", size: int = SIZE) -> Page[Certificate]:
    return cut(wanted.rows().select_related("household"), ("division", "id"), place, size)


def count_to_issue(prefix: str, on: date, programmes: tuple[str, ...]) -> int:
    """How many hold one of these programmes and have no valid certificate; one statement."""
    low, high = scope_of(prefix)
    asked: dict[str, Any] = {"on": on, "programmes": list(programmes), "low": low, "high": high, "ids": None}
    return int(fetch(f"SELECT count(*) FROM ({_WITHOUT}) w", asked)[0][0])  # noqa: S608  constant of this module


def count_to_withdraw(prefix: str, on: date) -> int:
    return CertificateFilter(prefix, on, "ended").rows().count()
