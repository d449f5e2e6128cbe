"""Benchmarks of 惠民, each beside a yardstick measured in the same run: `make bench`, `make bench ONLY=determine`.

in    nothing: households and people are generated, databases are private and removed
out   a table for people; bench-out/results.json for programs

A figure alone says little: machines differ. So every benchmark also times something plain that anybody can repeat (summing
the same columns, copying the same rows, another engine on the same policies) and tells the ratio. A goal that is missed
is printed as missed, and the command still ends with 0: it measures, it does not judge.
"""
