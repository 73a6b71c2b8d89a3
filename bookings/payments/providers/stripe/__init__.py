"""Stripe, by its own library, which is imported in `gateway` alone."""
