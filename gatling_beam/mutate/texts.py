"""Texts of the registry, as people of a domain write them about a record."""

from gatling_beam.domains.dice import Dice
from gatling_beam.domains.texts import fill_text
from gatling_beam.mutate.anchor import Anchor


def natural_text(anchor: Anchor, dice: Dice, reader: int, about: str) -> str:
    """A text such as the call at `reader` reads, about the record `about`.

    Where a call hangs on what is read, it is one under which that call is what the request asks for.
    """
    spec = anchor.domain.spec
    record = spec.records[anchor.tools[reader].record]
    task = anchor.sample.metadata.get("gold", {}).get("metadata", {}).get("task", "")
    met_by = spec.tasks[task].met_by if task in spec.tasks else ()
    is_condition = any(source == reader and evidence == "control" for source, _, evidence in anchor.plan.edges)
    words = dice.pick(met_by if is_condition and met_by else record.texts)
    return fill_text(anchor.domain, dice, words, about)
