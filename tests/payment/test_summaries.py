"""Summary rosters: one line a household with every programme, by two people, as the rosters stand (PAY-01)."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError

from huimin.database.bulk import fetch, run
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.demo.listing import townships
from huimin.organisation.acting import AlreadyDone, NotYourPlace, NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.payment.commands import compile_summary, sign_summary
from huimin.payment.commands.summaries import NoSummary, NothingToSum
from huimin.payment.models import SummaryLine, SummaryRoster
from tests.workbench.people import client_of

County = Callable[[str], str]


def test_PAY_01_the_sum_of_every_household_is_what_its_rosters_say(county: County) -> None:
    """The demonstration's own summaries, line for line; made again they are the same; a change makes a new one."""
    county("signed")
    with reading(county_officer()):
        summaries = list(SummaryRoster.objects.all())
        assert {each.division for each in summaries} == set(townships()) and {each.state for each in summaries} == {
            "signed"
        }
        told = {
            (line.household_id, code): fen
            for line in SummaryLine.objects.select_related("summary")
            for code, fen in zip(line.summary.programmes, line.amounts, strict=True)
            if fen
        }
        rows = fetch(
            "SELECT household_id, programme, sum(amount_fen)::bigint FROM payment_rosterline WHERE state <> 'withheld' GROUP BY 1, 2"
        )
        assert told == {(household, programme): fen for household, programme, fen in rows}
        assert all(line.amount_fen == sum(line.amounts) for line in SummaryLine.objects.all())
    first = next(each for each in summaries if each.division == townships()[0])
    by, head = actor(Post.SETTLEMENT, first.division), actor(Post.TOWNSHIP_HEAD, first.division)
    act = {"by": by, "on": dates.SIGNED, "division": first.division, "period": dates.QUARTER}
    assert compile_summary(**act).pk == first.pk
    with pytest.raises(AlreadyDone):
        sign_summary(by=head, on=dates.SIGNED, summary_id=first.pk)
    with pytest.raises(NotYourPost):
        compile_summary(**act | {"by": head})
    with pytest.raises(NotYourPlace):
        compile_summary(**act | {"division": townships()[1]})
    with reading(county_officer()):
        run(
            "UPDATE payment_rosterline SET state = 'withheld' WHERE id = (SELECT min(id) FROM payment_rosterline"
            " WHERE state = 'listed' AND roster_id = %s)",
            [first.rosters[0]],
        )
    second = compile_summary(**act | {"on": dates.CONFIRMED})
    assert (second.number, second.state) == (2, "compiled") and second.amount_fen < first.amount_fen
    with reading(county_officer()):
        run(
            "UPDATE payment_rosterline SET state = 'replaced' WHERE id = (SELECT max(id) FROM payment_rosterline"
            " WHERE state = 'listed' AND roster_id = %s)",
            [first.rosters[0]],
        )
    assert compile_summary(**act | {"on": dates.CONFIRMED}).pk == second.pk, (
        "what is reissued still reaches its household"
    )
    with reading(county_officer()):
        first.refresh_from_db()
        run(
            "UPDATE payment_rosterline SET state = 'listed' WHERE state = 'withheld' AND roster_id = %s",
            [first.rosters[0]],
        )
    assert first.state == "replaced"
    for gone in (first.pk, second.pk):
        with pytest.raises(NoSummary):
            sign_summary(by=head, on=dates.CONFIRMED, summary_id=gone)
    with pytest.raises(IntegrityError), reading(by):
        SummaryRoster.objects.filter(pk=second.pk).update(
            state="signed", signed_by=second.compiled_by, signed_on=dates.SIGNED, signature=first.signature
        )


def test_PAY_01_nothing_is_summed_before_it_is_signed_and_pages_show_what_is(county: County) -> None:
    county("published")
    by = actor(Post.SETTLEMENT, townships()[0])
    with pytest.raises(NothingToSum):
        compile_summary(by=by, on=dates.PUBLISHED, division=townships()[0], period=dates.QUARTER)
    county("signed")
    client = client_of(Post.SETTLEMENT, townships()[0])
    with reading(county_officer()):
        summary = SummaryRoster.objects.get(division=townships()[0])
        line = summary.lines.select_related("household").order_by("line_no").first()
    assert line is not None
    page = client.get(f"/summaries/{summary.pk}/").content.decode()
    assert line.household.household_no in page and "单项清册" in page
    assert page.count("（元）</th>") == len(summary.programmes) + 1
    assert client.get(f"/summaries/{summary.pk}/?village={line.division[:12]}").status_code == 200
    assert client.get("/summaries/999999/").status_code == 404
    assert b"%PDF" in client.get(f"/summaries/{summary.pk}/?print=pdf").content[:20]
    assert client.get("/summaries/new/").status_code == 200 and client.get("/findings/").status_code == 200
