"""Refusals: how the system says no.

A refusal names the obstacle by its class and carries, in Chinese for the page and the command line, what happened
(`what`), why (`why`) and what to do next (`remedy`). Raising one inside a command undoes everything the command did.
A wrong input from outside is a `BadInput`, which adds where the fault is.
"""


class Refusal(Exception):
    """The world, a rule or a post does not allow this. Not a programming mistake: those are assertions."""

    def __init__(self, what: str, *, why: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.remedy = remedy

    def __str__(self) -> str:
        return "。".join(part.rstrip("。") for part in (self.what, self.why, self.remedy) if part) + "。"


class BadInput(Refusal):
    """Something from outside (file, form, policy text) is wrong; `where` names file, line, row or field."""

    def __init__(self, what: str, *, where: str, why: str = "", remedy: str = "") -> None:
        super().__init__(what, why=why, remedy=remedy)
        self.where = where

    def __str__(self) -> str:
        return f"{self.where}：{super().__str__()}"
