"""Adopting policies: texts checked as a whole, then stored with who adopted them and when (POL-01, POL-02).

in    the folder of policy files (or the texts); the acting administrator of policies
out   PolicyText rows, one live per path, and the programme list read out of them

Nothing is stored unless everything can be read together and every worked case comes out right. A changed text ends the
old row and adds a new one; the same texts again change nothing. Texts of the nation and the province lie above the
county's scope, so adoption is an act of installation on the maintenance connection, with the actor declared there too.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

import yaml
from django.db import transaction
from django.utils import timezone

from huimin.database.context import declare
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.periods import add_months, month_start
from huimin.kernel.places import NATION, chain
from huimin.organisation.acting import Actor, command
from huimin.organisation.posts import Post
from huimin.policy.models import PolicyText, Programme
from huimin.rules import Book, few_cases_words, read_book_texts, run_cases
from huimin.rules import Programme as Law
from huimin.rules.reading import is_bank

_DB = "maintenance"
Along = Callable[[Actor, date, dict[str, str], tuple[str, ...]], None]
_ALONG: list[Along] = []
LOCAL = "local/"
"""Where the texts of versions drafted here stand; files have no such folder."""


def adopted_along(adopt: Along) -> None:
    """A room downstream takes its own files out of the same texts, in the same transaction: `adopt(by, on, texts, codes)`.

    It raises what refuses the whole adoption.
    """
    if adopt not in _ALONG:
        _ALONG.append(adopt)


class CaseFailed(Refusal):
    """A worked case of a policy does not come out as its author wrote."""


def read_folder(folder: Path) -> dict[str, str]:
    """Path below the folder → text of every policy file; BadInput for a missing folder or a file that is not UTF-8."""
    files = [path for path in sorted(folder.rglob("*.yaml")) if not is_bank(path.relative_to(folder).as_posix())]
    if not files:
        raise BadInput("没有政策文件", where=str(folder.name), remedy="请核对文件夹")
    texts = {}
    for file in files:
        path = file.relative_to(folder).as_posix()
        try:
            texts[path] = file.read_text(encoding="utf-8")
        except UnicodeDecodeError as wrong:
            raise BadInput("文件不是 UTF-8 编码", where=path, remedy="请另存为 UTF-8 后再采用") from wrong
    return texts


@command(Post.COUNTY_OFFICER)
def adopt_policies(*, by: Actor, on: date, texts: dict[str, str]) -> int:
    """Check and store `texts` as the policies in use; returns how many are new or changed.

    Versions that were drafted and approved here (`policy.drafts`) stay: they are read along, and neither changed nor
    ended by files.
    """
    _refuse_drafted_paths(texts)
    _require_cases(read_book_texts(texts))
    with transaction.atomic(using=_DB):
        declare(by.scope(), using=_DB)
        everything = PolicyText.objects.using(_DB).filter(superseded_at=None)
        drafted = dict(everything.filter(path__startswith=LOCAL).values_list("path", "text"))
        book = read_book_texts(texts | drafted)
        live = {row.path: row for row in everything.exclude(path__startswith=LOCAL)}
        changed = [path for path, text in texts.items() if path not in live or live[path].text != text]
        ended = [live[path].pk for path in live if path in changed or path not in texts]
        PolicyText.objects.using(_DB).filter(pk__in=ended).update(superseded_at=timezone.now())
        PolicyText.objects.using(_DB).bulk_create(_row(by, on, path, texts[path]) for path in changed)
        _list_programmes(book, by, on)
        for along in _ALONG:
            along(by, on, texts, book.codes)
    return len(changed)


def _refuse_drafted_paths(texts: dict[str, str]) -> None:
    for path in texts:
        if path.startswith(LOCAL):
            raise BadInput(f"{LOCAL} 下是本县起草的版本", where=path, remedy="请另放一个文件夹")


def _require_cases(book: Book) -> None:
    failed = [f"{case.where} {case.case}：{case.fault}" for case in run_cases(book) if not case.passed]
    failed += few_cases_words(book)
    if failed:
        raise CaseFailed("政策的案例没有通过", why="；".join(failed[:3]), remedy="请改正政策文件或案例")


def _row(by: Actor, on: date, path: str, text: str) -> PolicyText:
    division = str((yaml.safe_load(text) or {}).get("区划", NATION))
    return PolicyText(
        division=division, path=path, text=text, sha256=hashlib.sha256(text.encode()).hexdigest(),
        adopted_by=by.appointment, adopted_on=on,
    )  # fmt: skip


def keep_list_current(by: Actor, on: date, book: Book, only: str = "") -> int:
    """Bring the policy list to the day `on`: a version approved before may have begun since, another programme with it.

    For an officer of the county; returns how many lines changed. Repeating it changes nothing.
    """
    rows = {row.code: row for row in Programme.objects.using(_DB).all()}
    found = dict(_listed(book, by, on, only))
    late = [
        code for code, facts in found.items()
        if code not in rows or any(getattr(rows[code], name) != value for name, value in facts.items())
    ]  # fmt: skip
    if late:
        with transaction.atomic(using=_DB):
            declare(by.scope(), using=_DB)
            for code in late:
                _list(by, code, found[code])
    return len(late)


def _list_programmes(book: Book, by: Actor, on: date) -> None:
    for code, facts in _listed(book, by, on):
        _list(by, code, facts)


def _list(by: Actor, code: str, facts: dict[str, str]) -> None:
    Programme.objects.using(_DB).update_or_create(
        code=code, defaults=facts, create_defaults={"division": by.division, **facts}
    )


def _listed(book: Book, by: Actor, on: date, only: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """The policy list as the acting county pays it: each programme as in force today, else as coming into force."""
    places = chain(by.division)
    days = [(day, book.waiting(places, day)) for day in (on, add_months(month_start(on), 1), date(on.year + 1, 1, 1))]
    for code in (only,) if only else book.codes:
        laws = (_in_force(book, places, code, day) for day, waiting in days if code not in waiting)
        law = next(filter(None, laws), None)
        if law is not None:
            yield code, {
                "name": law.name, "abbreviation": law.abbreviation, "department": law.department, "unit": law.unit,
                "period": law.period, "payout": law.payout, "payee": law.payee, "basis": law.basis[:200],
            }  # fmt: skip


def _in_force(book: Book, places: Sequence[str], code: str, day: date) -> Law | None:
    return next(iter(book.programmes_in_force(places, day, only=code)), None)
