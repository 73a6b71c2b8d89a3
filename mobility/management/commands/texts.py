"""`manage.py texts`: bring the Italian catalogue up to date with the sources, and compile it."""

from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from mobility.core import catalogue

METADATA = {
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Transfer-Encoding": "8bit",
    "Language": "it",
    "Plural-Forms": "nplurals=2; plural=(n != 1);",
}


class Command(BaseCommand):
    """Update and compile, or only check."""

    help = "Collect the texts of the sources into locale/it and compile the catalogue."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to write."""
        parser.add_argument(
            "--check", action="store_true", help="change nothing; fail if something is missing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Collect, compare or write, compile."""
        folder = Path(settings.BASE_DIR) / "locale" / "it" / "LC_MESSAGES"
        stored = (
            polib.pofile(str(folder / "django.po"))
            if (folder / "django.po").exists()
            else polib.POFile()
        )
        stored.metadata = METADATA
        fresh = catalogue.update(catalogue=stored, texts=catalogue.collect(Path(settings.BASE_DIR)))
        found = list(catalogue.problems(fresh))
        if options["check"]:
            self._check(folder, fresh, found)
            return
        folder.mkdir(parents=True, exist_ok=True)
        fresh.save(str(folder / "django.po"))
        (folder / "django.mo").write_bytes(fresh.to_binary())
        self.stdout.write(f"{len(fresh)} texts, {len(found)} to translate.")

    def _check(self, folder: Path, fresh: polib.POFile, found: list[str]) -> None:
        compiled = folder / "django.mo"
        if not compiled.exists() or compiled.read_bytes() != fresh.to_binary():
            found.append("locale/it is behind the sources: run manage.py texts")
        for problem in found[:20]:
            self.stderr.write(problem)
        if found:
            raise CommandError(f"{len(found)} problems with the Italian catalogue.")
        self.stdout.write(f"{len(fresh)} texts, all translated.")
