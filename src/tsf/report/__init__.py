"""Render JSON as Markdown and as a page, without computing any result. May import data."""
