"""`gatling-beam domains`: the domains of gold traces, listed, checked, or shown one by one."""

import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from gatling_beam.domains.lint import check
from gatling_beam.domains.loader import domain_names, domain_text, load_spec
from gatling_beam.domains.registry import Domain, domain
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.pipelines.options import Options, UserError, parse, parser_of
from gatling_beam.render import one_line, table


class DomainsOptions(Options):
    """Domains."""

    show: str | None = Field(
        None, description="a domain: its tools, policy and requests", json_schema_extra={"metavar": "NAME"}
    )
    requests: int = Field(8, ge=0, le=1_000, description="requests to show of it", json_schema_extra={"metavar": "N"})
    check: bool = Field(False, description="check all domains that ship; exit 1 if one is wrong")
    file: str | None = Field(None, description="check this file instead", json_schema_extra={"metavar": "FILE"})


def command(argv: Sequence[str], prog: str) -> int:
    """Runs the command line of `gatling-beam domains`."""
    options, rest = parse(DomainsOptions, parser_of(DomainsOptions, prog, __doc__ or ""), argv)
    if rest:
        raise UserError(f"{rest[0]} is no flag of this command")
    if options.file is not None or options.check:
        return _check(options.file)
    if options.show:
        try:
            print(_shown(domain(options.show), options.requests))
        except ValueError as e:
            raise UserError(f"--show={options.show}: {e}") from None
        return 0
    print(_listed())
    return 0


def _check(file: str | None) -> int:
    try:
        files = (
            {f"{name}.yaml": domain_text(name).encode() for name in domain_names()}
            if file is None
            else {file: Path(file).read_bytes()}
        )
    except OSError as e:
        raise UserError(f"--file={file}: {e.strerror}; give a domain file") from None
    bad = 0
    for name, data in files.items():
        problems = check(data, name)
        bad += bool(problems)
        for problem in problems:
            print(problem)
    print(f"{len(files) - bad} of {len(files)} domains are good", file=sys.stderr)
    return min(bad, 1)


def _listed() -> str:
    rows = [("domain", "group", "tools", "tasks", "rules", "title")]
    for name in domain_names():
        spec = load_spec(name)
        counts = (str(len(spec.tools)), str(len(spec.tasks)), str(len(spec.policy)))
        rows.append((name, spec.group, *counts, spec.title))
    tools = sum(int(row[2]) for row in rows[1:])
    return f"{table(rows)}\n{len(rows) - 1} domains, {tools} tools"


def _shown(which: Domain, requests: int) -> str:
    lines = [f"{which.name}: {which.spec.title}", "", "tools"]
    for tool in which.tools.values():
        lines.append(
            f"  {tool.name}({', '.join(tool.parameters)})  {tool.cls}, privilege {tool.privilege}: {tool.says}"
        )
    policy = which.policies[0]
    lines += ["", f"policy {policy.policy_id}", *(f"  {rule}" for rule in policy.rules), "", "requests"]
    oracle = TemplateOracle(0, [which.name])
    lines += [f"  {one_line(oracle.trace(number).request.text)}" for number in range(requests)]
    return "\n".join(lines)


def main() -> int:
    """The command alone, as `python -m gatling_beam.pipelines.domains`."""
    from gatling_beam.pipelines.cli import main as cli

    return cli(["domains", *sys.argv[1:]])


if __name__ == "__main__":
    from gatling_beam.pipelines.domains import main

    raise SystemExit(main())
