"""告知书 on paper: grant, refusal, change, stop; one, or thousands sorted by village; each with its receipt (CASE-11, CASE-05).

in    who asks, which letters: by number of row, or everything that fits a filter
out   PDF/A-2b, a page or two for each letter; how many were taken is remembered

What a letter says was sealed when it was written (telling.grounds) and is printed as it stands, so that a reprint is the same
letter. Law: 民发〔2021〕57号 第21、32条; 国务院令第649号 第13条; 行政复议法 (60 日), 行政诉讼法 (六个月).
"""

import json
from collections.abc import Collection
from datetime import date
from typing import Any

from huimin.audit.models import Event
from huimin.database.personal import PAYLOAD, keyring
from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.money import in_words, yuan
from huimin.kernel.places import Level, scope_prefix
from huimin.organisation.acting import Actor, command, record_event
from huimin.organisation.posts import Post
from huimin.payment.papers.typesetting import typeset
from huimin.payment.papers.words import code_of, day_in_words, wrappable
from huimin.telling.letters import WRITERS, LetterFilter
from huimin.telling.models import Letter

LETTERS_MAX = 3000
"""For one file that somebody waits for; more are printed in the background (printing)."""
Kind = Letter.Kind


class NoLetters(BadInput):
    """There is none to print."""


class LetterChanged(Refusal):
    """What is stored is not what was written."""


def letters_pdf(
    *, by: Actor, on: date, ids: Collection[int] = (), wanted: LetterFilter | None = None, mark: str = ""
) -> bytes:
    """These letters, or all of a filter, village by village. BadInput for none or too many; LetterChanged, NoFonts."""
    letters = gather_letters(by=by, on=on, ids=ids, wanted=wanted)
    content = {
        "title": letters[0]["title"] if len(letters) == 1 else "告知书",
        "issuer": by.office_name,
        "letters": letters,
    }
    return typeset("notify", content, on=on, mark=mark)


@command(Post.INFORMATION_OFFICER, *WRITERS)
def gather_letters(
    *, by: Actor, on: date, ids: Collection[int] = (), wanted: LetterFilter | None = None, most: int = LETTERS_MAX
) -> list[dict[str, Any]]:
    """What they say; remembers that they were taken. NoLetters, BadInput for more than `most`."""
    rows = Letter.objects.filter(pk__in=list(ids)) if wanted is None else wanted.rows()
    if by.post in (Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER):
        rows = rows.filter(programme__in=by.programmes)
    rows = (
        rows.exclude(state=Letter.State.OWED)
        .select_related("household")
        .order_by("division", "household__household_no", "id")
    )
    found = list(rows[: most + 1])
    if not found:
        raise NoLetters(
            "没有可打印的告知书", where="告知书", why="还没有制作，或不在您的辖区内", remedy="请先制作再打印"
        )
    if len(found) > most:
        remedy = f"请用“成批印制”在后台一个村做一份，或按乡镇、村分开打印，一次不超过 {most:,} 份"
        raise BadInput("告知书太多", where="告知书", why="超过一次能打印的份数", remedy=remedy)
    record_event(by, Event.Kind.EXPORTED, "告知书", {"rows": len(found), "first": found[0].number})
    places = _places(found, on)
    sealed = [bytes(row.payload_enc or b"") for row in found]
    contents = keyring().decrypt_many(sealed, PAYLOAD)
    return [_told(row, json.loads(told), places[row.division[:12]]) for row, told in zip(found, contents, strict=True)]


def _places(rows: list[Letter], on: date) -> dict[str, str]:
    """Names of villages with what stands above them, a handful of queries for a county."""
    villages = {row.division[:12] for row in rows}
    above = {scope_prefix(code, Level.TOWNSHIP).ljust(12, "0") for code in villages}
    names = names_of(villages | above, on)
    county = "".join(chain_names(rows[0].division[:6].ljust(12, "0"), on)[2:])
    return {code: county + names.get(f"{code[:9]}000", "") + names.get(code, "") for code in villages}


