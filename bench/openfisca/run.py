"""Let OpenFisca-Core determine what lies in a folder; run by the Python of .venv-bench, which knows nothing of 惠民.

in    a folder with one .npy a column, offsets.npy and request.json {period, parameters, times}
out   eligible and amount of each programme as .npy there; on standard output, JSON of seconds and peak memory

Only the computing is timed: building the simulation and setting its inputs are not. A new simulation is made for each
repetition, because OpenFisca remembers what it has computed.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from openfisca_core.periods import ETERNITY
from openfisca_core.simulations import Simulation, SimulationBuilder
from system import INPUTS, PROGRAMMES, Household, build_system


def main(folder: Path) -> None:
    request = json.loads((folder / "request.json").read_text())
    seconds: dict[str, list[float]] = {code: [] for code in PROGRAMMES}
    for _ in range(request["times"]):
        for code, name in PROGRAMMES.items():
            simulation = _simulation(folder, request["parameters"])
            began = time.perf_counter()
            found = [simulation.calculate(f"{name}_{part}", request["period"]) for part in ("eligible", "amount")]
            seconds[code].append(time.perf_counter() - began)
            for part, column in zip(("eligible", "amount"), found, strict=True):
                np.save(folder / f"{code}.{part}.npy", column)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"seconds": {code: min(taken) for code, taken in seconds.items()}, "peak_memory_mb": peak}))


def _simulation(folder: Path, parameters: dict[str, int]) -> Simulation:
    system = build_system(parameters)
    offsets = np.load(folder / "offsets.npy")
    builder = SimulationBuilder()
    builder.populations = system.instantiate_entities()
    builder.declare_person_entity("person", range(int(offsets[-1])))
    households = builder.declare_entity("household", range(len(offsets) - 1))
    owners = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    builder.join_with_persons(households, owners, np.zeros(len(owners), np.int64))
    simulation = builder.build(system)
    for entity, inputs in INPUTS.items():
        prefix = "household" if entity is Household else "person"
        for name in inputs:
            simulation.set_input(name, ETERNITY, _column(folder / f"{prefix}.{name}.npy"))
    return simulation


def _column(path: Path) -> Any:
    column = np.load(path)
    assert column.dtype != np.int64 or int(np.abs(column).max(initial=0)) < 2**31, (
        f"{path.name} exceeds OpenFisca's int"
    )
    return column


if __name__ == "__main__":
    main(Path(sys.argv[1]))
