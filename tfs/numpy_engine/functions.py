"""Functions of one tensor, number by number: each slope in terms of what forward knows anyway."""

import math

import numpy as np

from tfs.numpy_engine.tensor import Tensor, method, result

GELU_NEW = math.sqrt(2 / math.pi)
_erf = np.frompyfunc(math.erf, 1, 1)  # numpy has none; exact, but a call for each number


@method()
def exp(x: Tensor) -> Tensor:
    value = np.exp(x.data)

    def _backward(grad: np.ndarray) -> tuple:
        return (grad * value,)

    return result(value, "exp", (x,), _backward)


@method()
def log(x: Tensor) -> Tensor:
    value = np.log(x.data)

    def _backward(grad: np.ndarray) -> tuple:
        return (grad / x.data,)

    return result(value, "log", (x,), _backward)


@method()
def sqrt(x: Tensor) -> Tensor:
    value = np.sqrt(x.data)

    def _backward(grad: np.ndarray) -> tuple:
        return (grad / (2 * value),)

    return result(value, "sqrt", (x,), _backward)


@method()
def abs(x: Tensor) -> Tensor:
    value = np.abs(x.data)

    def _backward(grad: np.ndarray) -> tuple:
        return (grad * np.sign(x.data),)

    return result(value, "abs", (x,), _backward)


@method()
def tanh(x: Tensor) -> Tensor:
    value = np.tanh(x.data)

    def _backward(grad: np.ndarray) -> tuple:
        return (grad * (1 - value * value),)

    return result(value, "tanh", (x,), _backward)


@method()
def sigmoid(x: Tensor) -> Tensor:
    value = squashed(x.data)

    def _backward(grad: np.ndarray) -> tuple:
        return (grad * value * (1 - value),)

    return result(value, "sigmoid", (x,), _backward)


def squashed(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)) by way of tanh, which overflows nowhere."""
    return 0.5 * np.tanh(0.5 * x) + 0.5


@method()
def relu(x: Tensor) -> Tensor:
    value = np.maximum(x.data, 0)

    def _backward(grad: np.ndarray) -> tuple:
        share = (x.data > 0).astype(grad.dtype)  # numbers times truths would take longer
        share *= grad
        return (share,)

    return result(value, "relu", (x,), _backward)


@method()
def silu(x: Tensor) -> Tensor:
    """x sigmoid(x) (Elfwing et al. 2017)."""
    gate = squashed(x.data)
    value = x.data * gate

    def _backward(grad: np.ndarray) -> tuple:
        return (grad * (gate + value * (1 - gate)),)

    return result(value, "silu", (x,), _backward)


@method()
def gelu(x: Tensor) -> Tensor:
    """x times the share of a normal distribution below x (Hendrycks & Gimpel 2016)."""
    share = 0.5 * (1 + _erf(x.data * math.sqrt(0.5)).astype(x.dtype))
    value = x.data * share

    def _backward(grad: np.ndarray) -> tuple:
        density = np.exp(-0.5 * x.data * x.data) / math.sqrt(2 * math.pi)
        return (grad * (share + x.data * density),)

    return result(value, "gelu", (x,), _backward)


@method()
def gelu_new(x: Tensor) -> Tensor:
    """GELU by way of tanh, as GPT-2 has it: x (1 + tanh(c (x + 0.044715 x^3))) / 2.

    The same sums as that line, in fewer passes over memory.
    """
    squares = x.data * x.data
    inner = squares * (GELU_NEW * 0.044715)
    inner += GELU_NEW
    inner *= x.data
    half = np.tanh(inner, out=inner)
    half *= 0.5  # half the tanh
    value = (half + 0.5) * x.data

    def _backward(grad: np.ndarray) -> tuple:
        slope = squares * (3 * GELU_NEW * 0.044715)
        slope += GELU_NEW
        slope *= x.data
        slope *= 0.5 - 2 * half * half  # (1 - tanh^2) / 2
        slope += half
        slope += 0.5
        slope *= grad
        return (slope,)

    return result(value, "gelu_new", (x,), _backward)
