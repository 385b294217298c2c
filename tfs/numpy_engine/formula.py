"""A formula written as text, worked out with Tensors, and its gradients measured the slow way.

    formula = Formula("(w * x + b).tanh()")
    worked = formula.worked({"w": 0.5, "x": 2.0, "b": -1.0})
    worked.loss.backward()

Only what is named here is understood: numbers, names, + - * / ** @, indexing, .T, and the functions
below, as in `x.tanh()` or `tanh(x)`. Nothing is handed to Python to run.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from tfs.numpy_engine.tensor import Tensor

MOST_LETTERS, MOST_PARTS, MOST_NUMBERS = 200, 60, 64
BENT = ("relu", "abs", "max")  # functions of two slopes that meet
FUNCTIONS = (
    *("exp", "log", "sqrt", "abs", "square", "tanh", "sigmoid", "relu", "silu", "gelu", "gelu_new"),
    *("sum", "mean", "var", "max", "softmax", "log_softmax"),
    *("reshape", "transpose", "flatten", "squeeze", "unsqueeze"),
)
OPERATORS: dict[type, Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
}
Value = Tensor | float


class Worked(NamedTuple):
    """loss: one number; parts: every tensor that a piece of the text stands for, by that piece's
    place, with its text. A name has one place, however often it is written. bent: for every piece
    that is a relu, an abs or a max, the slopes that it has where its numbers lie."""

    loss: Tensor
    parts: dict[str, tuple[Tensor, str]]
    bent: dict[str, np.ndarray]


class Formula:
    """A formula that was read. Raises ValueError, in one sentence, for what is none.

    names: the tensors that it asks for, in the order in which they are written.
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        if not self.text:
            raise ValueError("the formula is empty; write one, such as a * b + a")
        if len(self.text) > MOST_LETTERS:
            raise ValueError(
                f"the formula has {len(self.text)} characters, more than {MOST_LETTERS}; shorten it"
            )
        try:
            self.body = ast.parse(self.text, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise ValueError(
                f"{self.text!r} cannot be read as a formula; see the examples"
            ) from None
        if (parts := sum(isinstance(node, ast.expr) for node in ast.walk(self.body))) > MOST_PARTS:
            raise ValueError(f"the formula has {parts} parts, more than {MOST_PARTS}; shorten it")
        called = {
            node.func for node in ast.walk(self.body) if isinstance(node, ast.Call)
        }  # names of functions are no tensors
        found = [
            node
            for node in ast.walk(self.body)
            if isinstance(node, ast.Name) and node not in called
        ]
        found.sort(key=lambda node: (node.lineno, node.col_offset))
        self.names = list(dict.fromkeys(node.id for node in found))
        if not self.names:
            raise ValueError(
                "the formula has no name in it, so there is nothing to find a gradient for"
            )

    def worked(
        self, leaves: Mapping[str, Any], instead: Mapping[str, np.ndarray] | None = None
    ) -> Worked:
        """The formula with these numbers in it; a result of several numbers is summed.

        instead: for places of `parts`, the value that they shall have whatever comes out; then the
        result may be infinite or none. Raises ValueError for a name without numbers, what is not
        understood, numbers that do not fit, and else for a result that is not finite.
        """
        if missing := [name for name in self.names if name not in leaves]:
            raise ValueError(
                f"the formula asks for {missing[0]}, which has no numbers; give it some"
            )
        reading = _Reading(leaves, dict(instead or {}))
        with np.errstate(all="ignore"):
            out = reading.read(self.body)
            if not isinstance(out, Tensor) or not out.requires_grad:
                raise ValueError("nothing in the formula's result depends on a name")
            loss = out if out.numel() == 1 else out.sum()
            if not instead and not np.isfinite(loss.data).all():
                raise ValueError(_why_not_finite([*reading.parts.values(), (loss, "the sum")]))
        return Worked(loss, reading.parts, reading.bent)


def _why_not_finite(parts: list[tuple[Tensor, str]]) -> str:
    """The first part that is not finite, and by what, in a sentence."""
    tensor, text = next(part for part in parts if not np.isfinite(part[0].data).all())
    given = tensor.parents[-1].data if tensor.parents else np.ones(1)
    if tensor.op == "div" and (given == 0).any():
        why = "is a division by 0"
    elif tensor.op in ("log", "sqrt") and (given <= 0).any():
        why = f"takes the {tensor.op} of {given.min():.6g}, which is not positive"
    elif tensor.op == "pow" and (given == 0).any():
        why = "is a division by 0, in the form of a negative power"
    elif tensor.op == "pow" and (given < 0).any() and np.isnan(tensor.data).any():
        why = f"is a root of {given.min():.6g}, which is negative"
    else:
        why = "becomes larger than float64 can hold, which ends at 1.8e308"
    return f"the result is not a finite number: {text!r} {why}; change the numbers"


class _Reading:
    """One walk through a formula. Each method reads one kind of part."""

    def __init__(self, leaves: Mapping[str, Any], instead: dict[str, np.ndarray]) -> None:
        self.leaves, self.instead = leaves, instead
        self.parts: dict[str, tuple[Tensor, str]] = {}
        self.bent: dict[str, np.ndarray] = {}

    def read(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Constant):
            return _number(node)
        if isinstance(node, ast.Name):
            return self.leaf(node.id)
        try:
            value = self.compute(node)
        except (TypeError, ArithmeticError) as error:
            raise ValueError(f"{ast.unparse(node)!r} cannot be worked out: {error}") from None
        if not isinstance(value, Tensor):
            return value
        if value.numel() > MOST_NUMBERS:
            raise ValueError(
                f"{ast.unparse(node)!r} is {value.numel()} numbers, more than {MOST_NUMBERS}; take "
                "smaller tensors"
            )
        return self.kept(f"#{len(self.parts)}", value, ast.unparse(node))

    def kept(self, place: str, value: Tensor, text: str) -> Tensor:
        if place in self.instead:
            value = Tensor(self.instead[place], requires_grad=True)
        self.parts[place] = value, text
        return value

    def leaf(self, name: str) -> Tensor:
        if name in self.parts:
            return self.parts[name][0]
        try:
            array = np.array(self.leaves[name], dtype=np.float64)
        except (ValueError, TypeError):
            raise ValueError(f"{name} must be a number, or rows of numbers of one length") from None
        if not 0 < array.size <= MOST_NUMBERS or not np.isfinite(array).all():
            raise ValueError(f"{name} must be 1 to {MOST_NUMBERS} finite numbers")
        return self.kept(name, Tensor(array, requires_grad=True), name)

    def compute(self, node: ast.expr) -> Value:
        match node:
            case ast.BinOp(left, operation, right) if type(operation) in OPERATORS:
                return OPERATORS[type(operation)](self.read(left), self.read(right))
            case ast.UnaryOp(ast.USub(), inner):
                return -self.read(inner)
            case ast.UnaryOp(ast.UAdd(), inner):
                return self.read(inner)
            case ast.Subscript(inner, index):
                return self.tensor(inner)[_literal_index(index)]
            case ast.Attribute(inner, "T"):
                return self.tensor(inner).transpose(-2, -1)
            case ast.Call(ast.Attribute(inner, name), arguments, keywords):
                return self.call(name, inner, arguments, keywords)
            case ast.Call(ast.Name(name), [inner, *arguments], keywords):
                return self.call(name, inner, arguments, keywords)
        raise ValueError(
            f"{ast.unparse(node)!r} is not understood; there are numbers, names, + - * / ** @, "
            "indexing, .T and functions such as x.tanh()"
        )

    def call(
        self, name: str, inner: ast.expr, arguments: list[ast.expr], keywords: list[ast.keyword]
    ) -> Tensor:
        if name not in FUNCTIONS:
            raise ValueError(f"there is no function {name!r:.40}; there are {', '.join(FUNCTIONS)}")
        given = [_literal(argument) for argument in arguments]
        named = {str(keyword.arg): _literal(keyword.value) for keyword in keywords}
        made = getattr(self.tensor(inner), name)(*given, **named)
        if name in BENT and made._backward is not None:
            (slopes,) = made._backward(np.ones(made.shape))
            self.bent[f"{name} of {ast.unparse(inner)}"] = slopes
        return made

    def tensor(self, node: ast.expr) -> Tensor:
        value = self.read(node)
        return value if isinstance(value, Tensor) else Tensor(np.array(value))


def _number(node: ast.Constant) -> float:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise ValueError(f"{ast.unparse(node)!r} is no number")
    return float(node.value)


def _literal(node: ast.expr) -> Any:
    """A number, True, False, None, or a tuple or list of them, as written."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise ValueError(f"{ast.unparse(node)!r} must be written out as a number") from None


def _literal_index(node: ast.expr) -> Any:
    match node:
        case ast.Tuple(parts):
            return tuple(_literal_index(part) for part in parts)
        case ast.Slice(lower, upper, step):
            return slice(*(None if end is None else _literal(end) for end in (lower, upper, step)))
    return _literal(node)
