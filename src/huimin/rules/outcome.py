"""What a determination says of every row, in columns.

in    what the engine found
out   `Outcome`: by household, or by member for programmes about persons
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from huimin.rules.exact import Flags, Ints

Masks = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Results by row (household or member). Bit i of the masks is condition i, or facts_needed[i] in `missing_mask`.

    `eligible` 1 yes, 0 no, -1 unknown; `amount_fen` is 0 unless eligible; `missing_mask` is 0 unless unknown.
    `phase_out`: eligible only because 渐退 keeps it; the failed conditions stand in `failed_mask`.
    """

    eligible: NDArray[np.int8]
    amount_fen: Ints
    met_mask: Masks
    failed_mask: Masks
    unknown_mask: Masks
    missing_mask: Masks
    phase_out: Flags

    @classmethod
    def empty(cls, rows: int) -> "Outcome":
        met, failed, unknown, missing = (np.zeros(rows, np.uint64) for _ in range(4))
        eligible, amount_fen = np.zeros(rows, np.int8), np.zeros(rows, np.int64)
        return cls(eligible, amount_fen, met, failed, unknown, missing, np.zeros(rows, np.bool_))

    @classmethod
    def given(cls, eligible: Flags) -> "Outcome":
        """Who fits, as stated by a worked case; nothing more is known of them."""
        found = cls.empty(len(eligible))
        found.eligible[:] = eligible
        return found

    def cut(self, low: int, high: int) -> "Outcome":
        return Outcome(**{field.name: getattr(self, field.name)[low:high] for field in fields(self)})
