"""Declaring near relatives: a signed declaration a year, "none" included; what the county's file does with it (REG-10).

in    an officer's relatives by relation, name and identity number; the county's settling and ending of them
out   rows of Declaration and Relative, signed over the digest of all the officer stands by

Always true: who declared none has none in force; a number is tied to the registered person where the officer's place
shows one of that name, is refused where not, and kept as text for the county when he says so; a relative once declared
stays one until another person ends it with a reason, so that leaving somebody out of next year's form changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from huimin.database.bulk import run
from huimin.database.personal import ID_NUMBER, keyring, sealed
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.identity import parse_identity
from huimin.kernel.places import Level
from huimin.kinship.models import Declaration, KinshipRule, Relative
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    SamePerson,
    command,
    refused_by_constraint,
)
from huimin.organisation.posts import OfficeKind, Post
from huimin.organisation.signing import sign
from huimin.registry.models import Person

DECLARERS = tuple(post for post in Post if post not in (Post.BANK_OPERATOR, Post.ADMINISTRATOR))
KEEPERS = (Post.COUNTY_OFFICER, Post.DEPARTMENT_OFFICER)
RELATIVES_MAX = 40

refused_by_constraint("relative_declared_once", AlreadyDone, "这位亲属您已经申报过", "不必再报，刷新后查看")
refused_by_constraint("declaration_once", AlreadyDone, "刚刚已经提交过一份申报", "请刷新后查看")


class NotOfTheFile(Refusal):
    """The file is kept by the county's office and by civil affairs."""


@dataclass(frozen=True)
class Kin:
    """One relative as the officer wrote it; `as_text`: keep it although no such person is registered in his place."""

    relation: str
    name: str
    id_number: str
    benefit: str
    as_text: bool = False


def file_of(by: Actor) -> str:
    """The county whose file it is; of who works above a county, his own place."""
    return by.division if by.level <= Level.COUNTY else by.division[:6].ljust(12, "0")


def reads_file(by: Actor) -> bool:
    """County's office, civil affairs and supervision read the whole file; everybody else only what names himself."""
    if by.post in (Post.COUNTY_OFFICER, Post.SUPERVISOR):
        return by.level <= Level.COUNTY
    return by.office_kind == OfficeKind.CIVIL_AFFAIRS and by.level <= Level.COUNTY


def require_file(by: Actor) -> None:
    if not reads_file(by):
        raise NotOfTheFile("近亲属档案单独存放", why="只由县惠民办、民政部门和监督部门查阅", remedy="请联系县民政部门")


@command(*DECLARERS)
def declare_kin(*, by: Actor, on: date, relatives: Sequence[Kin], none: bool) -> Declaration:
    """The year's declaration of `by`, or an addition to it; BadInput names the row that is wrong."""
    kept = Relative.objects.filter(account=by.account, ended_on=None)
    earlier = Declaration.objects.filter(account=by.account, year=on.year).count()
    _require_said(list(relatives), none, kept.count(), earlier)
    rows = _rows(by, on, relatives)
    hashes = sorted([bytes(each).hex() for each in kept.values_list("id_number_hash", flat=True)]
                    + [bytes(row.id_number_hash).hex() for row in rows])  # fmt: skip
    content = digest({"year": on.year, "account": by.account, "relatives": hashes})
    signature = sign(by=by, on=on, act="近亲属申报", subject=f"kinship:{on.year}", content_digest=content)
    made = Declaration.objects.create(
        division=file_of(by), place=by.division, account=by.account, appointment=by.appointment, declarer=by.title[:160],
        post=by.post, year=on.year, number=earlier + 1, relatives=len(hashes), signed_on=on, signature=signature,
    )  # fmt: skip
    for row in rows:
        row.declaration = made
    Relative.objects.bulk_create(rows)
    return made


def _require_said(relatives: list[Kin], none: bool, kept: int, earlier: int) -> None:
    if none and relatives:
        raise BadInput("既选了没有，又写了亲属", where="申报", remedy="请去掉其中一项")
    if none and kept:
        raise BadInput(
            f"您名下还有 {kept} 位在案的亲属",
            where="申报",
            why="关系不再存续的，由县里核实后终止",
            remedy="请不选“没有”，直接提交",
        )
    if not none and not relatives and not kept:
        raise BadInput("没有写亲属，也没有选“没有”", where="申报", remedy="请逐一填写，或选“没有须申报的近亲属”")
    if earlier and not relatives:
        raise AlreadyDone("今年已经申报过", why="没有新增的亲属", remedy="有新增时再补充申报")
    if len(relatives) > RELATIVES_MAX:
        raise BadInput(f"一次超过 {RELATIVES_MAX} 位", where="申报", remedy="请分次申报")


