"""Render JSON as Markdown; compute nothing. May import data."""
