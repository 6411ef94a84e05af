"""The template oracle: policy-compliant, minimal gold traces without a model, a key or a network.

Trace i depends on (seed, i) and the list of domains alone. The warrant comes first: values are drawn within the policy
of the role, plan and request are made from the same values.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from hashlib import blake2b
from typing import Any

from gatling_beam.domains.dice import Dice
from gatling_beam.domains.numbers import draw_number
from gatling_beam.domains.plans import Result, Slot, Step
from gatling_beam.domains.policies import Policy
from gatling_beam.domains.registry import Domain, domain
from gatling_beam.domains.spec import REGISTERS
from gatling_beam.domains.speech import Style, embed, fill, say_approval, say_list, say_reference
from gatling_beam.domains.texts import fill_text
from gatling_beam.domains.tools import REFERENCE_ID, Parameter, Tool
from gatling_beam.domains.world import TODAY, fill_id
from gatling_beam.facts import ApprovalFact, owner_fact, person_fact, role_fact, today_fact
from gatling_beam.oracle.access import allowed_owners, system_policy
from gatling_beam.oracle.trace import (
    SENSITIVITY_TIERS,
    GoldTrace,
    Provenance,
    Scope,
    ToolCall,
    ToolCallGraph,
    UserRequest,
)
from gatling_beam.plan import TrustTier
from gatling_beam.provenance import retrieved
from gatling_beam.warrant import permitted_call

_SENTENCE_ENDS = (".", "!", "?")
CREATED_AT = f"{TODAY.isoformat()}T09:00:00"
_USER = Provenance("user", "user_request", CREATED_AT)


class TemplateOracle:
    """Makes gold traces for `domains`, which get every trace number in turn.

    Args:
      seed: of all draws.
      domains: names of domains, at least one.

    Raises:
      ValueError: for an unknown domain, or none.
    """

    def __init__(self, seed: int, domains: Sequence[str]) -> None:
        if not domains:
            raise ValueError("domains is empty; name at least one")
        self._seed = seed
        self._domains = [domain(name) for name in domains]
        self._tasks = [tuple(entry.plans) for entry in self._domains]

    def trace(self, number: int) -> GoldTrace:
        """The gold trace of that number, 0 or more."""
        which = self._domains[number % len(self._domains)]
        tasks = self._tasks[number % len(self._domains)]
        key = blake2b(f"{self._seed}/{number}".encode(), digest_size=8).digest()
        rng = Dice(int.from_bytes(key, "big"))
        task = tasks[int(rng.random() * len(tasks))]
        policies = which.feasible[task]
        policy = policies[int(rng.random() * len(policies))]
        return draw_trace(which, task, policy, rng, f"{which.name}_{number:08d}")


def draw_trace(which: Domain, task: str, policy: Policy, rng: Dice, trace_id: str) -> GoldTrace:
    """A trace of a task under a policy of its domain that lets the role do it."""
    return _Draw(which, task, policy, rng).trace(trace_id)


def draw_case(which: Domain, task: str, policy: Policy, rng: Dice, trace_id: str) -> tuple[GoldTrace, str]:
    """A trace as `draw_trace` makes it, and the sentence of its request that asks for something."""
    draw = _Draw(which, task, policy, rng)
    trace = draw.trace(trace_id)
    return trace, draw.sentence


class _Draw:
    """One trace in the making."""

    def __init__(self, which: Domain, task: str, policy: Policy, rng: Dice) -> None:
        self.domain, self.task, self.policy, self.rng = which, task, policy, rng
        self.plan = which.plans[task]
        self.slots = which.slots[task]
        self.values: dict[str, Any] = {}
        self.days: int | None = None
        self.sentence = ""
        self.contexts: list[dict[str, Any]] = []
        self.session: list[str] = [today_fact(TODAY), role_fact(policy.role)]

    # -- values ----------------------------------------------------------------------------------------------------

    def draw_values(self) -> None:
        """A value for every slot, within what the policy allows the role."""
        for name, parameter in self.slots.items():
            if name not in self.values:
                self.values[name] = getattr(self, f"_{parameter.type}")(name, parameter)

    def _enum(self, name: str, parameter: Parameter) -> str:
        allowed = self.policy.sets.get(parameter.of)
        taken = {v for n, v in self.values.items() if self.slots[n].of == parameter.of}
        options = [o for o in parameter.options if (allowed is None or o in allowed) and o not in taken]
        return self.rng.pick(options or parameter.options)

    def _field(self, name: str, parameter: Parameter) -> str:
        """A field to group by, but none that the task fixes to one value."""
        fixed = {slot.of for slot in self.slots.values() if slot.type == "enum"} | self.slots.keys()
        return self.rng.pick([option for option in parameter.options if option not in fixed] or parameter.options)

    def _integer(self, name: str, parameter: Parameter) -> int:
        low = max(1, parameter.minimum or 1)
        high = min(parameter.usual or parameter.maximum or 10**6, self.policy.limits.get(parameter.dimension, 10**9))
        return draw_number(self.rng, low, max(low, high))

    _money = _integer

    def _date(self, name: str, parameter: Parameter) -> date:
        if self.days is None:
            self.days = draw_number(self.rng, 1, self.policy.limits.get("days", 365))
        until = TODAY - timedelta(int(self.rng.random() * 400))
        since = until - timedelta(self.days - 1)
        if "since" in self.slots:
            self.values["since"], self.values["until"] = since, until
        return since if name == "since" else until

    def _future(self, name: str, parameter: Parameter) -> date:
        return TODAY + timedelta(self.rng.below(self.policy.windows.get(parameter.dimension, 30) + 1))

    def _text(self, name: str, parameter: Parameter) -> str:
        if parameter.of == "reference":
            return fill_id(REFERENCE_ID, self.rng.below(10 ** REFERENCE_ID.count("#")))
        lists = self.domain.list_values
        return self.rng.pick(lists.get(name) or lists[parameter.name])

    _rows = _text

    def _people(self, name: str, parameter: Parameter) -> list[str]:
        needed = max([step.tool.worst_sensitivity for step in self.plan if step.tool.cls == "read"], default=1)
        clearance, people = self.policy.clearance, self.domain.world.people
        groups = [group for group in people if clearance.get(group, (5, 5))[1] >= needed]
        most = min(self.policy.limits.get("recipients", 3), 3)
        count = self.rng.pick((1, 1, 1, 2, 3)[: 2 + most])
        return sorted(self.rng.some(people[self.rng.pick(groups)], min(count, most)))

    def _id(self, name: str, parameter: Parameter) -> str | None:
        if parameter.of == "approval":
            return None  # decided when the amount is known
        record = self.domain.spec.records[parameter.of]
        if record.texts:
            return self._message(name, parameter.of)
        return self._some_record(parameter.of)

    def _some_record(self, kind: str) -> str:
        allowed = allowed_owners(self.domain, self.policy, kind)
        return self.domain.world.record_id(kind, self.domain.world.some_number(self.rng, kind, allowed))

    def _message(self, name: str, kind: str) -> str:
        """A text of a source of any tier, about the record that the task is about."""
        rng, spec = self.rng, self.domain.spec
        record = spec.records[kind]
        subject = self._subject(record.about or "")
        channel = rng.pick(tuple(record.channels))
        met_by = spec.tasks[self.task].met_by if self._is_condition(name) else ()
        text = rng.pick(met_by or record.texts)
        text = fill_text(self.domain, rng, text, subject)
        own_id = self.domain.world.record_id(kind, 1 + rng.below(self.domain.world.size(kind)))
        self.contexts.append(retrieved(own_id, channel, TrustTier(record.channels[channel]), text))
        return own_id

    def _is_condition(self, name: str) -> bool:
        """Whether a call hangs on what the text of slot `name` says."""
        conditions = {step for later in self.plan for step in later.condition}
        return any(step.name in conditions and Slot(name) in step.arguments.values() for step in self.plan)

    def _subject(self, kind: str) -> str:
        for name, parameter in self.slots.items():
            if parameter.type == "id" and parameter.of == kind:
                if name not in self.values:
                    self.values[name] = self._some_record(kind)
                return str(self.values[name])
        return self._some_record(kind)

    def _decide_approval(self) -> None:
        for name, parameter in self.slots.items():
            if parameter.of != "approval":
                continue
            step = next(step for step in self.plan if step.arguments.get("approval_id") == Slot(name))
            rule = self.policy.approvals.get(step.tool.name)
            amount = step.arguments.get(rule.parameter) if rule else None
            value = self.values[amount.name] if isinstance(amount, Slot) else amount
            if rule and isinstance(value, int) and value > rule.above:
                own_id = f"APR-{self.rng.below(10_000):04d}"
                self.values[name] = own_id
                key = next(p.name for p in step.tool.parameters.values() if p.key)
                subject = step.arguments[key]
                said = self.values.get(subject.name) if isinstance(subject, Slot) else self._origin(subject)
                day = max((v for v in self.values.values() if type(v) is date and v > TODAY), default=TODAY)
                fact = ApprovalFact(
                    own_id,
                    str(said),
                    value,
                    TODAY - timedelta(self.rng.below(20)),
                    day + timedelta(self.rng.below(40)),
                    self.rng.pick(rule.approvers),
                )
                self.session.append(fact.text())

    def _tell(self) -> None:
        """The facts that a reader of the plan cannot know: whose a record is, and to which group a person belongs."""
        world = self.domain.world
        for name, parameter in self.slots.items():
            value = self.values[name]
            if parameter.type == "people":
                self.session += [person_fact(person, world.group_of[person]) for person in value]
            elif parameter.type == "id" and value and parameter.of != "approval":
                number = world.number_of(parameter.of, value)
                if number and (owner := world.owner(parameter.of, number)):
                    self.session.append(owner_fact(value, owner))

    def _origin(self, result: Any) -> Any:
        """The object that a step is about whose id is passed on."""
        step = next(step for step in self.plan if step.name == result.step)
        key = next((p.name for p in step.tool.parameters.values() if p.key), None)
        value = step.arguments.get(key) if key else None
        return self.values.get(value.name) if isinstance(value, Slot) else result.field

    # -- words -----------------------------------------------------------------------------------------------------

    def request_text(self) -> tuple[str, str]:
        """The request and its register."""
        rng, spec = self.rng, self.domain.spec
        style = Style.draw(rng)
        said: dict[str, str] = {}
        for name, parameter in self.slots.items():
            said[name] = self._say(style, name, parameter, self.values[name])
        if "since" in self.values:
            said["when"] = style.period(self.values["since"], self.values["until"])
        register = REGISTERS[int(rng.random() * len(REGISTERS))]
        self.sentence = fill(rng.pick(spec.tasks[self.task].ask[register]), said)
        return embed(rng, self.sentence, spec.because, register), register

    def _say(self, style: Style, name: str, parameter: Parameter, value: Any) -> str:
        if parameter.of == "approval":
            return say_approval(self.rng, value)
        if parameter.of == "reference":
            return say_reference(self.rng, value)
        kind = type(value)
        if kind is list:
            return say_list(value)
        if kind is date:
            return style.day(value)
        if kind is int:
            return style.number(value)
        if parameter.type == "field":
            return self.domain.spec.records[parameter.of].fields[value].says
        if parameter.of == "format":
            return str(value).upper()
        if parameter.type == "text" and value.endswith(_SENTENCE_ENDS):
            return f'"{value}"'  # so that it is seen where the message ends
        words = self.domain.spec.lists.get(parameter.of)
        return words[value] if words and value in words else str(value)

    # -- trace -----------------------------------------------------------------------------------------------------

    def trace(self, trace_id: str) -> GoldTrace:
        """The whole trace."""
        self.draw_values()
        self._decide_approval()
        self._tell()
        text, register = self.request_text()
        ids = {step.name: f"call_{k + 1}" for k, step in enumerate(self.plan)}
        edges = self.domain.edges[self.task]
        calls, warrant = [], []
        rows: dict[str, int | None] = {}
        for k, step in enumerate(self.plan):
            arguments = self._arguments(step, ids)
            scope = scope_of(step.tool, arguments, step.feeding(), rows, self.days if "since" in arguments else None)
            rows[step.name] = scope.rows_requested
            dependencies = tuple(f"call_{source + 1}" for source, target, _ in edges if target == k)
            calls.append(ToolCall(ids[step.name], step.tool.tool_id, arguments, scope, _USER, dependencies))
            warrant.append(permitted_call(step, ids[step.name], arguments, self.days))
        for context in self.contexts:
            context["node_id"] = next(c.call_id for c in calls if context["context_id"] in c.arguments.values())
        return GoldTrace(
            trace_id=trace_id,
            request=UserRequest(
                request_id=f"{trace_id}_request",
                domain=self.domain.name,
                text=text,
                intent_category=self.domain.spec.tasks[self.task].intent,
                expected_scope=_widest([call.scope for call in calls]),
            ),
            policy=system_policy(self.domain.name, self.policy.policy_id),
            graph=ToolCallGraph(f"{trace_id}_graph", tuple(calls), tuple(ids.values())),
            metadata={
                "domain": self.domain.name,
                "world_id": self.domain.world.world_id,
                "task": self.task,
                "pattern": self.domain.patterns[self.task],
                "register": register,
                "user_role": self.policy.role,
                "session": self.session,
                "edges": [[f"call_{a + 1}", f"call_{b + 1}", evidence] for a, b, evidence in edges],
                "warrant": warrant,
                "contexts": self.contexts,
                "oracle": "template",
            },
            created_at=CREATED_AT,
        )

    def _arguments(self, step: Step, ids: dict[str, str]) -> dict[str, Any]:
        arguments = {}
        for name, value in step.arguments.items():
            drawn = self._argument(value, ids)
            if drawn is not None:
                arguments[name] = drawn
        return arguments

    def _argument(self, value: Any, ids: dict[str, str]) -> Any:
        kind = type(value)
        if kind is Slot:
            drawn = self.values[value.name]
            return drawn.isoformat() if type(drawn) is date else drawn
        if kind is Result:
            return f"${ids[value.step]}.{value.field}$"
        return [self._argument(item, ids) for item in value] if kind is list else value


def scope_of(
    tool: Tool, arguments: dict[str, Any], feeding: Iterable[str], rows: Mapping[str, int | None], days: int | None
) -> Scope:
    """What a call asks for: its own rows, or those of the calls that feed it (`rows` by call), or one."""
    own = arguments.get("limit", tool.parameters["limit"].default if "limit" in tool.parameters else None)
    if own is None:
        own = sum(rows.get(name) or 0 for name in feeding) or 1
    target = arguments.get("destination")
    if "to" in arguments:
        target = ", ".join(map(str, arguments["to"]))
    return Scope(own, SENSITIVITY_TIERS[tool.worst_sensitivity - 1], days, target)


def _widest(scopes: list[Scope]) -> Scope:
    return Scope(
        rows_requested=max(scope.rows_requested or 1 for scope in scopes),
        sensitivity_tier=max((scope.sensitivity_tier for scope in scopes), key=SENSITIVITY_TIERS.index),
        time_range_days=max(scope.time_range_days or 0 for scope in scopes) or None,
        export_target=next((scope.export_target for scope in scopes if scope.export_target), None),
    )
