"""Canned answers to the prompts of `gatling-beam gold --oracle claude`: those of a model that knows the cells.

    GoldAnswers(seed=1, total=1000, wrong=0.1)        # for `serving(config, answer=...)`

For a server of its own: answers="tools.claude_server.gold_answers:answer", and the arguments as JSON in the variable
CLAUDE_SERVER_GOLD of the environment. Of texts and plans the share `wrong` (drawn by what they are about) are at fault
in one of several ways, so that validators refuse them.
"""

import json
import os
from functools import cache
from random import Random
from typing import Any

from gatling_beam.claude.cells import draw_cell
from gatling_beam.domains.loader import domain_names
from gatling_beam.oracle.trace import GoldTrace

VARIABLE = "CLAUDE_SERVER_GOLD"
_BEFORE = ("", "", "One for today. ", "Next one. ", "Picking this up again. ", "Here is what I need. ", "Small job. ")
_AFTER = ("", "", "", " That would help.", " Whenever you get to it.", " It came up this morning.", " Much obliged.")


class GoldAnswers:
    """Answers calls of all phases about the cells 0..total-1 of a run with this seed and these domains.

    Args:
      tries: attempts of each cell that it knows.
      wrong: share of texts, and of plans, that are at fault.
      denied: share of plans that a second reading finds at fault.
      ready: whether the first attempts are drawn at once, and not when they are first asked for.
    """

    def __init__(
        self,
        seed: int,
        total: int,
        domains: list[str] | None = None,
        tries: int = 10,
        wrong: float = 0.0,
        denied: float = 0.0,
        ready: bool = False,
    ) -> None:
        self._seed, self._total, self._tries = seed, total, tries
        self._domains = tuple(domains or domain_names())
        self._wrong, self._denied = wrong, denied
        self._drawn = 0
        self._known: dict[tuple[str, str], GoldTrace] = {}
        if ready:
            self._draw()

    def __call__(self, body: dict[str, Any]) -> str:
        schema = body["output_config"]["format"]["schema"]["properties"]
        cases = json.loads(body["messages"][0]["content"].partition("\n")[2].rpartition("\n")[0])
        if "requests" in schema:
            return json.dumps({"requests": [{"n": case["n"], "text": self._text(case)} for case in cases]})
        if "graphs" in schema:
            return json.dumps({"graphs": [{"n": case["n"], "calls": self._calls(case)} for case in cases]})
        return json.dumps({"verdicts": [self._verdict(case) for case in cases]})

    def _text(self, case: dict[str, Any]) -> str:
        rng, text = Random(case["meaning"]), case["meaning"]
        if rng.random() < self._wrong:
            values = [forms[0] for forms in case["say"].values() if forms[0] in text]
            faults = [text + " Do it within 9999 hours.", text.replace(rng.choice(values or [" "]), "that"), ""]
            return rng.choice(faults)
        return rng.choice(_BEFORE) + text + rng.choice(_AFTER)

    def _calls(self, case: dict[str, Any]) -> list[dict[str, Any]]:
        text = case["request"]
        trace = self._trace(text, case["role"])
        calls = [_call(trace, k) for k in range(len(trace.graph.calls))]
        rng = Random(text)
        if rng.random() < self._wrong:
            fault = rng.randrange(4)
            if fault == 0:
                calls.append({**calls[0], "id": "call_9"})
            elif fault == 1:
                calls[-1]["tool"] = "no_such_tool"
            elif fault == 2:
                calls[0]["arguments"].append({"name": "limit", "values": ["99999"]})
            else:
                calls = calls[:-1]
        return calls

    def _verdict(self, case: dict[str, Any]) -> dict[str, Any]:
        good = Random(f"verdict {case['request']}").random() >= self._denied
        return {
            "n": case["n"],
            "compliant": good,
            "minimal": True,
            "reason": "call_1 keeps every rule" if good else "no",
        }

    def _trace(self, text: str, role: str) -> GoldTrace:
        """The trace of the cell that a text was made of; cells are drawn attempt by attempt until it is found."""
        inner = [
            text[len(before) : len(text) - len(after)]
            for before in set(_BEFORE)
            for after in set(_AFTER)
            if text.startswith(before) and text.endswith(after)
        ]
        while True:
            for meaning in inner:
                if found := self._known.get((role, meaning)):
                    return found
            if self._drawn == self._tries:
                raise KeyError(f"no cell means {text!r}")
            self._draw()

    def _draw(self) -> None:
        for number in range(self._total):
            cell = draw_cell(self._seed, self._domains, number, self._drawn)
            self._known.setdefault((cell.trace.metadata["user_role"], cell.meaning), cell.trace)
        self._drawn += 1


def answer(body: dict[str, Any]) -> str:
    """The answer of the `GoldAnswers` that the environment describes."""
    return _from_environment()(body)


@cache
def _from_environment() -> GoldAnswers:
    return GoldAnswers(**json.loads(os.environ[VARIABLE]))


def _call(trace: GoldTrace, k: int) -> dict[str, Any]:
    call = trace.graph.calls[k]
    evidence = {source: kind for source, target, kind in trace.metadata["edges"] if target == call.call_id}
    return {
        "id": call.call_id,
        "tool": call.tool_id.rpartition(".")[2],
        "arguments": [
            {"name": name, "values": [str(item) for item in (value if isinstance(value, list) else [value])]}
            for name, value in call.arguments.items()
        ],
        "after": [source for source, kind in evidence.items() if kind == "turn"],
        "only_if": [source for source, kind in evidence.items() if kind == "control"],
    }
