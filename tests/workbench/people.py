"""People at the desk of a test: a signed-in client for any post and place."""

from django.test import Client

from huimin.demo.actors import actor, demo_password
from huimin.organisation.models import Account, Appointment
from huimin.organisation.posts import OfficeKind, Post


def stranger(**extra: str) -> Client:
    """A browser nobody signed in with, on this machine unless REMOTE_ADDR says otherwise."""
    return Client(HTTP_HOST="127.0.0.1", **extra)


def sign_in(username: str, password: str | None = None, **extra: str) -> Client:
    """A client after a POST to the sign-in page, whatever came of it."""
    client = stranger(**extra)
    client.post("/sign-in/", {"username": username, "password": password or demo_password()})
    return client


def client_of(post: Post, where: str | OfficeKind) -> Client:
    """Signed in as whoever holds `post` at `where`; without the slow password."""
    acting = actor(post, where)
    client = stranger()
    client.force_login(Account.objects.get(pk=acting.account), "django.contrib.auth.backends.ModelBackend")
    session = client.session
    session["appointment"] = acting.appointment
    session.save()
    return client


def appointment_of(username: str) -> Appointment:
    return Appointment.objects.get(account__username=username)
