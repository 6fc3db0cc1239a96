"""Ways to need less memory: each is one change, and the least that helps."""

from dataclasses import replace

from trivium.families.registry import FAMILIES
from trivium.plan.inference import Request
from trivium.plan.margins import Margins, Room
from trivium.plan.sharding import sharded_memory
from trivium.plan.ways_out import inference_ways, longest_inputs, training_ways, with_inputs
from trivium.plan.workload import Workload

EXACT = Margins(error=0.0, fragmentation=0.0, context_bytes=0)
STEP = Workload(FAMILIES["gpt2"].size("small"), rows=12, inputs=512)
ASKED = Request(FAMILIES["llama"].size("2-7b"), rows=8, inputs=1000, outputs=100)


def training_room(memory: int) -> Room[Workload]:
    return Room(memory, EXACT, lambda work: sharded_memory(work).total)


def inference_room(memory: int) -> Room[Request]:
    return Room(memory, EXACT, lambda asked: asked.memory.total)


def test_every_way_saves_memory() -> None:
    room = training_room(1)  # nothing fits, so that every way goes as far as it can
    before = room.size(STEP)
    for way in training_ways():
        changed = way.change(STEP, room)
        assert changed is not None
        assert room.size(changed[0]) < before, way.name
    requests = inference_room(1)
    for one in inference_ways():
        asked = one.change(ASKED, requests)
        assert (asked is None) == (one.name == "16-bit-weights")
        assert asked is None or requests.size(asked[0]) < requests.size(ASKED), one.name


def test_accumulation_keeps_the_step() -> None:
    room = training_room(sharded_memory(replace(STEP.with_rows(4), accumulation=3)).total)
    changed, words = next(iter(training_ways())).change(STEP, room) or (STEP, "")
    assert (changed.rows, changed.accumulation) == (4, 3)
    assert changed.tokens == STEP.tokens
    assert words == "3 micro-batches of 4 rows a step"


def test_sharding_takes_no_more_devices_than_it_must() -> None:
    way = next(way for way in training_ways() if way.name == "sharding")
    step = Workload(FAMILIES["gpt2"].size("xl"), rows=1, inputs=128)
    room = training_room(12_000_000_000)
    changed, _ = way.change(step, room) or (step, "")
    assert room.fits(changed)
    assert not room.fits(replace(changed, ranks=changed.ranks // 2))


def test_what_is_done_already_is_no_way_out() -> None:
    done = replace(STEP.with_rows(1), activation_checkpointing=True, precision="bfloat16", inputs=1, targets=None)
    room = training_room(1)
    names = [way.name for way in training_ways() if way.change(done, room)]
    assert names == ["lora", "sharding", "smaller-model"]


def test_adapting_makes_low_rank_updates_a_way_like_any_other() -> None:
    for adapting in (False, True):
        [lora] = [way for way in training_ways(adapting) if way.name == "lora"]
        assert lora.gives_up != adapting


def test_a_smaller_model_keeps_its_kind() -> None:
    way = training_ways()[-1]
    t5 = Workload(FAMILIES["t5"].size("small"), rows=8, inputs=128)
    changed, words = way.change(t5, training_room(900_000_000)) or (t5, "")
    assert changed.architecture.kind == "encoder-decoder"
    assert changed.architecture.dim == t5.architecture.dim
    assert 1 <= changed.architecture.stacks[0].depth < 6
    assert words.startswith(f"{changed.architecture.stacks[0].depth} of 6 + ")


def test_longer_rows_have_more_targets() -> None:
    masked = replace(STEP, targets=900)
    assert with_inputs(masked, 1024).targets == 1800
    assert with_inputs(STEP, 1024).targets is None
    pair = Workload(FAMILIES["t5"].size("small"), rows=8, inputs=512, outputs=114, targets=912)
    assert with_inputs(pair, 1024).targets == 912


def test_positions_limit_what_is_read() -> None:
    assert longest_inputs(STEP) == 1024
    assert longest_inputs(Request(STEP.architecture, 1, 10, 24)) == 1000
    assert longest_inputs(ASKED) > 100_000
