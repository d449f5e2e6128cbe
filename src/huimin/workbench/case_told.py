"""What was told about a case: its notices on every board with photos and objections, its letter, its certificate (CASE-06, CASE-11).

in    a case, the day; inside `reading(by)`
out   rows for part/case_told.html
"""

from datetime import date
from typing import Any

from huimin.cases.models import Case
from huimin.divisions.queries import names_of
from huimin.notices.queries import list_objections, notices_of
from huimin.telling.queries import certificates_of, letters_of_case


def told_of(case: Case, on: date) -> dict[str, Any]:
    """Notices of every round, the earliest first; objections to them; letters and certificates of a household's case."""
    notices = notices_of(f"{case.subject}:", beginning=True)
    subjects = dict.fromkeys(notice.subject for notice in notices)
    own = certificates_of(case.household_id) if case.household_id else []
    return {
        "notices": notices, "boards": names_of({notice.division for notice in notices}, on),
        "objections": [each for subject in subjects for each in list_objections(subject)],
        "letters": letters_of_case(case.pk) if case.household_id else [],
        "certificates": [each for each in own if each.programme == case.programme],
    }  # fmt: skip
