"""The pages say what the code says, and lead somewhere."""

import re
from pathlib import Path

import pytest

import gatling_beam.transforms
from gatling_beam.card_columns import COLUMNS
from gatling_beam.errors import FILTERS, REASONS
from gatling_beam.sources import FORMATS, load_catalogue

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def page(name):
    return (ROOT / "docs" / name).read_text()


def test_the_row_page_has_every_field_reason_and_filter():
    text = page("rows.md")
    for name, (group, meaning) in COLUMNS.items():
        assert f"| `{name}` | {group} | {meaning} |" in text
    for code, meaning in {**REASONS, **FILTERS}.items():
        assert f"| `{code}` | {meaning} |" in text


def test_the_source_page_has_every_format_and_note():
    text = page("sources.md")
    for name in FORMATS:
        users = ", ".join(spec.name for spec in load_catalogue().values() if spec.format == name)
        assert f"| `{name}` | {users} |" in text
    for spec in load_catalogue().values():
        if spec.note:
            assert f"| {spec.name} | {' '.join(spec.note.split())} |".replace("|", "/") in text.replace("|", "/")


def test_the_transform_page_names_every_transform():
    text = page("transforms.md")
    transforms = [
        name for name in gatling_beam.transforms.__all__ if hasattr(getattr(gatling_beam.transforms, name), "expand")
    ]
    assert len(transforms) >= 12
    assert [name for name in transforms if f"`{name}`" not in text] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_to_files(path):
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        assert target.startswith("http") or (path.parent / target).exists(), target
