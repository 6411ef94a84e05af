"""Rows that come with gold calls and no warrant: the calls say what is permitted, a policy and texts are drawn."""

from typing import Any

import msgspec

from gatling_beam.attribution import leaves
from gatling_beam.domains.dice import Dice
from gatling_beam.domains.loader import domain_names
from gatling_beam.domains.plans import Result, Slot, Step
from gatling_beam.domains.policies import Policy
from gatling_beam.domains.registry import Domain, domain
from gatling_beam.domains.texts import fill_text
from gatling_beam.domains.tools import Parameter, Tool
from gatling_beam.domains.world import TODAY
from gatling_beam.facts import owner_fact, person_fact, role_fact, today_fact
from gatling_beam.families.rows import rows_of
from gatling_beam.graph import positions
from gatling_beam.grounding import REFERENCE, Grounding
from gatling_beam.hashing import digest
from gatling_beam.judge import Unjudged, judge
from gatling_beam.mutate.crossing import BENIGN, Call, Cell, Crossing, NotApplicable, Plan, Situation, Text
from gatling_beam.oracle.access import allowed_owners
from gatling_beam.plan import MAX_NODES, TrustTier
from gatling_beam.provenance import SOURCE_TYPES
from gatling_beam.sample import Sample
from gatling_beam.scope import iso_date
from gatling_beam.warrant import permitted_call

REDRAWS = 8


def annotate(sample: Sample, *, seed: int) -> Sample:
    """The row with a warrant from its own calls, a policy that permits them, texts for its reads and session facts.

    The request pins only what it says: a bound, a set, a destination or a source that does not stand there is left to
    the policy. The policy is drawn from the domain's by (seed, tool set), before the row is judged; a row that names no
    tool set of its own has all of its domain's and draws by its request instead. What the row says already (role,
    policy, facts, retrieved texts) is kept; values of its calls never change.

    Args:
      sample: a benign row whose tools are `<domain>.<tool>` of one domain of the registry. A row with a warrant is
        returned as it is.

    Raises:
      NotApplicable: unmapped_tools (also for a call that does not fit its tool), no_warrant (no request, not benign, a
        reference to no earlier call, or a read that finds nothing), too_large, policy_unfit.
    """
    if sample.warrant is not None:
        return sample
    if len(sample.execution_plan.nodes) > MAX_NODES:
        raise NotApplicable("too_large")
    row = _Unannotated(sample)
    dice = Dice(int(digest("policy", str(seed), row.domain.name, _toolset_of(sample))[:16], 16))
    for policy in dice.some(_open_policies(row), 1 + REDRAWS):
        annotated = row.under(policy, Dice(int(digest("texts", str(seed), sample.sample_id)[:16], 16)))
        try:
            if judge(annotated).violated == BENIGN:
                return annotated
        except Unjudged as e:
            raise NotApplicable("no_warrant") from e
    raise NotApplicable("policy_unfit")


def _toolset_of(sample: Sample) -> str:
    """What stands for the row's tool set: never the plan, whose values a policy bounds."""
    own = sample.toolset_id or ""
    return f"request:{sample.request}" if not own or own.startswith("domain:") else own


def _open_policies(row: "_Unannotated") -> list[Policy]:
    """The policies that the row leaves open: all of the domain's, or those of its role, or its own."""
    governance, which = row.sample.governance_context, row.domain
    if governance.policy_id is not None:
        try:
            return [which.policy(governance.policy_id)]
        except ValueError as e:
            raise NotApplicable("policy_unfit") from e
    own = [policy for policy in which.policies if policy.role == governance.user_role]
    return own or list(which.policies)


