"""The lexicon: which names it knows, of the embedded sample and of the registry."""

import pytest

from gatling_beam.domains.registry import load_domains
from gatling_beam.hub import list_files, plan_units, read_unit
from gatling_beam.lexicon import argument_role, is_known, is_obfuscating, tool_meaning, unknown_share
from gatling_beam.mirror import mirror_path
from gatling_beam.normalize import normalize_row
from gatling_beam.sample import Sample
from gatling_beam.sources import names, source


def test_names_of_the_embedded_sample_are_known():
    found = set()
    for name in names("plans"):
        spec = source(name)
        for unit in plan_units(list_files(spec, root=mirror_path())):
            for row in read_unit(unit):
                made = normalize_row(row, spec)
                if isinstance(made, Sample):
                    found |= {node.tool_name for node in made.execution_plan.nodes}
    assert len(found) > 150
    assert unknown_share(found) < 0.05, sorted(name for name in found if not is_known(name))


def test_names_of_the_registry_are_known():
    tools = {name for which in load_domains().values() for name in which.tools}
    assert unknown_share(tools) < 0.05, sorted(name for name in tools if not is_known(name))


def test_the_unknown_share_counts_distinct_names():
    assert unknown_share([]) == 0.0
    assert unknown_share(["get_x", "get_x", "qwzx"]) == 0.5
    assert unknown_share(["qwzx", "opqr"]) == 1.0


@pytest.mark.parametrize("name", ["encrypt_file", "compressArchive", "split"])
def test_names_that_hide(name):
    assert is_obfuscating(name)


@pytest.mark.parametrize("name", ["send_email", "splitter_x", "get_chunked"])
def test_names_that_do_not_hide(name):
    assert not is_obfuscating(name)


@pytest.mark.parametrize(
    ("name", "cls", "privilege"),
    [
        ("deploy_service", "write", 4),
        ("evaluateModel", "read", 1),
        ("air_quality", "read", 1),
        ("unsubscribe_all", "write", 8),
        ("upload_report", "egress", 5),
    ],
)
def test_verbs_beyond_the_common_ones(name, cls, privilege):
    assert (tool_meaning(name).verb_class, tool_meaning(name).privilege) == (cls, privilege)


@pytest.mark.parametrize(
    ("key", "role"),
    [
        ("account_id", "authority"),
        ("to", "authority"),
        ("message", "payload"),
        ("max_results", "quantity"),
        ("since", "filter"),
        ("units", "format"),
        ("opinion", "filter"),
    ],
)
def test_roles_of_arguments(key, role):
    assert argument_role(key) == role
