"""Runs a module of PyTorch."""

from releases.tensors import tensor


def run(model, image, names):
    """The outputs of the modules of these names, and that of the model as `output`.

    Args:
        model: A `torch.nn.Module`.
        image: `(1, 3, height, width)`.
        names: From names that the maps shall have to names of modules.
    """
    found, model = {}, model.eval()
    for name, value in [*model.named_parameters(), *model.named_buffers()]:
        if not name.endswith("num_batches_tracked"):
            value.data.copy_(tensor(name, value.shape))
    for name, module in names.items():
        keep = lambda module, inputs, output, name=name: found.update({name: output.clone()})  # noqa: E731
        model.get_submodule(module).register_forward_hook(keep)
    found["output"] = model(image)
    return found