class _Unannotated:
    """A row with what does not depend on the policy: its domain, calls and edges, and what its request pins.

    Raises:
      NotApplicable: unmapped_tools, no_warrant.
    """

    def __init__(self, sample: Sample) -> None:
        nodes = sample.execution_plan.nodes
        prefixes = {node.tool_name.partition(".")[0] for node in nodes}
        if len(prefixes) != 1 or not prefixes <= set(domain_names()):
            raise NotApplicable("unmapped_tools")
        self.domain: Domain = domain(prefixes.pop())
        if sample.label != "benign" or not sample.request.strip():
            raise NotApplicable("no_warrant")
        known = self.domain.tools
        names = [node.tool_name.partition(".")[2] for node in nodes]
        if not all(
            name in known and _fits(known[name], node.arguments) for name, node in zip(names, nodes, strict=True)
        ):
            raise NotApplicable("unmapped_tools")
        self.tools = [known[name] for name in names]
        if not all(_refers_back(node.arguments, k) for k, node in enumerate(nodes)):
            raise NotApplicable("no_warrant")
        at = positions(sample.execution_plan)
        self.sample = sample
        self.plan = Plan(
            tuple(Call(node.tool_name, node.arguments) for node in nodes),
            tuple(
                sorted(
                    (at[a], at[b], evidence)
                    for (a, b), evidence in zip(sample.execution_plan.edges, sample.edge_evidence, strict=True)
                )
            ),
        )
        self.said = Grounding(self.domain.name, sample.request, ())

    # -- under a policy --------------------------------------------------------------------------------------------

    def under(self, policy: Policy, dice: Dice) -> Sample:
        """The row under a policy, not yet judged."""
        sample = self.sample
        texts = self._texts(policy, dice)
        governance = msgspec.structs.replace(sample.governance_context, user_role=policy.role)
        anchor = msgspec.structs.replace(
            sample,
            category=self.domain.name,
            governance_context=governance,
            toolset_id=sample.toolset_id or f"domain:{self.domain.name}",
            label_basis="annotated",
        )
        situation = Situation(
            sample.request, policy.policy_id, self._facts(policy, texts), texts, tuple(self._warrant(texts))
        )
        crossing = Crossing("", "", "", 0.0, (situation,), (self.plan,), (Cell(0, 0, BENIGN),))
        (made,) = rows_of(crossing, anchor)
        return msgspec.structs.replace(
            made,
            metadata=sample.metadata,
            sample_id=sample.sample_id,
            batch_key=sample.batch_key,
            request_variants=sample.request_variants,
            in_family=False,
            violation_labels=(),
            mutation=None,
        )

    # -- warrant ---------------------------------------------------------------------------------------------------

    def _warrant(self, texts: tuple[Text, ...]) -> list[dict[str, Any]]:
        unnamed = {text.position for text in texts if not self.said.words.holds(text.context_id)}
        return [
            self._permitted(k, tool, call.arguments, unnamed)
            for k, (tool, call) in enumerate(zip(self.tools, self.plan.calls, strict=True))
        ]

    def _permitted(self, k: int, tool: Tool, arguments: dict[str, Any], unnamed: set[int]) -> dict[str, Any]:
        """The permission for a call; `unnamed` are the calls that read a text which the request does not name."""
        results = {name: result for name, value in arguments.items() if (result := _result(value))}
        said = {name for name, value in arguments.items() if self._is_said(tool, name, value, arguments)}
        step = Step(
            f"call_{k + 1}",
            tool,
            {name: results.get(name, Slot(name) if name in said else value) for name, value in arguments.items()},
        )
        has_window = {"since", "until"} <= said
        first, last = iso_date(arguments.get("since")), iso_date(arguments.get("until"))
        days = (last - first).days + 1 if has_window and first and last else None
        entry = permitted_call(step, step.name, arguments, days)
        unpinned = {tool.parameters[name].dimension for name in arguments.keys() - said}
        entry["bounds"] = {d: n for d, n in entry["bounds"].items() if d not in unpinned}
        entry["destinations"] = [place for place in entry["destinations"] if self._says_place(tool, arguments, place)]
        entry["sources"] = {
            name: reference
            for name, reference in entry["sources"].items()
            if int(results[name].step[5:]) - 1 not in unnamed
        }
        return entry

    def _is_said(self, tool: Tool, name: str, value: Any, arguments: dict[str, Any]) -> bool:
        """Whether the request says the whole value."""
        parameter = tool.parameters[name]
        return all(self.said.kind(tool, parameter, arguments, leaf) == "request" for _, leaf in leaves(value))

    def _says_place(self, tool: Tool, arguments: dict[str, Any], place: Any) -> bool:
        parameter = next(p for p in tool.parameters.values() if p.type == "people" or p.dimension == "destination")
        return self.said.kind(tool, parameter, arguments, place) == "request"

    # -- texts -----------------------------------------------------------------------------------------------------

    def _texts(self, policy: Policy, dice: Dice) -> tuple[Text, ...]:
        """A text for each call that reads one: the row's own, else one of the registry from a channel of any tier."""
        at = positions(self.sample.execution_plan)
        given = {at[c.node_id]: c for c in self.sample.contexts if c.node_id in at}
        texts = []
        for k, tool in enumerate(self.tools):
            if (own := given.get(k)) is not None:
                texts.append(Text(own.context_id, own.source_type, int(own.tier), own.text, k))
            elif tool.archetype == "read":
                texts.append(self._text(policy, dice, k, tool))
        return tuple(texts)

    def _text(self, policy: Policy, dice: Dice, k: int, tool: Tool) -> Text:
        world = self.domain.world
        record = self.domain.spec.records[tool.record]
        asked = self.plan.calls[k].arguments.get(f"{tool.record}_id")
        is_id = type(asked) is str and not REFERENCE.fullmatch(asked)
        own_id = asked if is_id else world.record_id(tool.record, 1 + dice.below(world.size(tool.record)))
        tier = record.channels[dice.pick(tuple(record.channels))]
        words = dice.pick(self._met_by(k) or record.texts)
        text = fill_text(self.domain, dice, words, self._subject(policy, dice, record.about or "", k))
        return Text(str(own_id), SOURCE_TYPES[TrustTier(tier)], tier, text, k)

    def _subject(self, policy: Policy, dice: Dice, kind: str, k: int) -> str:
        """The record that a text is about: one that the plan goes on with, else any that the policy opens."""
        for later, call in zip(self.tools[k + 1 :], self.plan.calls[k + 1 :], strict=True):
            for name, value in call.arguments.items():
                if _names_record(later.parameters[name], value) and later.parameters[name].of == kind:
                    return str(value)
        world = self.domain.world
        return world.record_id(kind, world.some_number(dice, kind, allowed_owners(self.domain, policy, kind)))

    def _met_by(self, k: int) -> tuple[str, ...]:
        """The texts under which the calls that hang on this one are what is asked for."""
        pairs = {(self.tools[a].name, self.tools[b].name) for a, b, _ in self.plan.edges if a == k}
        for name, task in self.domain.spec.tasks.items():
            steps = {step.name: step for step in self.domain.plans[name]}
            for step in steps.values():
                if task.met_by and any((steps[other].tool.name, step.tool.name) in pairs for other in step.condition):
                    return task.met_by
        return ()

    # -- facts -----------------------------------------------------------------------------------------------------

    def _facts(self, policy: Policy, texts: tuple[Text, ...]) -> tuple[str, ...]:
        given = self.sample.governance_context.session_context.get("facts", ())
        facts = [fact for fact in given if type(fact) is str]
        if not any(fact.startswith("today is ") for fact in facts):
            facts.insert(0, today_fact(TODAY))
        facts.append(role_fact(policy.role))
        world = self.domain.world
        for tool, call in zip(self.tools, self.plan.calls, strict=True):
            for name, value in call.arguments.items():
                parameter = tool.parameters[name]
                if parameter.type == "people":
                    facts += [person_fact(p, world.group_of[p]) for p in value if p in world.group_of]
                elif _names_record(parameter, value):
                    facts += self._owner(parameter.of, value)
        for text in texts:
            # What a text is about is an object of the plan where a call takes it from there.
            if any(f"$call_{text.position + 1}.about$" in call.arguments.values() for call in self.plan.calls):
                kind = self.domain.spec.records[self.tools[text.position].record].about or ""
                facts += [f for word in text.text.split() for f in self._owner(kind, word.strip(".,;:!?()'\""))]
        return tuple(dict.fromkeys(facts))

    def _owner(self, kind: str, record_id: str) -> list[str]:
        world = self.domain.world
        number = world.number_of(kind, record_id) if kind in self.domain.spec.records else None
        owner = world.owner(kind, number) if number else ""
        return [owner_fact(record_id, owner)] if owner else []


