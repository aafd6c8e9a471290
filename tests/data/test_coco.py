import pytest
from archives import coco_freeview, coco_search18

import keras_saliency as ks
from keras_saliency.data import splits


def names_in(data):
    return sorted(sample.name[-5:-4] for part in splits.PARTS for sample in getattr(data, part))


def test_searches_are_chosen_by_task_and_condition(tmp_path):
    coco_search18.write(tmp_path)
    found = ks.data.load("coco-search18", tmp_path, task="cup")
    assert names_in(found) == ["1", "3", "4"]
    assert any("official validation images alone" in line for line in found.skipped)
    assert names_in(ks.data.load("coco-search18", tmp_path, condition="present")) == ["1", "2", "3", "4"]
    with pytest.raises(ValueError, match=r"Unknown task 'dog' of coco-search18. Known: bottle, car, cup\."):
        ks.data.load("coco-search18", tmp_path, task="dog")
    with pytest.raises(ValueError, match="coco-search18 has no rows of task car, condition absent"):
        ks.data.load("coco-search18", tmp_path, task="car", condition="absent")


def test_times_are_sums_of_durations_and_train_is_train(tmp_path):
    coco_freeview.write(tmp_path)
    data = ks.data.load("coco-freeview", tmp_path)
    assert [sample.name[-5:-4] for sample in data.train] == ["1", "2"]
    fixations = data.train[0].fixations
    assert fixations.observer.tolist() == [0, 1, 1, 2]  # 1, 2 and 10
    assert fixations.time.tolist() == [0, 0, 0.15, 0] and fixations.duration.tolist() == [0.15, 0.15, 0.16, 0.15]
    assert fixations.x.tolist() == [0.25, 3.25, 30.25, 9.25]
