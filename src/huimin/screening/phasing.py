"""For how many months a 渐退 is paid, of the rows that are in one (DET-06).

in    a programme, the table it was determined over, the outcomes it asked about, which rows
out   the number of months in all (月数, rounded down), None where the row is in no 渐退

The engine says who is in a 渐退 and with how much; the end is told here so that a confirmed one ends by itself.
"""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from math import floor
from typing import cast

import numpy as np
from numpy.typing import NDArray

from huimin.rules import Outcome, Programme, Table
from huimin.rules.engine import make_frame
from huimin.rules.exact import Num
from huimin.rules.judging import leveled
from huimin.rules.typed import Level


def phase_out_months(
    programme: Programme, table: Table, on: date, asked: Mapping[str, Outcome], rows: NDArray[np.int64],
    phased: NDArray[np.bool_],
) -> list[int | None]:  # fmt: skip
    """One element for each of `rows`; `phased` says which of them are in a 渐退."""
    rule = programme.structure.phase_out
    if rule is None or not bool(phased.any()):
        return [None] * len(rows)
    fits = {code: asked[code] for code in programme.structure.fits if code in asked}
    level = Level.MEMBER if programme.unit == "person" else Level.HOUSEHOLD
    months = cast(Num, leveled(rule.months, make_frame(programme, table, on, fits), level))
    return [_at(months, row) if inside else None for row, inside in zip(rows.tolist(), phased.tolist(), strict=True)]


def _at(number: Num, row: int) -> int:
    top = number.n if isinstance(number.n, int) else int(number.n[row])
    under = 1 if number.d is None else int(number.d[row])
    return floor(Fraction(top, under) * number.scale)
