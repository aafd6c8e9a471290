"""The reader of PyTorch's files: tensors, and nothing else."""

import collections
import pickle
import tracemalloc
import zipfile

import keras
import numpy as np
import pytest
from keras import layers
from legacy_files import name_of, save_safetensors, tensor, tensor_pickle, text, write_checkpoint, write_zip

from keras_saliency.legacy import import_weights, load_torch_weights


def test_a_transposed_tensor_is_read_from_its_strides(tmp_path):
    write_checkpoint(tmp_path / "w.pth", tensor_pickle(6, (2, 3), (1, 2)), {"0": np.arange(6, dtype="float32")})
    tensors = load_torch_weights(tmp_path / "w.pth")
    np.testing.assert_array_equal(tensors["w"], [[0, 2, 4], [1, 3, 5]])


def test_bfloat16_and_the_other_byte_order_are_read(tmp_path):
    values = np.array([1.0, -2.5, 0.0], "float32")
    upper = (values.view("uint32") >> 16).astype("uint16")
    write_zip(tmp_path / "w.pth", tensor_pickle(3, (3,), (1,), "BFloat16Storage"), {"0": upper})
    np.testing.assert_array_equal(load_torch_weights(tmp_path / "w.pth")["w"], values)
    write_zip(tmp_path / "w.pth", tensor_pickle(3, (3,), (1,)), {"0": values.astype(">f4")}, byteorder="big")
    np.testing.assert_array_equal(load_torch_weights(tmp_path / "w.pth")["w"], values)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, use_bias=False, name="last")])
    save_safetensors(tmp_path / "w.safetensors", {"last.weight": values.astype("bfloat16")[None]})
    import_weights(model, tmp_path / "w.safetensors")
    np.testing.assert_array_equal(model.get_weights()[0][:, 0], values)


class Evil:
    def __reduce__(self):
        return (print, ("this must never be printed",))


def altered(item):
    """A pickle that sets an attribute of what it holds."""
    return b"\x80\x02" + item + b"N}" + text("storage") + b"Ns\x86b."


@pytest.mark.parametrize("write", [write_checkpoint, write_zip])
@pytest.mark.parametrize(
    ("state", "storages", "message"),
    [
        (pickle.dumps({"w": Evil()}, protocol=2), {}, "only tensors are admitted"),
        (pickle.dumps({"state_dict": {}, "args": Evil()}, protocol=4), {}, "only tensors are admitted"),
        (pickle.dumps(collections.Counter("a"), protocol=2), {}, "only tensors are admitted"),
        (pickle.dumps({"w": {1, 2}}, protocol=2), {}, "set, and only tensors are admitted"),
        (pickle.dumps([1, 2], protocol=2), {}, "holds a list in place of a dictionary"),
        (pickle.dumps({"epoch": 1}, protocol=2), {}, "no tensors in its dictionary of epoch"),
        (altered(name_of("torch._utils", "_rebuild_tensor_v2")), {}, "attribute"),
        (altered(tensor(6, (6,), (1,))), {}, "attribute"),
        (tensor_pickle(6, (2, 3), (1, 2), "Exploit"), {}, "only tensors are admitted"),
        (tensor_pickle(6, (2, 4), (1, 2)), {"0": np.zeros(6, "float32")}, "outside its storage"),
        (tensor_pickle(6, (2, 3), (-1, 2)), {"0": np.zeros(6, "float32")}, "outside its storage"),
        (tensor_pickle(6, (-2, 3), (1, 2)), {"0": np.zeros(6, "float32")}, "outside its storage"),
        (tensor_pickle(6, (2, 3), (1, 2)), {"0": np.zeros(5, "float32")}, "another size"),
    ],
)
def test_anything_but_tensors_is_refused(write, state, storages, message, tmp_path, capsys):
    write(tmp_path / "w.pth", state, storages)
    with pytest.raises(ValueError, match=f"is not a PyTorch checkpoint of tensors .*{message}.* state dict alone"):
        load_torch_weights(tmp_path / "w.pth")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("write", [write_checkpoint, write_zip])
def test_truncated_and_foreign_files_are_refused(write, tmp_path):
    path = tmp_path / "w.pth"
    write(path, tensor_pickle(6, (2, 3), (1, 2)), {"0": np.arange(6, dtype="float32")})
    whole = path.read_bytes()
    for data in (whole[:-4], whole[:40], b"", b"PK\x03\x04 a zip file"):
        path.write_bytes(data)
        with pytest.raises(ValueError, match="is not a PyTorch checkpoint"):
            load_torch_weights(path)


def bombs():
    """Pickles of a few bytes that would take memory, time or the process."""
    doubled = b"N" + b"q\x00h\x00\x86" * 60
    yield "is truncated or|not enough|expected", b"\x80\x02\x8e" + (2**34).to_bytes(8, "little") + b"abc"  # BINBYTES8
    yield "index out of range|no dictionary|tuple in place", b"\x80\x02Nr\xff\xff\xff\x3fN\x85."  # a large memo
    yield "a key of a dictionary is a tuple", b"\x80\x02}N" + b"\x85" * 60_000 + b"Ns."  # deep: hashed recursively
    yield "a key of a dictionary is a tuple", b"\x80\x02}" + doubled + b"Ns."  # 2**60 hashes
    yield "a global without a name", b"\x80\x04" + doubled + b"N\x93."
    yield "a persistent object", b"\x80\x02" + doubled + b"Q."
    yield "larger than its storage", tensor_pickle(1, (10**5, 10**5), (0, 0))  # 40 GB by strides of zero
    yield "truncated", tensor_pickle(2**31 - 1, (1,), (1,))


@pytest.mark.parametrize("write", [write_checkpoint, write_zip])
@pytest.mark.parametrize("bomb", bombs(), ids=lambda bomb: bomb[0][:20])
def test_nothing_is_larger_or_deeper_than_the_file(write, bomb, tmp_path):
    message, state = bomb
    write(tmp_path / "w.pth", state, {"0": np.zeros(1, "float32")})
    tracemalloc.start()
    with pytest.raises(
        ValueError, match=f"is not a PyTorch checkpoint of tensors .*({message}|another size|no tensor has)"
    ):
        load_torch_weights(tmp_path / "w.pth")
    assert tracemalloc.get_traced_memory()[1] < 2**26
    tracemalloc.stop()


def test_compressed_entries_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "w.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w/data.pkl", tensor_pickle(2**22, (2**22,), (1,)))
        archive.writestr("w/data/0", bytes(2**24))
    with pytest.raises(ValueError, match="compressed, and torch.save compresses none"):
        load_torch_weights(tmp_path / "w.pth")


def test_numbers_that_numpy_has_not_are_refused_by_name(tmp_path):
    header = b'{"w":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}'
    (tmp_path / "w.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(ValueError, match=r"w.safetensors holds numbers .* Save it as float32"):
        import_weights(keras.Sequential([keras.Input((3,)), layers.Dense(1)]), tmp_path / "w.safetensors")
