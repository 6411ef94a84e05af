"""What the README shows is what `make demo` prints."""

import re
import shlex
from pathlib import Path

from gatling_beam.pipelines.cli import main
from gatling_beam.sources import load_catalogue

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def demo_commands(output):
    """The arguments of gatling-beam in the demo, with its output elsewhere and no worker processes."""
    recipe = re.search(r"^demo:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    commands = [shlex.split(line)[1:] for line in recipe.splitlines() if line.startswith("\t@$(BIN)/gatling-beam")]
    places = {"demo-output": str(output), "demo-families": f"{output}-families"}
    return [[places.get(word, word) for word in command] for command in commands]


def test_the_rows_shown_are_those_of_the_demo(tmp_path, capsys):
    shown = []
    for command in demo_commands(tmp_path / "out"):
        is_look = command[0] == "inspect"
        assert main(command if is_look else [*command, "--workers=1"]) == 0
        said = capsys.readouterr().out
        if is_look:
            shown.append(said.strip("\n"))
        elif command[0] == "tier1":
            assert re.search(r"^total +2,452 +2,000 ", said, re.MULTILINE)
    block = README.partition("<!-- inspect:begin -->\n```\n")[2].partition("\n```\n<!-- inspect:end -->")[0]
    assert block == "\n\n".join(shown)
    assert block.count("plan: ") == 2 and "E_FLOW violated" in block


def test_the_number_of_data_sets():
    data_sets = {spec.hub_id for spec in load_catalogue().values() if spec.role == "plans"}
    assert f"a small mirror of {len(data_sets)} data sets" in README
