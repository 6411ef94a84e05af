"""A wrong domain file is refused with the file, the line and the path of what is wrong in it."""

import re

import pytest

from gatling_beam.domains.lint import check, lint
from gatling_beam.domains.loader import DomainError, domain_names, domain_text, parse_domain
from gatling_beam.pipelines.cli import main

FINANCE = domain_text("finance")
CLERK_ROWS = "clerk: [12, 400]"


def mutated(old: str, new: str) -> tuple[str, int]:
    """finance.yaml with `new` for the first `old`, and the line at which that begins."""
    assert old in FINANCE
    return FINANCE.replace(old, new, 1), FINANCE[: FINANCE.index(old)].count("\n") + 1


def problems_of(text: str) -> list[str]:
    return check(text.encode(), "finance.yaml")


@pytest.mark.parametrize("name", domain_names())
def test_domains_that_ship_have_no_problems(name):
    assert check(domain_text(name).encode(), name) == []


@pytest.mark.parametrize(
    ("old", "new", "below", "says"),
    [
        # unknown keys
        ("    owner: department", "    ownr: department", 0, "records.invoice.ownr: an unknown key"),
        ("{limit: rows, text", "{limits: rows, text", 0, "policy.0.limits: an unknown key"),
        # a key twice, on lines of their own and on one line
        ("    date: issued\n", "    date: issued\n    id: X-####\n", 1, "records.invoice: key 'id' stands twice"),
        ("status: {open: open,", "status: {open: shut, open: open,", 0, "lists.status: key 'open' stands twice"),
        ("{limit: rows,", "{limit: rows, limit: days,", 0, "policy.0: key 'limit' stands twice"),
        ("{1: [10], 2", "{1: [10], 1: [9], 2", 0, "policy.8.alone: key '1' stands twice"),
        (
            "  get_invoice: {",
            "  search_invoices: {is: get, of: invoice, shows: [vendor], says: Show it again.}\n  get_invoice: {",
            0,
            "tools: key 'search_invoices' stands twice",
        ),
        # values out of their range
        ("is: get,", "is: got,", 0, "tools.get_invoice.is: Input should be"),
        ("    owner: department", "    owner: nobody", -3, "records.invoice: 'nobody' is not one of its fields"),
        ("vendor: [list vendor, 1, vendor]", "vendor: [list vendor, 7, vendor]", 0, "less than or equal to 5"),
        ("days: [10, 120]", "days: [120, 10]", 0, "policy.5.days: [120, 10] is no range"),
        ("[money 40..90000,", "[money 90..40,", 0, "records.invoice.fields.amount: 'money 90..40'"),
        ("domain: finance", "domain: 2026-99-99", 0, "domain: '2026-99-99' is not a name"),
        ("[Aldersey Timber,", "[Aldersey Timber, Aldersey Timber,", 0, "lists.vendor: a word stands twice"),
        # what YAML has and a domain file must not
        ("domain: finance", "? [a, b]\n: finance", 0, "a key must be a word"),
        ("domain: finance", "domain: &a finance", 0, "domain: no aliases"),
        ("[treasurer,", "[*a,", 0, "approvers.0: no aliases"),
        ("domain: finance", "domain: !!int finance", 0, "domain: no tags"),
        ("domain: finance", "domain: fin\x07ance", 0, "the file: character 0x07"),
        ("domain: finance", "domain: [finance", 1, "the file: "),
        ("  open_list:", "---\n  open_list:", 0, "a second document begins"),
        ("{open: open,", "{on: open,", 0, "lists.status.on: YAML takes 'on' for true or false; quote it: 'on'"),
        ("[Aldersey Timber,", "[No,", 0, "lists.vendor.0: YAML takes 'No' for true or false; quote it: 'No'"),
        # things that the domain does not have
        (
            "shows: [vendor, department,",
            "shows: [colour,",
            0,
            "tools.get_invoice.shows.0: invoice has no field 'colour'",
        ),
        ("job: job, says", "job: jobs, says", 0, "tools.run_ledger_job: there is no list 'jobs'"),
        ("of: message,", "of: letter,", 0, "tools.read_message.of: there is no record 'letter'"),
        ("money 20..5000000", "money 20..5", 0, "tools.schedule_payment.with.amount: 'money 20..5'"),
        ("about: invoice\n", "about: invoyce\n", 0, "records.message.about: there is no record 'invoyce'"),
        ("account is {code}. Regards", "account is {cod}. Regards", 0, "records.message.texts.0: a text names ['cod']"),
        (
            'account: ["code HB##-####-####", 5,',
            'iban: ["code HB##-####-####", 2,',
            0,
            "fields.iban: class 2; by its name",
        ),
        ("tax_number: [code TX-######, 3,", "tax_number: [code TX-######, 1,", 0, "at least 3"),
        # policy
        (CLERK_ROWS, "clerk: [twelve, 400]", 0, "policy.0.by_role.clerk: ['twelve', 400] is no range"),
        (CLERK_ROWS, "clerk: [12]", 0, "policy.0.by_role.clerk: [12] is no range"),
        (CLERK_ROWS, "clerk: 12", 0, "policy.0.by_role.clerk: 12 is no range"),
        (CLERK_ROWS, "clerk: [10, 1]", 0, "policy.0.by_role.clerk: [10, 1]: the low end is above the high one"),
        (CLERK_ROWS, "clerk: [0, 1]", 0, "policy.0.by_role.clerk: [0, 1] leaves 1 to any number"),
        (CLERK_ROWS, "clerk: [300, 400]", 0, "policy.0.by_role.accountant: [200, 5000]: a higher role has a smaller"),
        ("controller: [3000, 60000]}", "treasurer: [3000, 60000]}", 0, "policy.0.by_role: it names"),
        ("at most: {by_role}.", "at most: {by_role} {x}.", 0, "policy.0.text: it names ['x']"),
        ("at most: {by_role}.", "at most: {by_role} {.", 0, "policy.0.text: "),
        ("{limit: amount, text", "{limit: amounts, text", 0, "policy.3.limit: nothing is bounded by 'amounts'"),
        ("{limit: days, text", "{limit: rows, text", 0, "policy.1.limit: policy.0 is about 'rows' too"),
        ("{set: department,", "{set: departments,", 0, "policy.4.set: there is no list 'departments'"),
        ("controller: [5, 8]}}", "controller: [5, 9]}}", 0, "policy.4.by_role.controller: [5, 9] leaves 0 to 8"),
        ("{window: pay_date,", "{window: due,", 0, "policy.5.window: no future parameter is called 'due'"),
        ("controller: [4, 5]}}", "controller: [4, 6]}}", 0, "policy.6.by_role.controller: [4, 6] leaves 1 to 5"),
        ("auditor: [1, 2], vendor: [1]}", "auditor: [], vendor: [1]}", 0, "policy.9.alone.auditor: []"),
        ("above: amount,", "above: colour,", 0, "policy.10.above: schedule_payment has no number 'colour'"),
        ("approval: schedule_payment,", "approval: pay,", 0, "policy.10.approval: there is no tool 'pay'"),
        (
            "approval: schedule_payment,",
            "approval: register_invoice,",
            0,
            "policy.10.approval: register_invoice is create and takes no approval_id",
        ),
        ("[[write_off_invoice], [", "[[drop_invoice], [", 0, "policy.11.by_role.clerk.0.0: there is no tool 'drop_"),
        ("controller: [[]]", "controller: []", 0, "policy.11.by_role.controller: [] is no list of lists"),
        # tasks
        (
            "get_invoice(invoice_id=",
            "get_invoice(colour=",
            0,
            "tasks.invoice_status.plan.look: get_invoice has no param",
        ),
        ("status=$new_status)", "status=$a, status=$b)", 0, "tasks.invoice_status.plan.set: a parameter stands twice"),
        ("table=$find.rows)", "table=$find.money)", 0, "tasks.invoice_mail.plan.send: find returns"),
        ("(invoice_id=$invoice) after first", "(", 0, "tasks.write_off.plan.close: 'write_off_invoice(' is no call"),
        ("write_off_invoice(invoice", "shred(invoice", 0, "tasks.write_off.plan.close: there is no tool 'shred'"),
        ("job=$job, invoice", "job=paint, invoice", 0, "tasks.job_if_disputed.plan.job: job='paint' is not one of"),
        ("id: INV-######", "id: INV-####", 0, "records.invoice.id: "),
        (
            "{reference}",
            "{reference} Thanks.",
            0,
            "tasks.new_invoice.ask.terse.0: {reference} is a sentence of its own",
        ),
        (
            "sets: [vendor, department, amount]",
            "sets: [vendor, department, reference]",
            0,
            "tools.register_invoice.sets.2: invoice has no field 'reference'",
        ),
        ("and it goes to {people}.", "and it goes out.", 0, "tasks.invoice_mail.ask.plain.1: "),
        (
            "    intent: create\n",
            '    intent: create\n    met_by: ["About {about}."]\n',
            1,
            "tasks.new_invoice.met_by: no call hangs on a text",
        ),
    ],
)
def test_a_problem_has_file_line_and_path(old, new, below, says):
    text, line = mutated(old, new)
    assert any(
        problem.startswith(f"finance.yaml:{line + below}: ") and says in problem for problem in problems_of(text)
    ), problems_of(text)


