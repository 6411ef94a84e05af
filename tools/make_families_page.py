"""Writes docs/families-read.md: a hundred crossings, four hundred rows, for reading."""

from collections import Counter
from pathlib import Path

from gatling_beam.domains.loader import domain_names
from gatling_beam.families.accept import accept
from gatling_beam.families.build import BOUNDARY_KINDS, STRATEGIES, Inapplicable, boundary_pairs, crossings
from gatling_beam.families.render import render_crossing
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.sample import Sample

PAGE = Path(__file__).parents[1] / "docs" / "families-read.md"
SEED = 20
#: Crossings of each strategy of Tier II, and of each kind of Tier III.
EACH, EACH_BOUNDARY = 19, 5
HEAD = """# Four hundred rows to read

Made by `python tools/make_families_page.py`. A crossing has its requests, texts, facts and plans once; the lines at its
end are its rows. What came of reading them stands in [families.md](families.md).
"""


def page() -> str:
    """The text of the page."""
    oracle = TemplateOracle(SEED, domain_names())
    wanted = Counter(dict.fromkeys(STRATEGIES, EACH)) + Counter(dict.fromkeys(BOUNDARY_KINDS, EACH_BOUNDARY))
    found: dict[str, list[str]] = {}
    seen: set[tuple[str, str]] = set()
    number = 0
    while wanted.total():
        sample = trace_to_sample(oracle.trace(number))
        number += 1
        for made in (*crossings(sample, seed=SEED), *boundary_pairs(sample, seed=SEED)):
            if isinstance(made, Inapplicable) or (made.strategy, sample.category) in seen:
                continue
            if wanted[made.strategy] > 0:
                rows = accept(made.rows)
                if isinstance(rows[0], Sample):
                    wanted[made.strategy] -= 1
                    seen.add((made.strategy, sample.category))
                    found.setdefault(made.strategy, []).append(render_crossing(rows))  # type: ignore[arg-type]
    parts = [HEAD]
    for strategy, crossings_ in found.items():
        parts.append(f"## {strategy}\n")
        parts += [f"```text\n{text}\n```\n" for text in crossings_]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(PAGE)
