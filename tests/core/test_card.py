import datasets
import pytest
import yaml

from gatling_beam.card import card, literal
from gatling_beam.card_columns import COLUMNS
from gatling_beam.ledger import read_ledger
from gatling_beam.manifest import SourceVersion, read_manifest
from gatling_beam.sample import Sample


def front_matter(text):
    return yaml.safe_load(text.split("---\n")[1])


@pytest.mark.parametrize("format", ["parquet", "jsonl"])
def test_load_dataset_reads_exactly_the_manifests_files(make_directory, strategies, tmp_path, format):
    samples = strategies.plain_samples(9)
    directory = make_directory(tmp_path / "out", samples=samples, format=format)
    (tmp_path / "out" / f"part-00000-of-00001.{format}").write_bytes(b"left over by a run that died")
    loaded = datasets.load_dataset(directory, cache_dir=str(tmp_path / "cache"))
    assert list(loaded) == ["train"]
    assert sorted(loaded["train"]["sample_id"]) == sorted(sample.sample_id for sample in samples)
    assert loaded["train"][0]["execution_plan"]["nodes"][0]["tool_name"] == "live_giveaways_by_type"
    assert loaded["train"].column_names == list(Sample.__struct_fields__)


def test_the_front_matter_lists_the_files(make_directory, tmp_path):
    directory = make_directory(tmp_path)
    front = front_matter((tmp_path / "README.md").read_text())
    assert front["configs"] == [
        {
            "config_name": "default",
            "data_files": [{"split": "train", "path": [file.name for file in read_manifest(directory).files]}],
        }
    ]


def test_avro_has_no_config_since_load_dataset_cannot_read_it(make_directory, tmp_path):
    make_directory(tmp_path, format="avro")
    assert "configs" not in front_matter((tmp_path / "README.md").read_text())


@pytest.mark.parametrize(
    ("format", "rows", "word"),
    [
        ("avro", 3, "does not read Avro"),
        ("parquet", 0, "fails on a data set without rows"),
        ("jsonl", 0, "fails on a data set without rows"),
        ("jsonl", 3, "may round the last digit"),
    ],
)
def test_the_card_says_what_load_dataset_does_not_do(make_directory, strategies, tmp_path, format, rows, word):
    make_directory(tmp_path, samples=strategies.plain_samples(rows), format=format)
    assert word in (tmp_path / "README.md").read_text()


def test_the_card_of_parquet_has_no_reservations(make_directory, tmp_path):
    make_directory(tmp_path)
    assert "load_dataset" not in (tmp_path / "README.md").read_text()


@pytest.mark.parametrize("format", ["parquet", "jsonl"])
def test_load_dataset_fails_without_rows_as_the_card_says(make_directory, tmp_path, format):
    directory = make_directory(tmp_path / "out", samples=[], format=format)
    with pytest.raises((ValueError, StopIteration)):
        datasets.load_dataset(directory, cache_dir=str(tmp_path / "cache"))


def test_licences_counts_and_columns_are_shown(make_directory, tmp_path):
    make_directory(tmp_path, target_samples=20)
    text = (tmp_path / "README.md").read_text()
    assert "10 rows of 20 asked for (50.0%) in 2 files (parquet), seed 7." in text
    assert "| `xlam` | `Salesforce/xlam-function-calling-60k` | `26d14eb` | `cc-by-4.0` | no | 10 |" in text
    assert "| `write` | 10 | 0 | 10 | 0 | 0 | 0 | 0 | 0 | 0 |" in text
    for group in ("Key", "Input", "Target"):
        assert f"### {group}\n" in text


def test_every_column_has_a_meaning():
    assert list(COLUMNS) == list(Sample.__struct_fields__)


@pytest.mark.parametrize(
    "text, shown",
    [
        ("mit", "`mit`"),
        ("a|b`c", "`a¦b'c`"),
        ("x\n---\n# y\u2028z", "`x --- # y z`"),
        ("[l](http://x)<img src=x>", "`[l](http://x)<img src=x>`"),
        ("", ""),
        ("\n", ""),
        ("a" * 300, f"`{'a' * 199}…`"),
    ],
)
def test_foreign_text_is_one_line_of_code(text, shown):
    assert literal(text) == shown


def test_foreign_text_adds_no_cell_and_no_front_matter(make_directory, tmp_path):
    hostile = "x` | y |\n| z\n---\nlicense: mit\n"
    sources = {"xlam": SourceVersion(dataset=hostile, revision=hostile, licence=hostile)}
    directory = make_directory(tmp_path, sources=sources)
    text = (tmp_path / "README.md").read_text()
    assert text == card(read_manifest(directory), read_ledger(directory))
    (line,) = [line for line in text.splitlines() if line.startswith("| `xlam`")]
    assert line.count("|") == 7
    assert front_matter(text)["license"] == "other"
    assert text.count("\n---\n") == 1
