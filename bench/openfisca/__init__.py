"""OpenFisca-Core on the same households and the same three programmes: a yardstick, and a second opinion.

in    a Table and a date
out   for each programme, twice: seconds of both engines, and the proof that they agree row by row

OpenFisca runs as a program of its own in .venv-bench (decision 0014); columns travel as .npy files. It knows no
"unknown". So the two are compared like for like, on columns in which nothing is missing; and once more on the columns as they
are. Where our engine has decided then, missing facts cannot matter, so there both must agree whatever stands in their
place; rows we call unknown are counted and left out.
"""

import json
import subprocess
import tempfile
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np

from bench.measuring import best_of
from huimin.kernel.errors import Refusal
from huimin.kernel.places import NATION
from huimin.rules import Column, Outcome, Programme, Table, evaluate, read_book
from huimin.rules.vocabulary import DEPARTURES

HERE = Path(__file__).parent
PYTHON = HERE.parents[1] / ".venv-bench" / "bin" / "python"
TIMES = 3
_NEVER = np.datetime64("9999-12-31")
_INSTEAD = {"migrant_since": 65_000, "hukou": 1}
"""For our engine what "never" and "not rural" are for OpenFisca: a day in 2147; 非农业."""
_DATES = ("migrant_since", "death_date", "moved_out_date")
# Our parameter → the name in system.py, and what one of its unit is there (分 for 元).
_PARAMETERS = {
    "低保标准": ("standard", 100), "人均金融资产上限": ("assets_cap", 100), "机动车价值上限": ("vehicle_cap", 100),
    "房产套数上限": ("houses_cap", 1), "大型农机具数上限": ("machines_cap", 1), "工商登记数上限": ("businesses_cap", 1),
    "每人年就业成本": ("work_cost_year", 100), "不计入的基础养老金": ("basic_pension", 100),
    "每亩补贴标准": ("grain_per_mu", 100), "后期扶持标准": ("migrant_year", 100), "扶持年限": ("support_years", 1),
}  # fmt: skip


class EnginesDisagree(Refusal):
    """The two engines came to different results: one of them, or the transcription, is wrong."""


@dataclass(frozen=True)
class Compared:
    """One programme on both engines. `unknown`: rows our engine leaves open, not compared. `complete`: nothing was missing."""

    programme: str
    complete: bool
    seconds: float
    openfisca_seconds: float
    eligible: int
    amount_fen: int
    unknown: int


def programmes(on: date) -> tuple[Programme, ...]:
    """The fixed texts beside this file, which system.py transcribes."""
    return read_book(HERE / "policy").programmes_in_force((NATION,), on)


def compare(table: Table, on: date) -> tuple[list[Compared], int]:
    """Both engines on all three programmes, and OpenFisca's peak memory in MB. Raises EnginesDisagree."""
    laws = programmes(on)
    with tempfile.TemporaryDirectory(prefix="huimin-bench-") as name:
        folder = Path(name)
        _write(folder, table)
        request = {"period": f"{on:%Y-%m}", "parameters": _parameters(laws), "times": TIMES}
        (folder / "request.json").write_text(json.dumps(request))
        command = [PYTHON, HERE / "run.py", folder]
        said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env={}).stdout)
        answers = _Answers(folder, said["seconds"])
        whole = completed(table)
        found = [_compared(law, each, on, answers, each is whole) for law in laws for each in (whole, table)]
    return found, said["peak_memory_mb"]


def completed(table: Table) -> Table:
    """The same households, what was not asked answered as OpenFisca takes it: nothing is missing."""
    return replace(
        table,
        households={code: _filled(code, column) for code, column in table.households.items()},
        members={code: _filled(code, column) for code, column in table.members.items()},
    )


def _filled(code: str, column: Column) -> Column:
    if code in DEPARTURES:
        return column
    instead = np.array(_INSTEAD.get(code, 0)).astype(column.values.dtype)
    return Column(np.where(column.known, column.values, instead), np.ones(len(column.known), np.bool_))


@dataclass(frozen=True)
class _Answers:
    """What OpenFisca left in the folder, and how long it took by programme."""

    folder: Path
    seconds: dict[str, float]


def _compared(law: Programme, table: Table, on: date, answers: _Answers, complete: bool) -> Compared:
    seconds, outcome = best_of(TIMES, lambda: evaluate(law, table, on))
    eligible, amount = (np.load(answers.folder / f"{law.code}.{part}.npy") for part in ("eligible", "amount"))
    decided = outcome.eligible >= 0
    _require_same(law.code, "符合与否", (outcome.eligible == 1)[decided], eligible[decided])
    _require_same(law.code, "金额", outcome.amount_fen[decided], amount[decided])
    theirs, left = answers.seconds[law.code], int((~decided).sum())
    return Compared(law.code, complete, seconds, theirs, *_totals(outcome), left)


def _totals(outcome: Outcome) -> tuple[int, int]:
    return int((outcome.eligible == 1).sum()), int(outcome.amount_fen.sum())


def _require_same(code: str, what: str, ours: np.ndarray, theirs: np.ndarray) -> None:
    differing = np.flatnonzero(ours != theirs)
    if len(differing):
        row = int(differing[0])
        raise EnginesDisagree(
            f"{code} 的{what}两个引擎不一致，共 {len(differing)} 行",
            why=f"例如一行本系统得 {ours[row]}，OpenFisca 得 {theirs[row]}",
        )


def _parameters(laws: tuple[Programme, ...]) -> dict[str, int]:
    found = {}
    for law in laws:
        for name, parameter in law.parameters.items():
            theirs, factor = _PARAMETERS[name]
            scaled = Fraction(parameter.value) * factor
            assert scaled.denominator == 1, f"{name} is not whole in 分"
            found[theirs] = int(scaled)
    return found


def _write(folder: Path, table: Table) -> None:
    """Every column as OpenFisca takes it; what was not asked as zero, no or never."""
    np.save(folder / "offsets.npy", table.offsets)
    for prefix, columns in (("household", table.households), ("person", table.members)):
        for code, column in columns.items():
            np.save(folder / f"{prefix}.{code}.npy", _plain(code, column))
    hukou = table.households["hukou"]
    np.save(folder / "household.rural.npy", hukou.known & (hukou.values == 0))


def _plain(code: str, column: Column) -> np.ndarray:
    if code in _DATES:
        return np.where(column.known, column.values.astype("datetime64[D]"), _NEVER)
    return np.where(column.known, column.values, np.zeros(1, column.values.dtype))
