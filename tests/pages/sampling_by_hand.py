"""What a drawing of tokens should come to, one token at a time: the reference of two tests."""


def settings_of(query) -> dict:
    given = {"temperature": "1.0", "top_k": "10", "top_p": "0.9", "seed": "0"} | query
    return {"temperature": float(given["temperature"]), "top_k": int(given["top_k"])} | {
        "top_p": float(given["top_p"]),
        "seed": int(given["seed"]),
    }


def cut(probs, top_k, top_p):
    """One token at a time: (what top-k keeps, what top-p keeps of it)."""
    import torch

    order = sorted(range(len(probs)), key=lambda i: -probs[i].item())
    after_top_k = torch.zeros_like(probs)
    for i in order[: top_k or len(order)]:
        after_top_k[i] = probs[i]
    final, mass = torch.zeros_like(probs), 0.0
    for i in order:
        if top_p < 1 and mass >= top_p:
            break
        final[i] = after_top_k[i]
        mass += after_top_k[i].item()
    return after_top_k, final


def tempered(logits, temperature):
    import torch

    if temperature == 0:
        return torch.nn.functional.one_hot(logits.argmax(), len(logits)).float()
    return (logits / temperature).softmax(-1)