def _told(row: Letter, content: dict[str, Any], place: str) -> dict[str, Any]:
    assert row.issued_on is not None
    if digest(content) != row.digest:
        raise LetterChanged(
            f"{row.number} 与制作时的摘要不符", why="数据可能被改动", remedy="请停止送达并报告监督员核查"
        )
    return {
        "title": row.get_kind_display(), "number": row.number, "name": wrappable(content["name"]), "place": place,
        "household": row.household.household_no, "opening": opening_of(content),
        "parts": [[head, [wrappable(line) for line in lines]] for head, lines in parts_of(content) if lines],
        "rights": rights_of(content), "office": content["office"], "date": day_in_words(row.issued_on),
        "code": code_of(row.digest),
    }  # fmt: skip


def opening_of(content: dict[str, Any]) -> str:
    """What was decided, in one paragraph."""
    name, every = content["programme"], content["period"]
    begins = day_in_words(date.fromisoformat(content["effective_from"])) if content["effective_from"] else ""
    amount, before = f"{every} ¥{yuan(content['amount_fen'])}", f"{every} ¥{yuan(content['previous_fen'])}"
    decided = day_in_words(date.fromisoformat(content["decided_on"]))
    words = {
        Kind.GRANTED: f"经审核审批，{decided}决定给予您（户）{name}待遇：{content['people']} 人，{amount}"
        f"（{in_words(content['amount_fen'])}），自{begins}起执行。",
        Kind.REFUSED: f"您（户）的{name}，经审核审批，{decided}决定不予批准。",
        Kind.INCREASED: f"您（户）享受的{name}，{decided}决定自{begins}起由{before}增加到{amount}。",
        Kind.DECREASED: f"您（户）享受的{name}，{decided}决定自{begins}起由{before}减少到{amount}。",
        Kind.PHASED_OUT: f"您（户）享受的{name}，{decided}决定自{begins}起进入渐退期，按{amount}发放{_until(content)}。",
        Kind.STOPPED: f"您（户）享受的{name}（{before}），{decided}决定自{begins}起停止发放。",
    }
    return words[Kind(content["kind"])]


def _until(content: dict[str, Any]) -> str:
    return f"，到{day_in_words(date.fromisoformat(content['until']))}（不含）止" if content["until"] else ""


def parts_of(content: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Reasons with the values in them, what changed, and by which law."""
    conditions = [
        f"{each['text']}。按登记的情况，“{each['detail']}”不成立" + (f"（{each['basis']}）" if each["basis"] else "")
        for each in content["conditions"]
    ]
    adverse = content["kind"] not in (Kind.GRANTED, Kind.INCREASED)
    reason = [content["reason"]] if content["reason"] else []
    if adverse and not (reason or conditions or content["changes"]):
        reason = ["按登记的家庭人口、收入、财产重新计算，不再符合原来的金额或条件。"]
    return [
        ("理由" if adverse else "说明", reason), ("不符合的条件", conditions), ("变化的情况", content["changes"]),
        ("依据", [content["basis"]] if content["basis"] else []),
    ]  # fmt: skip


def rights_of(content: dict[str, Any]) -> str:
    """What the household may do against it, or must do with it."""
    if content["kind"] in (Kind.GRANTED, Kind.INCREASED):
        return (
            "家庭人口、收入、财产、就业、居住情况发生变化的，请及时告诉村信息员或乡镇为民服务中心。对金额有不同意见的，可以向"
            f"{content['office']}申诉，也可以依法申请行政复议或者提起行政诉讼。"
        )
    return (
        f"如果不服本决定：可以向{content['office']}申诉，要求复核；可以在收到本告知书之日起 60 日内依法申请行政复议；也可以在收到之日起"
        "六个月内依法向人民法院提起行政诉讼。情况发生变化、符合条件的，可以重新申请。"
    )
