"""The same ideas on numpy alone: layers with gradients by hand, autograd, optimisers, models."""
