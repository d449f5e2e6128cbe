"""Making two records of one again: what the merge changed is played back, by two people (REG-04, SEC-02).

    confirmed ──propose_separation──► splitting ──confirm_separation (another person)──► separated
        ▲──────────keep_merged (another person)───┘

Always true: both records have what each had before, save what changed since, which stays and is told; what came after
stays with the survivor unless it was assigned to the other; overpaid dues listed by the merge are void.
"""

from collections.abc import Sequence
from datetime import date

from django.db.models import Q

from huimin.duplicates import tracing
from huimin.duplicates.commands import JUDGES
from huimin.duplicates.entitling import lines_in_flight
from huimin.duplicates.merging import CONFIRMERS, StillHindered, exchange_back, locked_merge, require_unrelated
from huimin.duplicates.models import Merge, Trace
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import Actor, command, require_another
from huimin.organisation.signing import sign
from huimin.registry.models import Person

State = Merge.State


@command(*JUDGES)
def propose_separation(*, by: Actor, on: date, merge: int, reason: str, assigned: Sequence[str] = ()) -> Merge:
    """Propose it, with what came after and is to go to the separated record; nothing changes yet."""
    row = locked_merge(by, merge, State.CONFIRMED)
    require_unrelated(by, on, row.survivor, row.absorbed)
    if len(reason.strip()) < 2:
        raise BadInput("没有写明为什么不是同一人", where="理由", remedy="请写明核实的证件和经过")
    unknown = set(assigned) - {each.key for each in tracing.later_of(row)}
    if unknown:
        raise BadInput("所选的不是并档以后的事项", where="归分出的档案", remedy="请刷新后重新选择")
    row.state, row.split_reason, row.assigned = State.SPLITTING, reason.strip()[:200], sorted(assigned)
    row.split_by, row.split_on = by.appointment, on
    row.save(update_fields=["state", "split_reason", "assigned", "split_by", "split_on"])
    return row


@command(*CONFIRMERS)
def keep_merged(*, by: Actor, on: date, merge: int) -> Merge:
    """They are one person after all: the proposed separation is dropped."""
    row = locked_merge(by, merge, State.SPLITTING)
    require_another(by, row.split_by, "提出拆分")
    row.state, row.assigned = State.CONFIRMED, []
    row.save(update_fields=["state", "assigned"])
    return row


@command(*CONFIRMERS)
def confirm_separation(*, by: Actor, on: date, merge: int) -> Merge:
    """Another person confirms; `kept` tells what stays because it changed since."""
    row = locked_merge(by, merge, State.SPLITTING)
    require_another(by, row.split_by, "提出拆分")
    require_unrelated(by, on, row.survivor, row.absorbed)
    list(Person.objects.select_for_update().filter(pk__in=[row.survivor_id, row.absorbed_id]).order_by("pk"))
    _require_no_money_on_its_way(row)
    later = {each.key for each in tracing.later_of(row)}
    exchange_back(row)
    kept = tracing.put_back(row)
    kept += tracing.assign(by, on, row, [key for key in row.assigned if key in later], f"拆分 {row.pk}")
    row.overpaid.update(void=True)
    content = {"merge": row.pk, "reason": row.split_reason, "kept": kept, "assigned": row.assigned}
    row.split_signature = sign(
        by=by, on=on, act="确认拆分", subject=f"merge:{row.pk}", content_digest=digest(content), division=row.division
    )
    row.state, row.kept, row.separated_on, row.split_decided_by = State.SEPARATED, kept, on, by.appointment
    row.save(update_fields=["state", "kept", "separated_on", "split_decided_by", "split_signature"])
    return row


def _require_no_money_on_its_way(row: Merge) -> None:
    """Lines that rest on an entitlement or account which goes back."""
    moved = {
        table: [int(key) for key in Trace.objects.filter(merge=row, table_name=table).values_list("row_key", flat=True)]
        for table in ("registry_card", "casework_entitlement")
    }
    own = Q(card__in=moved["registry_card"]) | Q(entitlement__in=moved["casework_entitlement"])
    if lines_in_flight(own):
        raise StillHindered(
            "还有没办结的发放", why="涉及要还给另一份档案的账户或待遇", remedy="请等这一期发放（重发）办结后再拆"
        )
