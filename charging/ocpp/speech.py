"""Tells the rooms below what each version can say, so that nobody queues what cannot be sent."""

from __future__ import annotations

from collections.abc import Callable

from charging.ocpp import v16, v21, v201
from charging.ocpp.deeds import Dialect, Unspeakable
from charging.ocpp.rpc.errors import RpcError
from charging.ocpp.rpc.schemas import schemas_of
from charging.stations import speech
from charging.stations.facts import CommandToSend


def checker(dialect: Dialect) -> Callable[[CommandToSend], None]:
    """Says a command in one version, checks it against the schema, and throws it away."""

    def check(command: CommandToSend) -> None:
        try:
            action, payload = dialect.say(command)
            schemas_of(dialect.version).check_request(action=action, payload=payload)
        except Unspeakable as problem:
            raise speech.CommandImpossible(
                version=str(dialect.version),
                reason=str(problem),
                extra={"reason": str(problem)},
            ) from problem
        except RpcError as problem:
            reason = problem.description
            raise speech.CommandMalformed(reason=reason, extra={"reason": reason}) from problem
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            # Whatever was sent for an argument: it has not the shape that the action asks for.
            reason = str(problem) or type(problem).__name__
            raise speech.CommandMalformed(reason=reason, extra={"reason": reason}) from problem

    return check


def register() -> None:
    """Register all versions; called once, when the application is ready."""
    for dialect in (v16.DIALECT, v201.DIALECT, v21.DIALECT):
        speech.register(dialect.version, checker(dialect))


register()
