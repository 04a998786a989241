"""Run an engine over shards of .bin files. May import data, engines."""
