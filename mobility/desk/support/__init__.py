"""The support console: one person with all that staff may see of their dealings with them."""