def test_a_wrong_text_of_met_by_is_found_at_its_own_line():
    head, tail = FINANCE.split("  job_if_disputed:\n")
    block = '    met_by:\n      - "{about} a"\n      - "b"\n    ask:'
    text = head + "  job_if_disputed:\n" + re.sub(r"    met_by:.*?    ask:", block, tail, count=1, flags=re.DOTALL)
    line = text[: text.index('      - "b"')].count("\n") + 1
    problems = problems_of(text)
    assert f"finance.yaml:{line}: tasks.job_if_disputed.met_by.1: a text does not say what it is about: 'b'" in problems
    assert any("tasks.job_if_disputed.met_by: 2 texts" in problem for problem in problems)


def test_the_same_domain_with_other_values_is_good():
    assert problems_of(FINANCE.replace('account: ["code HB##-####-####", 5,', 'iban: ["code HB##-####-####", 5,')) == []
    assert problems_of(FINANCE.replace("{open: open,", "{'on': open,")) == []


def test_all_problems_are_listed():
    text = FINANCE.replace("{limit: amount, text", "{limit: amounts, text").replace("{set: department,", "{set: teams,")
    assert [problem.split(": ")[1] for problem in problems_of(text)] == ["policy.3.limit", "policy.4.set"]


def test_an_unreached_tool_is_a_problem():
    text, line = mutated(
        "tools:\n", "tools:\n  find_credit_notes: {is: search, of: invoice, by: [status], says: List credit notes.}\n"
    )
    assert list(map(str, lint(parse_domain(text, "f.yaml"), text))) == ["tools.find_credit_notes: no task calls it"]
    assert problems_of(text) == [f"finance.yaml:{line + 1}: tools.find_credit_notes: no task calls it"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "f.yaml:1: the file: it is empty"),
        (b"# nothing\n", "f.yaml:1: the file: it is empty"),
        (b"- a\n- b\n", "f.yaml:1: the file: it is no mapping"),
        (b"domain: x\ntitle: \xff\n", "f.yaml:2: the file: byte 0xff is no UTF-8"),
        ("é: é\nb: \x00\n".encode(), "f.yaml:2: the file: character 0x00"),
        (b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n", "f.yaml:1: a: no aliases"),
        (b"a: " + b"[" * 50_000, "f.yaml:1: the file: exceeded maximum nesting depth"),
        (b"<<: {a: b}\n", "f.yaml:1: <<: an unknown key"),
    ],
)
def test_what_is_no_domain_at_all(data, says):
    assert any(problem.startswith(says) for problem in check(data, "f.yaml")), check(data, "f.yaml")


def test_a_domain_is_refused_with_every_line_of_the_message():
    text = FINANCE.replace("is: get,", "is: got,").replace("    owner: department", "    ownr: department")
    with pytest.raises(DomainError) as caught:
        parse_domain(text, "finance.yaml")
    assert [line.split(":")[0] for line in str(caught.value).split("\n")] == ["finance.yaml"] * 2


def test_the_command_prints_file_line_and_path_once(tmp_path, capsys):
    file = tmp_path / "mine.yaml"
    file.write_text(FINANCE.replace("{set: department,", "{set: departments,"))
    line = FINANCE[: FINANCE.index("{set: department,")].count("\n") + 1
    assert main(["domains", "--check", f"--file={file}"]) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"{file}:{line}: policy.4.set: there is no list 'departments'") and out.count("\n") == 1
    file.write_text(FINANCE)
    assert main(["domains", "--check", f"--file={file}"]) == 0


@pytest.mark.parametrize(("name", "says"), [("none.yaml", "No such file"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read_is_a_users_error(tmp_path, capsys, name, says):
    assert main(["domains", "--check", f"--file={tmp_path / name}"]) == 1
    assert says in capsys.readouterr().err
