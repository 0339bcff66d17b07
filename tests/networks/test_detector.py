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
        score, reach = net(rgb)
    assert score.shape == (2, len(cells(size)))
    assert reach.shape == (2, len(cells(size)), 4)


def test_an_untrained_network_sees_nobody(net):
    with torch.no_grad():
        score, _ = net(torch.randint(0, 256, (1, 96, 96, 3), dtype=torch.uint8))
    assert score.sigmoid().max() < 0.1


def test_boxes_of_cells_are_those_of_the_method():
    points = cells((96, 64))
    reach = np.random.default_rng(0).normal(0, 1, (1, len(points), 4)).astype(np.float32)
    wanted, _ = decode_numpy(np.zeros(len(points), np.float32), reach[0], (96, 64), 0.0)
    found = twin.cell_boxes(torch.from_numpy(reach), torch.from_numpy(points))[0]
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
    """Reaches by which every cell inside a box gives it exactly."""
    reach = torch.zeros(1, len(points), 4)
    for box in boxes:
        inside = (
            (points[:, 0] > box[0])
            & (points[:, 0] < box[2])
            & (points[:, 1] > box[1])
            & (points[:, 1] < box[3])
        )
        own = points[inside]
        far = torch.stack([own[:, 0] - box[0], own[:, 1] - box[1], box[2] - own[:, 0], box[3] - own[:, 1]], 1)
        reach[0, inside] = (far / own[:, 2:]).log()
    return reach


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


def losses(score, reach, held, size=(96, 96)):
    batch = {"rgb": torch.zeros(1, size[1], size[0], 3, dtype=torch.uint8)}
    batch |= {"boxes": held.boxes, "real": held.real, "ignore": held.ignore}
    return twin.loss((score, reach), batch, Detector())


def test_the_truth_costs_next_to_nothing():
    points = torch.from_numpy(cells((96, 96)))
    boxes = [[10.0, 10, 60, 80]]
    held, reach = targets(boxes), ideal(boxes, points)
    wanted, _ = twin.assign(torch.full((1, len(points)), 0.5), twin.cell_boxes(reach, points), points, held)
    good = losses(torch.where(wanted > 0.5, 9.0, -9.0), reach, held)
    assert good["box"] < 1e-3
    assert good["loss"] < 0.1
    assert losses(torch.full((1, len(points)), -9.0), reach, held)["loss"] > 1


def test_cells_in_an_ignore_region_count_neither_way():
    points = torch.from_numpy(cells((96, 96)))
    score, reach = torch.full((1, len(points)), 3.0), torch.zeros(1, len(points), 4)
    nobody = torch.zeros(1, 1, dtype=torch.bool)
    everywhere = twin.Targets(torch.zeros(1, 1, 4), nobody, torch.tensor([[[0.0, 0, 96, 96]]]))
    nowhere = twin.Targets(torch.zeros(1, 1, 4), nobody, torch.zeros(1, 1, 4))
    assert losses(score, reach, everywhere)["loss"] == 0
    assert losses(score, reach, nowhere)["loss"] > 100


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
        score, reach = net.eval()(rgb)
    boxes, scores = decode_numpy(score[0].numpy(), reach[0].numpy(), (64, 64), 0.0)
    best = int(scores.argmax())
    assert scores[best] > 0.3
    assert box_iou(boxes[best : best + 1], np.array([[16, 8, 44, 58]], np.float32))[0, 0] > 0.6


def test_the_start_needs_pictures():
    with pytest.raises(twin.WeightsError, match="pictures"):
        twin.start(twin.build(Detector()), Detector(), {})


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Constant folding", "ignore:.*legacy.*")
@pytest.mark.parametrize("size", [(64, 64), (160, 96), (96, 192)])
def test_the_file_computes_what_the_module_computes_at_any_size(net, size, tmp_path_factory):
    from marey import weights
    from marey.training.export import Product, export
    from marey.training.recipe import Recipe

    folder = tmp_path_factory.mktemp("shelf")
    product = Product("tiny", net, twin.Exported, twin.Exported.outputs, (64, 64), "", Detector(), free=True)
    session = weights.load(export(product, Recipe("detector", ()), folder), "cpu")
    rgb = np.random.default_rng(0).integers(0, 256, (2, size[1], size[0], 3)).astype(np.uint8)
    found = session({"rgb": rgb})
    with torch.no_grad():
        score, reach = net(torch.from_numpy(rgb))
    np.testing.assert_allclose(found["score"], score.numpy(), atol=0.05)  # weights lie as float16
    np.testing.assert_allclose(found["reach"], reach.numpy(), atol=0.05)


def test_fresh_layers_are_evened_out_before_they_are_clipped():
    torch.manual_seed(0)
    net, rgb = (
        twin.build(Detector()),
        np.random.default_rng(0).integers(0, 256, (4, 96, 96, 3)).astype(np.uint8),
    )
    with torch.no_grad():
        net.laterals[1].weight.mul_(50)
        net.body.blocks[16].project.weight.mul_(20)
    held = {}
    for level, smooth in enumerate(net.smooth):
        smooth.register_forward_hook(lambda part, given, out, level=level: held.update({level: out}))
    twin.even_out(net, rgb)
    with torch.no_grad():
        net(torch.from_numpy(rgb))
    for out in held.values():
        assert (out == 6).float().mean() < 0.02
        assert 0.2 < (out == 0).float().mean() < 0.8
