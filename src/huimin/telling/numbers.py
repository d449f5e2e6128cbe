"""Running numbers of papers: one book for each series and year, no gaps, none twice (CASE-11).

Inside a command: the book's row is locked until the transaction ends, so that two offices' clerks never share a number.
"""

from huimin.database.bulk import fetch_one, run
from huimin.telling.models import NumberBook


def take_numbers(division: str, series: str, year: int, count: int) -> int:
    """Reserve `count` numbers; the first of them."""
    assert count > 0
    run(
        "INSERT INTO telling_numberbook (division, series, year, last) VALUES (%s, %s, %s, 0) ON CONFLICT DO NOTHING",
        [division, series, year],
    )
    book = NumberBook.objects.select_for_update().get(division=division, series=series, year=year)
    fetch_one("UPDATE telling_numberbook SET last = last + %s WHERE id = %s RETURNING last", [count, book.pk])
    return book.last + 1
