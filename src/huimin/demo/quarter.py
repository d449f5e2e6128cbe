"""The quarter, step by step: each step is run by the right post, through the rooms' commands only.

Steps are named by the state they leave the county in; tests use the same steps to build their stages.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Figures = dict[str, Any]


@dataclass(frozen=True)
class County:
    """What a demonstration is of: how many people, which seed, and the folder of its files."""

    people: int
    seed: int
    home: Path
    code: str = "341524000000"


@dataclass(frozen=True)
class Step:
    """One step: the state it leads to, its title for the table, and what does it."""

    name: str
    title: str
    run: Callable[[County], Figures]


STEPS: list[Step] = []
