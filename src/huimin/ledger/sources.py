"""What a voucher rests on, as a slot that rooms downstream fill: their papers, and whether it agrees with them (LED-01).

A room that posts vouchers with subjects `kind:number` registers, once, when its app is ready:

    keeps("batch", check, papers)

`check(vouchers)` answers for many at once, with one or a few queries: voucher id -> "" where its amount is what the
business says, else in words what differs. `papers(vouchers)` names the documents behind each, for the list of attachments and the
auditor's way on. Always true: a voucher of a kind that nobody keeps never agrees by itself; a person looks at it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from huimin.ledger.models import Voucher


@dataclass(frozen=True)
class Paper:
    """A business document: what it is called, its number as people know it, and the route and key of its page."""

    title: str
    number: str
    route: str = ""
    key: int | str = ""


Check = Callable[[Sequence[Voucher]], dict[int, str]]
Papers = Callable[[Sequence[Voucher]], dict[int, list[Paper]]]


@dataclass(frozen=True)
class Source:
    check: Check
    papers: Papers


_SOURCES: dict[str, Source] = {}
NOBODY = "没有可以核对的业务单据，请逐张审核"


def keeps(kind: str, check: Check, papers: Papers) -> None:
    """Register who keeps the business of subjects `kind:…`; a later registration takes the place of an earlier one."""
    assert kind.isidentifier()
    _SOURCES[kind] = Source(check, papers)


def kind_of(subject: str) -> str:
    return subject.partition(":")[0]


def number_of(subject: str) -> int:
    """The row a subject names first (`statement:5:12` is of statement 5); 0 where it names none."""
    rest = [*subject.split(":"), ""][1]
    return int(rest) if rest.isascii() and rest.isdigit() and len(rest) < 19 else 0


def checked(vouchers: Iterable[Voucher]) -> dict[int, str]:
    """Voucher id -> "" where it agrees with its business, else what is to be looked at."""
    found: dict[int, str] = {}
    for source, those in _by_source(vouchers):
        told = source.check(those) if source else {}
        found |= {each.pk: told.get(each.pk, NOBODY) for each in those}
    return found


def papers_of(vouchers: Iterable[Voucher]) -> dict[int, list[Paper]]:
    """Voucher id -> the business documents behind it."""
    found: dict[int, list[Paper]] = {}
    for source, those in _by_source(vouchers):
        if source:
            found |= source.papers(those)
    return found


def _by_source(vouchers: Iterable[Voucher]) -> list[tuple[Source | None, list[Voucher]]]:
    kinds: dict[str, list[Voucher]] = defaultdict(list)
    for each in vouchers:
        kinds[kind_of(each.subject)].append(each)
    return [(_SOURCES.get(kind), those) for kind, those in kinds.items()]
