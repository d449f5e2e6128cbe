"""People the loader must refuse: their identity numbers are wrong in the ways numbers are wrong (REG-04).

in    households, names
out   the table `rejects`, apart from the population, so that a load can show what it refuses and why

Always true: `kernel.identity.parse_identity` refuses every `id_number` here; `problem` says what was done to it.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from huimin.demo.population.chance import Chance, share_of
from huimin.demo.population.draft import Draft
from huimin.demo.population.naming import Names
from huimin.demo.population.numbers import identity_numbers
from huimin.demo.population.tables import Fault
from huimin.kernel.identity import check_digit

SHARE = 0.0004  # assumption, of people
BORN_DAYS = (-7_000, 18_000)  # 1950 to 2019: any adult or child, since 1970-01-01
AT_LEAST = 5  # one of each problem


def _wrong_last(number: str) -> str:
    return number[:17] + ("1" if number[17] == "0" else "0")


def _swapped(number: str) -> str:
    """Two neighbouring digits the wrong way round, the commonest slip of a typist."""
    at = next((place for place in range(12, 16) if number[place] != number[place + 1]), 12)
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    return swapped if check_digit(swapped[:17]) != swapped[17] else _wrong_last(number)


def _no_such_day(number: str) -> str:
    first17 = number[:10] + "0230" + number[14:17]
    return first17 + check_digit(first17)


def _one_short(number: str) -> str:
    return number[:13] + number[14:]


def _letter(number: str) -> str:
    return number[:8] + "O" + number[9:]


PROBLEMS: dict[str, Callable[[str], str]] = {
    "check_digit": _wrong_last,
    "swapped_digits": _swapped,
    "no_such_day": _no_such_day,
    "one_digit_short": _one_short,
    "letter_for_digit": _letter,
}


def rejects_table(draft: Draft, household_no: pa.Array, names: Names, chance: Chance) -> pa.Table:
    """Columns household, household_no, relation, name, id_number, problem."""
    rng = chance.stream("rejects")
    count = max(AT_LEAST, share_of(SHARE, len(draft.age)))
    household = rng.integers(0, len(draft.families.size), count)
    right = identity_numbers(rng.integers(*BORN_DAYS, count), rng.random(count) < 0.5)
    kinds = [list(PROBLEMS)[at % len(PROBLEMS)] for at in range(count)]
    numbers = [PROBLEMS[kind](bytes(row).decode()) for kind, row in zip(kinds, right, strict=True)]
    draft.note_fault(Fault("bad_identity", "证件号码有误，拒绝入库", "rejects", np.arange(count)))
    return pa.table(
        {
            "household": pa.array(household),
            "household_no": household_no.take(pa.array(household)),
            "relation": pa.array(["其他"] * count),
            "name": names.take(rng.integers(0, len(draft.age), count)).text(),
            "id_number": pa.array(numbers),
            "problem": pa.array(kinds),
        }
    )
