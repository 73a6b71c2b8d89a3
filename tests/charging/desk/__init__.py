"""Luca's pages of chargers, through the admin as he sees it."""
