"""MQTT 5: vehicles that speak through a broker."""
