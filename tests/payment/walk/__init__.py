"""The random walk of money (PAY-01 to PAY-06, FUND-01, LED-01, LED-03): the bank, the acts of the offices, what must hold."""
