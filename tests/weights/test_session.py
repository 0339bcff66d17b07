import hashlib
import sys
import threading
import types

import numpy as np
import pytest

from marey.core.errors import WeightsError
from marey.weights import load, names, read_card, session


def pictures(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 16, 12, 3), dtype=np.uint8)


def test_equals_onnxruntime(network):
    runtime = pytest.importorskip("onnxruntime")
    path = network()
    rgb = pictures(5)
    engine = runtime.InferenceSession(str(path.with_suffix(".onnx")), providers=["CPUExecutionProvider"])
    want = dict(zip(("heat", "most"), engine.run(None, {"rgb": rgb}), strict=True))
    got = load(path, "cpu")({"rgb": rgb})
    assert list(got) == ["heat", "most"]
    for name, value in want.items():
        np.testing.assert_allclose(got[name], value, rtol=1e-5)


def test_by_name_path_and_card_and_only_the_outputs_of_the_card(network):
    path = network(outputs=("most",))
    loaded = [load(source, "cpu") for source in (path, str(path.with_suffix(".onnx")), read_card(path))]
    for each in loaded:
        assert each.card == read_card(path)
        assert each.provider == "OpenVINO CPU f32"
        assert each.inputs == {"rgb": (None, 16, 12, 3)}
        assert list(each({"rgb": pictures(1)})) == ["most"]


