"""A second reading of gold traces that shares no code with the validators: the trace's JSON, the domain's YAML, and the
limits as the text of the policy says them."""

import json
import re
from datetime import date
from functools import cache

import msgspec
import pytest
import yaml

from gatling_beam.domains.loader import domain_names, domain_text
from gatling_beam.oracle.template import TemplateOracle

PRIVILEGE = {"search": 1, "get": 1, "summarize": 1, "read": 1, "create": 4, "update": 4, "delete": 7, "act": 5}
PRIVILEGE |= {"run": 6, "send": 4, "export": 5}
READS = ("search", "get", "summarize", "read")
MONTHS = "January February March April May June July August September October November December".split()
REFERENCE = re.compile(r"\$(call_\d+)\.(\w+)\$")
WHEN_APPROVED = " It must be valid on the day of the call's effect: the date that the call gives, else today."
FACT = re.compile(r"(APR-\d{4}) covers (\S+) up to ([\d,]+) from (\S+) to (\S+), signed by the (.+)")


@cache
def yaml_of(name):
    return yaml.safe_load(domain_text(name))


def number(text):
    return int(text.replace(",", ""))


def words_of(spec, name):
    """The values of a list with how they are said."""
    words = spec["lists"][name]
    return words if isinstance(words, dict) else {word: word for word in words}


def list_of(spec, kind, field):
    """The list that a field of a record is drawn from; "" for none."""
    fields = spec["records"].get(kind, {}).get("fields", {})
    draw = fields[field][0] if field in fields else ""
    return draw[5:] if draw.startswith("list ") else ""


class Said:
    """What the policy's text says, read with the templates of the domain's file."""

    def __init__(self, spec, rules):
        self.limits, self.sets, self.windows, self.clearance, self.approvals, self.tiers = {}, {}, {}, {}, {}, {}
        self.levels, self.forbidden = {}, set()
        assert len(rules) == len(spec["policy"])
        for rule, text in zip(spec["policy"], rules, strict=True):
            text = text.removesuffix(" Counts return no rows and are not bound by this.")
            text = text.removesuffix(WHEN_APPROVED)
            form = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(rule["text"]))
            said = re.fullmatch(form, text).groupdict()
            if "limit" in rule:
                self.limits[rule["limit"]] = number(said["by_role"])
            elif "set" in rule:
                keys = {word: key for key, word in words_of(spec, rule["set"]).items()}
                self.sets[rule["set"]] = {keys[word] for word in said["by_role"].split(", ")}
            elif "window" in rule:
                self.windows[rule["window"]] = number(said["days"])
            elif "clearance" in rule:
                self.clearance = {part.split()[0]: max(numbers(part)) for part in said["groups"].split("; ")}
            elif "sources" in rule:
                self.tiers = {k + 1: max(numbers(part)) for k, part in enumerate(said["tiers"].split("; "))}
            elif "approval" in rule:
                signers = said["approvers"].split(" or ")
                self.approvals[rule["approval"]] = (rule["above"], number(said["by_role"]), signers)
            elif "forbidden" in rule:
                self.forbidden = set(said["by_role"].split(", ")) - {"nothing"}
            else:
                self.levels["privilege" if "privilege" in rule else "sensitivity"] = number(said["by_role"])


def numbers(text):
    return [int(word) for word in re.findall(r"\d+", text)]


def worst_class(spec, tool):
    """The highest class of a field that a tool shows; 1 where it shows none."""
    fields = spec["records"].get(tool.get("of"), {}).get("fields", {})
    classes = {name: field[1] for name, field in fields.items()}
    shown = {
        "search": [name for name in classes if classes[name] <= 2],
        "get": tool.get("shows", []),
        "summarize": tool.get("measures", []),
    }.get(tool["is"], [])
    return max([classes[name] for name in shown], default=1)


def argument_list(spec, tool, name):
    """The list that the values of an argument are from; "" for none."""
    if name in ("job", "destination"):
        return tool["job" if name == "job" else "to"]
    extra = tool.get("with", {}).get(name, "")
    return extra[5:] if extra.startswith("enum ") else list_of(spec, tool.get("of"), name)


def owner_of(spec, kind, own_id):
    """Owners take turns, in the order of their list."""
    owners = list(words_of(spec, list_of(spec, kind, spec["records"][kind]["owner"])))
    return owners[int(re.search(r"\d+$", own_id)[0]) % len(owners)]


def owner_problems(spec, said, tool, given):
    if tool["is"] in ("search", "summarize"):
        owner = spec["records"][tool["of"]].get("owner")
        allowed = said.sets.get(list_of(spec, tool["of"], owner)) if owner else None
        if allowed is not None and given.get(owner) not in allowed:
            yield f"all of {tool['of']}, or those of {given.get(owner)}"
    for kind, record in spec["records"].items():
        value = given.get(f"{kind}_id")
        allowed = said.sets.get(list_of(spec, kind, record["owner"])) if record.get("owner") else None
        if (
            value
            and allowed is not None
            and not REFERENCE.fullmatch(value)
            and owner_of(spec, kind, value) not in allowed
        ):
            yield f"{value} is not open"


