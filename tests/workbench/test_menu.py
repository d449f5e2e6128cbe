"""The menu offers each post the pages it may open, and each of them says where one is (SEC-02)."""

import pytest

from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.workbench.menu import groups_for
from tests.workbench.people import client_of


def clients():
    """One signed-in browser for each post somebody holds."""
    held = Appointment.objects.using("maintenance").select_related("office").order_by("post", "id").distinct("post")
    for appointment in held:
        client = client_of(Post(appointment.post), appointment.office.division)
        yield Post(appointment.post), client


def test_every_page_a_post_is_offered_opens_and_is_marked_in_the_menu(shared_county):
    shared_county("closed")
    wrong, seen = [], 0
    for post, client in clients():
        for group in groups_for(post):
            for entry in group.entries:
                answer = client.get(entry.url)
                marked = f'<a href="{entry.url}" aria-current="page">{entry.label}</a>'
                if answer.status_code != 200 or (len(group.entries) > 1 and marked not in answer.content.decode()):
                    wrong.append((post, entry.route, answer.status_code))
                seen += 1
    assert wrong == [] and seen > 100


def test_a_group_of_one_page_bears_its_name():
    """A bank operator sees 银行批次 in the bar, not the group it lies in."""
    assert [group.label for group in groups_for(Post.BANK_OPERATOR)] == ["工作台", "银行批次"]
    assert {"登记", "审核", "政策"} <= {group.label for group in groups_for(Post.COUNTY_OFFICER)}


@pytest.mark.parametrize("post", [Post.INFORMATION_OFFICER, Post.ADMINISTRATOR])
def test_who_does_not_pay_is_offered_no_paying(post):
    assert not {"rosters", "ledger"} & {entry.route for group in groups_for(post) for entry in group.entries}
