"""The decoder of every published architecture on frozen EfficientNet-Lite0, OSIE: minutes on 2 CPU cores each.

Backbone, width, size, loss and optimizer are ours; a row of `RECIPES` has all in which it differs from `BASE`. The
decoder of SAM itself reads the last feature map alone and explains 53 % here, so that `osie_sam` has `attentive`, SAM's
parts on all depths. Test split, native resolution; the share is explained information; minutes of features and training
beside other work:

| recipe | its decoder | NSS | AUC | CC | IG, bit | share | minutes |
|---|---|---|---|---|---|---|---|
| `osie_sam` | in SAM's manner, 384x512 | 3.28 | 0.920 | 0.785 | 1.95 | 87 % | 20 |
| `osie_msi_net` | MSI-Net's | 3.17 | 0.917 | 0.773 | 1.90 | 85 % | - |
| `osie_dsclrcn` | DSCLRCN's LSTMs along rows and columns | 3.12 | 0.916 | 0.770 | 1.87 | 83 % | 15 |
| `osie_mlnet` | ML-Net's | 3.07 | 0.912 | 0.757 | 1.80 | 80 % | 5 |
| `osie_simplenet` | SimpleNet's | 3.07 | 0.911 | 0.752 | 1.79 | 80 % | 7 |
| `osie_dva` | DVA's, of three depths | 3.05 | 0.912 | 0.755 | 1.78 | 79 % | 23 |
| `osie_deepgaze3` | DeepGaze III's spatial network | 2.99 | 0.912 | 0.746 | 1.76 | 78 % | 3 |
| `osie_deepgaze2` | DeepGaze II's readout | 2.85 | 0.903 | 0.713 | 1.62 | 72 % | 3 |
| `osie_unisal` | in UNISAL's manner | 2.82 | 0.900 | 0.700 | 1.57 | 70 % | 2 |
| `osie_eml_net` | EML-NET's readouts | 2.83 | 0.901 | 0.731 | 1.55 | 69 % | 2 |
| `osie_salgan` | SalGAN's generator | 2.36 | 0.882 | 0.669 | 1.30 | 58 % | 3 |
| `osie_salnet` | SalNet's convolutions | 2.34 | 0.874 | 0.652 | 1.19 | 53 % | 14 |
| `osie_asnet` | ASNet's ConvLSTM and priors, of fixations | 2.04 | 0.859 | 0.622 | 0.98 | 43 % | 4 |
| `osie_deepgaze1` | DeepGaze I's readout | 2.20 | 0.872 | 0.523 | 0.68 | 30 % | 2 |
| `osie_salicon` | two scales of the SALICON network | 2.27 | 0.873 | 0.539 | 0.59 | 26 % | 2 |
| `osie_icf` | ICF, on intensity and contrast alone | 1.20 | 0.787 | 0.410 | 0.34 | 15 % | 1 |

Run: keras-saliency train osie_mlnet --data osie=DIR
"""

from dataclasses import replace

from keras_saliency.training.recipe import Model, Recipe

BASE = Recipe(
    name="adapted",
    data="osie",
    model=Model(backbone="efficientnet-lite0"),
    loss={"nll": 1.0, "cc": 1.0},
    size=(240, 320),
    batch=20,
    epochs=10,
    weight_decay=1.0,
)


def adapt(name: str, model: dict, **changes) -> Recipe:
    """The recipe `osie_NAME`, which differs from `BASE` in what is given."""
    return replace(BASE, name=f"osie_{name}", model=replace(BASE.model, **model), **changes)


RECIPES = [
    adapt("asnet", {"name": "asnet", "stride": 16, "width": 0.125}),
    adapt("deepgaze1", {"name": "deepgaze1"}),
    adapt("deepgaze2", {"name": "deepgaze2"}),
    adapt("deepgaze3", {"name": "deepgaze3"}),
    adapt("dsclrcn", {"name": "dsclrcn", "width": 0.25}),
    adapt("dva", {"name": "dva", "width": 0.125}, supervise_sides=True),
    adapt("eml_net", {"name": "eml-net"}),
    adapt("icf", {"name": "icf", "backbone": None}, size=(120, 160), weight_decay=0.0, learning_rate=0.01),
    adapt("mlnet", {"name": "mlnet", "width": 0.5}),
    adapt("msi_net", {"name": "msi-net", "width": 0.25}),
    adapt("salgan", {"name": "salgan", "stride": 16, "width": 0.125}),
    adapt("salicon", {"name": "salicon", "stride": 16}),
    adapt("salnet", {"name": "salnet", "stride": 16, "width": 0.125}),
    adapt("sam", {"name": "attentive", "width": 0.5}, size=None, area=384 * 512),
    adapt("simplenet", {"name": "simplenet", "width": 0.5}),
    adapt("unisal", {"name": "unisal", "width": 0.5}),
]
