"""Models of others, in and out: Hugging Face directories of the families that we have."""

from tfs.interop.hugging_face import config_from, from_hugging_face

__all__ = ["config_from", "from_hugging_face"]
