"""A whole visit at once: what was found, the papers, the signatures, as a form or a telephone sends it (CASE-02).

in    everything `record_visit` takes, the files with what they are, whether both sides have signed
out   the visit, signed when it is

Always true: all of it or nothing; sent again (`client_id`) it is the same visit, and what was already there is not added twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from huimin.kernel.errors import BadInput
from huimin.organisation.acting import Actor, command
from huimin.visits.findings import Position
from huimin.visits.models import Visit, VisitPaper
from huimin.visits.recording import PHOTOS_MAX, VISITORS, add_paper, record_visit, sign_visit

Kind = VisitPaper.Kind


@dataclass(frozen=True)
class Sent:
    """One file: what it is, whose signature, when and where it was taken."""

    kind: str
    content: bytes
    file_name: str = ""
    title: str = ""
    signer: int | None = None
    taken_at: datetime | None = None
    position: Position | None = None


@command(*VISITORS)
def send_visit(
    *, by: Actor, on: date, told: dict[str, Any], papers: Sequence[Sent] = (), refused: str = "", witness: str = ""
) -> Visit:
    """Record, attach, and sign where the form or the household's signature (or its refusal) came along and `by` went there."""
    if len(papers) > PHOTOS_MAX:
        raise BadInput(f"超过 {PHOTOS_MAX} 份", where="照片", remedy="请挑选能说明情况的照片")
    visit = record_visit(by=by, on=on, **told)
    for each in papers:
        add_paper(
            by=by, on=on, visit_id=visit.pk, kind=each.kind, content=each.content, file_name=each.file_name,
            title=each.title, signer=each.signer, taken_at=each.taken_at, position=each.position,
        )  # fmt: skip
    if is_signed(papers, refused) and visit.met != Visit.Met.NOBODY and by.appointment in told["investigators"]:
        return sign_visit(by=by, on=on, visit_id=visit.pk, refused=refused, witness=witness)
    return visit


def is_signed(papers: Sequence[Sent], refused: str) -> bool:
    """Whether what came along says that both sides are done with it."""
    return bool(refused.strip()) or any(each.kind in (Kind.FORM, Kind.HOUSEHOLD) for each in papers)
