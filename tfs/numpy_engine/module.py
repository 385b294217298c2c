"""A module: parameters with names, modules inside modules, and a way to call it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from tfs.numpy_engine.tensor import Tensor


class Parameter(Tensor):
    """A tensor that training changes: a module finds those among its attributes."""

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad)


class Module:
    """Attributes that are Parameters or Modules are its own, named by their attribute's name."""

    training = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def children(self) -> Iterator[tuple[str, "Module"]]:
        return ((name, it) for name, it in vars(self).items() if isinstance(it, Module))

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, "Module"]]:
        """Itself, then all inside it, by their paths: blocks.0.attn."""
        yield prefix, self
        for name, child in self.children():
            yield from child.named_modules(f"{prefix}.{name}" if prefix else name)

    def modules(self) -> Iterator["Module"]:
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        for path, module in self.named_modules():
            for name, it in vars(module).items():
                if isinstance(it, Parameter):
                    yield f"{path}.{name}" if path else name, it

    def parameters(self) -> Iterator[Parameter]:
        return (parameter for _, parameter in self.named_parameters())

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of every parameter, by name."""
        return {name: parameter.data.copy() for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Take the numbers over, in the parameters' own precision.

        Raises ValueError for a name that is missing or foreign and for another shape; then nothing
        has been changed.
        """
        own = dict(self.named_parameters())
        if missing := [name for name in own if name not in state]:
            raise ValueError(f"the weights lack {missing[0]}, which this model has")
        if foreign := [name for name in state if name not in own]:
            raise ValueError(f"the weights have {foreign[0]}, which this model does not")
        for name, parameter in own.items():
            if state[name].shape != parameter.shape:
                raise ValueError(
                    f"{name} has shape {state[name].shape}, but this model's is {parameter.shape}"
                )
        for name, parameter in own.items():
            parameter.data = np.array(state[name], dtype=parameter.dtype)

    def train(self, training: bool = True) -> "Module":
        """Whether dropout drops, here and in all inside."""
        for module in self.modules():
            module.training = training
        return self

    def eval(self) -> "Module":
        return self.train(False)

    def zero_grad(self) -> None:
        for parameter in self.parameters():
            parameter.zero_grad()


class ModuleList(Module):
    """Modules in a row, named by their number."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        for number, module in enumerate(modules):
            setattr(self, str(number), module)

    def __iter__(self) -> Iterator[Module]:
        return (module for _, module in self.children())

    def __len__(self) -> int:
        return len(list(self.children()))

    def __getitem__(self, number: int) -> Module:
        return list(self)[number]


class Sequential(ModuleList):
    """Each module reads what the one before it wrote."""

    def __init__(self, *modules: Module) -> None:
        super().__init__(modules)

    def forward(self, x: Tensor) -> Tensor:
        for module in self:
            x = module(x)
        return x
