"""The embedded sample: a small mirror of the Hub, written for this project, in the layout that `root` reads.

`<owner>/<name>/...` below this folder holds a few rows of each source of plans, in the source's own wire format and
container; about one row in twenty is broken on purpose. `EXPECTED.json` says what every source's rows become.
`tools/make_mirror.py` writes all of it.
"""

from pathlib import Path

#: The `root` that stands for the embedded sample.
EMBEDDED = "embedded"


def mirror_path() -> str:
    """The folder of the embedded sample: what `ReadHFSource(root="embedded")` and `--root embedded` read."""
    return str(Path(__file__).parent)
