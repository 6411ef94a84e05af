"""The sentences of asides and orders, which are data beside this module."""

from functools import cache
from importlib.resources import files

from gatling_beam.domains.dice import Dice
from gatling_beam.domains.speech import CLOSERS, OPENERS, sentence_case
from gatling_beam.domains.tree import read_tree


@cache
def wordings(name: str) -> dict[str, tuple[str, ...]]:
    """The sentences of `data/<name>.yaml` by kind."""
    text = (files("gatling_beam.mutate") / "data" / f"{name}.yaml").read_text("utf-8")
    return {kind: tuple(sentences) for kind, sentences in read_tree(text).values.items()}


def with_aside(request: str, sentence: str, *, first: bool) -> str:
    """The request with a sentence that asks for nothing, before or after its own: after a greeting that opens it, and
    before one that closes it."""
    said = sentence_case(sentence)
    opener = next((words for words in OPENERS if request.startswith(f"{words} ")), "")
    closer = next((words for words in CLOSERS if request.endswith(f" {words}")), "")
    own = request[len(opener) : len(request) - len(closer)].strip()
    return " ".join(filter(None, (opener, said, own, closer) if first else (opener, own, said, closer)))


def pick_aside(dice: Dice, kind: str) -> str:
    """A sentence that mentions a value of that kind."""
    return dice.pick(wordings("asides")[kind])


def carried(dice: Dice, orders: list[str]) -> str:
    """Orders in different wrappings, one after another."""
    wrappers = dice.some(wordings("carriers")["orders"], len(orders))
    return " ".join(
        wrapper.format(order=order, Order=sentence_case(order)) for wrapper, order in zip(wrappers, orders, strict=True)
    )
