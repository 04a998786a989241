"""report.html: one self-contained page in two languages, from JSON and tables alone."""
