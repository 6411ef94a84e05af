import pytest
from pydantic import ValidationError

from gatling_beam.sources import FORMATS, load_catalogue, names, source
from gatling_beam.sources.catalogue import parse_catalogue

PLANS = [
    "xlam",
    "toolbank",
    "hermes",
    "fiftyone",
    "twinkle",
    "mobile_actions",
    "mmau",
    "toolscale",
    "toolpref",
    "astra",
    "toolmind",
    "turkish",
    "bfcl",
    "apibench",
    "toolbench",
    "toolace",
    "glaive",
    "dolci",
    "hermes_reasoning",
    "reason_tool_use",
    "dta",
    "nestful",
    "apigen_mt",
    "tinyagent",
    "taskbench",
    "agentharm",
    "aiq",
]
CONVERSATIONS = [
    "lmsys",
    "wildchat",
    "ultrachat",
    "openhermes",
    "helpful_instructions",
    "hf4_instructions",
    "natural_instructions",
    "rubrichub",
    "nemotron_structured",
    "apex_agents",
    "daqc",
]
REASONING = ["gsm8k", "math", "superior_reasoning", "nemotron_math"]
INJECTIONS = ["deepset", "gandalf_ignore", "gandalf_summarization", "mosscap", "gandalf_rct", "llmail", "geekyrakshit"]


def test_every_data_set_is_there_in_its_role() -> None:
    assert set(PLANS) <= set(names("plans"))
    assert set(names("conversations")) == set(CONVERSATIONS)
    assert set(names("reasoning")) == set(REASONING)
    assert set(names("injections")) == set(INJECTIONS)
    assert len(names()) == len(load_catalogue())


def test_every_format_exists_and_is_used() -> None:
    assert {spec.format for spec in load_catalogue().values()} == set(FORMATS)


def test_benchmarks_win_every_duplicate() -> None:
    benchmarks = {name for name, spec in load_catalogue().items() if spec.benchmark}
    assert benchmarks == {"agentharm", "bfcl", "mmau", "aiq", "apex_agents"}
    assert {name for name, spec in load_catalogue().items() if spec.priority == 0} == benchmarks


def test_translations_and_mixtures_lose_against_their_originals() -> None:
    originals = max(source(name).priority for name in ("xlam", "toolace", "glaive", "apigen_mt"))
    for derived in ("toolpref", "toolmind", "hermes_reasoning", "twinkle", "turkish"):
        assert source(derived).priority > originals


def test_gated_sources_are_marked() -> None:
    assert {name for name, spec in load_catalogue().items() if spec.gated} == {
        "xlam",
        "lmsys",
        "apex_agents",
        "apigen_mt",
    }


def test_no_commit_is_made_up() -> None:
    for spec in load_catalogue().values():
        assert spec.revision == "main" or len(spec.revision) == 40


def test_every_source_has_files_that_are_read_by_default() -> None:
    for spec in load_catalogue().values():
        assert any(entry.default for entry in spec.files), spec.name


def test_an_unknown_name_is_met_with_names_that_look_like_it() -> None:
    with pytest.raises(ValueError, match=r"'toolmnd'.*toolmind.*`gatling-beam sources`"):
        source("toolmnd")
    with pytest.raises(ValueError, match=r"is not in the catalogue\. `gatling-beam sources`"):
        source("qqqqqqqq")


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(ValueError, match="role='plan' is not one of plans, "):
        names("plan")


ENTRY = """
- name: x
  hub_id: a/b
  role: plans
  format: names_only
  files: [{paths: ["*.parquet"], container: parquet}]
"""


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="'x' twice"):
        parse_catalogue(ENTRY + ENTRY)


def test_a_field_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match="licens"):
        parse_catalogue(ENTRY + "  licens: mit\n")
