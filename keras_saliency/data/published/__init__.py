"""Readers of published data sets, each in the layout that its archive unpacks to; a file each."""

from collections.abc import Callable

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.published import mit1003, osie, salicon, scene

PUBLISHED: dict[str, Callable[..., DataSet]] = {
    "mit1003": mit1003.read,
    "osie": osie.read,
    "osie-mouse": osie.read_mouse,
    "salicon": salicon.read,
    "salicon-json": salicon.read_json,
    "scene": scene.read,
}
