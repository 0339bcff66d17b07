"""Sizes from headers agree with the decoder; what cannot be read says so."""

from pathlib import Path

import numpy as np
import pytest

import data_trees as trees
from marey.core.errors import DataError
from marey.data.files import picture_size, read_picture
from marey.data.matlab import read_mat


@pytest.mark.parametrize("ending", ["jpg", "png", "bmp"])
@pytest.mark.parametrize("size", [(1, 1), (17, 300), (640, 3)])
def test_size_without_decoding(ending: str, size: tuple[int, int], tmp_path: Path):
    path = tmp_path / f"a.{ending}"
    trees.picture(path, size)
    assert picture_size(path) == size == read_picture(path).shape[1::-1]


def test_pictures_are_rgb(tmp_path: Path):
    import cv2

    blue_first = np.zeros((2, 2, 3), np.uint8)
    blue_first[..., 0] = 200
    cv2.imwrite(str(tmp_path / "a.png"), blue_first)
    assert read_picture(tmp_path / "a.png")[0, 0].tolist() == [0, 0, 200]


def test_text_in_a_number_field_is_refused(tmp_path: Path):
    import scipy.io

    scipy.io.savemat(tmp_path / "a.mat", {"joints": "text"})
    with pytest.raises(DataError, match="numbers"):
        read_mat(tmp_path / "a.mat", "joints", (1,))
