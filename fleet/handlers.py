"""Register: what the fleet's features do when others report a fact."""

from fleet.telematics import handlers as telematics

__all__ = ["telematics"]
