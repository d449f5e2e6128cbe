"""The roster an act is about, at the step the act belongs to."""

from huimin.kernel.errors import Refusal
from huimin.payment.models import Roster


class WrongState(Refusal):
    """The roster or batch is not at the step this act belongs to."""


def get_roster(roster_id: int, *states: str, lock: bool = True) -> Roster:
    """The roster, locked, when it is in one of `states`; WrongState otherwise."""
    rosters = Roster.objects.select_for_update() if lock else Roster.objects
    roster = rosters.filter(pk=roster_id).first()
    if roster is None:
        raise WrongState("没有这份清册，或它不在您的辖区内", remedy="请从清册列表进入")
    if roster.state not in states:
        raise WrongState(
            f"清册现在是“{roster.get_state_display()}”，不能办这一步",
            why="可能已有人办理",
            remedy="请刷新后查看",
        )
    return roster
