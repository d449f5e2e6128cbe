"""Reads of adopted policies: the book as it stands, or as it stood at a past moment (DET-07)."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from django.db.models import Q

from huimin.policy.models import PolicyText, Programme
from huimin.rules import Book, read_book_texts


def adopted_book(at: datetime | None = None) -> Book:
    """The book of all texts in use, or in use at the moment `at`; inside a reading transaction."""
    return book_of(adopted_texts(at))


def adopted_texts(at: datetime | None = None) -> dict[str, str]:
    """Path → text of all policies in use, or in use at the moment `at`; inside a reading transaction."""
    when = (
        Q(superseded_at=None)
        if at is None
        else Q(adopted_at__lte=at) & (Q(superseded_at=None) | Q(superseded_at__gt=at))
    )
    return dict(PolicyText.objects.filter(when).order_by("path").values_list("path", "text"))


def book_of(texts: Mapping[str, str]) -> Book:
    """The book of these texts; PolicyFaults when they cannot be used. The last few are kept."""
    return _read(tuple(sorted(texts.items())))


@lru_cache(maxsize=8)
def _read(texts: tuple[tuple[str, str], ...]) -> Book:
    return read_book_texts(dict(texts))


def programme_names() -> dict[str, str]:
    """Code → name of every programme on the policy list."""
    return dict(Programme.objects.order_by("code").values_list("code", "name"))
