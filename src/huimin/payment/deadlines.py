"""How long a bank has for a batch: five working days, two for disaster money (皖政办〔2008〕23号 附件4 第22条)."""

from datetime import date

from huimin.calendars.queries import calendar_of
from huimin.policy.models import Programme

BANK_WORKING_DAYS = 5
DISASTER_WORKING_DAYS = 2
DISASTER_DEPARTMENT = "应急管理"
"""The department whose programmes are disaster money (policy files, 主管部门)."""
CHECK_WORKING_DAYS = 2
"""For a check of accounts; our own expectation, no text sets it."""


def bank_days(programme: str) -> int:
    """Working days for the bank to credit a batch of this programme."""
    department = Programme.objects.filter(code=programme).values_list("department", flat=True).first()
    return DISASTER_WORKING_DAYS if department == DISASTER_DEPARTMENT else BANK_WORKING_DAYS


def answer_due_on(division: str, programme: str, released_on: date) -> date:
    return calendar_of(division).add(released_on, bank_days(programme))
