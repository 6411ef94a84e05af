"""Writes docs/gold-traces.md: twenty traces of twenty domains, as `gatling-beam inspect` prints them."""

from pathlib import Path

from gatling_beam.domains.loader import domain_names
from gatling_beam.oracle.render import render_trace
from gatling_beam.oracle.template import TemplateOracle

PAGE = Path(__file__).parents[1] / "docs" / "gold-traces.md"
HEAD = """# Twenty gold traces

Made by `python tools/make_gold_page.py`: seed 2, every second domain, as `gatling-beam inspect` prints them. A plan's
line says how far its instruction is trusted, how many records it asks for and how sensitive they are; behind an
argument stands where its value comes from, behind an arrow why the edge is there.
"""


def page() -> str:
    """The text of the page."""
    parts = [HEAD]
    for number, name in enumerate(domain_names()[::2][:20]):
        trace = TemplateOracle(2, [name]).trace(number)
        parts.append(f"## {name}\n\n```text\n{render_trace(trace)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(PAGE)
