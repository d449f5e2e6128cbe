"""The sample county: an invented population of 金寨县 with the shapes and faults of a real registry (REG-01, REG-04).

in    how many people, a seed, data/divisions.csv, the day
out   a `Population` of Arrow tables; the bank's accounts as CSV

Columns, in order (types in `tables`; a fact's column is named and typed by `kernel.facts`):

| table         | columns                                                                    |
| ------------- | -------------------------------------------------------------------------- |
| groups        | code, name, parent                                                         |
| households    | household_no, division, village, head, address, phone, all HOUSEHOLD_FACTS |
| people        | household, name, id_number, all PERSON_FACTS                               |
| cards         | account, holder, household, kind, state                                    |
| bank_accounts | account, name, id_number, state, kind, card                                |
| rejects       | household, household_no, relation, name, id_number, problem                |

Always true: one seed, one county, for ever; exactly the asked number of people; every null and every irregularity is
in `faults`; nobody in here exists: the region 341599, the card prefix 6299990 and the telephone block 1600 belong to
nobody, and names are drawn from pools. What is published was followed (`families`, `holdings`); the rest is an
assumption, written beside its parameter. Nothing here touches a database.
Limits: 500 to 1,000,000 people, one county.
"""

from huimin.demo.population.generate import generate, write_bank_accounts
from huimin.demo.population.tables import Fault, Population

__all__ = ["Fault", "Population", "generate", "write_bank_accounts"]
