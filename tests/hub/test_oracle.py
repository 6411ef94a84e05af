"""`datasets.load_dataset` on the same files gives the same rows."""

import json
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatling_beam.hub import list_files, plan_units, read_unit
from gatling_beam.sources.spec import SourceFiles

FIXTURES = Path(__file__).parents[1] / "fixtures/hf"


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    datasets.disable_progress_bars()

    def load(builder, files):
        # load_dataset of a builder's name reads these files as they are, without a repository around them
        return list(datasets.load_dataset(builder, data_files=files, split="train", cache_dir=str(tmp_path / "cache")))

    return load


def read(spec, mirror, entry, **cut):
    listing = list_files(spec(files=(entry,)), root=str(mirror))
    return [json.loads(row.data) for unit in plan_units(listing, **cut) for row in read_unit(unit)]


FLAT = [
    {
        "id": n,
        "query": f"Wie spät ist es in Zürich? \u2028 𝄞 {n}",
        "tools": json.dumps([{"name": f"f{n}"}]),
        "score": n / 4,
    }
    for n in range(300)
]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("closed", [True, False])
def test_lines(spec, mirror, put, loaded, end, closed):
    text = end.join(json.dumps(row, ensure_ascii=False) for row in FLAT) + (end if closed else "")
    put(mirror, "org/set", {"data/b.jsonl": text.encode(), "data/a.jsonl": json.dumps(FLAT[7]).encode()})
    rows = read(spec, mirror, SourceFiles(paths=("data/*.jsonl",), container="jsonl"), unit_bytes=500)
    assert rows == loaded("json", [f"{mirror}/org/set/data/{name}.jsonl" for name in "ab"]) == [FLAT[7], *FLAT]


def test_an_array(spec, mirror, put, loaded):
    put(mirror, "org/set", {"a.json": json.dumps(FLAT, indent=1).encode()})
    rows = read(spec, mirror, SourceFiles(paths=("a.json",), container="json_array"))
    assert rows == loaded("json", f"{mirror}/org/set/a.json") == FLAT


@pytest.mark.parametrize(
    "name", ["OpenBMB__ToolBench/_raw/toolllama_G123_dfs_train.json", "Salesforce__APIGen-MT-5k/_raw/apigen-mt_5k.json"]
)
def test_arrays_of_real_shape(spec, mirror, put, loaded, name):
    put(mirror, "org/set", {"a.json": (FIXTURES / name).read_bytes()})
    rows = read(spec, mirror, SourceFiles(paths=("a.json",), container="json_array"))
    assert rows == loaded("json", f"{mirror}/org/set/a.json")
    assert len(rows) == 3


def test_parquet(spec, mirror, put, loaded):
    (mirror / "org/set").mkdir(parents=True)
    table = pa.Table.from_pylist(
        [{**row, "turns": [{"role": "user", "content": row["query"]}] * (row["id"] % 3), "none": None} for row in FLAT]
    )
    path = mirror / "org/set/a.parquet"
    pq.write_table(table, path, row_group_size=37)
    rows = read(spec, mirror, SourceFiles(paths=("*.parquet",), container="parquet"), unit_bytes=1, row_group_bytes=1)
    assert rows == loaded("parquet", str(path)) == table.to_pylist()


def test_an_object_keyed_by_id_of_real_shape(spec, mirror, put):
    """load_dataset cannot read this one; its rows are known from the data set's own viewer form."""
    text = (FIXTURES / "squeeze-ai-lab__TinyAgent-dataset/_raw/training_data.json").read_bytes()
    put(mirror, "org/set", {"t.json": text})
    rows = read(spec, mirror, SourceFiles(paths=("t.json",), container="json_object", key="uuid"))
    assert rows == [{"uuid": uuid, **row} for uuid, row in json.loads(text).items()]


def test_one_row_a_file_of_real_shape(spec, mirror, put):
    folder = FIXTURES / "OpenBMB__ToolBench/_raw/answer/G1_answer"
    put(mirror, "org/set", {f"G1/{path.name}": path.read_bytes() for path in folder.iterdir()})
    rows = read(spec, mirror, SourceFiles(paths=("G1/*.json",), container="json_file"))
    assert rows == [json.loads(path.read_bytes()) for path in sorted(folder.iterdir())]
