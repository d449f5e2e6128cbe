"""Visits as tests make them: what was found, who went, papers that look like scans."""

from huimin.organisation.posts import Post
from huimin.visits.findings import Differs, Found, Neighbour
from huimin.visits.models import VisitPaper
from huimin.visits.recording import add_paper, record_visit, sign_visit
from tests.cases.people import DAY

PNG = b"\x89PNG\r\n\x1a\n"
TOPICS = {
    "health": "户主慢性病，能自理", "living": "三间砖瓦房，家电老旧", "work": "务农，农闲打零工", "spending": "看病和学费为主",
}  # fmt: skip
NEIGHBOURS = (Neighbour("王一平", "东邻", "家里确实困难，没有大件"),)


def found(*differs, **more):
    return Found(**{"topics": TOPICS, "neighbours": NEIGHBOURS, "differs": tuple(differs), **more})


def two(who):
    """The appointments of the clerk and the village's information officer."""
    return [who[Post.CLERK].appointment, who[Post.INFORMATION_OFFICER].appointment]


def visit(case, who, *, by=None, on=DAY, **more):
    """A visit of the case, not signed yet."""
    return record_visit(
        **{
            "by": by or who[Post.CLERK], "on": on, "household": case.household_id, "purpose": "application",
            "subject": case.subject, "case_id": case.pk, "visited_on": on, "investigators": two(who), "met": "applicant",
            "met_name": "本人", "found": found(), **more,
        }
    )  # fmt: skip


def sign(made, who, *, by=None, on=DAY):
    """The signed form comes in, and one of those who went signs."""
    by = by or who[Post.CLERK]
    content = PNG + f"form {made.pk}".encode()
    add_paper(by=by, on=on, visit_id=made.pk, kind=VisitPaper.Kind.FORM, content=content, file_name="form.png")
    return sign_visit(by=by, on=on, visit_id=made.pk)


__all__ = ["NEIGHBOURS", "PNG", "TOPICS", "Differs", "found", "sign", "two", "visit"]
