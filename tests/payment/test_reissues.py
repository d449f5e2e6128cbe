"""Returned money sent again to a corrected account, each due once (PAY-06, REG-07)."""

from collections.abc import Callable

import pytest

from huimin.database.bulk import fetch, fetch_one
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.clock import business_day
from huimin.demo.granting import county_officer
from huimin.demo.listing import townships
from huimin.organisation.acting import NotYourPlace, NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.payment.commands import reissue_returned
from huimin.payment.commands.dues import NothingOwed
from huimin.payment.commands.states import WrongState
from huimin.payment.exception_queries import waiting_exceptions
from huimin.payment.models import Instruction, PaymentException, Roster, RosterLine
from huimin.payment.queries import ExceptionFilter, list_reissuable, total_exceptions
from tests.workbench.people import client_of

At = Callable[[str], str]

_WITH_CORRECTION = """
SELECT DISTINCT l.roster_id FROM payment_rosterline l JOIN registry_card o ON o.id = l.card_id
JOIN registry_card c ON c.holder_id = l.payee_id AND c.use = o.use AND c.state = 'active' AND c.recorded_to IS NULL
WHERE l.state = 'returned' AND c.account_hash <> o.account_hash ORDER BY 1
"""


def roster_with(query: str) -> Roster:
    with reading(county_officer()):
        return Roster.objects.get(pk=fetch(query)[0][0])


def test_only_lines_with_a_corrected_account_are_reissued(county: At) -> None:
    """PAY-06: new lines name what they replace, rest on its notice, and carry its dues; once."""
    county("corrected")
    roster = roster_with(_WITH_CORRECTION)
    by = actor(Post.SETTLEMENT, roster.division)
    business_day(dates.REISSUED)
    desk = client_of(Post.SETTLEMENT, roster.division)
    with reading(by):
        ready = sum(total.count for total in list_reissuable(by.prefix, dates.REISSUED))
        open_ = sum(total.count for total in total_exceptions(ExceptionFilter(by.prefix)))
        waiting = sum(row[1] for row in waiting_exceptions(by.prefix, dates.REISSUED, apart=True))
    assert ready and waiting == open_ - ready, "what waits to be reissued stands on the desk once"
    assert desk.get("/exceptions/").content.decode().count("账户已更正，待重发") == ready
    with pytest.raises(NotYourPost):
        reissue_returned(by=actor(Post.CLERK, roster.division), on=dates.REISSUED, roster_id=roster.pk)
    new = reissue_returned(by=by, on=dates.REISSUED, roster_id=roster.pk)
    with reading(by):
        lines = list(new.lines.select_related("replaces", "card", "replaces__card"))
        assert lines
        assert sum(line.amount_fen for line in lines) == new.amount_fen
        for line in lines:
            assert line.replaces.state == RosterLine.State.REPLACED
            assert line.noticed_id == line.replaces_id
            assert line.card.account_hash != line.replaces.card.account_hash
        twice = fetch_one(
            "SELECT count(*) FROM (SELECT due_id FROM payment_linedue WHERE live GROUP BY 1 HAVING count(*) > 1) t"
        )[0]
        assert twice == 0
        closed = PaymentException.objects.filter(line__in=[line.replaces_id for line in lines], kind="returned")
        assert {e.state for e in closed} == {"closed"}
    with pytest.raises((NothingOwed, WrongState)):
        reissue_returned(by=by, on=dates.REISSUED, roster_id=roster.pk)


def test_without_a_correction_nothing_is_reissued(county: At) -> None:
    """PAY-06: a returned line waits for its account, with its exception open."""
    county("answered")
    roster = roster_with("SELECT roster_id FROM payment_rosterline WHERE state = 'returned' ORDER BY 1 LIMIT 1")
    with pytest.raises(NothingOwed):
        reissue_returned(by=actor(Post.SETTLEMENT, roster.division), on=dates.REISSUED, roster_id=roster.pk)
    with reading(county_officer()):
        assert PaymentException.objects.filter(kind="returned", state="open", roster=roster).exists()


def test_another_township_cannot_reissue(county: At) -> None:
    """SEC-03: the roster is not even seen."""
    county("corrected")
    roster = roster_with(_WITH_CORRECTION)
    elsewhere = next(code for code in townships() if code != roster.division)
    with pytest.raises((WrongState, NotYourPlace)):
        reissue_returned(by=actor(Post.SETTLEMENT, elsewhere), on=dates.REISSUED, roster_id=roster.pk)


def test_after_the_reissue_every_due_is_paid_at_most_once(county: At) -> None:
    """PAY-06: paid ≤ due ≤ granted, for every beneficiary."""
    county("reissued")
    with reading(county_officer()):
        wrong = fetch(
            "SELECT x.due_id FROM payment_linedue x JOIN payment_instruction i ON i.line_id = x.line_id"
            " WHERE i.state = 'paid' GROUP BY 1 HAVING count(*) > 1"
        )
        more = fetch(
            "SELECT e.id FROM casework_entitlement e JOIN payment_rosterline l ON l.entitlement_id = e.id"
            " JOIN payment_instruction i ON i.line_id = l.id AND i.state = 'paid' GROUP BY e.id"
            " HAVING sum(i.amount_fen) > (SELECT sum(amount_fen) FROM payment_due d WHERE d.entitlement_id = e.id)"
        )
        reissued = Instruction.objects.filter(line__replaces__isnull=False, state="paid").count()
    assert (wrong, more) == ([], [])
    assert reissued > 0
