import dataclasses

from keras_saliency.data import FACTS
from keras_saliency.reporting import tables


def test_what_is_known_of_a_data_set_is_told_with_its_scores(tiny):
    facts = dataclasses.replace(FACTS["osie"], edition="first")
    known = {"edition": "first", "task": "free viewing", "viewing_seconds": 3.0, "licence": "MIT"}
    told = tables.provenance(dataclasses.replace(tiny, facts=facts), "test", "tuebingen")
    assert known.items() <= told.items()
    assert not known.keys() & tables.provenance(tiny, "test", "tuebingen").keys()
