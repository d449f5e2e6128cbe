"""All process files of a place's chain together: read, checked, and asked which process a programme follows (CASE-04).

in    texts by path; or a folder `policy/` whose `processes/` files are read
out   a `ProcessBook`, or PolicyFaults with everything that is wrong

The nearest place's rule wins, the newest in force there; at one place a rule for the programme goes before one for 全部.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from huimin.kernel.errors import BadInput
from huimin.kernel.places import chain
from huimin.processes.checking import check_process, check_together
from huimin.processes.language import ALL, FileReader, Process, Rule
from huimin.rules.faults import Fault, FaultFound, PolicyFaults, nearest
from huimin.rules.reading import decoded, is_process
from huimin.rules.yaml_text import read_yaml


@dataclass(frozen=True)
class ProcessBook:
    processes: tuple[Process, ...]
    rules: tuple[Rule, ...]

    def process(self, code: str) -> Process:
        """BadInput with the nearest code when there is none."""
        found = next((each for each in self.processes if each.code == code), None)
        if found is None:
            codes = [each.code for each in self.processes]
            remedy = nearest(code, codes) or f"流程有：{'、'.join(codes)}"
            raise BadInput(f"没有“{code}”这个流程", where="流程", remedy=remedy)
        return found

    def rule(self, programme: str, division: str, on: date, *, proposals: bool = False) -> Rule | None:
        """The rule that tells what applications (or the system's proposals) of a programme follow there on that day."""
        for place in reversed(chain(division)):
            there = [
                rule
                for rule in self.rules
                if rule.division == place
                and rule.programme in (programme, ALL)
                and rule.valid_from <= on
                and (rule.proposals if proposals else rule.application)
            ]
            if there:
                return max(there, key=lambda rule: (rule.programme == programme, rule.valid_from))
        return None

    def used_by(self, code: str) -> list[Rule]:
        return [rule for rule in self.rules if code in (rule.application, rule.proposals)]


def read_process_folder(folder: Path) -> dict[str, str]:
    """Path → text of every process file below `folder`. Raises PolicyFaults or BadInput."""
    if not folder.is_dir():
        raise BadInput(f"没有政策文件夹 {folder}", where=str(folder), remedy="请用 --folder 指明政策文件夹")
    paths = [path for path in sorted(folder.rglob("*.yaml")) if is_process(path.relative_to(folder).as_posix())]
    return {path.relative_to(folder).as_posix(): decoded(path, path.name) for path in paths}


def read_processes(texts: Mapping[str, str], programmes: Iterable[str] = ()) -> ProcessBook:
    """Raises PolicyFaults, which lists everything wrong in all files."""
    return _read(tuple(sorted(texts.items())), tuple(sorted(programmes)))


@lru_cache(maxsize=32)
def _read(texts: tuple[tuple[str, str], ...], programmes: tuple[str, ...]) -> ProcessBook:
    faults: list[Fault] = []
    processes: list[Process] = []
    rules: list[Rule] = []
    for name, text in texts:
        try:
            reader = FileReader(read_yaml(text, name))
        except (FaultFound, PolicyFaults) as found:
            faults += [found.fault] if isinstance(found, FaultFound) else found.faults
            continue
        process = reader.read()
        faults += [found.fault for found in reader.faults]
        rules += reader.rules
        if process:
            processes.append(process)
            faults += check_process(process)
    broken = {fault.file for fault in faults}
    together = check_together(processes, rules, dict.fromkeys(programmes, ""))
    faults += [fault for fault in together if not broken or "这个流程" not in fault.what]
    if faults:
        raise PolicyFaults(faults)
    return ProcessBook(tuple(processes), tuple(rules))
