"""What a line of the desk is made of, for every module that finds some."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from huimin.divisions.queries import names_of
from huimin.organisation.acting import Actor

ROWS_MAX = 60
"""Lines a desk shows at most."""


@dataclass(frozen=True)
class Todo:
    """One matter. `count` is of households or people unless `note` says otherwise; `due` None has no deadline."""

    title: str
    note: str
    place: str
    count: int
    amount_fen: int | None
    due: date | None
    url: str


@dataclass(frozen=True)
class Asking:
    """Who asks what waits, when, with the names a line needs."""

    by: Actor
    on: date
    programmes: dict[str, str]

    def name(self, code: str) -> str:
        return self.programmes.get(code, code)

    def places(self, codes: set[str]) -> dict[str, str]:
        return names_of(codes, self.on)


Finder = Callable[[Asking], Iterator[Todo]]
"""Inside `reading(by)`: what waits for the one who asks, as lines."""
