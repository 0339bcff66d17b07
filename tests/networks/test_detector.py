from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from marey.core.geometry import box_iou  # noqa: E402
from marey.methods.detector import Detector, cells  # noqa: E402
from marey.methods.detector import decode as decode_numpy  # noqa: E402
from marey.networks import detector as twin  # noqa: E402


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return twin.build(Detector()).eval()


@pytest.mark.parametrize("size", [(64, 64), (96, 64), (64, 160)])
def test_cells_are_those_of_the_method(net, size):
    rgb = torch.randint(0, 256, (2, size[1], size[0], 3), dtype=torch.uint8)
    with torch.no_grad():
        score, box = net(rgb)
    assert score.shape == (2, len(cells(size)))
    assert box.shape == (2, len(cells(size)), 4)


def test_an_untrained_network_sees_nobody(net):
    with torch.no_grad():
        score, _ = net(torch.randint(0, 256, (1, 96, 96, 3), dtype=torch.uint8))
    assert score.sigmoid().max() < 0.1


def test_boxes_of_cells_are_those_of_the_method():
    points = cells((96, 64))
    box = np.random.default_rng(0).normal(0, 1, (1, len(points), 4)).astype(np.float32)
    wanted, _ = decode_numpy(np.zeros(len(points), np.float32), box[0], (96, 64), 0.0)
    found = twin.cell_boxes(torch.from_numpy(box), torch.from_numpy(points))[0]
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-3)


def test_giou_is_iou_less_the_empty_part_of_the_hull():
    a = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10]])
    b = torch.tensor([[0.0, 0, 10, 10], [5, 0, 15, 10], [20, 0, 30, 10]])
    np.testing.assert_allclose(twin.giou(a, b).numpy(), [1, 1 / 3, -1 / 3], atol=1e-6)


def targets(boxes, ignore=()):
    rows = torch.tensor(boxes, dtype=torch.float32).reshape(1, -1, 4)
    regions = torch.tensor(ignore, dtype=torch.float32).reshape(1, -1, 4)
    return twin.Targets(rows, torch.ones(rows.shape[:2], dtype=torch.bool), regions)


def ideal(boxes, points):
    """What every cell inside a box says to give it exactly."""
    said = torch.zeros(1, len(points), 4)
    for x0, y0, x1, y1 in boxes:
        x, y, stride = points.T
        inside = (x > x0) & (x < x1) & (y > y0) & (y < y1)
        own = torch.stack(
            [
                ((x0 + x1) / 2 - x) / stride,
                ((y0 + y1) / 2 - y) / stride,
                ((x1 - x0) / stride).log(),
                ((y1 - y0) / stride).log(),
            ],
            1,
        )
        said[0, inside] = own[inside]
    return said


def test_ten_cells_inside_a_box_answer_for_it():
    points = torch.from_numpy(cells((96, 96)))
    boxes = [[10.0, 10, 60, 80], [62, 20, 94, 90]]
    score = torch.rand(1, len(points), generator=torch.Generator().manual_seed(0))
    wanted, owner = twin.assign(score, twin.cell_boxes(ideal(boxes, points), points), points, targets(boxes))
    for number, (x0, y0, x1, y1) in enumerate(boxes):
        mine = (wanted[0] > 0) & (owner[0] == number)
        assert mine.sum() == twin.BEST
        x, y = points[mine, 0], points[mine, 1]
        assert ((x > x0) & (x < x1) & (y > y0) & (y < y1)).all()
        assert wanted[0, mine].max() == pytest.approx(1.0, abs=1e-4)


def test_nobody_is_answered_for_where_nobody_is():
    points = torch.from_numpy(cells((64, 64)))
    empty = twin.Targets(torch.zeros(1, 1, 4), torch.zeros(1, 1, dtype=torch.bool), torch.zeros(1, 1, 4))
    wanted, _ = twin.assign(torch.rand(1, len(points)), torch.rand(1, len(points), 4), points, empty)
    assert wanted.max() == 0


def losses(score, box, held, size=(96, 96)):
    batch = {"rgb": torch.zeros(1, size[1], size[0], 3, dtype=torch.uint8)}
    batch |= {"boxes": held.boxes, "real": held.real, "ignore": held.ignore}
    return twin.loss((score, box), batch, Detector())


def test_the_truth_costs_next_to_nothing():
    points = torch.from_numpy(cells((96, 96)))
    boxes = [[10.0, 10, 60, 80]]
    held, box = targets(boxes), ideal(boxes, points)
    wanted, _ = twin.assign(torch.full((1, len(points)), 0.5), twin.cell_boxes(box, points), points, held)
    good = losses(torch.where(wanted > 0.5, 9.0, -9.0), box, held)
    assert good["box"] < 1e-3
    assert good["loss"] < 0.1
    assert losses(torch.full((1, len(points)), -9.0), box, held)["loss"] > 1


