"""Responsibility letters on paper (目标责任书, 包保责任书), to be signed by both sides (ORG-03).

in    an Assignment and the words of its place
out   PDF/A-2b; who took it is remembered

Law: 皖政办〔2008〕23号 附件1 第10、11条.
"""

from datetime import date

from huimin.audit.models import Event
from huimin.fieldwork.models import Assignment
from huimin.organisation.acting import Actor, reading, record_event
from huimin.payment.papers.typesetting import typeset
from huimin.payment.papers.words import day_in_words, wrappable

LAW = "按照《惠民直达工程管理“一体化”操作办法》，实行一级抓一级、一级对一级负责的责任制。"


def letter_pdf(row: Assignment, place: str, *, by: Actor, on: date) -> bytes:
    """The letter of one assignment; `place` in words."""
    with reading(by):
        record_event(by, Event.Kind.EXPORTED, f"letter:{row.pk}", {})
    household = f"（{row.household.household_no} 户）" if row.household else ""
    last = day_in_words(row.last_day) if row.last_day else "另行通知"
    title = "惠民直达工程目标责任书" if row.kind == Assignment.Kind.LETTER else "惠民直达工程包保责任书"
    content = {
        "title": title, "issuer": by.office_name, "number": row.letter_no, "law": LAW,
        "holder": wrappable(f"{row.holder_name}（{row.holder_office}{row.holder_title}）"),
        "place": wrappable(f"{place}{household}"), "days": f"自{day_in_words(row.valid_from)}起，至{last}止",
        "duties": [wrappable(line) for line in row.duties.splitlines() if line.strip()], "date": day_in_words(on),
    }  # fmt: skip
    return typeset("letter", content, on=on)
