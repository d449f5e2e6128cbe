"""The three programmes of `policy/` beside this file as an OpenFisca tax and benefit system, written as its guide says:
a variable for each input, each named value and each condition, so that it, too, can tell which condition failed.

in    parameters in 分 by name (`run.py` hands over what the policies here say)
out   a TaxBenefitSystem with inputs, and for each programme its eligibility and amount

Amounts are whole 分 and divisions are put off to the end, so that both engines can agree to the cent: OpenFisca's own
floating numbers are single precision. Vectors hold no "unknown"; what was not asked stands as zero.
"""

from datetime import date
from typing import Any

import numpy as np
from openfisca_core.entities import build_entity
from openfisca_core.parameters import ParameterNode
from openfisca_core.periods import ETERNITY, MONTH
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

Person = build_entity(key="person", plural="persons", label="人", is_person=True)
Household = build_entity(
    key="household", plural="households", label="户", roles=[{"key": "member", "plural": "members", "label": "成员"}]
)

INPUTS = {
    Household: {
        "rural": bool, "sown_land_mu": int, "vehicles": int, "vehicle_value": int, "large_machines": int, "houses": int,
        "deposits": int, "securities": int, "other_assets": int, "businesses": int, "business_income_year": int,
        "property_income_year": int, "transfer_income_year": int, "other_income_year": int, "rigid_medical_year": int,
    },
    Person: {
        "employed": bool, "wage_month": int, "pension_month": int, "reservoir_migrant": bool, "migrant_since": date,
        "fiscal_payroll": bool, "clergy_years": int, "in_custody": bool, "death_date": date, "moved_out_date": date,
    },
}  # fmt: skip
PROGRAMMES = {"dibao-rural": "dibao", "grain-one-off": "grain", "reservoir-migrant": "migrant"}


def build_system(parameters_fen: dict[str, int]) -> TaxBenefitSystem:
    """A new system with these parameters in force since 2006."""
    system = TaxBenefitSystem([Person, Household])
    for entity, inputs in INPUTS.items():
        for name, kind in inputs.items():
            system.add_variable(_input(entity, name, kind))
    for variable in FORMULAS:
        system.add_variable(variable)
    values = {name: {"values": {"2006-01-01": {"value": value}}} for name, value in parameters_fen.items()}
    system.parameters = ParameterNode("", data=values)
    return system


def _input(entity: Any, name: str, kind: type) -> type[Variable]:
    return type(name, (Variable,), {"value_type": kind, "entity": entity, "definition_period": ETERNITY})


class present(Variable):
    value_type, entity, definition_period = bool, Person, MONTH

    def formula(person: Any, period: Any) -> Any:
        today = np.datetime64(str(period.start))
        return (person("death_date", period) > today) & (person("moved_out_date", period) > today)


# -- dibao-rural


class counted(Variable):
    value_type, entity, definition_period = bool, Person, MONTH

    def formula(person: Any, period: Any) -> Any:
        return person("present", period) & ~person("in_custody", period) & (person("clergy_years", period) < 3)


class heads(Variable):
    value_type, entity, definition_period = int, Household, MONTH

    def formula(household: Any, period: Any) -> Any:
        return household.sum(household.members("counted", period))


class net_wage_year(Variable):
    value_type, entity, definition_period = int, Person, MONTH

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        wage = person("wage_month", period) * 12
        return wage - np.where(person("employed", period), np.minimum(wage, parameters(period).work_cost_year), 0)


class net_pension_year(Variable):
    value_type, entity, definition_period = int, Person, MONTH

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        return 12 * np.maximum(0, person("pension_month", period) - parameters(period).basic_pension)


class income_year(Variable):
    value_type, entity, definition_period = int, Household, MONTH

    def formula(household: Any, period: Any) -> Any:
        earned = household.members("net_wage_year", period) + household.members("net_pension_year", period)
        members = household.sum(earned * household.members("counted", period)).astype(np.int64)
        own = sum(household(f"{kind}_income_year", period) for kind in ("business", "property", "transfer", "other"))
        return members + own


class reduced_income_year(Variable):
    value_type, entity, definition_period = int, Household, MONTH

    def formula(household: Any, period: Any) -> Any:
        return np.maximum(0, household("income_year", period) - household("rigid_medical_year", period))


class dibao_members(Variable):
    value_type, entity, definition_period = bool, Household, MONTH

    def formula(household: Any, period: Any) -> Any:
        return household("heads", period) > 0


