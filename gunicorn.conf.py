"""What the web workers do that is no option of gunicorn's; it reads this file where it is started."""


def when_ready(_server: object) -> None:
    """The application is loaded (--preload) and no worker is forked yet."""
    # Here, because reading this file must not import the house.
    from mobility.core.garbage import collect_between_requests  # noqa: PLC0415

    collect_between_requests()
