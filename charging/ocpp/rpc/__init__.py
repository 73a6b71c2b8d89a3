"""OCPP-J's remote procedure calls, without any meaning: frames, errors, schemas, correlation."""
