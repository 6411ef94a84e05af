"""A data set that is there in part, or with broken files, is never read as if it were whole."""

import os

import pytest

from gatling_beam.hub import ReadRequest, SourceUnavailable, list_files, list_request, plan_units, read_unit
from gatling_beam.sources.spec import SourceFiles

FILES = {"data/a.jsonl": b'{"n":1}\n', "data/b.jsonl": b'{"n":2}\n', "deep/c.json": b"{}\n"}
TRAIN = SourceFiles(paths=("data/*.jsonl",), container="jsonl")
OTHER = SourceFiles(paths=("*.gone", "*.away"), split="other", container="jsonl")
JOINED = SourceFiles(paths=("*.json",), container="jsonl", join="answer/{file}")


def paths(listing):
    return [file.path for file in listing.files]


def missing(listing):
    return [(one.name, one.reason) for one in listing.missing]


def test_a_split_without_files_is_missing_unless_it_is_optional(mirror, put, spec):
    put(mirror, "org/set", FILES)
    listing = list_files(spec(files=(TRAIN, OTHER)), root=str(mirror))
    assert paths(listing) == ["data/a.jsonl", "data/b.jsonl"]
    assert missing(listing) == [("default/other", "no file matches *.gone, *.away")]
    optional = OTHER.model_copy(update={"optional": True})
    assert missing(list_files(spec(files=(TRAIN, optional)), root=str(mirror))) == []


def test_what_is_missing_must_be_known_to_the_request(mirror, put, spec):
    put(mirror, "org/set", FILES)
    both = spec(files=(TRAIN, OTHER))
    told = r"source set \(org/set\) is there in part only: default/other: no file matches .*: default/train$"
    with pytest.raises(SourceUnavailable, match=told):
        list_request(ReadRequest.of(both, root=str(mirror)))
    with pytest.raises(SourceUnavailable, match="default/other"):
        list_request(ReadRequest.of(both, root=str(mirror), without=("default/else",)))
    assert len(list_request(ReadRequest.of(both, root=str(mirror), without=("default/other",))).files) == 2
    assert len(list_request(ReadRequest.of(both, root=str(mirror), split="train")).files) == 2


def test_a_file_without_its_companion_is_missing(mirror, put, spec):
    put(mirror, "org/set", {"a.json": b'{"id":1}', "b.json": b'{"id":2}', "answer/a.json": b'{"id":1}'})
    listing = list_files(spec(files=(JOINED,)), root=str(mirror))
    assert paths(listing) == ["a.json"]
    assert missing(listing) == [("default/train/b.json", "b.json has no companion answer/b.json")]
    (mirror / "org/set/answer/a.json").unlink()
    with pytest.raises(SourceUnavailable, match=r"a\.json has no companion answer/a\.json"):
        list_files(spec(files=(JOINED,)), root=str(mirror))


def test_a_broken_link_is_no_empty_file(mirror, put, spec):
    put(mirror, "org/set", FILES)
    (mirror / "org/set/data/c.jsonl").symlink_to("/nowhere/blob")
    with pytest.raises(SourceUnavailable, match=r"data/c\.jsonl is a link to /nowhere/blob, which is not there"):
        list_files(spec(), root=str(mirror))
    deep = spec(files=(SourceFiles(paths=("deep/*",), container="jsonl"),))
    assert paths(list_files(deep, root=str(mirror))) == ["deep/c.json"]  # the link is not asked for


def test_a_companion_that_is_a_broken_link(mirror, put, spec):
    put(mirror, "org/set", {"a.json": b'{"id":1}', "answer/b.json": b""})
    (mirror / "org/set/answer/a.json").symlink_to("/nowhere")
    with pytest.raises(SourceUnavailable, match="has no companion"):
        list_files(spec(files=(JOINED,)), root=str(mirror))


def test_links_to_files_and_folders_are_followed_and_rings_end(mirror, put, spec, tmp_path):
    put(tmp_path, "elsewhere", {"data/a.jsonl": b'{"n":1}\n', "b.jsonl": b'{"n":2}\n'})
    (mirror / "org/set").mkdir(parents=True)
    (mirror / "org/set/data").symlink_to(tmp_path / "elsewhere/data")
    (tmp_path / "elsewhere/data/up").symlink_to(tmp_path / "elsewhere/data")
    (tmp_path / "elsewhere/data/b.jsonl").symlink_to("../b.jsonl")
    listing = list_files(spec(), root=str(mirror))
    assert [(file.path, file.size) for file in listing.files] == [("data/a.jsonl", 8), ("data/b.jsonl", 8)]
    assert [row.data for unit in plan_units(listing) for row in read_unit(unit)] == [b'{"n":1}', b'{"n":2}']


def test_a_name_that_is_not_utf_8_is_told(mirror, put, spec):
    put(mirror, "org/set", FILES)
    (mirror / "org/set" / os.fsdecode(b"other-\xff.jsonl")).write_bytes(b"{}")
    assert len(list_files(spec(), root=str(mirror)).files) == 2  # it is not asked for
    (mirror / "org/set/data" / os.fsdecode(b"x\xff.jsonl")).write_bytes(b"{}")
    with pytest.raises(SourceUnavailable, match=r"x\\udcff\.jsonl has a name that is not UTF-8: rename it"):
        list_files(spec(), root=str(mirror))


def test_an_edit_of_the_same_length_is_another_revision(mirror, put, spec):
    put(mirror, "org/set", FILES)
    first = list_files(spec(), root=str(mirror)).repository.revision
    put(mirror, "org/set", {"data/b.jsonl": b'{"n":3}\n'})
    assert list_files(spec(), root=str(mirror)).repository.revision != first
    put(mirror, "org/set", FILES)
    assert list_files(spec(), root=str(mirror)).repository.revision == first


def test_of_a_remote_file_system_it_says_what_changed(spec):
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/e/org/set/data/a.jsonl", b'{"n":1}')
    first = list_files(spec(), root="memory://e").repository.revision
    assert list_files(spec(), root="memory://e").repository.revision == first
    memory.pipe("/e/org/set/data/a.jsonl", b'{"n":2}')
    assert list_files(spec(), root="memory://e").repository.revision != first
