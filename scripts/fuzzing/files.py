"""Small valid files of each kind, and hostile ones made by hand: lists of `(name, bytes)`."""

import io
import json
import struct
import zipfile
import zlib

import h5py
import numpy as np
import scipy.io
from PIL import Image

SIZE = (12, 16)
PLANE = np.random.default_rng(0).random(SIZE)


def _saved(save, *arguments, **options):
    buffer = io.BytesIO()
    save(buffer, *arguments, **options)
    return buffer.getvalue()


def _png(width, height, kind=0, bits=8):
    """A PNG file that is all zeros, compressed as far as it goes."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
    packer = zlib.compressobj(9)
    row = bytes(1 + width * (3 if kind == 2 else 1) * bits // 8)
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def photographs():
    """JPEG, PNG, GIF, BMP and WebP, one turned by its EXIF data, one of 16 bit; one of 100 megapixels."""
    colours = Image.fromarray((255 * np.stack([PLANE] * 3, -1)).astype("uint8"))
    valid = [(f"image.{end}", _saved(colours.save, end)) for end in ("jpeg", "png", "gif", "bmp")]
    valid.append(("image.webp", _saved(colours.save, "webp", lossless=True)))
    turned = Image.Exif()
    turned[0x0112] = 6
    valid += [("image.jpg", _saved(colours.save, "jpeg", exif=turned)), ("image.png", _png(16, 12, 2, 16))]
    return valid, [("image.png", _png(10_000, 10_000)), ("image.jpg", b""), ("image.png", b"\x89PNG\r\n\x1a\n")]


def maps():
    """Grey PNG of 8 and 16 bit, JPEG, NPY."""
    grey, deep = (Image.fromarray((top * PLANE).astype(kind)) for top, kind in ((255, "uint8"), (65535, "uint16")))
    valid = [("map.png", _saved(grey.save, "png")), ("map.png", _saved(deep.save, "png"))]
    valid += [("map.jpg", _saved(grey.save, "jpeg")), ("map.npy", _saved(np.save, PLANE))]
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1048576, 1048576), }".ljust(117) + "\n"
    huge = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
    objects = _saved(np.save, np.array([{}], object), allow_pickle=True)
    return valid, [("map.png", _png(10_000, 10_000)), ("map.npy", huge), ("map.npy", objects), ("map.png", b"")]


def mat():
    """Matrices, structures and cells, compressed or not."""
    contents = (
        ("map", PLANE),
        ("fixations", {"a": np.arange(5), "b": "text", "c": {"d": [1, 2.5]}}),
        ("fixations", np.array([np.zeros((2, 2)), "x", np.array([])], object)),
    )
    valid = [
        (f"{name}.mat", _saved(scipy.io.savemat, {name: content}, do_compression=compressed))
        for name, content in contents
        for compressed in (False, True)
    ]
    valid.append(("map.mat", _saved(scipy.io.savemat, {"map": PLANE}, format="4")))
    whole = valid[0][1]
    bomb = _saved(scipy.io.savemat, {"map": np.zeros((2**12, 2**13))}, do_compression=True)
    killer = whole[:176] + bytes(4) + whole[180:]  # numbers of a type that is none
    return valid, [(f"{name}.mat", data) for name in ("map", "fixations") for data in (killer, bomb, b"")]


def hdf5():
    """Weights of Keras 1 with maps beside them, as old and new versions of HDF5 write them."""

    def write(buffer, more=lambda file: None, **options):
        with h5py.File(buffer, "w", **options) as file:
            file.attrs["layer_names"] = [b"conv"]
            file.create_group("conv").attrs["weight_names"] = [b"W"]
            file["conv/W"] = np.ones((2, 3, 3, 3), "float32")
            file.create_dataset("a/1.jpg", data=PLANE, compression="gzip", shuffle=True)
            file["2.jpg"] = PLANE
            file["2.jpg"].attrs["original_shape"] = (24, 32)
            more(file)

    hostile = (
        lambda file: file.create_dataset("3.jpg", (2**20, 2**20), "f4", chunks=(64, 64), compression="gzip"),
        lambda file: file.create_dataset("3.jpg", (16,), "u1", external=[("/etc/passwd", 0, 16)]),
        lambda file: file.__setitem__("3.jpg", h5py.ExternalLink("/etc/passwd", "/")),
        lambda file: file.__setitem__("3.jpg", h5py.SoftLink("/3.jpg")),
        lambda file: file["2.jpg"].attrs.__setitem__("original_shape", (2**20, 2**20)),
    )
    valid = [("file.h5", _saved(write)), ("file.h5", _saved(write, libver="latest"))]
    whole = valid[0][1]
    size = whole.index(b"GCOL") + 24  # of the first text of an attribute; from one of no size HDF5 never goes on
    made = [*(_saved(write, more) for more in hostile), whole[:size] + bytes(8) + whole[size + 8 :], b""]
    return valid, [("file.h5", data) for data in made]


def _text(text):
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _ints(numbers):
    return b"(" + b"".join(b"J" + struct.pack("<i", number) for number in numbers) + b"t"


def _pickle(size, shape, strides):
    """The pickle of `{"w": tensor}` as PyTorch writes it."""
    pid = (
        b"(" + _text("storage") + b"ctorch\nFloatStorage\n" + _text("0") + _text("cpu") + b"J" + struct.pack("<i", size)
    )
    arguments = b"(" + pid + b"tQK\x00" + _ints(shape) + _ints(strides) + b"\x89ccollections\nOrderedDict\n)Rt"
    return b"\x80\x02}(" + _text("w") + b"ctorch._utils\n_rebuild_tensor_v2\n" + arguments + b"Ru."


def _zipped(buffer, pickled, data, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("w/data.pkl", pickled)
        archive.writestr("w/data/0", data)


def _legacy(pickled, data):
    """The format before PyTorch 1.6."""
    magic = b"\x80\x02\x8a\x0a" + (0x1950A86A20F9469CFC6C).to_bytes(10, "little") + b"."
    start = magic + b"\x80\x02M\xe9\x03." + b"\x80\x02}."
    return start + pickled + b"\x80\x02](" + _text("0") + b"e." + struct.pack("<q", len(data) // 4) + data


def torch():
    """Both formats; pickles that multiply, nest, and claim."""
    data = PLANE.astype("float32").tobytes()
    whole = _pickle(PLANE.size, SIZE, (SIZE[1], 1))
    valid = [("w.pth", _saved(_zipped, whole, data)), ("w.pth", _legacy(whole, data))]
    doubled = b"N" + b"q\x00h\x00\x86" * 60
    bombs = (
        *(b"\x80\x02\x8e" + struct.pack("<Q", 2**34), b"\x80\x02Nr\xff\xff\xff\x3f.", b"\x80\x02}" + doubled + b"Ns."),
        *(b"\x80\x02}N" + b"\x85" * 50_000 + b"Ns.", b"\x80\x02" + doubled + b"Q.", b"\x80\x02cos\nsystem\n."),
        *(_pickle(1, (10**5, 10**5), (0, 0)), _pickle(2**31 - 1, (1,), (1,)), _pickle(192, (-1, 2), (1, 1))),
    )
    hostile = [("w.pth", form) for bomb in bombs for form in (_saved(_zipped, bomb, data), _legacy(bomb, data), bomb)]
    zeros = _pickle(2**25, (2**25,), (1,)), bytes(2**27)
    return valid, [*hostile, ("w.pth", _saved(_zipped, *zeros, zipfile.ZIP_DEFLATED)), ("w.pth", b"")]


def safetensors():
    """One tensor; headers that claim another kind, size or place."""

    def build(start=0, end=768, **changes):
        entry = {"dtype": "F32", "shape": list(SIZE), "data_offsets": [start, end], **changes}
        header = json.dumps({"w": entry}).encode()
        return "w.safetensors", struct.pack("<Q", len(header)) + header + bytes(768)

    hostile = [build(dtype="F8_E4M3", shape=[768]), build(shape=[2**40, 2**40]), build(end=2**50), build(start=-1)]
    deep = b"[" * 100_000
    hostile += [("w.safetensors", struct.pack("<Q", size) + deep) for size in (len(deep), 2**62)]
    return [build(), build(dtype="BF16", shape=[24, 16])], [*hostile, ("w.safetensors", b"")]
