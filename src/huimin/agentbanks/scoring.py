"""Points of a bank by the county's method; whole hundredths of a point, rounded down (PAY-09).

及时 and 成功 are shares of what fell due; 差错 and 投诉 begin full and lose a fixed number of points for each error and each
complaint found true, never below zero. A measure nothing was measured for is given whole: nobody is marked down for
nothing. The sum decides the grade.
"""

from huimin.agentbanks.figures import Figures
from huimin.agentbanks.models import Assessment, Method

Points = dict[str, int]


def points_of(method: Method, figures: Figures) -> Points:
    """timely, success, errors, complaints: hundredths of a point."""
    answered = figures.paid + figures.returned
    return {
        "timely": _share(method.timely_points, figures.on_time, figures.due),
        "success": _share(method.success_points, figures.paid, answered),
        "errors": max(0, method.error_points - method.error_cost * figures.errors) * 100,
        "complaints": max(0, method.complaint_points - method.complaint_cost * figures.upheld) * 100,
    }


def _share(points: int, part: int, whole: int) -> int:
    return points * 100 * part // whole if whole else points * 100


def grade_of(method: Method, total: int) -> Assessment.Grade:
    if total >= method.good_from * 100:
        return Assessment.Grade.GOOD
    return Assessment.Grade.PASS if total >= method.pass_from * 100 else Assessment.Grade.FAIL
