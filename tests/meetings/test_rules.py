"""The arithmetic of a meeting, for every size (CASE-03)."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from huimin.meetings.models import Majority
from huimin.meetings.rules import carries, lacks, quorum

SIZES = st.integers(3, 500)


@given(SIZES, SIZES)
def test_two_thirds_of_the_statutory_number_to_the_person_case_03(statutory, present):
    enough = Fraction(present, statutory) >= Fraction(2, 3)
    assert (present >= quorum(statutory)) == enough
    assert (not lacks(statutory, present, 1, 1)) == enough
    assert len(lacks(statutory, 0, 0, 0)) == 3


@given(st.integers(1, 500), st.integers(0, 500))
def test_more_than_half_or_two_thirds_of_who_may_vote_case_03(voters, in_favour):
    share = Fraction(in_favour, voters)
    assert (in_favour >= carries(voters, Majority.HALF)) == (share > Fraction(1, 2))
    assert (in_favour >= carries(voters, Majority.TWO_THIRDS)) == (share >= Fraction(2, 3))
