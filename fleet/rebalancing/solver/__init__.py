"""Routing of rebalancing vans: a pure kernel that knows neither Django nor money rules."""
