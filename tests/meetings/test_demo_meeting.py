"""The demonstration's meetings are recorded and repeat without effect (CASE-03)."""

from huimin.cases.models import Case
from huimin.cases.taking import take_step
from huimin.demo.actors import actor
from huimin.demo.asking import ask
from huimin.demo.meeting import ON, review
from huimin.demo.quarter import County
from huimin.meetings.models import Item, Meeting
from huimin.organisation.posts import Post
from tests.cases.people import records


def test_meetings_of_the_demonstration_repeat_without_effect(county, tmp_path):
    county("screened")
    made = County(people=1000, seed=1, home=tmp_path)
    ask(made)
    for case in Case.objects.using("maintenance").filter(step="调查", state="open").order_by("id"):
        with records("入户调查"):
            clerk = actor(Post.CLERK, case.division[:9] + "000")
            take_step(by=clerk, on=ON, case_id=case.pk, step="调查", outcome="passed")
    first = review(made)
    assert first == review(made) and first["meetings"] >= 1 and first["villages"] >= 4
    assert set(Meeting.objects.using("maintenance").values_list("state", flat=True)) == {"recorded"}
    assert set(Item.objects.using("maintenance").values_list("state", flat=True)) == {"judged"}
