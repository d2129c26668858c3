"""The Python source of a kernel, as a function that calls no compiled code."""

import types


def source_of(kernel):
    """Return a kernel's source, in which the kernels that it calls are replaced by theirs."""
    if not hasattr(kernel, "py_func"):
        return kernel
    source = kernel.py_func
    names = dict(source.__globals__)
    names |= {name: source_of(names[name]) for name in source.__code__.co_names if name in names}
    return types.FunctionType(source.__code__, names)
