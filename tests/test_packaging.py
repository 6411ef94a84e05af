"""What is shipped, and which way imports go."""

import ast
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: Folder in the tree -> folder in the wheel.
SHIPPED = {
    "gatling_beam": "gatling_beam",
    "transforms": "gatling_beam/transforms",
    "pipelines": "gatling_beam/pipelines",
}
BUILT_FROM = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "MANIFEST.in", "tests", *SHIPPED)
SHELL = ("gatling_beam.transforms", "gatling_beam.pipelines")
GROUND_FLOOR = ("plan", "sample", "graph", "lexicon", "domains")
STRANGERS = ("judge", "energy", "mutate")


def tree_files() -> dict[str, Path]:
    """Every file that a wheel must hold, by its name there."""
    return {
        str(target / path.relative_to(ROOT / folder)): path
        for folder, target in ((folder, Path(name)) for folder, name in SHIPPED.items())
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, built without network from a copy of the tree."""
    copy = tmp_path_factory.mktemp("tree")
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, copy / name)
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--sdist", "--wheel", "--outdir", str(out), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_the_wheel_holds_the_tree_and_no_more(built):
    (wheel,) = built.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}
    metadata = {name for name in names if ".dist-info/" in name}
    assert names - metadata == set(tree_files())
    assert {
        "gatling_beam/py.typed",
        "gatling_beam/sources/catalogue.yaml",
        "gatling_beam/mirror/EXPECTED.json",
    } <= names
    assert any(name.endswith("/licenses/LICENSE") for name in metadata)


def test_the_sdist_holds_all_that_a_worker_installs(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {str(path.relative_to(ROOT)) for path in tree_files().values()}
    assert needed | {"pyproject.toml", "setup.py", "LICENSE", "README.md"} <= names


def test_the_command_is_installed():
    (command,) = entry_points(group="console_scripts", name="gatling-beam")
    assert callable(command.load())


@pytest.mark.parametrize("name", ["transforms", "pipelines"])
def test_the_folders_cannot_be_imported_as_they_lie(name):
    done = subprocess.run([sys.executable, "-c", f"import {name}"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0
    assert f"import gatling_beam.{name}" in done.stderr


def test_the_core_imports_no_beam():
    core = sorted(name for name in modules() if not name.startswith(SHELL))
    assert "gatling_beam.normalize" in core
    script = (
        f"import importlib, sys\nfor m in {core!r}: importlib.import_module(m)\nsys.exit('apache_beam' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr or "the core imports apache_beam"


def test_annotations_of_the_shell_are_not_texts():
    """Beam reads the annotations of mapped functions; as texts they say nothing to it."""
    guilty = [
        name
        for name, path in modules().items()
        if name.startswith(SHELL) and "from __future__ import annotations" in path.read_text("utf-8")
    ]
    assert guilty == []


def test_imports_go_one_way():
    """pipelines -> transforms -> core; nothing above from the ground floor; judge, energy, mutate not one another."""
    wrong = [(name, imported) for name in modules() for imported in imports_of(name) if not allowed(name, imported)]
    assert wrong == []


@pytest.mark.parametrize(
    ("importer", "imported", "fine"),
    [
        ("gatling_beam.pipelines.tier1", "gatling_beam.transforms", True),
        ("gatling_beam.transforms.write_samples", "gatling_beam.pipelines.options", False),
        ("gatling_beam.normalize", "gatling_beam.transforms", False),
        ("gatling_beam.normalize", "apache_beam.io", False),
        ("gatling_beam.judge.scope", "gatling_beam.energy", False),
        ("gatling_beam.judge.scope", "gatling_beam.judge.flow", True),
        ("gatling_beam.plan", "gatling_beam.normalize", False),
        ("gatling_beam.graph", "gatling_beam.plan", True),
    ],
)
def test_the_rule_of_imports(importer, imported, fine):
    assert allowed(importer, imported) is fine


def allowed(importer: str, imported: str) -> bool:
    """Whether the module `importer` may import `imported`."""
    if importer.startswith("gatling_beam.pipelines"):
        return True
    if importer.startswith("gatling_beam.transforms"):
        return not imported.startswith("gatling_beam.pipelines")
    if imported.startswith(("apache_beam", *SHELL)):
        return False
    above, below = part(importer), part(imported)
    if above in STRANGERS and below in STRANGERS:
        return above == below
    if above in GROUND_FLOOR and below:
        return below in (*GROUND_FLOOR, "errors", "hashing", "json_value", "json_rows", "coders")
    return True


def part(name: str) -> str:
    """`judge` of `gatling_beam.judge.scope`; "" for modules of others."""
    top, _, rest = name.partition(".")
    return rest.partition(".")[0] if top == "gatling_beam" else ""


def modules() -> dict[str, Path]:
    """Every module of the package by its name, with its file in the tree."""
    return {
        name.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): path
        for name, path in tree_files().items()
        if name.endswith(".py")
    }


def imports_of(name: str) -> set[str]:
    """The modules that `name` imports anywhere in its text; `from package import module` counts as the module."""
    known = modules()
    found = set()
    for node in ast.walk(ast.parse(known[name].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & set(known)
            found |= inner or {node.module}
    return found
