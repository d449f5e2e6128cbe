"""Prove that past determinations come out again (DET-07): from the snapshot, under the texts of then, to the cent.

in    the runs that finished
out   one `Proof` a run: how many results were made again, and every difference, named

Compared are the digest over everything the run listed, and every stored proposal: a row of the run must be made again,
and what is made again must be stored, by this run or an earlier one that determined the same (it was kept). So a changed,
removed or added proposal, a changed run row, a changed policy text and a damaged or missing snapshot are all found.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from huimin.database.context import scope_of
from huimin.divisions.queries import get_division
from huimin.kernel.errors import Refusal
from huimin.kernel.money import yuan
from huimin.kernel.places import Level, chain, scope_prefix
from huimin.organisation.acting import Actor, reading
from huimin.policy.queries import adopted_book
from huimin.registry.models import Household
from huimin.screening.commands import determination_of, snapshot_path
from huimin.screening.determining import COLUMNS
from huimin.screening.models import Proposal, Run
from huimin.screening.snapshots import load
from huimin.screening.storing import listed_sha256

_SUBJECT = ("programme", "household_id", "person_id")
_COMPARED = (
    "version", "division", "kind", "amount_fen", "previous_fen", "people", "quantity", "facts_digest",
    "phase_out_since", "phase_out_months", "failed", "missing", "reasons",
)  # fmt: skip
DIFFERENCES_SHOWN = 20
Row = tuple[Any, ...]


@dataclass
class Proof:
    """What came of one run; empty `differences` means: as stored."""

    run: Run
    results: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.differences


def prove_runs(by: Actor) -> Iterator[Proof]:
    """Every finished run in the actor's place, oldest first; one is in memory at a time."""
    with reading(by):
        runs = Run.objects.filter(state=Run.State.FINISHED).exclude(versions={})  # what was raised determined nothing
        numbers = list(runs.order_by("id").values_list("pk", flat=True))
    for number in numbers:
        yield prove_run(by, number)


def prove_run(by: Actor, run_id: int) -> Proof:
    """Determine again and compare; a lost or damaged snapshot is a difference too."""
    with reading(by):
        row = Run.objects.get(pk=run_id)
    proof = Proof(row)
    try:
        listed = _again(by, row, proof)
    except Refusal as refusal:
        proof.differences.append(str(refusal))
        return proof
    proof.results = len(listed)
    with reading(by):
        proof.differences += _named(_unlike(row, listed))
    if _DIGESTS[row.listed_form](listed) != row.listed_sha256:
        proof.differences.append(f"全部结果的摘要与当时不同（{row.listed} 条，重算 {len(listed)} 条）")
    return proof


def _again(by: Actor, row: Run, proof: Proof) -> pa.Table:
    with reading(by):
        programmes = adopted_book(row.known_at).programmes_in_force(chain(row.division), row.determination_date)
    versions = {law.code: law.version for law in programmes}
    for code in sorted(versions.keys() | row.versions.keys()):
        if versions.get(code) != row.versions.get(code):
            was, now = row.versions.get(code, "没有"), versions.get(code, "没有")
            proof.differences.append(f"项目 {code} 的政策版本：当时 {was}，重读 {now}")
    determination = determination_of(by, row, load(snapshot_path(row), row.snapshot_sha256), programmes)
    return pa.concat_tables([pa.schema(COLUMNS).empty_table(), *(table for _, table in determination.proposals())])


def _unlike(row: Run, listed: pa.Table) -> dict[Row, tuple[Row | None, Row | None]]:
    """Subject → (stored, made again) where they differ; None where there is none."""
    again = dict(zip(_keys(listed, _SUBJECT), _keys(listed, _COMPARED), strict=True))
    mine = _stored(Proposal.objects.filter(run=row))
    unlike = {subject: (stored, again.get(subject)) for subject, stored in mine.items() if again.get(subject) != stored}
    lacking = {subject: made for subject, made in again.items() if subject not in mine}
    if lacking:
        kept, newer = _kept_from_before(row), _determined_meanwhile(row)
        unlike |= {
            subject: (None, made)
            for subject, made in lacking.items()
            if (subject, made) not in kept and subject[1] not in newer
        }
    return unlike


def _keys(table: pa.Table, names: tuple[str, ...]) -> list[Row]:
    return [_plain(row) for row in zip(*(table[name].to_pylist() for name in names), strict=True)]


def _plain(row: Row) -> Row:
    """Lists as one text, whether they come as lists or as JSON: they can be compared and hashed."""
    return tuple(_text(value) if isinstance(value, list) or str(value).startswith("[") else value for value in row)


def _text(value: Any) -> str:
    found = json.loads(value) if isinstance(value, str) else value
    return json.dumps(found, ensure_ascii=False, sort_keys=True)


def _stored(rows: Any) -> dict[Row, Row]:
    found = map(_plain, rows.values_list(*_SUBJECT, *_COMPARED).iterator(10_000))
    return {each[: len(_SUBJECT)]: each[len(_SUBJECT) :] for each in found}


def _kept_from_before(row: Run) -> set[tuple[Row, Row]]:
    level = Level(get_division(row.division, row.determination_date).level)
    first, until = scope_of(scope_prefix(row.division, level))
    rows = Proposal.objects.filter(run__lt=row.pk, division__gte=first, division__lt=until)
    found = map(_plain, rows.values_list(*_SUBJECT, *_COMPARED).iterator(10_000))
    return {(each[: len(_SUBJECT)], each[len(_SUBJECT) :]) for each in found}


def _determined_meanwhile(row: Run) -> set[int]:
    """Households a change of theirs had determined anew before this run ended: it left them alone."""
    runs = Run.objects.filter(pk__gt=row.pk, only__isnull=False, known_at__lte=row.finished_at)
    return {number for only in runs.values_list("only", flat=True) for number in only}


def _named(unlike: dict[Row, tuple[Row | None, Row | None]]) -> list[str]:
    shown = list(unlike.items())[:DIFFERENCES_SHOWN]
    numbers = dict(Household.objects.filter(pk__in=[s[1] for s, _ in shown]).values_list("pk", "household_no"))
    lines = [
        f"户 {numbers.get(subject[1], subject[1])} {subject[0]}：存的 {_told(stored)}，重算 {_told(made)}"
        for subject, (stored, made) in shown
    ]
    return lines + ([f"另有 {len(unlike) - len(shown)} 处不同"] if len(unlike) > len(shown) else [])


def _told(row: Row | None) -> str:
    if row is None:
        return "没有"
    found = dict(zip(_COMPARED, row, strict=True))
    kind = Proposal.Kind(found["kind"]).label if found["kind"] in Proposal.Kind.values else found["kind"]
    return f"{kind} {yuan(found['previous_fen'])} → {yuan(found['amount_fen'])}（{found['facts_digest'][:8]}）"


def _listed_as_json(listed: pa.Table) -> str:
    """The digest of the first runs: over every row as JSON."""
    digest = hashlib.sha256()
    for batch in listed.to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            digest.update(json.dumps(list(row.values()), ensure_ascii=False, default=str).encode() + b"\n")
    return digest.hexdigest()


_DIGESTS = {Run.ListedForm.JSON: _listed_as_json, Run.ListedForm.ROWS: lambda listed: listed_sha256([listed])}
