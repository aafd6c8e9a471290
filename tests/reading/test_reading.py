"""Files of strangers: nothing of other files is read, and none ends this process."""

import functools
import os
import re
import threading

import h5py
import keras
import numpy as np
import pytest
import scipy.io

from keras_saliency.data import map_arrays
from keras_saliency.data.matlab import load_matlab
from keras_saliency.evaluation.pysaliency import open_predictions
from keras_saliency.legacy import import_weights
from keras_saliency.legacy.keras1_file import load_keras1_weights
from keras_saliency.legacy.torch_file import load_safetensors, load_torch_weights
from keras_saliency.reading import apart
from keras_saliency.reading.hdf5 import read_matlab73


def external(file, secret):
    file.create_dataset("conv/W", (16,), "u1", external=[(str(secret), 0, 16)])


def link(file, secret):
    file["conv/W"] = h5py.ExternalLink(str(secret), "/")


def soft_link(file, secret):
    file["conv/W"] = h5py.SoftLink("/conv/other")


def virtual(file, secret):
    layout = h5py.VirtualLayout((16,), "u1")
    layout[:] = h5py.VirtualSource(str(secret), "W", (16,))
    file.create_virtual_dataset("conv/W", layout)


def never_written(file, secret):
    file.create_dataset("conv/W", (2**20, 2**20), "f4", chunks=(64, 64), compression="gzip")


def strings(file, secret):
    file["conv/W"] = "text"


def twice(file, secret):
    file["conv/W"] = np.zeros(3)
    file["conv/again"] = file["conv/W"]


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        *((external, "in another file"), (virtual, "in another file"), (link, "link to elsewhere")),
        *((soft_link, "link to elsewhere"), (never_written, "far larger than the file"), (strings, "only numbers")),
        (twice, "several names"),
    ],
)
def test_both_readers_of_hdf5_take_numbers_of_the_file_alone(write, reason, tmp_path):
    (tmp_path / "secret").write_bytes(b"a secret of this user")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["layer_names"] = [b"conv"]
        file.create_group("conv").attrs["weight_names"] = [b"W"]
        write(file, tmp_path / "secret")
    with pytest.raises(ValueError, match=f"w.h5 is not a weight file of Keras 1 .*{reason}"):
        load_keras1_weights(tmp_path / "w.h5")
    with (
        pytest.raises(ValueError, match=f"w.h5 cannot be read as an HDF5 file .*{reason}"),
        open_predictions(tmp_path / "w.h5"),
    ):
        pass


def bomb(file, secret):
    file.create_dataset("conv/W", (2**12, 2**12), "u1", chunks=(2**12, 2**12), compression="gzip")


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        *((external, "in another file"), (virtual, "in another file"), (never_written, "far larger than the file")),
        *(
            (strings, "only numbers"),
            (bomb, "far larger"),
            (link, "link to elsewhere"),
            (soft_link, "link to elsewhere"),
        ),
        (lambda file, secret: file.create_group("conv/W"), "a cell of its cells is /conv/W, which is no matrix"),
    ],
)
def test_cells_of_matlab_are_numbers_of_their_file_alone(write, reason, tmp_path):
    secret, path = tmp_path / "secret", tmp_path / "cells.mat"
    secret.write_bytes(bytes(16))
    with h5py.File(path, "w") as file:
        write(file, secret)
        inside = write not in (link, soft_link)
        file["cells"] = np.full((1, 30), file["conv/W" if inside else "conv"].ref, h5py.ref_dtype)
    with pytest.raises(ValueError, match=reason):
        read_matlab73(str(path), "cells")


def test_cells_of_matlab_are_read_in_their_order(tmp_path):
    with h5py.File(tmp_path / "cells.mat", "w") as file:
        for i in range(4):
            file[f"#refs#/{i}"] = np.full((2, 3), i)
        file["#refs#/empty"] = np.array([0, 3])
        file["#refs#/empty"].attrs["MATLAB_empty"] = 1
        cells = [file[f"#refs#/{name}"].ref for name in (2, 0, "empty", 3)]
        file["cells"] = np.array(cells, h5py.ref_dtype)[None]
        file["numbers"] = np.eye(2)
    arrays = apart.call(read_matlab73, tmp_path / "cells.mat", variable="cells")
    assert [array.size and array[0, 0] for array in arrays] == [2, 0, 0, 3] and arrays[3].shape == (2, 3)
    np.testing.assert_array_equal(read_matlab73(str(tmp_path / "cells.mat"), "numbers"), np.eye(2))
    with pytest.raises(ValueError, match="no variable 'others', and holds #refs#, cells, numbers"):
        read_matlab73(str(tmp_path / "cells.mat"), "others")


def test_a_file_that_kills_scipy_is_refused_and_the_next_is_read(tmp_path):
    path = tmp_path / "maps.mat"
    scipy.io.savemat(path, {"map": np.eye(3)})
    whole = path.read_bytes()
    path.write_bytes(whole[:176] + bytes(4) + whole[180:])  # numbers of the type 0
    with pytest.raises(ValueError, match=r"maps.mat cannot be read as a MATLAB file \(it ended its reader, -11\)"):
        load_matlab(path, "map")
    with pytest.raises(ValueError, match="ended its reader"):
        map_arrays.READERS[".mat"](path)
    path.write_bytes(whole)
    np.testing.assert_array_equal(load_matlab(path, "map"), np.eye(3))
    np.testing.assert_array_equal(map_arrays.READERS[".mat"](path), np.eye(3))


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(apart, "MEMORY", 2**27)
    scipy.io.savemat(tmp_path / "bomb.mat", {"map": np.zeros((2**12, 2**12))}, do_compression=True)
    with pytest.raises(ValueError, match=r"more memory than a file of its size can need|ended its reader"):
        load_matlab(tmp_path / "bomb.mat", "map")


def test_a_call_that_takes_for_ever_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(apart, "SECONDS", 0.03)
    (tmp_path / "file").touch()
    for waits, computes in ((input, None), (re.match, "(.+)+\0")):
        function = functools.partial(waits, computes) if computes else waits
        with pytest.raises(ValueError, match="took longer than 0 s"):
            apart.call(function, tmp_path / "file")
    monkeypatch.undo()
    assert apart.call(os.path.basename, tmp_path / "file") == "file"


@pytest.mark.parametrize(
    ("read", "name"),
    [
        *((load_torch_weights, "w.pth"), (load_safetensors, "w.safetensors"), (load_keras1_weights, "w.h5")),
        *((map_arrays.READERS[".mat"], "map.mat"), (lambda path: open_predictions(path).__enter__(), "maps.h5")),
        (lambda path: import_weights(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]), path), "w.pth"),
    ],
)
def test_a_pipe_is_refused_before_anything_waits_for_its_end(read, name, tmp_path):
    os.mkfifo(tmp_path / name)
    said = []

    def refused():
        with pytest.raises(ValueError) as error:
            read(tmp_path / name)
        said.append(str(error.value))

    # A reader that waits does not keep a thread of this kind from ending with the test.
    reader = threading.Thread(target=refused, daemon=True)
    reader.start()
    reader.join(3)
    assert said and f"{name} is no regular file" in said[0]


def test_maps_are_what_their_names_say_and_of_bounded_size(tmp_path):
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1048576, 1048576), }".ljust(117) + "\n"
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
    with pytest.raises(ValueError, match="length|larger|pixels|file"):
        map_arrays.READERS[".npy"](tmp_path / "a.npy")
