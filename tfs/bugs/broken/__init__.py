"""One file for each bug: a part from tfs/bugs/fixed.py with one line wrong."""
