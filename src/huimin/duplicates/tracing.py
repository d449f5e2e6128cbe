"""Which rows a merge touched, as the change log told it, and how they are put back (REG-04, SEC-05).

in    the change log's records of one request since a mark
out   rows of Trace; later, the rows of the database as they were

The change log misses nothing, so neither do traces: they are a copy of its records, kept with the merge. Putting back:

    plain rows      a column goes back when it still says what the merge wrote; else somebody changed it since: it stays
    cards           likewise, and a copy keeps what was known in between, as of every change of a card
    bitemporal rows what the merge closed is known again, what it added is not, by new rows: the past is not rewritten
    names, numbers  exchanged back (merging.exchange_back): they are encrypted, no trace holds them

What came after a merge stays: facts (or memberships) of an owner that were revised since are left as they are.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import Max
from psycopg.types.json import Jsonb

from huimin.casework.models import CareAgreement, Entitlement
from huimin.database.bulk import fetch_one, run
from huimin.duplicates.models import Merge, Trace
from huimin.registry.commands.cards import supersede, supersede_to
from huimin.registry.models import Card, CardAuthority, Membership, PersonFacts, WorkItem

BITEMPORAL = {model._meta.db_table: model for model in (Membership, PersonFacts)}
PLAIN = (
    "registry_person", "registry_household", "registry_cardauthority", "registry_cardhandover", "registry_workitem",
    "registry_attachment", "screening_proposal", "casework_entitlement", "casework_careagreement", "payment_due",
    "fieldwork_signal", "fieldwork_lowincome", "duplicates_pair", *BITEMPORAL,
)  # fmt: skip
_CARD = Card._meta.db_table
_SKIPPED = {"recorded_from", "recorded_to"}
_OF_PERSON = {"closed_on", "merged_into_id", "division"}
LATER = {
    "card": (Card, "holder", "账户"),
    "entitlement": (Entitlement, "person", "待遇"),
    "authority": (CardAuthority, "beneficiary", "授权"),
    "agreement": (CareAgreement, "person", "照料协议"),
    "item": (WorkItem, "person", "待核实事项"),
}
"""What may come after a merge and be assigned at a separation: model, whose, word."""

_KEEP = """
INSERT INTO duplicates_trace (merge_id, division, number, table_name, row_key, operation, before, after)
SELECT %(merge)s, %(division)s, row_number() OVER (ORDER BY id), table_name, row_key, operation, before, after
FROM audit_change WHERE id > %(mark)s AND request = %(request)s AND table_name = ANY (%(tables)s)
"""


def mark() -> int:
    """The newest record of the change log now."""
    return int(fetch_one("SELECT coalesce(max(id), 0) FROM audit_change")[0])


def keep(merge: Merge, since: int, request: str) -> int:
    """Copy the records of this request since the mark; how many."""
    tables = [*PLAIN, _CARD]
    values = {"merge": merge.pk, "division": merge.division, "mark": since, "request": request, "tables": tables}
    return run(_KEEP, values)


def newest(merge: Merge) -> dict[str, int]:
    """The highest row of each kind the survivor has: what is above came after."""
    return {
        name: model.objects.filter(**{owner: merge.survivor_id}).aggregate(top=Max("pk"))["top"] or 0
        for name, (model, owner, _) in LATER.items()
    }


@dataclass
class _Net:
    """What the merge did to the bitemporal rows of one table, in sum."""

    closed: set[int] = field(default_factory=set)
    added: set[int] = field(default_factory=set)


def put_back(merge: Merge) -> list[str]:
    """Undo what was traced; what stays because it changed since, in words. Inside a command that locked both people."""
    traces = list(Trace.objects.filter(merge=merge).order_by("-number"))
    people = [trace for trace in traces if trace.table_name == "registry_person"]  # a merged record may hold nothing
    kept = _put_back_plain(people) + _put_back_plain(trace for trace in traces if trace not in people)
    nets = _nets(traces)
    if _changed_since(Membership, nets["registry_membership"]):
        kept.append("合并后又变动过户籍，现在的户不变；分出的档案请另办迁入")
    else:
        _put_back_rows(Membership, nets["registry_membership"])
    for owner, net in _by_owner(nets["registry_personfacts"]).items():
        if _changed_since(PersonFacts, net):
            kept.append("合并后又登记过情况，保留的档案照现在的" if owner == merge.survivor_id else "情况照现在的")
        else:
            _put_back_rows(PersonFacts, net)
    return list(dict.fromkeys(kept))


def _put_back_plain(traces: Iterable[Trace]) -> list[str]:
    kept = []
    for trace in traces:
        if trace.operation != "U":
            continue
        wanted = _columns(trace)
        if not wanted:
            continue
        if trace.table_name == _CARD and set(wanted) - {"division"}:
            done = supersede_to(int(trace.row_key), *_sides(trace, wanted))
        else:
            done = _put_back_columns(trace, wanted)
        if not done:
            kept.append(f"{_WORDS.get(trace.table_name, trace.table_name)}在合并后又有变动，照现在的")
    return kept


_WORDS = {
    _CARD: "账户",
    "registry_household": "户",
    "registry_cardauthority": "授权",
    "registry_workitem": "待核实事项",
    "registry_attachment": "扫描件",
    "casework_entitlement": "待遇",
    "casework_careagreement": "照料协议",
    "payment_due": "应发",
    "screening_proposal": "建议",
    "fieldwork_signal": "预警",
    "fieldwork_lowincome": "低收入台账",
    "duplicates_pair": "查重结果",
}


def _columns(trace: Trace) -> list[str]:
    names = set(trace.after or {}) - _SKIPPED
    return sorted(names & _OF_PERSON if trace.table_name == "registry_person" else names)


def _sides(trace: Trace, names: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    before, after = trace.before or {}, trace.after or {}
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


def _put_back_columns(trace: Trace, names: list[str]) -> bool:
    """Whether the row still said what the merge wrote, and now says what it said before."""
    before, after = _sides(trace, names)
    table = _known_table(trace.table_name)
    put = ", ".join(f'"{name}" = was."{name}"' for name in names)
    model = apps.get_model(*table.split("_", 1))
    key = model._meta.pk.column
    return bool(
        run(
            f"UPDATE {table} t SET {put} FROM jsonb_populate_record(NULL::{table}, %(before)s) was"  # noqa: S608
            f" WHERE t.{key} = %(key)s AND to_jsonb(t) @> %(after)s",
            {"before": _json(before), "after": _json(after), "key": int(trace.row_key)},
        )
    )


def _known_table(name: str) -> str:
    assert name in PLAIN, "a table of ours"
    return name


def _json(value: dict[str, Any]) -> Any:
    return Jsonb(value)


def _nets(traces: Iterable[Trace]) -> dict[str, _Net]:
    nets = {table: _Net() for table in BITEMPORAL}
    ended: dict[str, set[int]] = {table: set() for table in BITEMPORAL}
    for trace in traces:
        if trace.table_name not in nets:
            continue
        if trace.operation == "I":
            nets[trace.table_name].added.add(int(trace.row_key))
        elif (trace.after or {}).get("recorded_to"):
            ended[trace.table_name].add(int(trace.row_key))
    for table, net in nets.items():
        net.closed, net.added = ended[table] - net.added, net.added - ended[table]
    return nets


def _by_owner(net: _Net) -> dict[int, _Net]:
    owners = dict(PersonFacts.objects.filter(pk__in=net.closed | net.added).values_list("pk", "person_id"))
    found: dict[int, _Net] = {}
    for name in ("closed", "added"):
        for row in getattr(net, name):
            getattr(found.setdefault(owners[row], _Net()), name).add(row)
    return found


def _changed_since(model: Any, net: _Net) -> bool:
    """Whether something the merge added is not known any more, or somebody added to it."""
    return bool(model.objects.filter(pk__in=net.added, recorded_to__isnull=False).exists())


def _put_back_rows(model: Any, net: _Net) -> None:
    table = model._meta.db_table
    names = ", ".join(
        each.column for each in model._meta.fields if each.attname not in ("id", "recorded_from", "recorded_to")
    )
    run(f"UPDATE {table} SET recorded_to = transaction_timestamp() WHERE id = ANY (%s)", [sorted(net.added)])  # noqa: S608
    run(
        f"INSERT INTO {table} ({names}) SELECT {names} FROM {table} WHERE id = ANY (%s) ORDER BY id",  # noqa: S608
        [sorted(net.closed)],
    )


@dataclass(frozen=True)
class Later:
    """One thing that came to the survivor after the merge; `key` names it in a form."""

    key: str
    label: str


def later_of(merge: Merge) -> list[Later]:
    """What came after a confirmed merge and may be given to the other record at a separation."""
    marks = merge.told.get("marks", {})
    found = []
    for name, (model, owner, word) in LATER.items():
        rows = model.objects.filter(**{owner: merge.survivor_id}, pk__gt=marks.get(name, 0))
        if model is Card:
            rows = rows.filter(recorded_to=None)
        found += [Later(f"{name}:{row.pk}", f"{word} {_naming(row)}") for row in rows.order_by("pk")[:50]]
    return found


def _naming(row: Any) -> str:
    if isinstance(row, Card):
        return f"尾号 {row.account_tail} {row.get_state_display()}"
    if isinstance(row, Entitlement):
        return f"{row.programme} 自 {row.valid_from}"
    if isinstance(row, CardAuthority):
        return row.paper_no
    return row.summary if isinstance(row, WorkItem) else f"{row.get_mode_display()} {row.signed_on}"


def assign(by: Any, on: Any, merge: Merge, keys: Iterable[str], evidence: str) -> list[str]:
    """Give these later rows to the separated record; those that may not be are told by `later_of`."""
    told = []
    labels = {each.key: each.label for each in later_of(merge)}
    for key in keys:
        name, number = key.split(":")
        model, owner, _ = LATER[name]
        row = model.objects.select_for_update(of=("self",)).get(pk=int(number))
        if isinstance(row, Card):
            supersede(by, row, on, evidence, holder_id=merge.absorbed_id)
        else:
            setattr(row, f"{owner}_id", merge.absorbed_id)
            row.save(update_fields=[owner])
        told.append(f"{labels[key]}归分出的档案")
    return told
