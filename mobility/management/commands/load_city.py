"""`manage.py load_city DIR`: districts and hubs from GeoJSON files."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mobility.core import clock
from mobility.core.principals import system_principal
from mobility.geography import loading, services
from mobility.geography.models import City


class Command(BaseCommand):
    """Load a city's districts and hubs."""

    help = "Load districts and hubs from the *.geojson files of a folder; repeating it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """The folder, the city, and how to print."""
        parser.add_argument("folder", type=Path, metavar="DIR")
        parser.add_argument("--city", default="milano", help="slug of the city (default: milano)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, then say what was taken, what was refused and why."""
        folder: Path = options["folder"]
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder.")
        at, by = clock.now(), system_principal("command-line")
        city = City.objects.filter(slug=options["city"]).first()
        if city is None:
            city = services.ensure_milan(at=at, by=by)
        reports = loading.load_folder(city=city, folder=folder, at=at, by=by)
        if not reports:
            raise CommandError(f"{folder} holds no *.geojson file.")
        services.cover_districts(city=city, at=at, by=by)
        if options["json"]:
            self.stdout.write(
                json.dumps({"city": city.slug, "files": [r.as_json() for r in reports]})
            )
            return
        for report in reports:
            self._print(report)

    def _print(self, report: loading.LayerReport) -> None:
        self.stdout.write(
            f"{report.file}: {report.layer}: {report.created} new, {report.updated} updated,"
            f" {report.unchanged} unchanged, {len(report.refused)} refused"
        )
        reasons: dict[str, list[str]] = {}
        for refusal in report.refused:
            reasons.setdefault(refusal["reason"], []).append(str(refusal["feature"]))
        for reason, features in reasons.items():
            shown = ", ".join(features[:5]) + (
                f" and {len(features) - 5} more" if len(features) > 5 else ""
            )
            self.stdout.write(f"  refused: {reason} (features {shown})")
