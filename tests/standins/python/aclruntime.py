"""A stand-in of ais_bench's native part: only so that it can be found."""