class dibao_income(Variable):
    value_type, entity, definition_period = bool, Household, MONTH

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        heads = household("heads", period).astype(np.int64)
        return (household("reduced_income_year", period) < parameters(period).standard * 12 * heads) | (heads == 0)


class dibao_financial_assets(Variable):
    value_type, entity, definition_period = bool, Household, MONTH

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        heads = household("heads", period).astype(np.int64)
        assets = sum(household(name, period) for name in ("deposits", "securities", "other_assets"))
        return (assets <= parameters(period).assets_cap * heads) | (heads == 0)


class dibao_vehicles(Variable):
    value_type, entity, definition_period = bool, Household, MONTH

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return (household("vehicles", period) == 0) | (
            household("vehicle_value", period) <= parameters(period).vehicle_cap
        )


class dibao_houses(Variable):
    value_type, entity, definition_period = bool, Household, MONTH

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return household("houses", period) <= parameters(period).houses_cap


class dibao_machines(Variable):
    value_type, entity, definition_period = bool, Household, MONTH

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return household("large_machines", period) <= parameters(period).machines_cap


class dibao_businesses(Variable):
    value_type, entity, definition_period = bool, Household, MONTH

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return household("businesses", period) <= parameters(period).businesses_cap


class dibao_fiscal_payroll(Variable):
    value_type, entity, definition_period = bool, Household, MONTH

    def formula(household: Any, period: Any) -> Any:
        on_payroll = household.members("counted", period) & household.members("fiscal_payroll", period)
        return ~household.any(on_payroll)


DIBAO_CONDITIONS = (
    dibao_members, dibao_income, dibao_financial_assets, dibao_vehicles, dibao_houses, dibao_machines,
    dibao_businesses, dibao_fiscal_payroll,
)  # fmt: skip


class dibao_eligible(Variable):
    value_type, entity, definition_period = bool, Household, MONTH

    def formula(household: Any, period: Any) -> Any:
        met = household("rural", period)
        for condition in DIBAO_CONDITIONS:
            met = met & household(condition.__name__, period)
        return met


class dibao_amount(Variable):
    value_type, entity, definition_period = int, Household, MONTH

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        yearly = parameters(period).standard * 12 * household("heads", period).astype(np.int64)
        gap = (yearly - household("reduced_income_year", period) + 6) // 12
        return np.where(household("dibao_eligible", period), gap, 0)


# -- grain-one-off


class grain_eligible(Variable):
    value_type, entity, definition_period = bool, Household, MONTH

    def formula(household: Any, period: Any) -> Any:
        return household("sown_land_mu", period) > 0


class grain_amount(Variable):
    value_type, entity, definition_period = int, Household, MONTH

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        area = household("sown_land_mu", period).astype(np.int64)
        return household("grain_eligible", period) * ((area * parameters(period).grain_per_mu + 50) // 100)


# -- reservoir-migrant


class support_start(Variable):
    value_type, entity, definition_period = date, Person, MONTH

    def formula(person: Any, period: Any) -> Any:
        return np.maximum(person("migrant_since", period), np.datetime64("2006-07-01"))


class support_end(Variable):
    value_type, entity, definition_period = date, Person, MONTH

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        start = person("support_start", period)
        month = start.astype("datetime64[M]")
        end_month = month + parameters(period).support_years * 12
        days = np.minimum(start - month.astype("datetime64[D]"), _last_day(end_month))
        return end_month.astype("datetime64[D]") + days


class migrant_within_years(Variable):
    value_type, entity, definition_period = bool, Person, MONTH

    def formula(person: Any, period: Any) -> Any:
        today = np.datetime64(str(period.start))
        return (person("support_start", period) <= today) & (today < person("support_end", period))


class migrant_eligible(Variable):
    value_type, entity, definition_period = bool, Person, MONTH

    def formula(person: Any, period: Any) -> Any:
        of_the_place = person("present", period) & person("reservoir_migrant", period)
        return of_the_place & person("migrant_within_years", period)


class migrant_amount(Variable):
    value_type, entity, definition_period = int, Person, MONTH

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        return person("migrant_eligible", period) * parameters(period).migrant_year


def _last_day(month: Any) -> Any:
    """Days from the first to the last day of the month."""
    return (month + 1).astype("datetime64[D]") - month.astype("datetime64[D]") - 1


FORMULAS = (
    present, counted, heads, net_wage_year, net_pension_year, income_year, reduced_income_year, *DIBAO_CONDITIONS,
    dibao_eligible, dibao_amount, grain_eligible, grain_amount, support_start, support_end, migrant_within_years,
    migrant_eligible, migrant_amount,
)  # fmt: skip