def test_cells_in_an_ignore_region_count_neither_way():
    points = torch.from_numpy(cells((96, 96)))
    score, box = torch.full((1, len(points)), 3.0), torch.zeros(1, len(points), 4)
    nobody = torch.zeros(1, 1, dtype=torch.bool)
    everywhere = twin.Targets(torch.zeros(1, 1, 4), nobody, torch.tensor([[[0.0, 0, 96, 96]]]))
    nowhere = twin.Targets(torch.zeros(1, 1, 4), nobody, torch.zeros(1, 1, 4))
    assert losses(score, box, everywhere)["loss"] == 0
    assert losses(score, box, nowhere)["loss"] > 100


def test_a_few_steps_teach_one_picture():
    torch.manual_seed(1)
    net = twin.build(Detector())
    rgb = torch.full((1, 64, 64, 3), 60, dtype=torch.uint8)
    rgb[:, 8:58, 16:44] = 220
    held = targets([[16.0, 8, 44, 58]])
    batch = {"rgb": rgb, "boxes": held.boxes, "real": held.real, "ignore": held.ignore}
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    for _ in range(100):
        parts = twin.loss(net(rgb), batch, Detector())
        optimizer.zero_grad()
        parts["loss"].backward()
        optimizer.step()
    with torch.no_grad():
        score, box = net.eval()(rgb)
    boxes, scores = decode_numpy(score[0].numpy(), box[0].numpy(), (64, 64), 0.0)
    best = int(scores.argmax())
    assert scores[best] > 0.3
    assert box_iou(boxes[best : best + 1], np.array([[16, 8, 44, 58]], np.float32))[0, 0] > 0.6


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Constant folding", "ignore:.*legacy.*")
@pytest.mark.parametrize("size", [(64, 64), (160, 96), (96, 192)])
def test_the_file_computes_what_the_module_computes_at_any_size(net, size, tmp_path_factory):
    from marey import weights
    from marey.training.export import Product, export
    from marey.training.recipe import Recipe

    folder = tmp_path_factory.mktemp("shelf")
    product = Product(
        "tiny", net, twin.Exported, twin.Exported.outputs, (64, 64), "", Detector(), {1: "cells"}
    )
    session = weights.load(export(product, Recipe("detector", ()), folder), "cpu")
    rgb = np.random.default_rng(0).integers(0, 256, (2, size[1], size[0], 3)).astype(np.uint8)
    found = session({"rgb": rgb})
    with torch.no_grad():
        score, box = net(torch.from_numpy(rgb))
    np.testing.assert_allclose(found["score"], score.numpy(), atol=0.05)  # weights lie as float16
    np.testing.assert_allclose(found["box"], box.numpy(), atol=0.05)


def test_both_is_the_chance_of_two_things_at_once():
    a, b = torch.randn(2, 1000, generator=torch.Generator().manual_seed(0)) * 8
    found = twin.both(a, b).double().sigmoid()
    torch.testing.assert_close(found, a.double().sigmoid() * b.double().sigmoid(), rtol=1e-5, atol=1e-12)


def test_a_start_of_another_network_is_refused():
    with pytest.raises(twin.starts.WeightsError, match="0 convolutions"):
        twin.start(twin.build(Detector()), Detector(), {})


NANO = Path("../shared/data/teachers/yolox_nano.onnx")


@pytest.mark.skipif(not NANO.is_file(), reason="../shared/data/teachers is not here")
def test_it_starts_as_yolox_nano():
    """Score = thing × person and the same boxes, as the file that others made says them."""
    import onnxruntime

    net = twin.build(Detector()).eval()
    twin.start(net, Detector(), twin.starts.read("yolox-nano", NANO.parent))
    rgb = (
        np.random.default_rng(0).integers(0, 256, (1, 13, 13, 3)).astype(np.uint8).repeat(32, 1).repeat(32, 2)
    )
    bgr = rgb[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32)
    out = onnxruntime.InferenceSession(NANO).run(None, {"images": bgr})[0][0]
    with torch.no_grad():
        score, box = net(torch.from_numpy(rgb))
    np.testing.assert_allclose(score[0].sigmoid().numpy(), out[:, 4] * out[:, 5], rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(box[0].numpy(), out[:, :4] - [0.5, 0.5, 0, 0], atol=1e-3)
