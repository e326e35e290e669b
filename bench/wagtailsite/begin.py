"""`python -m bench.wagtailsite.begin PORT SECTION…`: an empty database gets its tables, home and sections."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command


def begin(port: int, sections: Sequence[str]) -> None:
    """Make the tables, and the pages that articles stand below."""
    django.setup()
    package = Path(os.environ["WAGTAIL_FOLDER"]) / settings.MIGRATION_MODULES["wagtailsite"]
    package.mkdir()
    (package / "__init__.py").touch()
    call_command("makemigrations", "wagtailsite", verbosity=0)
    call_command("migrate", interactive=False, verbosity=0)

    from wagtail.models import Page, Site

    from bench.wagtailsite.models import HomePage, SectionPage

    home = Page.get_first_root_node().add_child(instance=HomePage(title="Bench", slug="bench"))
    for section in sections:
        home.add_child(instance=SectionPage(title=section))
    Site.objects.all().delete()
    Site.objects.create(hostname="127.0.0.1", port=port, root_page=home, is_default_site=True)


if __name__ == "__main__":
    begin(int(sys.argv[1]), sys.argv[2:])
