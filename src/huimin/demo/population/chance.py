"""Seeded chance for the generator: one independent stream per purpose, so that a change in one place moves no other.

in    the population's size and seed, and the name of what is drawn
out   NumPy generators and a few vectorised draws

Always true: the same (people, seed, purpose) gives the same draws on every machine (PCG64 seeded by integers).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Chance:
    """Where all draws of one population come from."""

    people: int
    seed: int

    def stream(self, purpose: str) -> np.random.Generator:
        """The generator for `purpose`, always at its start."""
        return np.random.default_rng([self.people, self.seed, crc32(purpose.encode())])


def happens(rng: np.random.Generator, probability: float | Floats, count: int) -> Bools:
    """For each of `count` rows, whether it happens."""
    return rng.random(count) < probability


def pick(rng: np.random.Generator, weights: Sequence[float] | Floats, count: int) -> Ints:
    """`count` indices into `weights`, each as likely as its weight."""
    bounds = np.cumsum(np.asarray(weights, np.float64))
    drawn = np.searchsorted(bounds, rng.random(count) * bounds[-1], side="right")
    inside: Ints = np.minimum(drawn, len(bounds) - 1)
    return inside


def between(rng: np.random.Generator, low: float | Floats, high: float | Floats, count: int) -> Floats:
    """Uniform in [low, high)."""
    return low + (np.asarray(high) - low) * rng.random(count)


def around(rng: np.random.Generator, median: float, sigma: float, count: int) -> Floats:
    """Log-normal with that median: many small, few large, as money and land are."""
    drawn: Floats = median * np.exp(sigma * rng.standard_normal(count))
    return drawn


def some(rng: np.random.Generator, candidates: Ints, wanted: int) -> Ints:
    """`wanted` of the candidates, or all there are, in rising order."""
    taken = rng.choice(candidates, min(wanted, len(candidates)), replace=False)
    return np.sort(taken).astype(np.int64)


def share_of(share: float, count: int) -> int:
    """How many rows a share of `count` is; a fault that exists shows at least once, however small the county."""
    return max(1, round(share * count))
