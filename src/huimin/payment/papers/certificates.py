"""救助证 to carry, four to a sheet (CASE-11).

in    certificates, by number of row
out   PDF/A-2b with the valid ones; each printing is counted on the certificate, the paper is remembered

The identity number is masked. What it shows is the holding, not the amount: that changes, and stands on letters and 明白卡.
"""

from collections.abc import Collection
from datetime import date
from typing import Any

from huimin.audit.models import Event
from huimin.database.personal import ID_NUMBER, plain
from huimin.divisions.queries import chain_names
from huimin.kernel.errors import BadInput
from huimin.kernel.masking import mask_identity
from huimin.notices.rules import rule_of
from huimin.organisation.acting import Actor, command, record_event
from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.payment.papers.sheets import hotline_words
from huimin.payment.papers.typesetting import typeset
from huimin.payment.papers.words import day_in_words, wrappable
from huimin.policy.queries import programme_names
from huimin.registry.models import Membership, Person
from huimin.telling.certificates import HANDLERS, count_print

CERTIFICATES_MAX = 2000
TITLE = "社会救助证"


def certificates_pdf(*, by: Actor, on: date, ids: Collection[int], mark: str = "") -> bytes:
    """The valid ones of these. BadInput when there is none, or too many; NoFonts."""
    cards = gather_certificates(by=by, on=on, ids=ids)
    return typeset("certificate", {"title": TITLE, "issuer": by.office_name, "cards": cards}, on=on, mark=mark)


@command(*HANDLERS, Post.DEPARTMENT_OFFICER)
def gather_certificates(*, by: Actor, on: date, ids: Collection[int]) -> list[dict[str, Any]]:
    """What they show; counts the printing."""
    if len(ids) > CERTIFICATES_MAX:
        raise BadInput(f"超过 {CERTIFICATES_MAX:,} 本", where="证件", remedy="请按村分开打印")
    rows = count_print(ids)
    if not rows:
        raise BadInput("没有有效的证件可打印", where="证件", why="已挂失、收回的不再打印", remedy="请刷新后再选")
    record_event(by, Event.Kind.EXPORTED, TITLE, {"rows": len(rows), "first": rows[0].number})
    names, heads = programme_names(), _heads([row.household_id for row in rows if row.person_id is None])
    hotline = hotline_words(rule_of(by.division).hotline)
    issuers = Appointment.objects.select_related("office").filter(pk__in={row.issued_by for row in rows})
    offices = {each.pk: each.office.name for each in issuers}
    places = {code: "".join(chain_names(code, on)[2:]) for code in {row.division[:12] for row in rows}}
    return [
        {
            "number": row.number, "programme": names.get(row.programme, row.programme), "holder": wrappable(row.holder),
            "identity": _identity(row.person or heads.get(row.household_id)), "people": str(row.people),
            "place": places[row.division[:12]], "household": row.household.household_no, "since": day_in_words(row.valid_from),
            "issued": day_in_words(row.issued_on), "again": f"第 {row.prints} 次打印" if row.prints > 1 else "",
            "hotline": hotline, "office": offices.get(row.issued_by, by.office_name),
        }
        for row in rows
    ]  # fmt: skip


def _heads(households: list[int]) -> dict[int, Person]:
    rows = Membership.objects.filter(household__in=households, relation="户主", recorded_to=None, valid_to=None)
    return {row.household_id: row.person for row in rows.select_related("person")}


def _identity(person: Person | None) -> str:
    stored = person.id_number_enc if person else None
    return mask_identity(plain(stored, ID_NUMBER)) if stored else "（待登记）"
