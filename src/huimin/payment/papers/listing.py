"""A roster as rows to print: lines in their order, under their village and group, with subtotals (PAY-01).

in    a roster, inside a transaction of who may read it
out   `Listing`: title, places, lines, sums, who signed what when. Amounts are whole 分
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any, NamedTuple

from huimin.audit.models import Event
from huimin.database.bulk import fetch, fetch_one
from huimin.database.context import scope_of
from huimin.database.personal import ID_NUMBER, plain
from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.errors import BadInput
from huimin.kernel.masking import mask_identity
from huimin.kernel.periods import Period
from huimin.organisation.acting import Actor, command, record_event, require_programme
from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.organisation.queries import business_date
from huimin.payment.commands.roster_digest import require_unchanged
from huimin.payment.commands.states import get_roster
from huimin.payment.models import Roster, RosterLine, RosterNotice
from huimin.policy.models import Programme

READERS = (
    Post.CLERK, Post.REVIEWER, Post.SETTLEMENT, Post.TOWNSHIP_HEAD, Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER,
    Post.FINANCE_OFFICER, Post.FINANCE_RELEASER, Post.ACCOUNTANT, Post.COUNTY_OFFICER, Post.SUPERVISOR,
)  # fmt: skip
_OF_ONE_PROGRAMME = (Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER)
LINES_MAX = 20_000
"""Of one paper or workbook: 700 pages."""


class TooLong(BadInput):
    """Nobody binds it: a roster of that size is printed village by village."""


class Line(NamedTuple):
    """One line as printed; the identity number is masked already, of the account there is only the tail."""

    line_no: int
    household_no: str
    name: str
    identity: str
    people: int
    quantity: str
    amount_fen: int
    account_tail: str
    state: str
    note: str
    place: str  # 12 digits of a village, 15 of a group

    @property
    def counts(self) -> bool:
        """Whether it is to be paid by this roster."""
        return self.state not in RosterLine.OUT

    @property
    def standing(self) -> str:
        label = RosterLine.State(self.state).label
        return f"{label}：{self.note}" if self.note else label


class Seat(NamedTuple):
    """A place for a signature: whose step, and who took it when; empty while nobody has."""

    title: str
    who: str = ""
    office: str = ""
    on: date | None = None


@dataclass(frozen=True)
class Listing:
    """A roster, its lines and what they add up to."""

    roster: Roster
    programme: Programme
    place: str
    lines: list[Line]
    names: dict[str, str]
    seats: list[Seat]
    on: date
    village: str = ""
    sums: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def period(self) -> Period:
        return Period(self.roster.period_from, self.roster.period_until)

    @property
    def title(self) -> str:
        kind = "" if self.roster.kind == Roster.Kind.BASE else "（重发）"
        return f"{self.place}{self.names.get(self.village, '')}{self.programme.name}单项清册{kind}"

    @property
    def counted(self) -> tuple[int, int]:
        """(lines, 分) of what is listed here, whether it is to be paid or not: the roster, or the lines of its village."""
        if not self.village:
            return self.roster.lines_count, self.roster.amount_fen
        return len(self.lines), sum(line.amount_fen for line in self.lines)

    @property
    def payable(self) -> tuple[int, int]:
        """(lines, 分) of it that are to be paid."""
        paid = [line.amount_fen for line in self.lines if line.counts]
        return len(paid), sum(paid)

    @property
    def issuer(self) -> str:
        return self.seats[0].office

    @property
    def out(self) -> list[tuple[str, int, int]]:
        """(state, lines, 分) that stay on the list and are not paid by it."""
        found = [
            (state.label, [line.amount_fen for line in self.lines if line.state == state]) for state in RosterLine.OUT
        ]
        return [(label, len(fen), sum(fen)) for label, fen in found if fen]

    def villages(self) -> Iterator[tuple[str, list[Line]]]:
        for village, lines in groupby(self.lines, key=lambda line: line.place[:12]):
            yield village, list(lines)

    def name_of(self, code: str) -> str:
        return self.names.get(code, code)


@command(*READERS)
def gather_roster(*, by: Actor, roster_id: int, village: str = "") -> Listing:
    """Everything a roster's paper says, of all its lines or one village's; WrongState when it is not there, RosterChanged when its
    lines were altered, TooLong when nobody could bind it."""
    roster = get_roster(roster_id, *Roster.State.values, lock=False)
    programme = Programme.objects.get(code=roster.programme)
    if by.post in _OF_ONE_PROGRAMME:
        require_programme(by, programme.code, programme.name)
    require_unchanged(roster)
    on = business_date()
    low, high = scope_of(village or roster.division[:6])
    where = {"roster": roster.pk, "low": low, "high": high}
    [count] = fetch_one(_COUNT, where)
    if not count or count > LINES_MAX:
        raise TooLong(
            f"有 {count:,} 行，一份最多 {LINES_MAX:,} 行" if count else "这个村没有这份清册的行", where="清册",
            remedy="请在清册页面选一个村，打印本村的",
        )  # fmt: skip
    lines = [_line(row) for row in fetch(_LINES, where)]
    codes = {line.place for line in lines} | {line.place[:12] for line in lines}
    record_event(by, Event.Kind.EXPORTED, f"roster:{roster.pk}", {"rows": len(lines)})
    place = "".join(chain_names(roster.division, on)[2:])
    return Listing(roster, programme, place, lines, names_of(codes, on), _seats(roster), on, village)


def _line(row: tuple[Any, ...]) -> Line:
    number, household_no, name, identity, *rest = row
    return Line(number, household_no, name, mask_identity(plain(identity, ID_NUMBER)), *rest)


def _seats(roster: Roster) -> list[Seat]:
    origin = roster.origin or roster
    notice = RosterNotice.objects.filter(roster=origin).order_by("id").values_list("notice__published_by", flat=True)
    steps = (
        ("编制人", roster.compiled_by, roster.compiled_on),
        ("审核（公示）人", notice.first(), roster.published_on),
        ("乡镇负责人", roster.signed_by, roster.signed_on),
        ("县主管部门", roster.department_by, roster.department_on),
        ("县财政部门", roster.finance_by, roster.finance_on),
    )
    ids = [who for _, who, _ in steps if who]
    people = Appointment.objects.select_related("account", "office").in_bulk(ids)
    seats = []
    for title, who, on in steps:
        holder = people.get(who or 0)
        seats.append(Seat(title, holder.account.full_name, holder.office.name, on) if holder else Seat(title))
    return seats


# The identity number as it stands today: a line is frozen by ids, and names what it was compiled with.
_LINES = """
SELECT l.line_no, h.household_no, l.name, p.id_number_enc, l.people, l.quantity, l.amount_fen, c.account_tail, l.state,
       concat_ws('，', nullif(l.withheld_reason, ''),
                 CASE WHEN late.fen > 0 THEN '含补发' || to_char(late.fen / 100.0, 'FM999999990.00') END,
                 CASE WHEN l.arrears_fen > late.fen THEN '含前期未编入' || to_char((l.arrears_fen - late.fen) / 100.0, 'FM999999990.00') END,
                 CASE WHEN l.withheld_fen > 0 THEN '已抵扣' || to_char(l.withheld_fen / 100.0, 'FM999999990.00') END), l.group_code
FROM payment_rosterline l
JOIN registry_household h ON h.id = l.household_id
JOIN registry_person p ON p.id = l.payee_id
JOIN registry_card c ON c.id = l.card_id
LEFT JOIN LATERAL (SELECT coalesce(sum(d.amount_fen), 0)::bigint AS fen FROM payment_linedue x JOIN payment_due d ON d.id = x.due_id
                    WHERE x.line_id = l.id AND d.kind = 'arrears') late ON l.arrears_fen > 0
WHERE l.roster_id = %(roster)s AND l.division >= %(low)s AND l.division < %(high)s ORDER BY l.line_no
"""
_COUNT = """
SELECT coalesce(sum(t.lines), 0)::int FROM payment_rostertally t
WHERE t.roster_id = %(roster)s AND t.division >= %(low)s AND t.division < %(high)s
"""
