"""The way back: from a loss to the gradient of everything that it was made from.

The chain rule says how a gradient passes one operation; each operation knows that itself. What is
left is the order: a tensor's gradient is complete once every tensor that was made from it has
passed its share on. So nodes are visited in the reverse of an order in which parents come first.
Nothing here calls itself, so a graph may be as deep as memory allows.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tfs.numpy_engine.tensor import Tensor, method, versions


class BackwardStep(NamedTuple):
    """One node has passed its gradient on to its parents.

    gradients: all so far, by node. That of `node` is complete; others may still grow. It is one
    dictionary for all steps of a walk: copy it to compare steps.
    """

    node: Tensor
    gradients: dict[Tensor, np.ndarray]


def steps(root: Tensor) -> Iterator[Tensor]:
    """Every tensor that `root` was made from, parents first, `root` last.

    The stack's top is looked at, and taken off only when it is seen for the second time: the first
    time its parents are put above it, so by the second time they are done.

    Raises ValueError where a tensor is its own ancestor, which only a graph made by hand can be.
    """
    done: set[Tensor] = set()
    on_the_way: set[Tensor] = set()  # a node whose ancestors are being visited
    stack = [root]
    while stack:
        node = stack[-1]
        if node in done:
            stack.pop()
        elif node in on_the_way:  # for the second time: all that was put above it is done
            on_the_way.remove(node)
            done.add(stack.pop())
            yield node
        else:
            on_the_way.add(node)
            for parent in node.parents:
                if parent in on_the_way:
                    raise ValueError(
                        f"the graph has a circle: a tensor (made by {node.op!r}) is its own "
                        "ancestor, so no gradient can ever be complete; build it anew"
                    )
                if parent not in done:
                    stack.append(parent)


def backward_steps(
    root: Tensor, gradient: Tensor | np.ndarray | None = None
) -> Iterator[BackwardStep]:
    """Walk back from `root`, one node at a time: what `backward` does, for those who want to watch.

    gradient: of the loss with respect to root; 1 if root is a single number.
    Raises ValueError where root has no graph, where it is several numbers and no gradient is given,
    where the gradient has another shape, and where a tensor has been changed in place since.
    """
    gradients = {root: _first_gradient(root, gradient)}
    for node in _way_back(root):
        _pass_on(node, gradients)
        yield BackwardStep(node, gradients)


@method()
def backward(root: Tensor, gradient: Tensor | np.ndarray | None = None) -> None:
    """Add d root / d leaf to the `grad` of every leaf that asks for it.

    The graph stays as long as root does: a second call adds the same gradients once more.
    Raises ValueError as backward_steps does.
    """
    gradients = {root: _first_gradient(root, gradient)}
    taken = {_memory(gradients[root])}  # memory that somebody has: whoever comes next gets a copy
    for node in _way_back(root):
        _pass_on(node, gradients)
        found = gradients.pop(node)  # used, so that it goes unless it is kept
        if node.is_leaf or node.retains_grad:
            if node.grad is not None:
                found = node.grad.data + found
            elif _memory(found) in taken or not found.flags.writeable:
                found = found.copy()
            taken.add(_memory(found))
            node.grad = Tensor(found)


def _way_back(root: Tensor) -> list[Tensor]:
    """Nodes that a gradient passes, each after all that were made from it."""
    return [node for node in steps(root) if node.requires_grad][::-1]


def _pass_on(node: Tensor, gradients: dict[Tensor, np.ndarray]) -> None:
    """The chain rule, at one node: add to each parent's gradient what comes through the node."""
    if node._backward is None:
        return
    _check_unchanged(node)
    for parent, share in zip(node.parents, node._backward(gradients[node]), strict=True):
        if parent.requires_grad and share is not None:
            if parent in gradients:
                share = gradients[parent] + share
            gradients[parent] = np.asarray(share, dtype=parent._data.dtype)


def _memory(array: np.ndarray) -> int:
    """Who owns an array's numbers: of all views the same."""
    return id(array if array.base is None else array.base)


def _first_gradient(root: Tensor, gradient: Tensor | np.ndarray | None) -> np.ndarray:
    if not root.requires_grad:
        raise ValueError(
            "nothing here asks for a gradient; make the tensors that you want one for with "
            "requires_grad=True, and compute outside no_grad()"
        )
    if gradient is None and root.numel() != 1:
        raise ValueError(
            f"backward starts from one number, and this tensor has shape {root.shape}; reduce it, "
            "by sum() or mean(), or give the gradient with respect to it"
        )
    first = np.ones(root.shape) if gradient is None else Tensor(gradient).data
    if first.shape != root.shape:
        raise ValueError(
            f"backward: the gradient has shape {first.shape}, but the tensor {root.shape}; they "
            "must be the same"
        )
    return first.astype(root.dtype, copy=False)


def _check_unchanged(node: Tensor) -> None:
    if node.made_with != versions(node):
        raise ValueError(
            f"a tensor of the graph was changed in place after {node.op!r} had used it, so its "
            "gradient would be wrong; call backward first, or change a clone()"
        )
