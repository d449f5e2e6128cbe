"""Who can sign in to the demonstration: one line a post, with the password all of them share."""

from huimin.demo.actors import COUNTY, demo_password
from huimin.demo.listing import townships
from huimin.organisation.entrance import as_system
from huimin.organisation.models import Appointment


def account_lines() -> list[str]:
    """The county's posts and those of one township and village."""
    township = townships()[0]
    with as_system(COUNTY):
        rows = (
            Appointment.objects.filter(valid_to=None)
            .select_related("account", "office")
            .order_by("office__level", "office_id", "id")
        )
        shown = [row for row in rows if row.division in (COUNTY, township)]
        village = next((row for row in rows if row.division.startswith(township[:9]) and row.office.level > 9), None)
    shown += [village] if village else []
    lines = [f"演示账号（口令都是 {demo_password()}，只能从本机登录）："]
    lines += [f"  {row.account.username:<28}{row.office.name} · {row.get_post_display()}" for row in shown]
    return lines
