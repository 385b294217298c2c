"""What a drawing of tokens should come to, one token at a time: the reference of two tests."""


def settings_of(query) -> dict:
    given = {"temperature": "1.0", "top_k": "10", "top_p": "0.9", "seed": "0"} | query
    return {"temperature": float(given["temperature"]), "top_k": int(given["top_k"])} | {
        "top_p": float(given["top_p"]),
        "seed": int(given["seed"]),
    }


def cut(probs, top_k, top_p):
    """One token at a time: (what top-k keeps, what top-p keeps of it), each scaled to sum to 1."""
    import torch

    order = sorted(range(len(probs)), key=lambda i: -probs[i].item())
    after_top_k = torch.zeros_like(probs)
    for i in order[: top_k or len(order)]:
        after_top_k[i] = probs[i]
    after_top_k /= after_top_k.sum()
    after_top_p, mass = torch.zeros_like(probs), 0.0
    for i in order:
        if top_p < 1 and mass >= top_p:
            break
        after_top_p[i] = after_top_k[i]
        mass += after_top_k[i].item()
    return after_top_k, after_top_p / after_top_p.sum()


def first_draw(shares, seed) -> int:
    """The token that takes the sum of the shares, the largest first, past the first number."""
    import torch

    number = torch.rand(1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    total = 0.0
    order = sorted(range(len(shares)), key=lambda i: -shares[i].item())
    for i in order:
        total += shares[i].item()
        if total > number.item():
            return i
    return next(i for i in reversed(order) if shares[i] > 0)


def tempered(logits, temperature):
    import torch

    if temperature == 0:
        return torch.nn.functional.one_hot(logits.argmax(), len(logits)).float()
    return (logits / temperature).softmax(-1)