def _rows(by: Actor, on: date, relatives: Sequence[Kin]) -> list[Relative]:
    """Rows to be, tied to the registered people that the officer's place shows: one query for all."""
    numbers = [_number(each, row, on) for row, each in enumerate(relatives, 1)]
    ring = keyring()
    hashes = [ring.lookup(number, ID_NUMBER) for number in numbers]
    if len(set(hashes)) < len(hashes):
        raise BadInput("同一证件号码写了两次", where="证件号码", remedy="请删去重复的一行")
    people = {
        bytes(person.id_number_hash): person
        for person in Person.objects.filter(id_number_hash__in=hashes, closed_on=None)
    }
    return [
        _row(by, on, each, number, people.get(hashed), row)
        for row, (each, number, hashed) in enumerate(zip(relatives, numbers, hashes, strict=True), 1)
    ]


def _number(each: Kin, row: int, on: date) -> str:
    if each.relation not in Relative.Relation.values:
        raise BadInput("没有选择关系", where=f"第 {row} 位", remedy="请选择与您的关系")
    if not 1 < len(each.name.strip()) <= 60 or not each.benefit.strip():
        raise BadInput("姓名或享受、申请的补贴没有写", where=f"第 {row} 位", remedy="请写全姓名和补贴项目")
    return parse_identity(each.id_number, today=on).number


def _row(by: Actor, on: date, each: Kin, number: str, person: Person | None, row: int) -> Relative:
    name = each.name.strip()
    if person is None and not each.as_text:
        raise BadInput(
            f"{name}的证件号码在您的辖区内没有登记", where=f"第 {row} 位", why="号码有误，或登记在别处",
            remedy="请核对号码；确实无误的，选“按文字备案”，由县里核对",
        )  # fmt: skip
    if person is not None and person.name != name:
        raise BadInput("证件号码与姓名不符", where=f"第 {row} 位", remedy="请核对身份证，号码和姓名须是同一人")
    enc, hashed = sealed(number, ID_NUMBER)
    return Relative(
        division=file_of(by), place=by.division, account=by.account, declarer=by.title[:160], relation=each.relation, name=name,
        id_number_enc=enc, id_number_hash=hashed, benefit=each.benefit.strip()[:80], person=person, declared_on=on,
        state=Relative.State.FOUND if person else Relative.State.UNSETTLED,
    )  # fmt: skip


_LINK = """
UPDATE kinship_relative r SET person_id = p.id, state = 'found', settled_by = %(by)s, settled_on = %(on)s,
       settlement = '按证件号码对上登记'
FROM registry_person p
WHERE p.id_number_hash = r.id_number_hash AND p.closed_on IS NULL AND p.name = r.name AND r.ended_on IS NULL
  AND r.state <> 'found' AND r.division = %(file)s
"""


@command(*KEEPERS)
def link_relatives(*, by: Actor, on: date) -> int:
    """Tie every relative kept as text to who has the number in the county by now; how many were tied."""
    require_file(by)
    return run(_LINK, {"by": by.appointment, "on": on, "file": file_of(by)})


@command(*KEEPERS)
def settle_relative(*, by: Actor, on: date, relative: int, settlement: str) -> Relative:
    """The county looked into one kept as text: nobody of that number is registered here; why."""
    row = _open_relative(by, relative)
    if row.state != Relative.State.UNSETTLED:
        raise AlreadyDone(f"这位亲属{row.get_state_display()}", remedy="请刷新后查看")
    row.settlement = _told(settlement, "核对结果")
    row.state, row.settled_by, row.settled_on = Relative.State.OUTSIDE, by.appointment, on
    row.save(update_fields=["state", "settlement", "settled_by", "settled_on"])
    return row


@command(*KEEPERS)
def end_relative(*, by: Actor, on: date, relative: int, reason: str) -> Relative:
    """The relation or the relative's benefit is over for good, as the county found; not by who declared it."""
    row = _open_relative(by, relative)
    row.ended_reason = _told(reason, "原因")
    row.ended_on, row.ended_by = on, by.appointment
    row.save(update_fields=["ended_on", "ended_by", "ended_reason"])
    return row


def _open_relative(by: Actor, relative: int) -> Relative:
    require_file(by)
    row = Relative.objects.select_for_update().filter(pk=relative, division=file_of(by)).first()
    if row is None or row.ended_on is not None:
        raise AlreadyDone("这位亲属不在案", why="已经终止，或不在本县档案", remedy="请刷新后查看")
    if row.account == by.account:
        raise SamePerson("自己申报的亲属不能自己核对、终止", why="须另一人办理", remedy="请由另一人办理")
    return row


def _told(text: str, where: str) -> str:
    if not 2 <= len(text.strip()) <= 200:
        raise BadInput(f"没有写明{where}", where=where, remedy="请用 2 至 200 个字写明")
    return text.strip()


@command(Post.COUNTY_OFFICER)
def set_kinship_rule(*, by: Actor, on: date, within_days: int, basis: str) -> KinshipRule:
    """In how many days of the year (or of an appointment) an officer declares, by which document."""
    if not 1 <= within_days <= 365:
        raise BadInput("天数不对", where="申报期限", remedy="请写 1 至 365 天")
    return KinshipRule.objects.create(
        division=file_of(by),
        within_days=within_days,
        basis=_told(basis, "依据")[:120],
        set_by=by.appointment,
        set_on=on,
    )
