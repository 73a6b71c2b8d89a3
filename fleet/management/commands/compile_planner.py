"""`manage.py compile_planner`: once after installing, so that the first plan does not wait for it."""

from typing import Any

from django.core.management.base import BaseCommand

from fleet.rebalancing.solver.search import compile_ahead


class Command(BaseCommand):
    help = "Compile the search for rebalancing plans ahead of the first plan."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        done = compile_ahead()
        self.stdout.write("Compiled." if done else "No numba here: plans will be greedy.")
