"""Receipts, invoices and credit notes: numbered, frozen, readable."""
