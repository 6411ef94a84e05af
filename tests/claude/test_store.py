import json
import time

import pytest

from gatling_beam.claude.calls import Answer, Call
from gatling_beam.claude.store import AnswerStore, CorruptFile, read_answers


def asked(i, phase="graphs"):
    return Call(phase, {"max_tokens": 10, "messages": [{"role": "user", "content": f"é {i}"}]})


def answered(i, phase="graphs", text="text"):
    call = asked(i, phase)
    return call, Answer(call.custom_id, {"content": [{"type": "text", "text": text}], "usage": {"output_tokens": i}})


def test_what_is_added_is_read_again(tmp_path):
    store = AnswerStore(str(tmp_path), "shard-0")
    pairs = [answered(i, "graphs" if i % 2 else "requests") for i in range(10)]
    store.add(pairs[:6])
    store.add(pairs[6:])
    for again in (store, AnswerStore(str(tmp_path), "shard-0").load()):
        assert len(again) == 10
        assert [again.get(call.custom_id) for call, _ in pairs] == [answer for _, answer in pairs]
        assert again.get("unknown") is None and "unknown" not in again and pairs[0][0].custom_id in again
    assert len(AnswerStore(str(tmp_path), "shard-1").load()) == 0
    kinds = {"requests", "responses"}
    assert {path.relative_to(tmp_path).parts[:3] for path in tmp_path.rglob("*.jsonl")} == {
        (kind, phase, "shard-0") for kind in kinds for phase in ("requests", "graphs")
    }
    assert sorted(a.custom_id for a in read_answers(str(tmp_path), "graphs")) == sorted(
        call.custom_id for call, _ in pairs if call.phase == "graphs"
    )


def test_the_requests_are_lines_of_a_batch(tmp_path):
    AnswerStore(str(tmp_path), "s").add([answered(1), answered(2)])
    (file,) = tmp_path.glob("requests/graphs/s/*.jsonl")
    lines = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert lines == [{"custom_id": asked(i).custom_id, "params": asked(i).params} for i in (1, 2)]


def test_refused_calls_are_not_kept(tmp_path):
    call = asked(1)
    store = AnswerStore(str(tmp_path), "s")
    store.add([(call, Answer(call.custom_id, error="invalid_request_error"))])
    assert store.get(call.custom_id) is None
    assert list(tmp_path.iterdir()) == []


def test_an_answer_is_written_once(tmp_path):
    store = AnswerStore(str(tmp_path), "s")
    store.add([answered(1), answered(1)])
    store.add([answered(1, text="another"), answered(2)])
    store.add([answered(1)])
    assert store.get(asked(1).custom_id) == answered(1)[1]
    assert len(list(tmp_path.rglob("*.jsonl"))) == 4
    assert sum(1 for _ in read_answers(str(tmp_path), "graphs")) == 2


def test_two_runs_on_one_shard_lose_nothing(tmp_path):
    one, other = (AnswerStore(str(tmp_path), "s").load() for _ in range(2))
    one.add([answered(1), answered(2)])
    other.add([answered(1), answered(3)])
    assert len(AnswerStore(str(tmp_path), "s").load()) == 3


@pytest.mark.parametrize("cut", [1, 40, -3])
def test_a_cut_file_is_named_with_its_line(tmp_path, cut):
    AnswerStore(str(tmp_path), "s").add([answered(1), answered(2)])
    (file,) = tmp_path.glob("responses/graphs/s/*.jsonl")
    file.write_bytes(file.read_bytes()[:cut])
    line = 1 if cut > 0 else 2
    with pytest.raises(CorruptFile, match=rf"{file.name}, line {line}, .*Copy it again"):
        AnswerStore(str(tmp_path), "s").load()


@pytest.mark.parametrize("content", [b"\n", b"[]\n", b'{"custom_id":"a","message":null}\n', b"\xff\n", b'{"a":1}\n'])
def test_a_line_that_is_no_paid_answer_is_named(tmp_path, content):
    file = tmp_path / "responses" / "graphs" / "s" / "p.jsonl"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(CorruptFile, match=r"p\.jsonl, line 1"):
        AnswerStore(str(tmp_path), "s").load()


def test_an_unfinished_file_is_not_read(tmp_path):
    folder = tmp_path / "responses" / "graphs" / "s"
    folder.mkdir(parents=True)
    (folder / ".part.jsonl.0123.tmp").write_bytes(b'{"custom')
    assert len(AnswerStore(str(tmp_path), "s").load()) == 0


@pytest.mark.parametrize("shard", ["", "a/b", "..", "a b", "a" * 101])
def test_names_of_shards(tmp_path, shard):
    with pytest.raises(ValueError, match="shard="):
        AnswerStore(str(tmp_path), shard)


def test_stores_are_kept_on_any_file_system():
    store = AnswerStore("memory://answers", "s").load()
    store.add([answered(1)])
    assert AnswerStore("memory://answers", "s").load().get(asked(1).custom_id) == answered(1)[1]


def test_ten_thousand_answers_load_in_a_second(tmp_path):
    store = AnswerStore(str(tmp_path), "s")
    for part in range(100):
        store.add([answered(i, text="x" * 2_000) for i in range(100 * part, 100 * part + 100)])
    start = time.process_time()
    assert len(AnswerStore(str(tmp_path), "s").load()) == 10_000
    assert time.process_time() - start < 1


def test_answers_serve_overlapping_shards_of_the_same_cells(tmp_path):
    AnswerStore(str(tmp_path), "ab-000000000-000000020").add([answered(1)])
    AnswerStore(str(tmp_path), "ab-000000020-000000040").add([answered(2)])
    AnswerStore(str(tmp_path), "cd-000000000-000000020").add([answered(3)])
    assert len(AnswerStore(str(tmp_path), "ab-000000000-000000030").load()) == 2
    assert len(AnswerStore(str(tmp_path), "ab-000000010-000000020").load()) == 1
    assert len(AnswerStore(str(tmp_path), "ab-000000040-000000050").load()) == 0
