"""A parameter at a place of one's own (所在地, 就业地): the minimum wage where one works.

in    the parameter's values by division, a column of division codes
out   for every row the nearest value above its place; or that there is none, which is unknown and no zero

Division codes are numbers here; the nation is 0, so that it lies above every place.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from huimin.kernel.places import chain
from huimin.rules.exact import Ints

_CUTS = (10**10, 10**8, 10**6, 10**3, 1)  # 2, 4, 6, 9 and 12 digits of a code of 12


@dataclass(frozen=True)
class Elsewhere:
    """`values[i]` is in force at `divisions[i]`, which rise. `everywhere`: set for one trial, at whatever place, once it is known."""

    divisions: tuple[int, ...]
    values: tuple[Fraction, ...]
    everywhere: Fraction | None = None

    @property
    def plain(self) -> list[object]:
        return [list(self.divisions), [str(value) for value in self.values], str(self.everywhere)]

    def at(self, place: str) -> Fraction | None:
        """The value at one place, None where none is set."""
        if self.everywhere is not None:
            return self.everywhere
        known = dict(zip(self.divisions, self.values, strict=True))
        return next((known[int(code)] for code in reversed(chain(place)) if int(code) in known), None)

    def rows(self, places: Ints) -> Ints:
        """Positions in `values` of the nearest place above each; -1 where none is set."""
        if self.everywhere is not None or not self.divisions:
            return np.full(len(places), -1)
        keys: NDArray[np.int64] = np.array(self.divisions, np.int64)
        village = np.where(places >= 10**12, places // 1000, places)
        found = _find(keys, np.zeros(len(places), np.int64))
        for cut in _CUTS:
            nearer = _find(keys, village // cut * cut)
            found = np.where(nearer >= 0, nearer, found)
        nearer = _find(keys, places)
        return np.where(nearer >= 0, nearer, found)


def _find(keys: Ints, wanted: Ints) -> Ints:
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, at, -1)
