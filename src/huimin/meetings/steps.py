"""Which steps of which versions of processes demand 民主评议, and whether a case stands at one of them."""

from huimin.cases.models import Case
from huimin.cases.queries import processes_in_use
from huimin.processes.language import Step
from huimin.processes.models import Process
from huimin.processes.queries import way_of

KIND = "民主评议"


def demanding() -> dict[tuple[int, str], Step]:
    """(process, step) → step, of versions in use and past ones that live cases may still follow."""
    return {
        (number, step.key): step
        for number, row in processes_in_use().items()
        if row.subject == Process.Subject.HOUSEHOLD
        for step in way_of(row).steps
        if any(demand.kind == KIND for demand in step.demands)
    }


def stands_for_review(case: Case, steps: dict[tuple[int, str], Step]) -> bool:
    """Under way, of a household, and at a step that demands a meeting."""
    return case.state == Case.State.OPEN and case.household_id is not None and (case.process_id, case.step) in steps
