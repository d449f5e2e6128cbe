"""What a determination says of every row, in columns.

in    what the engine found
out   `Outcome`: by household, or by member for programmes about persons
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from huimin.rules.exact import Flags, Ints

Masks = NDArray[np.unsignedinteger]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Results by row (household or member). Bit i of the masks is condition i, or facts_needed[i] in `missing_mask`.

    `eligible` 1 yes, 0 no, -1 unknown; `amount_fen` is 0 unless eligible; `missing_mask` is 0 unless unknown.
    The masks of conditions are of the smallest unsigned type with a bit for each; `missing_mask` is uint64.
    `phase_out`: eligible only because 渐退 keeps it; the failed conditions stand in `failed_mask`.
    """

    eligible: NDArray[np.int8]
    amount_fen: Ints
    met_mask: Masks
    failed_mask: Masks
    unknown_mask: Masks
    missing_mask: NDArray[np.uint64]
    phase_out: Flags

    @classmethod
    def empty(cls, rows: int, conditions: int = 63) -> "Outcome":
        met, failed, unknown = (np.zeros(rows, np.min_scalar_type((1 << conditions) - 1)) for _ in range(3))
        eligible, amount_fen, missing = np.zeros(rows, np.int8), np.zeros(rows, np.int64), np.zeros(rows, np.uint64)
        return cls(eligible, amount_fen, met, failed, unknown, missing, np.zeros(rows, np.bool_))

    @classmethod
    def unwritten(cls, rows: int, conditions: int) -> "Outcome":
        """To be filled: eligible, amount, met and failed hold anything, the rest is zero, whose pages cost nothing until touched."""
        kind = np.min_scalar_type((1 << conditions) - 1)
        met, failed = np.empty(rows, kind), np.empty(rows, kind)
        eligible, amount_fen = np.empty(rows, np.int8), np.empty(rows, np.int64)
        unknown, missing = np.zeros(rows, kind), np.zeros(rows, np.uint64)
        return cls(eligible, amount_fen, met, failed, unknown, missing, np.zeros(rows, np.bool_))

    @classmethod
    def given(cls, eligible: Flags) -> "Outcome":
        """Who fits, as stated by a worked case; nothing more is known of them."""
        found = cls.empty(len(eligible))
        found.eligible[:] = eligible
        return found

    def cut(self, low: int, high: int) -> "Outcome":
        return self._each(slice(low, high))

    def take(self, rows: Ints) -> "Outcome":
        """These rows alone, copied."""
        return self._each(rows)

    def _each(self, rows: slice | Ints) -> "Outcome":
        return Outcome(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})