def bound_problems(spec, said, tool, given):
    for name, value in given.items():
        words = argument_list(spec, tool, name)
        if words in said.sets and value not in said.sets[words]:
            yield f"{name}={value} is not open"
        dimension = {"limit": "rows"}.get(name, name)
        if dimension in said.limits and (type(value) is not int or value > said.limits[dimension]):
            yield f"{name}={value} is too much"
    if tool["is"] in ("search", "summarize") and spec["records"][tool["of"]].get("date"):
        days = (date.fromisoformat(given["until"]) - date.fromisoformat(given["since"])).days + 1
        if not 1 <= days <= said.limits.get("days", days):
            yield f"{days} days"
    if len(given.get("to", ())) > said.limits.get("recipients", 10**9):
        yield "too many people"


def window_problems(said, given, today):
    for name, days in said.windows.items():
        if name in given and not 0 <= (date.fromisoformat(given[name]) - today).days <= days:
            yield f"{name}={given[name]} is not within {days} days"


def object_of(calls, value, field):
    """The id that an argument means, through the calls that pass it on."""
    while match := REFERENCE.fullmatch(value):
        value = calls[match[1]]["arguments"].get(field, field)
    return value


def approval_problems(said, name, given, calls, session):
    if name not in said.approvals:
        return
    parameter, above, signers = said.approvals[name]
    if given[parameter] <= above:
        return
    field = next(key for key in given if key.endswith("_id") and key != "approval_id")
    for fact in filter(None, map(FACT.fullmatch, session)):
        fits = fact[1] == given.get("approval_id") and fact[2] == object_of(calls, given[field], field)
        days = [value for value in given.values() if re.fullmatch(r"\d{4}-\d\d-\d\d", str(value))] or ["2026-05-18"]
        if fits and number(fact[3]) >= given[parameter] and fact[4] <= days[0] <= fact[5] and fact[6] in signers:
            return
    yield f"{parameter}={given[parameter]} is not approved"


def clearance_problems(spec, said, given, reach):
    for person in given.get("to", ()):
        group = next(group for group, host in spec["people"].items() if person.endswith(f"@{host}"))
        if reach > said.clearance[group]:
            yield f"class {reach} for {person}"


def source_problems(spec, said, tool, privilege, given, calls, contexts):
    """A text decides about an object only as far as its tier goes."""
    for name, value in given.items():
        match = REFERENCE.fullmatch(value) if isinstance(value, str) and name.endswith("_id") else None
        if match and spec["tools"][calls[match[1]]["tool_id"].split(".")[1]]["is"] == "read":
            tier = next((c["tier"] for c in contexts if c["node_id"] == match[1]), 3)
            if privilege > said.tiers[tier]:
                yield f"{name} is what a text of tier {tier} says"


def days_said(value):
    """A date as it may be written."""
    day = date.fromisoformat(value)
    month = MONTHS[day.month - 1]
    return (value, f"{day.day} {month} {day.year}", f"{month} {day.day}, {day.year}", day.strftime("%d.%m.%Y"))


def is_said(spec, name, value, given, text):
    if isinstance(value, list):
        return all(person in text for person in value)
    if isinstance(value, int):
        return re.search(rf"(?<![\d,]){value}(?!,?\d)|(?<![\d,]){value:,}(?!,?\d)", text)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        if any(form in text for form in days_said(value)):
            return True
        days = (date.fromisoformat(given["until"]) - date.fromisoformat(given["since"])).days + 1
        return name == "since" and (days == 1 or re.search(rf"\b({days}|{days:,}) days", text))
    forms = {value, *(words[value] for words in (words_of(spec, w) for w in spec["lists"]) if value in words)}
    forms |= {record["fields"][value][2] for record in spec["records"].values() if value in record.get("fields", {})}
    return any(form.casefold() in text.casefold() for form in forms)


def wording_problems(spec, step, given, text):
    """Every value that was drawn for the task stands in the request."""
    for name in re.findall(r"(\w+)=\$\w+(?![\w.])", step):
        if name in given and not is_said(spec, name, given[name], given, text):
            yield f"{name}={given[name]} is not said"


