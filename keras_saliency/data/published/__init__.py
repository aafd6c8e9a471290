"""Readers of published data sets, each in the layout that its archive unpacks to; a file each."""

from collections.abc import Callable
from pathlib import Path

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.published import (
    cat2000,
    coco,
    daemons,
    dhf1k,
    dut_omron,
    eyevis,
    figrim,
    fiwi,
    hollywood2,
    isun,
    koehler,
    mit300,
    mit1003,
    nusef,
    osie,
    pascal_s,
    salicon,
    scene,
    toronto,
)
from keras_saliency.data.samples import Samples

PUBLISHED: dict[str, Callable[..., DataSet]] = {
    "cat2000": cat2000.read,
    "coco-freeview": coco.read_freeview,
    "coco-search18": coco.read_search,
    "daemons": daemons.read,
    "dhf1k": dhf1k.read,
    "dut-omron": dut_omron.read,
    "eyevis": eyevis.read,
    "figrim": figrim.read,
    "fiwi": fiwi.read,
    "hollywood2": hollywood2.read,
    "isun": isun.read,
    "koehler": koehler.read,
    "mit1003": mit1003.read,
    "nusef": nusef.read,
    "osie": osie.read,
    "osie-mouse": osie.read_mouse,
    "pascal-s": pascal_s.read,
    "salicon": salicon.read,
    "salicon-json": salicon.read_json,
    "scene": scene.read,
    "toronto": toronto.read,
    "ucf-sports": hollywood2.read_ucf,
}

# Data set -> what gives, from its folder, the images of its official test in order; their fixations are withheld.
SUBMITTED: dict[str, Callable[[Path], Samples]] = {"cat2000": cat2000.test_images, "mit300": mit300.images}
