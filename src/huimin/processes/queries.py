"""Processes in use, and which one a programme follows at a place; inside `reading(by)` or a command (CASE-04)."""

from datetime import date
from functools import lru_cache

from django.db.models import Q

from huimin.kernel.errors import Refusal
from huimin.kernel.places import chain
from huimin.processes.book import read_processes
from huimin.processes.language import ALL
from huimin.processes.language import Process as Way
from huimin.processes.models import Process, ProcessRule


class NoProcess(Refusal):
    """No rule says which process this follows here."""


@lru_cache(maxsize=128)
def _read(text: str) -> Way:
    [way] = read_processes({"processes/adopted.yaml": text}).processes
    return way


def way_of(row: Process) -> Way:
    """The steps of a version, as its text says."""
    return _read(row.text)


def list_processes() -> list[Process]:
    """All in use that the reader sees, the nation's first."""
    return list(Process.objects.filter(superseded_at=None).order_by("division", "code")[:200])


def get_process(number: int) -> Process:
    """Any version, in use or past; DoesNotExist."""
    return Process.objects.get(pk=number)


def list_rules(code: str = "") -> list[ProcessRule]:
    """Rules in use, of one process when `code` is given."""
    rows = ProcessRule.objects.filter(superseded_at=None).order_by("division", "programme", "valid_from")
    return list(rows.filter(Q(application=code) | Q(proposals=code)) if code else rows)


def find_rule(programme: str, division: str, on: date, *, proposals: bool = False) -> ProcessRule | None:
    """The nearest place's rule, newest in force there; one for the programme goes before one for all. One query."""
    kind = "proposals" if proposals else "application"
    rows = ProcessRule.objects.filter(
        superseded_at=None, programme__in=(programme, ALL), division__in=chain(division), valid_from__lte=on
    ).exclude(**{kind: ""})
    order = {code: n for n, code in enumerate(chain(division))}
    return max(rows, key=lambda row: (order[row.division], row.programme == programme, row.valid_from), default=None)


def process_for(programme: str, division: str, on: date, *, proposals: bool = False) -> Process:
    """What an application (or a proposal of the system) of a programme follows there on that day. NoProcess."""
    rule = find_rule(programme, division, on, proposals=proposals)
    code = (rule.proposals if proposals else rule.application) if rule else ""
    found = Process.objects.filter(code=code, superseded_at=None).first() if code else None
    if found is None:
        raise NoProcess(
            "这个项目在本地还没有规定走哪个流程",
            why="没有适用的流程",
            remedy="请惠民办在政策文件夹的 processes 里写明适用",
        )
    return found