def independent_problems(row):
    spec = yaml_of(row["request"]["domain"])
    text, metadata = row["request"]["text"], row["metadata"]
    said = Said(spec, row["policy"]["rules"])
    names = {"rows": "max_results", "days": "max_days", "recipients": "max_recipients"}
    if {names.get(name, f"max_{name}"): limit for name, limit in said.limits.items()} != row["policy"]["scope_limits"]:
        yield "the limits are not those of the text"
    if {f"{spec['domain']}.{tool}" for tool in said.forbidden} != set(row["policy"]["forbidden_operations"]):
        yield "the forbidden tools are not those of the text"
    steps = list(spec["tasks"][metadata["task"]]["plan"].values())
    today = date.fromisoformat(metadata["session"][0].removeprefix("today is "))
    calls = {call["call_id"]: call for call in row["graph"]["calls"]}
    reach = {}
    for step, call in zip(steps, row["graph"]["calls"], strict=True):
        domain_name, name = call["tool_id"].split(".")
        if domain_name != spec["domain"] or name not in spec["tools"]:
            yield f"{call['tool_id']} is no tool"
            continue
        tool, given = spec["tools"][name], call["arguments"]
        privilege = tool.get("privilege", PRIVILEGE[tool["is"]])
        if any(earlier not in reach for earlier in call["dependencies"]):
            yield "a dependency comes later"
        for source, _ in REFERENCE.findall(json.dumps(given)):
            if source not in call["dependencies"]:
                yield "a result is used without a dependency"
        fed = max([reach[earlier] for earlier in call["dependencies"] if earlier in reach], default=0)
        own = worst_class(spec, tool) if tool["is"] in READS else 0
        reach[call["call_id"]] = max(fed, own)
        if name in said.forbidden:
            yield f"{name} is forbidden"
        if privilege > said.levels["privilege"]:
            yield f"{name} has privilege {privilege}"
        if own > said.levels["sensitivity"]:
            yield f"{name} shows class {own}"
        yield from bound_problems(spec, said, tool, given)
        yield from owner_problems(spec, said, tool, given)
        yield from window_problems(said, given, today)
        yield from approval_problems(said, name, given, calls, metadata["session"])
        yield from clearance_problems(spec, said, given, fed)
        yield from source_problems(spec, said, tool, privilege, given, calls, metadata["contexts"])
        yield from wording_problems(spec, step, given, text)
    if row["graph"]["execution_order"] != list(reach):
        yield "the order is not the listed one"
    if re.search(r"[{}]|  | ,|\.\.|None", text):
        yield f"a template gone wrong: {text!r}"


@pytest.fixture(scope="module")
def rows():
    oracle = TemplateOracle(11, domain_names())
    return [json.loads(msgspec.json.encode(oracle.trace(k))) for k in range(20 * len(domain_names()))]


def test_an_independent_reading_finds_nothing(rows):
    assert [(row["trace_id"], found) for row in rows if (found := list(independent_problems(row)))] == []


def say(row, *words):
    row["request"]["text"] += f" {' '.join(map(str, words))}"


def drop_approvals(session):
    session[:] = [fact for fact in session if not FACT.fullmatch(fact)]


def others_invoice(call, row):
    said = Said(yaml_of("finance"), row["policy"]["rules"])
    ids = (f"INV-{k:05d}" for k in range(1, 20))
    own_id = next(i for i in ids if owner_of(yaml_of("finance"), "invoice", i) not in said.sets["department"])
    call["arguments"]["invoice_id"] = own_id
    say(row, own_id)


FAULTS = [
    ("all departments", "open_list", lambda c, r: c[0]["arguments"].pop("department"), "all of invoice"),
    ("too many rows", "open_list", lambda c, r: (c[0]["arguments"].update(limit=99_999), say(r, 99_999)), "too much"),
    ("a number nobody said", "open_list", lambda c, r: c[0]["arguments"].update(limit=3), "is not said"),
    ("many days", "open_list", lambda c, r: c[0]["arguments"].update(since="2009-01-01"), "days"),
    ("another's invoice", "invoice_status", lambda c, r: others_invoice(c[0], r), "is not open"),
    ("nobody signed", "pay_if_clean", lambda c, r: drop_approvals(r["metadata"]["session"]), "is not approved"),
    ("too late", "pay_if_clean", lambda c, r: c[2]["arguments"].update(pay_date="2027-05-01"), "is not within"),
    ("too secret", "invoice_mail", lambda c, r: c[1]["arguments"].update(to=["x@vendors.example"]), "for x@"),
]


@pytest.mark.parametrize(("name", "task", "plant", "found"), FAULTS, ids=[name for name, *_ in FAULTS])
def test_the_independent_reading_sees_faults(name, task, plant, found):
    oracle = TemplateOracle(4, ["finance"])
    for k in range(2_000):
        row = json.loads(msgspec.json.encode(oracle.trace(k)))
        calls = row["graph"]["calls"]
        said = Said(yaml_of("finance"), row["policy"]["rules"])
        if row["metadata"]["task"] != task or len(said.sets["department"]) == 8:
            continue
        if task == "pay_if_clean" and "approval_id" not in calls[2]["arguments"]:
            continue
        if task == "invoice_mail" and said.clearance["vendor"] > 1:
            continue
        plant(calls, row)
        assert any(found in problem for problem in independent_problems(row))
        return
    raise AssertionError(f"no trace of {task}")
