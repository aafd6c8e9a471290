"""The losses and published combinations by name."""

import re
from collections.abc import Mapping
from typing import Any

import keras

from keras_saliency.losses import distribution, perceptual, pixel, saliency, transport
from keras_saliency.losses.base import Combination, SaliencyLoss

LOSSES: dict[str, type[SaliencyLoss]] = {
    loss.name_in_table: loss
    for loss in (
        pixel.MSE,
        pixel.AE,
        pixel.EAD,
        pixel.WMSE,
        distribution.KLD,
        distribution.ReverseKLD,
        distribution.Bhattacharyya,
        distribution.BCE,
        distribution.WBCE,
        distribution.Focal,
        distribution.NLL,
        distribution.TotalVariation,
        distribution.Cosine,
        distribution.Chi2,
        distribution.SoftmaxL1,
        distribution.SoftmaxL2,
        saliency.NSS,
        saliency.ExpNSS,
        saliency.SigmoidNSS,
        saliency.SFNE,
        saliency.CC,
        saliency.SIM,
        saliency.IG,
        transport.Sinkhorn,
        perceptual.DeepFeatures,
        perceptual.Gram,
    )
}
# Published combinations, SalNAS's without one minus AUC, which has no gradient; and what docs/quest.md has for a map
# that serves all metrics.
PRESETS = {
    "sam": "10 kld + 2 cc + nss",
    "eml-net": "kld + cc + nss",
    "simplenet": "kld + cc",
    "unisal": "kld + 0.1 cc + 0.1 nss",
    "salfbnet": "kld + 0.1 cc + 0.025 sfne + 0.025 mse",
    "transalnet": "10 kld + 2 cc + sim + nss",
    "tempsal": "kld + cc",
    "mds-vitnet": "10 kld + 2 cc + sim",
    "salnas": "kld + cc + sim + sigmoid_nss",
    "sum": "10 kld + 2 cc + sim + nss + 5 mse",
    "tavakoli": "kld + cc + exp_nss",
    "quest": "nll + cc",
}
# What the terms of a preset are made with.
OPTIONS: dict[str, dict[str, dict[str, Any]]] = {"eml-net": {"nss": {"relative": True}}}


def get(identifier: str | dict[str, Any] | keras.losses.Loss) -> keras.losses.Loss:
    """A loss by name, as `keras.losses.get` has it.

    Args:
        identifier: A name of `LOSSES`, a preset or a formula of `combo`, a serialized loss, or a class of losses. A
            loss and None are returned as they are.

    Raises:
        ValueError: If the name is unknown; lists the known ones.

    >>> get("kld").name, get("10 kld + 2 cc").weights
    ('kld', {'kld': 10.0, 'cc': 2.0})
    """
    if identifier is None or isinstance(identifier, keras.losses.Loss):
        return identifier
    if isinstance(identifier, type):
        return identifier()
    if isinstance(identifier, dict):
        return keras.losses.deserialize(identifier)
    return LOSSES[identifier]() if identifier in LOSSES else combo(identifier)


def combo(
    *terms: SaliencyLoss | str | Mapping[str, float],
    from_logits: bool | None = None,
    convention: str | None = None,
    balance: str | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    **weights: float,
) -> Combination:
    """Combines losses linearly.

    Args:
        *terms: Losses, combinations among them, with a weight of one each; or one text, the name of a preset of
            `PRESETS` such as `"sam"`, or a formula (`"10 kld + 2 cc + nss"`); or one dictionary from name to weight.
        from_logits: Whether the prediction is an unnormalised log-density; False if no loss among the terms says so.
        convention: The published convention of the terms that have it; see `SaliencyLoss`.
        balance: None, `"gradient"` or `"uncertainty"`; see `Combination`.
        options: What losses given by name are made with: `{"deep_features": {"backbone": "efficientnet-lite0"}}`.
        **weights: The positive weight of each loss by name, `combo(kld=10, cc=2, nss=1)`. Every loss is minimised:
            NSS and CC, too, get a positive weight.

    Returns:
        A loss for `model.compile` that also reports each term by name in the training log.

    Raises:
        ValueError: If a name is unknown, a weight is not positive, the formula cannot be read, no term has the
            convention or the loss that options are for, or there is no term.

    >>> combo("10 kld + 2 cc + nss").weights
    {'kld': 10.0, 'cc': 2.0, 'nss': 1.0}
    >>> combo("sam").weights == combo(10 * LOSSES["kld"](), cc=2, nss=1).weights
    True
    """
    losses = [term for term in terms if isinstance(term, SaliencyLoss)]
    named: list[Any] = [term for term in terms if not isinstance(term, SaliencyLoss)]
    if len(named) > 1 or (named and (weights or losses)):
        raise ValueError(f"Give combo one formula, or losses and weights by keyword. Received: {terms} and {weights}.")
    if named and isinstance(named[0], str):
        weights = _parse(PRESETS.get(named[0], named[0]))
        options = {**OPTIONS.get(named[0], {}), **(options or {})}
    elif named:
        weights = dict(named[0])
    for name in weights:
        if name not in LOSSES:
            raise ValueError(
                f"Unknown loss {name!r}. Known losses: {', '.join(LOSSES)}. Known presets: {', '.join(PRESETS)}."
            )
    options = options or {}
    _require_options(options, weights)
    if from_logits is None:
        from_logits = any(loss.from_logits for loss in losses)
    if convention and not any(convention in LOSSES[name].conventions for name in weights):
        known = sorted({name for term in weights for name in LOSSES[term].conventions})
        raise ValueError(f"No term of {list(weights)} has the convention {convention!r}. They have: {known}.")
    for name in weights:
        follows = {"convention": convention} if convention in LOSSES[name].conventions else {}
        losses.append(LOSSES[name](from_logits=from_logits, **follows, **options.get(name, {})))
    factors = [1.0] * (len(losses) - len(weights)) + list(weights.values())
    return Combination(losses, factors, balance=balance)


def _require_options(options, weights):
    for name, own in options.items():
        if name not in weights:
            raise ValueError(f"There are options for {name!r}, and no such term. Terms: {', '.join(weights)}.")
        known = LOSSES[name].options
        for option in own:
            if option not in known:
                raise ValueError(f"{name} has no option {option!r}. Options: {', '.join(known) or 'none'}.")


def _parse(formula):
    weights = {}
    for term in formula.split("+"):
        match = re.fullmatch(r"\s*(?:([\d.]+(?:e-?\d+)?)\s*\*?\s*)?([a-z]\w*)\s*", term)
        if not match:
            raise ValueError(
                f"Cannot read the term {term.strip()!r} of {formula!r}. Expected: '10 kld + 2 cc + nss', or one of "
                f"{', '.join(PRESETS)}."
            )
        weights[match[2]] = weights.get(match[2], 0.0) + float(match[1] or 1.0)
    return weights
