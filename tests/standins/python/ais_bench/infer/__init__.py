"""A stand-in of ais_bench's Python interface; see interface.py."""