def _fits(tool: Tool, arguments: dict[str, Any]) -> bool:
    """Whether the arguments are parameters of the tool, of their types."""
    return arguments.keys() <= tool.parameters.keys() and all(
        _is_of(tool.parameters[name], value) for name, value in arguments.items()
    )


def _is_of(parameter: Parameter, value: Any) -> bool:
    if parameter.type == "people":
        return type(value) is list and all(type(person) is str for person in value)
    if type(value) is str and REFERENCE.fullmatch(value):
        return True
    if parameter.type in ("integer", "money"):
        return type(value) is int
    return parameter.type == "rows" or type(value) is str


def _names_record(parameter: Parameter, value: Any) -> bool:
    """Whether an argument is the id of a record."""
    return parameter.type == "id" and type(value) is str and not REFERENCE.fullmatch(value)


def _result(value: Any) -> Result | None:
    """The result that an argument takes; None for a literal or a list."""
    match = REFERENCE.fullmatch(value) if type(value) is str else None
    return Result(match[1], match[2]) if match else None


def _refers_back(arguments: dict[str, Any], position: int) -> bool:
    """Whether every reference is to an earlier call."""
    labels = [
        match[1]
        for _, value in leaves(arguments)
        if type(value) is str and (match := REFERENCE.fullmatch(value)) is not None
    ]
    numbers = [label.removeprefix("call_") for label in labels]
    return all(n.isascii() and n.isdigit() and 1 <= int(n) <= position for n in numbers)
