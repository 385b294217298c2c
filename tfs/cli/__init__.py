"""The command line's parts: its parser, flags made from configs, and one file per command."""
