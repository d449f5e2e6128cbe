"""Community review (民主评议): who represents a village, meetings, what each came to; 一事一议 of a township (CASE-03, SUP-06).

A meeting's rows are written once and frozen: they keep the village they were made in. Migration 0002 holds, whoever
writes: a meeting is held only with two thirds of the statutory number, a volunteer supervisor and a township cadre; a vote
adds up and its result follows; relatives have no vote; what was recorded is final. Law: 皖政办〔2008〕23号 附件3 第21–24、35条.
"""

from huimin.meetings.models.after import CollectiveDecision, Correction, Inquiry, MeetingScan
from huimin.meetings.models.lists import (
    Checked,
    Majority,
    MeetingRule,
    Overseer,
    Representative,
    StatutoryNumber,
    Supervisor,
)
from huimin.meetings.models.meeting import Item, ItemRecusal, Meeting, Participant

__all__ = [
    "Checked",
    "CollectiveDecision",
    "Correction",
    "Inquiry",
    "Item",
    "ItemRecusal",
    "Majority",
    "Meeting",
    "MeetingRule",
    "MeetingScan",
    "Overseer",
    "Participant",
    "Representative",
    "StatutoryNumber",
    "Supervisor",
]
