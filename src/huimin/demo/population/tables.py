"""What the generator hands over: a `Population` of Arrow tables, and its seeded faults (REG-01, REG-04).

Rows are referred to by position: `people.household` is a row of `households`, `households.head`, `cards.holder` and
`bank_accounts.card` are rows of `people`, `people` and `cards`.

Types: INT, MONEY (分) and AREA (hundredths of 亩) are int64, FLAG bool, DATE date32, CHOICE dictionary<int8, string>,
TEXT string. Null in a fact's column means "not asked", and every such null is counted in `faults`; the dates of events
(`migrant_since`, `death_date`, `moved_out_date`) are null also where there was no such event. A fact the sample
county did not survey is null for everybody.
"""

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa

from huimin.demo.population.chance import Ints


@dataclass(frozen=True)
class Fault:
    """One kind of fault of real life: where it is, and how the office calls it.

    `table` names the table `rows` belong to, in rising order. `others[i]`, where given, is the row that `rows[i]`
    clashes with: the first listing of one person, the first card on one account.
    """

    name: str
    label: str
    table: str
    rows: Ints
    others: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def count(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Population:
    """The sample county on one day. Columns are listed in the package's docstring."""

    people_count: int
    seed: int
    as_of: date
    groups: pa.Table
    households: pa.Table
    people: pa.Table
    cards: pa.Table
    bank_accounts: pa.Table
    rejects: pa.Table
    faults: dict[str, Fault]
