"""Which account a roster is paid from: that of the route its money was asked for by (FUND-05)."""

from huimin.funds.models import Route, SpecialAccount
from huimin.funds.routes import payer_of
from huimin.payment.models import Roster


def route_of_roster(roster: Roster) -> str:
    """A reissue's is its origin's; before money was asked for, the special account's."""
    application = roster.application or (roster.origin.application if roster.origin else None)
    return application.route if application else Route.TREASURY


def payer_of_roster(roster: Roster) -> SpecialAccount:
    """NoPayer where the account is not registered."""
    return payer_of(roster.division, route_of_roster(roster))
