"""Render JSON as Markdown, without computing any result. May import data."""
