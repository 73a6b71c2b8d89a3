"""Adapter: charging stations speak OCPP over WebSocket; the house hears facts."""
