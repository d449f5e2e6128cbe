"""The last steps: returned money's accounts corrected by two people, and everything that must hold said to hold."""

LEFT_OPEN_EVERY = 10  # one returned line in ten keeps its exception open, as in real life

_RETURNED = """
SELECT e.id, l.payee_id, c.use, l.household_id, p.name, left(l.division, 9) || '000'
FROM payment_paymentexception e JOIN payment_rosterline l ON l.id = e.line_id
JOIN registry_card c ON c.id = l.card_id JOIN registry_person p ON p.id = l.payee_id
WHERE e.kind = 'returned' AND e.state = 'open' AND l.state = 'returned' AND l.replaces_id IS NULL
  AND NOT EXISTS (SELECT 1 FROM registry_cardcorrection x WHERE x.holder_id = l.payee_id AND x.use = c.use)
ORDER BY e.id
"""