def test_what_comes_out_does_not_depend_on_the_batch(network):
    run = load(network(), "cpu")
    rgb = pictures(9)
    whole = run({"rgb": rgb})
    for sizes in ((1,) * 9, (2, 3, 4), (8, 1)):
        parts = [run({"rgb": part})["heat"] for part in np.split(rgb, np.cumsum(sizes)[:-1])]
        np.testing.assert_allclose(np.concatenate(parts), whole["heat"], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", names() or [None])
def test_shipped_networks_do_not_mix_their_batch(name):
    if name is None:
        pytest.skip("no network is shipped yet")
    run = load(name, "cpu")
    rng = np.random.default_rng(0)
    given = {}
    for place, (_, *sizes) in run.inputs.items():
        shape = [4, *(size or 64 for size in sizes)]
        pixels = place == "rgb"
        given[place] = rng.integers(0, 256, shape, np.uint8) if pixels else rng.random(shape, np.float32)
    whole = run(given)
    near = 0.06 if "bf16" in run.provider else 1e-4  # eight binary digits, through a hundred layers
    for k in range(4):
        alone = run({place: values[k : k + 1] for place, values in given.items()})
        for output, value in alone.items():
            np.testing.assert_allclose(value[0], whole[output][k], atol=near, rtol=near)


def test_pictures_of_another_size_than_the_network_takes_are_refused(network):
    path = network()
    assert load(path, "cpu", size=(12, 16)).inputs == {"rgb": (None, 16, 12, 3)}
    with pytest.raises(WeightsError, match="takes pictures of 12 x 16 only, not of 16 x 12"):
        load(path, "cpu", size=(16, 12))


def test_views_and_empty_batches(network):
    run = load(network(), "cpu")
    rgb = pictures(3)
    mirrored = rgb[:, :, ::-1]
    np.testing.assert_array_equal(run({"rgb": mirrored})["heat"], run({"rgb": mirrored.copy()})["heat"])
    assert run({"rgb": rgb[:0]})["heat"].shape == (0, 1, 16, 12)


def test_results_are_kept_when_the_network_runs_again(network):
    run = load(network(), "cpu")
    first = run({"rgb": pictures(2, 1)})["heat"]
    before = first.copy()
    run({"rgb": pictures(2, 2)})
    np.testing.assert_array_equal(first, before)


def test_threads_share_a_session(network):
    run = load(network(), "cpu", threads=1)
    batches = [pictures(3, seed) for seed in range(8)]
    want = [run({"rgb": rgb})["heat"] for rgb in batches]
    wrong = []

    def work(k):
        for _ in range(20):
            if not np.array_equal(run({"rgb": batches[k]})["heat"], want[k]):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_inputs_are_named_when_they_do_not_fit(network):
    run = load(network(), "cpu")
    with pytest.raises(WeightsError, match="tiny: the input `rgb` is missing; picture was given"):
        run({"picture": pictures(1)})
    with pytest.raises(WeightsError, match=r"`rgb` must be \(N, 16, 12, 3\), not \(1, 12, 16, 3\)"):
        run({"rgb": pictures(1).swapaxes(1, 2)})


def test_a_file_that_is_not_the_cards_is_refused(network):
    path = network()
    with path.with_suffix(".onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(WeightsError, match=r"tiny\.onnx: its sha256 is .* damaged or was replaced"):
        load(path)


def test_a_file_that_is_no_network_is_refused(network):
    path = network()
    path.with_suffix(".onnx").write_bytes(b"not a network")
    digest = hashlib.sha256(b"not a network").hexdigest()
    text = path.read_text("utf-8").replace(read_card(path).sha256, digest)
    path.write_text(text, "utf-8")
    with pytest.raises(WeightsError, match="is no network that can be loaded"):
        load(path)


def test_an_output_that_only_the_card_knows(network):
    with pytest.raises(WeightsError, match="has no output `poses`, which its card names; it has heat, most"):
        load(network(outputs=("poses",)), "cpu")


def test_unknown_device(network):
    with pytest.raises((WeightsError, TypeError), match="tpu"):  # TypeError where types are checked
        load(network(), "tpu")


def runtime(monkeypatch, available, used):
    """An onnxruntime that offers some providers and really uses others, as it does without cuDNN."""
    fake = types.ModuleType("onnxruntime")
    states = types.ModuleType("onnxruntime.capi.onnxruntime_pybind11_state")
    for name in (
        "EPFail Fail InvalidArgument InvalidGraph InvalidProtobuf NotImplemented NoSuchFile RuntimeException"
    ).split():
        setattr(states, name, type(name, (Exception,), {}))

    class Engine:
        def __init__(self, path, providers):
            pass

        def get_providers(self):
            return used

        def get_outputs(self):
            return [types.SimpleNamespace(name="heat"), types.SimpleNamespace(name="most")]

        def get_inputs(self):
            return [types.SimpleNamespace(name="rgb", shape=["N", 16, 12, 3])]

        def run(self, outputs, inputs):
            if len(inputs["rgb"]) > 4:
                raise states.RuntimeException("CUDA failure 2: out of memory")
            return [inputs["rgb"].astype(np.float32) for _ in outputs]

    fake.InferenceSession = Engine
    fake.get_available_providers = lambda: available
    monkeypatch.setitem(sys.modules, "onnxruntime", fake)
    monkeypatch.setitem(sys.modules, "onnxruntime.capi.onnxruntime_pybind11_state", states)
    monkeypatch.setattr(session.importlib.util, "find_spec", lambda name: True)


def test_cuda_is_used_where_it_works(network, monkeypatch):
    runtime(monkeypatch, [session.CUDA], [session.CUDA, "CPUExecutionProvider"])
    for device in ("cuda", "auto"):
        run = load(network(), device)
        assert run.provider == "CUDAExecutionProvider"
        assert run({"rgb": pictures(2)})["heat"].shape == (2, 16, 12, 3)
    with pytest.raises(WeightsError, match="out of memory"):
        run({"rgb": pictures(5)})


def test_cuda_asked_for_never_falls_back(network, monkeypatch, caplog):
    runtime(monkeypatch, [session.CUDA], ["CPUExecutionProvider"])
    with pytest.raises(WeightsError, match="could not start CUDA"):
        load(network(), "cuda")
    assert load(network(), "auto").provider == "OpenVINO CPU f32"
    assert "the processor is used instead" in caplog.text
    runtime(monkeypatch, ["CPUExecutionProvider"], [])
    with pytest.raises(WeightsError, match=r"pip install 'marey\[cuda\]'"):
        load(network(), "cuda")


def test_a_batch_split_among_threads_is_put_together_in_its_order(network):
    path = network()
    rgb = pictures(7)
    want = load(path, "cpu", 1)({"rgb": rgb})
    for threads, alone in ((2, False), (2, True), (3, False)):
        run = load(path, "cpu", threads, alone=alone)
        for count in (1, 2, 7):
            for name, value in run({"rgb": rgb[:count]}).items():
                np.testing.assert_allclose(value, want[name][:count], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("together", [1, 4])
def test_a_network_for_so_many_items_takes_any_number(network, together):
    path = network()
    rgb = pictures(9)
    want = load(path, "cpu", 1)({"rgb": rgb})
    run = load(path, "cpu", 2, size=(12, 16), together=together)
    assert run.inputs == {"rgb": (None, 16, 12, 3)}
    kept = {count: run({"rgb": rgb[:count]}) for count in (0, 1, 3, 4, 5, 9)}
    for count, found in kept.items():
        for name, value in found.items():
            assert len(value) == count
            np.testing.assert_allclose(value, want[name][:count], rtol=1e-5, atol=1e-4)
