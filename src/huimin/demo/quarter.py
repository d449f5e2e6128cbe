"""The quarter, step by step: each step is run by the right post, through the rooms' commands only.

Steps are named by the state they leave the county in; tests use the same steps to build their stages.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
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


def _late(module: str, name: str) -> Callable[[County], Figures]:
    """The step's function, imported when it runs: step modules import `County` from here."""

    def run(county: County) -> Figures:
        figures: Figures = getattr(import_module(f"huimin.demo.{module}"), name)(county)
        return figures

    return run


STEPS: list[Step] = [
    Step("organised", "区划、机构、岗位", _late("organise", "organise")),
    Step("registered", "户、人、卡入库", _late("register", "register")),
]
