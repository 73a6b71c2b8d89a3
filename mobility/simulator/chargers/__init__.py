"""Simulated chargers: they plug cars in, meter, obey, lose their link and repeat themselves."""

from mobility.simulator.chargers.charger import run_chargers

__all__ = ["run_chargers"]
