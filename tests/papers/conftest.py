"""The answered county for every test here that only reads, and what papers say as text."""

import io
from collections.abc import Callable

import pytest
from pypdf import PdfReader

from huimin.demo.actors import actor
from huimin.organisation.acting import Actor
from huimin.organisation.posts import OfficeKind, Post


@pytest.fixture
def officer(shared_county: Callable[[str], str]) -> Actor:
    """惠民办经办 of the county, after the bank has answered."""
    shared_county("answered")
    return actor(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)


def texts(pdf: bytes) -> list[str]:
    """The text of each page."""
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def joined(text: str) -> str:
    """Without line breaks and blanks: what a wrapped cell says."""
    return "".join(text.split()).replace("\u200b", "")
