"""Everything that changes the registry (REG-01, REG-04, REG-05, REG-07). One module a matter:

loading    households, people and cards in bulk (`checks`, `clashes` serve it)
"""

from huimin.registry.commands.loading import LoadReport, load_population

__all__ = ["LoadReport", "load_population"]
