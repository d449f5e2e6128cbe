"""The business dates of the demonstration's quarter (July to September 2021). The time of record is always real."""

from datetime import date

from huimin.kernel.periods import Period, quarter

QUARTER: Period = quarter(2021, 3)
DETERMINED_FOR = date(2021, 7, 1)  # 民发〔2021〕57号 is in force from this day

REGISTERED = date(2021, 6, 21)
ADOPTED = date(2021, 6, 23)
SCREENED = date(2021, 6, 24)
DECIDED = date(2021, 6, 28)
ALLOTTED = date(2021, 7, 12)
ACCRUED = date(2021, 8, 30)
COMPILED = date(2021, 9, 1)
PUBLISHED = date(2021, 9, 1)
OBJECTED = date(2021, 9, 3)
ANSWERED = date(2021, 9, 9)  # the day of posting does not count: seven full days end on the 8th
SIGNED = date(2021, 9, 9)
CONFIRMED = date(2021, 9, 10)
APPLIED = date(2021, 9, 13)
RESERVED = date(2021, 9, 14)
TRANSFERRED = date(2021, 9, 15)
PREPARED = date(2021, 9, 16)
RELEASED = date(2021, 9, 17)
RESULTS = date(2021, 9, 22)
LATE_RESULTS = date(2021, 9, 23)
CORRECTED = date(2021, 9, 24)
REISSUED = date(2021, 9, 26)
REISSUE_RESULTS = date(2021, 9, 28)
COMPARED = date(2021, 9, 29)
CLOSED = date(2021, 9, 30)
BOOKED = date(2021, 10, 8)  # the first working day after National Day
VILLAGE_ENDED = date(2021, 10, 8)  # boards put up on the last day of the quarter
SAMPLED = date(2021, 10, 18)  # the townships' boards put up that day have ended; the number is of the next
