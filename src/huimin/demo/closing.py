"""The last steps: returned money's accounts corrected by two people, and the change log sealed.

A new account is one the bank really opened: it goes to the bank's program as a file of its own, with the identity
number that a clerk had to look at for it, and each look is recorded.
"""

import csv

from huimin.audit.sealing import seal
from huimin.database.bulk import fetch, fetch_one
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.bank import bank
from huimin.demo.clock import business_day
from huimin.demo.granting import county_officer
from huimin.demo.quarter import County, Figures
from huimin.demo.refusing import must_refuse
from huimin.organisation.acting import NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.registry.commands import approve_card_correction, look_at, propose_card_correction
from huimin.registry.commands.looking import Looked
from huimin.registry.models import CardCorrection

LEFT_OPEN_EVERY = 10  # one returned line in ten keeps its exception open, as in real life
CORRECTED_MAX = 200  # corrections are people's work, one by one; a large county's rest stays open
NEW_ACCOUNTS = "6299991"  # an invented prefix, apart from the generator's

# Everybody whose money came back in the first round, whatever has been done about it since.
_RETURNED = """
SELECT DISTINCT ON (l.payee_id, c.use) l.payee_id, c.use, p.name, left(l.division, 9) || '000'
FROM payment_instruction i JOIN payment_rosterline l ON l.id = i.line_id
JOIN payment_roster r ON r.id = l.roster_id AND r.kind = 'base'
JOIN registry_card c ON c.id = l.card_id JOIN registry_person p ON p.id = l.payee_id
WHERE i.state = 'returned'
ORDER BY l.payee_id, c.use
"""


def correct(county: County) -> Figures:
    """Clerks propose the new accounts of most returned lines, reviewers approve them."""
    business_day(dates.CORRECTED)
    officer = county_officer()
    with reading(officer):
        done = set(CardCorrection.objects.values_list("holder_id", "use"))
        chosen = [row for row in fetch(_RETURNED) if row[0] % LEFT_OPEN_EVERY][:CORRECTED_MAX]
        returned = [row for row in chosen if (row[0], row[1]) not in done]
    _open_at_the_bank(county, returned)
    for payee, use, name, township in returned:
        propose_card_correction(
            by=actor(Post.CLERK, township), on=dates.CORRECTED, holder=payee, use=use,
            account=_new_account(payee, use), account_name=name, reason="银行退回，本人提供新账户",
        )  # fmt: skip
    with reading(officer):
        proposed = list(CardCorrection.objects.filter(state=CardCorrection.State.PROPOSED).order_by("pk"))
    for correction in proposed:
        township = correction.division[:9] + "000"
        arguments = {"on": dates.CORRECTED, "correction": correction.pk}
        must_refuse(approve_card_correction, NotYourPost, by=actor(Post.CLERK, township), **arguments)
        approve_card_correction(by=actor(Post.REVIEWER, township), **arguments)
    with reading(officer):
        return {"corrections": CardCorrection.objects.filter(state=CardCorrection.State.APPROVED).count()}


def _new_account(payee: int, use: str) -> str:
    return f"{NEW_ACCOUNTS}{'1' if use == 'household' else '2'}{payee:011d}"


def _open_at_the_bank(county: County, returned: list[tuple[int, str, str, str]]) -> None:
    """The bank opens the new accounts; what was opened before stays in its file."""
    path = county.home / "bank" / "new-accounts.csv"
    there = path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        if not there:
            writer.writerow(("account", "name", "id_number"))
        for payee, use, name, township in returned:
            number = look_at(
                by=actor(Post.CLERK, township), on=dates.CORRECTED, what=Looked.ID_NUMBER, row=payee,
                purpose="到银行为退汇对象开立新账户",
            )  # fmt: skip
            writer.writerow((_new_account(payee, use), name, number))
    if there or returned:
        bank(county, "open-accounts", path)


def close(county: County) -> Figures:
    """Seal everything that was recorded."""
    business_day(dates.CLOSED)
    seal()
    with reading(county_officer()):
        [looks] = fetch_one("SELECT count(*) FROM audit_event WHERE kind = 'looked'")
    return {"looks": looks, "seals": seal().seals}
