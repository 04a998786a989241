"""Put the model and what it needs into a folder to take along.

May import engines, recipe, report.
"""
