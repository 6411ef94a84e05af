"""tier1 over the sample that comes with the package: every source of plans, every row as its generator says."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gatling_beam.ledger import Counts, read_ledger
from gatling_beam.mirror import mirror_path
from gatling_beam.sources import names
from gatling_beam.validate_dir import validate_directory


def _outcomes(counts: Counts) -> Counter[str]:
    """Counts in the generator's words: plan, no_call, filtered:<reason>, dead:<reason>."""
    found = Counter({"plan": counts.out, "no_call": counts.no_call})
    for kind in ("filtered", "dead"):
        found.update({f"{kind}:{reason}": n for reason, n in counts.reasons.get(kind, {}).items()})
    return found


def test_every_row_of_the_embedded_sample(gatling: Callable[..., Any], tmp_path: Path) -> None:
    done = gatling("tier1", "--root=embedded", "--workers=1", "--shards=3", "--output", tmp_path / "out")
    assert done.code == 0
    expected = json.loads((Path(mirror_path()) / "EXPECTED.json").read_text("utf-8"))
    ledger = read_ledger(str(tmp_path / "out"))
    assert set(ledger.stages["normalize"]) == set(names("plans"))
    assert ledger.total("normalize").in_ == expected["rows"]
    wanted = Counter(outcome for rows in expected["outcomes"].values() for outcome in rows)
    assert _outcomes(ledger.total("normalize")) == wanted
    assert ledger.total("dedup").out == expected["distinct_plans"]
    assert validate_directory(str(tmp_path / "out")).problems == ()
