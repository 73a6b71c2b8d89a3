"""What must be true of the books at every moment, asked of the rows themselves."""

from collections.abc import Mapping

from django.db import connection

# Each returns a row for every fault and nothing where the books are sound. They look at all that
# was ever booked: for the night and for tests, not for a page.
_CHECKS: Mapping[str, str] = {
    "a transaction does not balance": """
        SELECT t.deed, t.ref, sum(e.cents)
        FROM bookings_ledgertransaction t
        LEFT JOIN bookings_ledgerentry e ON e.transaction_id = t.id
        GROUP BY t.id, t.deed, t.ref HAVING coalesce(sum(e.cents), 0) <> 0 OR count(e.id) = 0
    """,
    "a customer's account is not what they owe": """
        WITH owed AS (
            SELECT organisation_id, payer_id AS user_id, currency, sum(amount_cents) AS cents
            FROM bookings_payment
            WHERE state = 'due' OR (state = 'capturing' AND lines IS NULL)
            GROUP BY 1, 2, 3
        ), booked AS (
            SELECT a.organisation_id, a.user_id, a.currency, sum(e.cents) AS cents
            FROM bookings_ledgeraccount a
            JOIN bookings_ledgerentry e ON e.account_id = a.id
            WHERE a.kind = 'receivable' AND a.user_id IS NOT NULL GROUP BY 1, 2, 3
        )
        SELECT organisation_id, user_id, booked.cents, owed.cents
        FROM booked FULL JOIN owed USING (organisation_id, user_id, currency)
        WHERE coalesce(booked.cents, 0) <> coalesce(owed.cents, 0)
    """,
    "a provider does not hold what was collected and not given back": """
        WITH moved AS (
            SELECT p.organisation_id, p.provider, p.currency,
                   sum(p.captured_cents) - coalesce(sum(given.cents), 0) AS cents
            FROM bookings_payment p
            LEFT JOIN (
                SELECT payment_id, sum(cents) AS cents FROM bookings_refund
                WHERE state = 'done' AND way = 'card' GROUP BY 1
            ) given ON given.payment_id = p.id
            WHERE p.captured_cents > 0 AND p.provider <> 'wallet' GROUP BY 1, 2, 3
        ), booked AS (
            SELECT a.organisation_id, a.provider, a.currency, sum(e.cents) AS cents
            FROM bookings_ledgeraccount a
            JOIN bookings_ledgerentry e ON e.account_id = a.id
            JOIN bookings_ledgertransaction t ON t.id = e.transaction_id
            WHERE a.kind = 'clearing' AND t.deed IN ('capture', 'refund') GROUP BY 1, 2, 3
        )
        SELECT organisation_id, provider, booked.cents, moved.cents
        FROM booked FULL JOIN moved USING (organisation_id, provider, currency)
        WHERE coalesce(booked.cents, 0) <> coalesce(moved.cents, 0)
    """,
    "a credit is not the sum of its movements, or below zero": """
        SELECT a.organisation_id, a.user_id, a.kind, a.balance_cents, coalesce(sum(e.cents), 0)
        FROM bookings_ledgeraccount a LEFT JOIN bookings_ledgerentry e ON e.account_id = a.id
        WHERE a.kind IN ('wallet', 'wallet_held')
        GROUP BY a.id HAVING a.balance_cents <> -coalesce(sum(e.cents), 0) OR a.balance_cents < 0
    """,
    "credit is set aside for nothing": """
        WITH held AS (
            SELECT organisation_id, payer_id AS user_id, currency, sum(cents) AS cents FROM (
                SELECT organisation_id, payer_id, currency, authorised_cents AS cents
                FROM bookings_payment
                WHERE provider = 'wallet' AND provider_ref = 'held'
                  AND state IN ('authorised', 'capturing')
                UNION ALL
                SELECT p.organisation_id, p.payer_id, p.currency, r.cents
                FROM bookings_refund r JOIN bookings_payment p ON p.id = r.payment_id
                WHERE p.purpose = 'top_up' AND r.state IN ('proposed', 'requested')
            ) one GROUP BY 1, 2, 3
        )
        SELECT a.organisation_id, a.user_id, a.balance_cents, held.cents
        FROM bookings_ledgeraccount a
        FULL JOIN held USING (organisation_id, user_id, currency)
        WHERE (a.kind IS NULL OR a.kind = 'wallet_held')
          AND coalesce(a.balance_cents, 0) <> coalesce(held.cents, 0)
    """,
    "VAT paid ahead stands against no credit": """
        SELECT v.organisation_id, v.user_id, sum(e.cents)
        FROM bookings_ledgeraccount v JOIN bookings_ledgerentry e ON e.account_id = v.id
        WHERE v.kind = 'prepaid_vat' GROUP BY v.id
        HAVING sum(e.cents) < 0 OR sum(e.cents) > (
            SELECT coalesce(sum(c.balance_cents), 0) FROM bookings_ledgeraccount c
            WHERE c.organisation_id = v.organisation_id AND c.user_id = v.user_id
              AND c.currency = v.currency
        )
    """,
    "a payment is not what its documents say": """
        SELECT p.public_id, p.state, p.amount_cents, p.refunded_cents,
               sum(d.total_cents) FILTER (WHERE d.kind = 'receipt'),
               sum(d.total_cents) FILTER (WHERE d.kind = 'credit_note')
        FROM bookings_payment p LEFT JOIN bookings_receipt d ON d.payment_id = p.id
        GROUP BY p.id
        HAVING coalesce(sum(CASE d.kind WHEN 'receipt' THEN d.total_cents
                                        WHEN 'credit_note' THEN -d.total_cents END), 0)
            <> (CASE WHEN p.state IN ('captured', 'due', 'written_off', 'voided')
                       OR (p.state = 'capturing' AND p.lines IS NULL)
                     THEN p.amount_cents ELSE 0 END)
             - (SELECT coalesce(sum(r.cents), 0) FROM bookings_refund r
                WHERE r.payment_id = p.id AND r.state = 'done' AND r.way <> 'debt')
    """,
    "a payment has refunds that its column does not know": """
        SELECT p.public_id, p.refunded_cents, coalesce(sum(r.cents), 0)
        FROM bookings_payment p LEFT JOIN bookings_refund r
          ON r.payment_id = p.id AND (r.state IN ('proposed', 'requested')
                                      OR r.state = 'done' AND r.way <> 'debt')
        GROUP BY p.id HAVING p.refunded_cents <> coalesce(sum(r.cents), 0)
    """,
    "a paid payment is not booked exactly once": """
        SELECT p.public_id, p.amount_cents, p.captured_cents,
               count(*) FILTER (WHERE t.deed = 'sale'), count(*) FILTER (WHERE t.deed = 'capture')
        FROM bookings_payment p
        LEFT JOIN bookings_ledgertransaction t ON t.ref = p.public_id::text
        WHERE p.state = 'captured' AND p.amount_cents > 0 GROUP BY p.id
        HAVING p.captured_cents <> p.amount_cents
            OR count(*) FILTER (WHERE t.deed = 'sale') <> 1
            OR count(*) FILTER (WHERE t.deed = 'capture') <> 1
    """,
    "something is paid for twice": """
        SELECT purpose, purpose_ref, count(*) FROM bookings_payment
        GROUP BY 1, 2 HAVING count(*) > 1
    """,
    "document numbers have a gap": """
        SELECT s.organisation_id, s.kind, s.year, s.last_number, count(d.id), max(d.sequence)
        FROM bookings_documentseries s LEFT JOIN bookings_receipt d
          ON d.organisation_id = s.organisation_id AND d.kind = s.kind AND d.year = s.year
        GROUP BY s.id
        HAVING s.last_number <> count(d.id) OR s.last_number <> coalesce(max(d.sequence), 0)
    """,
}


def ledger_faults() -> list[str]:
    """Everything that is wrong with the books, one sentence each; empty means that they are sound.

    1. Every transaction balances, and every customer's account is exactly what they owe.
    2. Providers hold what was collected and not given back.
    3. No credit is below zero, and each is the sum of its movements.
    4. Every paid payment is sold and collected once and agrees with its documents and refunds.
    5. Nothing is paid for twice, and the documents' numbers have no gap.
    """
    faults = []
    with connection.cursor() as cursor:
        for fault, statement in _CHECKS.items():
            cursor.execute(statement)
            faults += [f"{fault}: {', '.join(map(str, row))}" for row in cursor.fetchall()]
    return faults
