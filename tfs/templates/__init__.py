"""Texts with labels, in plain Python: sentences from templates, files of one's own, their scores.

Both kinds of model read them, torch's by way of tfs.tasks and the numpy engine's directly.
"""
