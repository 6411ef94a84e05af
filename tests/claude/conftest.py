"""The server of tools/claude_server, for tests."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

SERVER = Path(__file__).parents[2] / "tools" / "claude_server"


@pytest.fixture(scope="session")
def claude_server_module() -> ModuleType:
    """The package tools/claude_server, under the name that it has in the tree."""
    name = "tools.claude_server"
    if name not in sys.modules:
        spec = spec_from_file_location(name, SERVER / "__init__.py", submodule_search_locations=[str(SERVER)])
        sys.modules[name] = module = module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture
def claude_server(claude_server_module: ModuleType) -> Iterator[Callable]:
    """`claude_server(answer=None, **options) -> Server`: a Messages API on loopback until the test ends.

    The options are those of tools/claude_server/config.py; the server has url, api_key, stats(), configure(), reset().
    """
    with ExitStack() as stack:

        def start(answer=None, **options):
            config = claude_server_module.Config(**options)
            return stack.enter_context(claude_server_module.serving(config, answer=answer))

        yield start
