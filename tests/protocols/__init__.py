"""What a charger can rely on, through a real socket to a real gateway.

Each behaviour is tested on every version it applies to: a test takes `version`, which runs it as
`ocpp1.6`, `ocpp2.0.1` and `ocpp2.1`, or narrows it with `@pytest.mark.parametrize("version", TWO)`.
Tests are named after the behaviour. A topic is a folder.
"""
