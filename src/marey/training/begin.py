"""Where a network begins: at weights of others, where another recipe ended, or at a network of the shelf."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from marey.core.errors import SettingsError, WeightsError
from marey.training.recipe import Recipe, shelf_card
from marey.trunks import starts
from marey.trunks.mobilenet import ScaledConv
from marey.weights.card import Card


def begin(net: nn.Module, recipe: Recipe, settings: Any, twin: Any) -> None:
    """Fill a network from what its recipe names as `start`, unless that is another recipe.

    Raises
    ------
    WeightsError
        If there is no such start, or it does not fit the network.
    """
    card = shelf_card(recipe.start)
    if card:
        take_file(net, card)
    elif recipe.start:
        twin.start(net, settings, starts.read(recipe.start, Path(recipe.starts)))


def take_network(net: nn.Module, earlier: nn.Module) -> None:
    """Give a network what one that has less of it has learnt.

    Raises
    ------
    SettingsError
        If the earlier one has what this one has not.
    """
    own, given = net.state_dict(), earlier.state_dict()
    odd = [key for key, value in given.items() if key not in own or own[key].shape != value.shape]
    if odd:
        raise SettingsError(f"start: the recipe's network has {odd[0]}, this one not, or of another shape")
    net.load_state_dict(given, strict=False)


def take_file(net: nn.Module, card: Card) -> None:
    """Give a network the weights of a file that `training/export.py` wrote.

    Raises
    ------
    WeightsError
        If the file is damaged, or lacks what the network has.
    """
    card.verify()
    held = _weights(onnx.load(str(card.onnx)))
    scaled = {place for place, part in net.named_modules() if isinstance(part, ScaledConv)}
    for key, value in net.state_dict().items():
        place, _, name = key.rpartition(".")
        if not value.is_floating_point() or (place in scaled and name in ("scale", "size")):
            continue  # counters of norms; and what `fill` makes of the weight
        if key not in held or held[key].shape != tuple(value.shape):
            raise WeightsError(
                f"{card.onnx}: has no {key} of shape {tuple(value.shape)}; leave method and settings to its "
                f"card, or start from {card.recipe} itself"
            )
        if place not in scaled:
            value.copy_(torch.from_numpy(held[key]))
    for place in scaled:
        starts.fill(net.get_submodule(place), held, place)


def _weights(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """A file's weights as float32 by the module's names; equal ones are stored once."""
    held = {
        part.name.removesuffix(".half"): numpy_helper.to_array(part).astype(np.float32)
        for part in model.graph.initializer
    }
    held |= {same.key: held[same.value] for same in model.metadata_props if same.value in held}
    return {name.removeprefix("net."): array for name, array in held.items()}
