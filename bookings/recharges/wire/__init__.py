"""The shapes of recharges, quotes, guests, cards and kept connectors in the API."""
