"""Who acts in the demonstration: appointments found by post and place, and the one password of its accounts."""

import os
import secrets

from huimin.database import instance
from huimin.organisation.acting import Actor
from huimin.organisation.entrance import as_system
from huimin.organisation.models import Appointment
from huimin.organisation.posts import OfficeKind, Post
from huimin.organisation.queries import business_date, get_actor, live_on

COUNTY = "341524000000"  # 金寨县
ADDRESS = "127.0.0.1"


def actor(post: Post, where: str, *, other: int = 0) -> Actor:
    """Whoever first got `post` at an office of kind or at the division `where`, on the business date.

    `where` is an OfficeKind or a division code; `other` counts the colleagues in the same post that come after him.
    Without such an appointment an assertion names post and place.
    """
    with as_system(COUNTY):
        posts = Appointment.objects.filter(live_on(business_date()), post=post).select_related("office", "account")
        place = {"office__kind": where} if where in OfficeKind.values else {"office__division": where}
        found = next(iter(posts.filter(**place).order_by("id")[other : other + 1]), None)
        assert found is not None, f"nobody is {post} at {where}"
        return get_actor(found, address=ADDRESS)


def demo_password() -> str:
    """HUIMIN_DEMO_PASSWORD, or one made once and kept with the instance's secrets."""
    if "HUIMIN_DEMO_PASSWORD" not in os.environ:
        path = instance.home() / "secrets.env"
        made = f"huimin-{secrets.token_hex(4)}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a") as file:
            file.write(f"HUIMIN_DEMO_PASSWORD={made}\n")
        os.environ["HUIMIN_DEMO_PASSWORD"] = made
    return os.environ["HUIMIN_DEMO_PASSWORD"]
