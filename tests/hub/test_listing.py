import pytest

from gatling_beam.hub import SourceUnavailable, list_files, plan_units, read_unit, select_files
from gatling_beam.sources.spec import SourceFiles

FILES = {
    "README.md": b"# a set",
    "data/train-1.jsonl": b'{"n":1}\n{"n":2}\n',
    "data/train-0.jsonl": b'{"n":0}\n',
    "data/deep/er/train-2.jsonl": b'{"n":3}\n',
    "data/test.jsonl": b'{"n":9}\n',
    "tests/test/x.jsonl": b'{"n":8}\n',
}
TRAIN = SourceFiles(paths=("data/train-*.jsonl",), container="jsonl")
TEST = SourceFiles(paths=("data/test.jsonl",), split="test", container="jsonl", default=False)
DEEP = SourceFiles(config="deep", paths=("data/**/train-2.jsonl",), container="jsonl", default=False)


@pytest.fixture
def three(spec):
    return spec(files=(TRAIN, TEST, DEEP))


def paths(listing):
    return [file.path for file in listing.files]


def test_the_hub_and_a_mirror_list_the_same(hub, mirror, put, three):
    hub.add("org/set", FILES)
    put(mirror, "org/set", FILES)
    far, near = list_files(three), list_files(three, root=str(mirror))
    assert paths(far) == paths(near) == ["data/train-0.jsonl", "data/train-1.jsonl"]
    assert [file.size for file in far.files] == [file.size for file in near.files] == [8, 16]
    assert far.repository.revision == "5f0f3c1f9d0a4b7c8e2d1a6b3c4d5e6f70819203"
    assert near.repository.revision.startswith("local-")
    assert all(file.sha256 for file in far.files)
    rows = [
        [(row.data, row.location) for unit in plan_units(listing) for row in read_unit(unit)] for listing in (far, near)
    ]
    assert rows[0] == rows[1]


def test_the_tree_is_read_to_its_last_page(hub, spec):
    hub.add("org/set", {f"data/{n:03}.jsonl": b"{}\n" for n in range(50)})
    hub.page = 7
    assert len(list_files(spec()).files) == 50


def test_small_files_have_no_hash(hub, three):
    hub.add("org/set", FILES, lfs=False)
    assert [file.sha256 for file in list_files(three).files] == [None, None]


@pytest.mark.parametrize(
    "config, split, expected",
    [
        (None, None, [TRAIN]),
        ("default", None, [TRAIN]),
        (None, "test", [TEST]),
        (None, "train", [TRAIN]),
        ("deep", None, [DEEP]),
        ("default", "test", [TEST]),
    ],
)
def test_which_entries_are_read(three, config, split, expected):
    assert list(select_files(three, config, split)) == expected


def test_an_unknown_config_names_those_that_exist(three):
    with pytest.raises(ValueError, match=r"config='x', split=None: set has .* deep/train, default/test, default/train"):
        select_files(three, "x")


def test_two_stars_cross_folders_and_one_does_not(mirror, put, spec):
    put(mirror, "org/set", FILES)

    def found(*globs):
        return paths(list_files(spec(files=(SourceFiles(paths=globs, container="jsonl"),)), root=str(mirror)))

    assert found("data/*.jsonl") == ["data/test.jsonl", "data/train-0.jsonl", "data/train-1.jsonl"]
    assert found("**/train-*.jsonl") == ["data/deep/er/train-2.jsonl", "data/train-0.jsonl", "data/train-1.jsonl"]
    assert found("data/train-[01].jsonl", "data/*.jsonl") == found("data/*.jsonl")
    assert found("**/test/*") == ["tests/test/x.jsonl"]


def test_a_glob_that_matches_nothing_is_told_with_what_is_there(mirror, put, hub, spec):
    nothing = spec(files=(SourceFiles(paths=("*.csv", "x/*.csv"), container="csv"),))
    put(mirror, "org/set", FILES)
    hub.add("org/set", FILES)
    for root in (str(mirror), None):
        with pytest.raises(SourceUnavailable, match=r"matches \*\.csv, x/\*\.csv; its files are: .*train-0\.jsonl"):
            list_files(nothing, root=root)


def test_entries_of_one_split_are_forms_of_the_same_rows(mirror, put, spec):
    forms = (
        SourceFiles(paths=("p/*.parquet",), container="parquet"),
        TRAIN,
        SourceFiles(paths=("**/*",), container="csv"),
    )
    put(mirror, "org/set", FILES)
    listing = list_files(spec(files=forms), root=str(mirror))
    assert [(file.path, file.container) for file in listing.files] == [
        ("data/train-0.jsonl", "jsonl"),
        ("data/train-1.jsonl", "jsonl"),
    ]


def test_a_missing_mirror_names_the_folder_it_looked_for(mirror, spec):
    with pytest.raises(SourceUnavailable, match=f"no folder {mirror}/org/set; put the data set's files there"):
        list_files(spec(), root=str(mirror))


def test_the_revision_of_a_mirror_changes_with_its_files(mirror, put, three):
    put(mirror, "org/set", FILES)
    first = list_files(three, root=str(mirror)).repository.revision
    put(mirror, "org/set", {"README.md": b"other"})
    assert list_files(three, root=str(mirror)).repository.revision == first
    put(mirror, "org/set", {"data/train-0.jsonl": b"{}\n"})
    assert list_files(three, root=str(mirror)).repository.revision != first


def test_a_mirror_may_be_any_file_system(spec):
    import fsspec

    fsspec.filesystem("memory").pipe("/m/org/set/data/a.jsonl", b'{"n":1}\n{"n":2}')
    rows = [row for unit in plan_units(list_files(spec(), root="memory://m")) for row in read_unit(unit)]
    assert [row.data for row in rows] == [b'{"n":1}', b'{"n":2}']
