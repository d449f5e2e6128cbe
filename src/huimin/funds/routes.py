"""By which way a programme is paid in a place: set by two people with a document, looked up along the chain (FUND-05).

in    proposals of county finance, decided by another person
out   `route_of`: the nearest place's, of it the programme's own before the general one, of those the latest in force

An application keeps the route of the day it was made, so a change meets later rosters only. Without a route money goes from
the treasury to the township's special account (S0 A4 art 9, 11, 20–21); 国库集中支付 is S3 二(四)6.
"""

from datetime import date

from huimin.divisions.queries import name_of
from huimin.funds.models import PayRoute, Route, SpecialAccount
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import chain
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    SamePerson,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.policy.models import Programme

State = PayRoute.State


class NoSuchRoute(Refusal):
    """No proposal of this number in the actor's place, or it was decided."""


class NoPayer(Refusal):
    """The account the route draws on is not registered."""


refused_by_constraint("pay_route_once", AlreadyDone, "这个项目从这一天起的支付方式已经有了", "请换一个起始日期")
refused_by_constraint("pay_route_decided_by_another", SamePerson, "提出的人不能复核自己提出的", "请由另一人复核")


def route_of(division: str, programme: str, on: date) -> str:
    """The route in force; TREASURY where none was set. One query."""
    places = chain(division)
    rows = PayRoute.objects.filter(
        division__in=places, programme__in=["", programme], state=State.APPROVED, valid_from__lte=on
    )
    found = max(rows, key=lambda row: (places.index(row.division), row.programme, row.valid_from), default=None)
    return found.route if found else Route.TREASURY


def payer_of(division: str, route: str) -> SpecialAccount:
    """The account batches of the place draw on: its own special account, or by the direct route the nearest treasury's."""
    places = chain(division)
    kind = SpecialAccount.Kind.TREASURY if route == Route.DIRECT else SpecialAccount.Kind.SPECIAL
    within = places if route == Route.DIRECT else (division,)
    rows = SpecialAccount.objects.filter(kind=kind, division__in=within)
    found = max(rows, key=lambda row: places.index(row.division), default=None)
    if found is None:
        raise NoPayer(f"{name_of(division)}没有登记{kind.label}", why=Route(route).label, remedy="请先登记账户")
    return found


@command(Post.FINANCE_OFFICER)
def propose_route(
    *, by: Actor, on: date, division: str, programme: str, route: str, document_no: str, valid_from: date
) -> PayRoute:
    """Propose a route from a day on, by its document; the same again is the same while it waits."""
    require_place(by, division)
    document_no = " ".join(document_no.split())
    if route not in Route.values or not document_no or len(document_no) > 80:
        raise BadInput("支付方式要有依据文号", where="支付方式", remedy="请照文件填写")
    if programme and not Programme.objects.filter(code=programme).exists():
        raise BadInput(f"补贴政策清单里没有“{programme}”", where="补贴项目", remedy="请从列表中选")
    if valid_from < on:
        raise BadInput(
            f"{valid_from} 已经过去", where="从哪一天起", why="已提出的拨款申请不变", remedy="请填今天或以后"
        )
    told = {"division": division, "programme": programme, "valid_from": valid_from}
    found = PayRoute.objects.exclude(state=State.REFUSED).filter(**told).first()
    if found is None:
        return PayRoute.objects.create(
            **told, route=route, document_no=document_no, proposed_by=by.appointment, proposed_on=on
        )
    if (found.route, found.document_no) != (route, document_no):
        raise AlreadyDone(
            "这个项目从这一天起的支付方式已经有了", why=found.get_route_display(), remedy="请换一个起始日期"
        )
    return found


@command(Post.FINANCE_RELEASER)
def decide_route(*, by: Actor, on: date, number: int, refusal: str = "") -> PayRoute:
    """Put a proposed route in force, or refuse it with the reason. The account it draws on must be there."""
    row = PayRoute.objects.select_for_update().filter(pk=number, state=State.PROPOSED).first()
    if row is None:
        raise NoSuchRoute("没有等待复核的这条支付方式", remedy="请刷新后查看")
    require_place(by, row.division)
    require_another(by, row.proposed_by, "提出支付方式")
    refusal = " ".join(refusal.split())[:200]
    if not refusal:
        _require_payer(row)
    content = [row.division, row.programme, row.route, row.document_no, row.valid_from.isoformat()]
    row.signature = sign(
        by=by, on=on, act="退回支付方式" if refusal else "复核支付方式", subject=f"route:{row.pk}",
        content_digest=digest(content),
    )  # fmt: skip
    row.state, row.refusal = (State.REFUSED if refusal else State.APPROVED), refusal
    row.decided_by, row.decided_on = by.appointment, on
    row.save(update_fields=["state", "refusal", "decided_by", "decided_on", "signature"])
    return row


def _require_payer(row: PayRoute) -> None:
    if row.route == Route.DIRECT:
        payer_of(row.division, Route.DIRECT)
    elif row.route == Route.COUNTY:
        county = row.division[:6].ljust(12, "0")
        payer_of(county, Route.COUNTY)


def list_routes(state: str = "") -> list[PayRoute]:
    """Every route that is seen, those in force for longest last; inside `reading(by)`."""
    wanted = PayRoute.objects.filter(state=state) if state else PayRoute.objects.all()
    return list(wanted.order_by("-valid_from", "division", "programme")[:500])
