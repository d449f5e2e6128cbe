"""Processes come into use with the policies they serve, in one transaction (CASE-04, POL-01).

in    the texts that `adopt_policies` stores, and the programme codes of the book
out   `Process` and `ProcessRule` rows, one live per code; what is faulty refuses the whole adoption

A changed file is a new version; the same texts again change nothing. Runs on the maintenance connection, where the
adoption of policies runs (upper levels lie above a county's scope), with its actor declared there.
"""

import hashlib
from datetime import date
from typing import Any

from django.utils import timezone

from huimin.organisation.acting import Actor
from huimin.processes.book import read_processes
from huimin.processes.language import END, Process, Rule, Step
from huimin.processes.models import Process as Row
from huimin.processes.models import ProcessRule
from huimin.rules.reading import is_process

_DB = "maintenance"


def adopt(by: Actor, on: date, texts: dict[str, str], codes: tuple[str, ...]) -> None:
    """Called by `adopt_policies`, inside its transaction. Raises PolicyFaults."""
    book = read_processes({path: text for path, text in texts.items() if is_process(path)}, codes)
    rows = [_row(process, texts[process.at.file], by, on) for process in book.processes]
    live = {row.code: row for row in Row.objects.using(_DB).filter(superseded_at=None)}
    wanted = {row.code: row for row in rows}
    ended = [row.pk for code, row in live.items() if code not in wanted or wanted[code].sha256 != row.sha256]
    Row.objects.using(_DB).filter(pk__in=ended).update(superseded_at=timezone.now())
    Row.objects.using(_DB).bulk_create(
        row for code, row in wanted.items() if code not in live or live[code].pk in ended
    )
    _keep_rules(book.rules, by)


def _keep_rules(rules: tuple[Rule, ...], by: Actor) -> None:
    """End what is not written any more, add what is new."""
    live = {_told(row): row.pk for row in ProcessRule.objects.using(_DB).filter(superseded_at=None)}
    wanted = {
        (each.programme, each.division, each.application, each.proposals, each.valid_from, each.basis[:200])
        for each in rules
    }
    gone = [number for told, number in live.items() if told not in wanted]
    ProcessRule.objects.using(_DB).filter(pk__in=gone).update(superseded_at=timezone.now())
    ProcessRule.objects.using(_DB).bulk_create(
        ProcessRule(
            programme=programme, division=division, application=application, proposals=proposals, valid_from=since,
            basis=basis, adopted_by=by.appointment,
        )
        for programme, division, application, proposals, since, basis in sorted(wanted - live.keys())
    )  # fmt: skip


def _told(row: ProcessRule) -> tuple[Any, ...]:
    return (row.programme, row.division, row.application, row.proposals, row.valid_from, row.basis)


def _row(process: Process, text: str, by: Actor, on: date) -> Row:
    return Row(
        code=process.code, division=process.division, name=process.name, subject=process.subject,
        valid_from=process.valid_from, basis=process.basis[:200], text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(), steps=[_step(step) for step in process.steps],
        demanded=list(process.demanded), edges=edges_of(process), adopted_by=by.appointment, adopted_on=on,
    )  # fmt: skip


def _step(step: Step) -> dict[str, Any]:
    """What the database holds a case to: who, what, not by whom."""
    return {
        "key": step.key, "name": step.name, "posts": sorted(step.posts),
        "demands": sorted({demand.kind for demand in step.demands}), "another": list(step.another),
        "decides": step.decides,
    }  # fmt: skip


def edges_of(process: Process) -> list[str]:
    """Every transition that may happen."""
    found: list[str] = []
    for step in process.steps:
        found.append(f"passed:{step.key}>{'' if step.next == END else step.next}")
        back = dict.fromkeys([*step.returns, *([step.objection] if step.objection else [])])
        found += [f"returned:{step.key}>{to}" for to in back]
        found += [f"refused:{step.key}>"] if step.refuses else []
    return found
