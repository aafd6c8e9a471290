"""Reads pickles of plain containers: nothing in them is executed, nested or multiplied beyond their own size."""

import pickle
import pickletools
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

KEYS = (str, int, float, bool, bytes, type(None))  # whose hash takes no longer than reading them
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_EMPTY = {"EMPTY_DICT": dict, "EMPTY_LIST": list}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_VALUES = {
    *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES"),
}
_IGNORED = {"PROTO", "FRAME", "STOP"}


def fill(target: Any, pairs: Any) -> dict:
    """Adds `(key, value)` pairs to a dictionary whose keys are numbers and strings."""
    if not isinstance(target, dict):
        raise pickle.UnpicklingError("it sets an item of what is no dictionary")
    for key, value in pairs:
        if not isinstance(key, KEYS):
            raise pickle.UnpicklingError(f"a key of a dictionary is a {type(key).__name__}, no string or number")
        target[key] = value
    return target


class PlainUnpickler:
    """Builds what a pickle describes, of the operations that writers of tensors use; any other is refused.

    Python's own unpickler allocates what a length in the file says, and goes down into nested keys without a limit.

    Args:
        admitted: From `(module, name)` to what stands for that global: a function that is called with the arguments of
            the pickle, or anything else. No other global is looked up.
        persistent: What gives the object for a persistent id.
    """

    def __init__(self, admitted: Mapping[tuple[str, str], Any], persistent: Callable[[Any], Any]) -> None:
        self.admitted, self.persistent = admitted, persistent

    def load(self, file: BinaryIO) -> Any:
        """Reads the next pickle of a file, whose `read` must not allocate more than there is."""
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        for opcode, argument, _ in pickletools.genops(file):
            self._step(opcode.name, argument)
        return self.stack.pop()

    def _step(self, name, argument):
        stack = self.stack
        if name in _VALUES:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name in _TUPLES:
            stack.append(tuple([stack.pop() for _ in range(_TUPLES[name])][::-1]))
        elif name in _STEPS:
            _STEPS[name](self, argument)
        elif name not in _IGNORED:
            raise pickle.UnpicklingError(f"it uses {name}, and only tensors are admitted")

    def _since_mark(self):
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def _find(self, module, name):
        if not isinstance(module, str) or not isinstance(name, str):
            raise pickle.UnpicklingError("it asks for a global without a name")
        if (module, name) not in self.admitted:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, and only tensors are admitted")
        self.stack.append(self.admitted[module, name])

    def _call(self, _):
        arguments, function = self.stack.pop(), self.stack.pop()
        if not callable(function) or not isinstance(arguments, tuple):
            raise pickle.UnpicklingError("it calls what is no function")
        self.stack.append(function(*arguments))

    def _append(self, items):
        if not isinstance(self.stack[-1], list):
            raise pickle.UnpicklingError("it appends to what is no list")
        self.stack[-1].extend(items)

    def _build(self, _):
        self.stack.pop()  # the attributes of an OrderedDict, such as the versions of PyTorch's modules
        if not isinstance(self.stack[-1], dict):
            raise pickle.UnpicklingError("it sets an attribute of what is no dictionary")

    def _set_items(self, items):
        fill(self.stack[-1], zip(items[::2], items[1::2], strict=True))


_STEPS: dict[str, Callable[[PlainUnpickler, Any], Any]] = {
    "MARK": lambda self, _: self.marks.append(len(self.stack)),
    "TUPLE": lambda self, _: self.stack.append(tuple(self._since_mark())),
    "APPEND": lambda self, _: self._append([self.stack.pop()]),
    "APPENDS": lambda self, _: self._append(self._since_mark()),
    "SETITEM": lambda self, _: self._set_items([self.stack.pop(), self.stack.pop()][::-1]),
    "SETITEMS": lambda self, _: self._set_items(self._since_mark()),
    # The strings of Python 2.
    "SHORT_BINSTRING": lambda self, text: self.stack.append(text.encode("latin-1").decode()),
    "BINSTRING": lambda self, text: self.stack.append(text.encode("latin-1").decode()),
    "GLOBAL": lambda self, names: self._find(*names.split(" ", 1)),
    "STACK_GLOBAL": lambda self, _: self._find(*[self.stack.pop(), self.stack.pop()][::-1]),
    "REDUCE": PlainUnpickler._call,
    "BUILD": PlainUnpickler._build,
    "BINPERSID": lambda self, _: self.stack.append(self.persistent(self.stack.pop())),
    **dict.fromkeys(("BINPUT", "LONG_BINPUT"), lambda self, key: self.memo.__setitem__(key, self.stack[-1])),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda self, key: self.stack.append(self.memo[key])),
    "MEMOIZE": lambda self, _: self.memo.__setitem__(len(self.memo), self.stack[-1]),
}
