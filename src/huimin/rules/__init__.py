"""The rule engine: policies as data, determination of everybody, exactly, with grounds.

in    policy files in the office's own words; facts as columns; a date
out   eligible or not, amounts in 分, which conditions failed, what is missing; explanations of one household

Pure: no database, no clock, no web. Text becomes trees (`tokens`, `syntax`), trees are checked (`checking`, `units`,
`guards`), files are merged by place and date (`layers`, `merging`, `book`), programmes run over columns (`engine`, `sharing`,
`frame`, `exact`, `operations`, `judging`) and are held against a slow evaluator (`reference`). The language is told to its users in
docs/policy-language.md.
"""

from huimin.rules.book import Book
from huimin.rules.cases import CaseResult, few_cases, few_cases_words, run_cases
from huimin.rules.engine import evaluate, evaluate_all, evaluate_each, grounds, in_order_of_asking, missing_names
from huimin.rules.exact import NumberTooLarge
from huimin.rules.explain import explain, explain_rows
from huimin.rules.faults import Fault, PolicyFaults
from huimin.rules.judging import AmountNegative
from huimin.rules.outcome import Outcome
from huimin.rules.parts import share_of_period
from huimin.rules.programme import Condition, ParameterValue, Programme
from huimin.rules.reading import check_texts, read_book, read_book_texts
from huimin.rules.table import Column, Held, Table

__all__ = [
    "AmountNegative",
    "Book",
    "CaseResult",
    "Column",
    "Condition",
    "Fault",
    "Held",
    "NumberTooLarge",
    "Outcome",
    "ParameterValue",
    "PolicyFaults",
    "Programme",
    "Table",
    "check_texts",
    "evaluate",
    "evaluate_all",
    "evaluate_each",
    "explain",
    "explain_rows",
    "few_cases",
    "few_cases_words",
    "grounds",
    "in_order_of_asking",
    "missing_names",
    "read_book",
    "read_book_texts",
    "run_cases",
    "share_of_period",
]
