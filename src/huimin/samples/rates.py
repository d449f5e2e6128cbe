"""How many are checked: what the process says, or the county's own higher rate with its paper (CASE-08).

in    a place, the programmes of a list, what their process demands
out   the percent and the basis that stand on the list
"""

from collections.abc import Iterable
from dataclasses import dataclass

from huimin.kernel.places import chain
from huimin.samples.models import SampleRate


@dataclass(frozen=True)
class Rate:
    percent: int
    basis: str


def rate_of(division: str, programmes: Iterable[str], demanded: Rate) -> Rate:
    """The higher of both; of a county's own the newest row of each programme, and of all programmes."""
    wanted = {"", *programmes}
    newest: dict[str, SampleRate] = {}
    for row in SampleRate.objects.filter(division__in=chain(division), programme__in=wanted).order_by("id"):
        newest[row.programme] = row
    own = max(newest.values(), default=None, key=lambda row: row.percent)
    return Rate(own.percent, own.basis) if own and own.percent > demanded.percent else demanded
