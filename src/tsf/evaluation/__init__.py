"""Measure accuracy, parity and speed; write JSON.

May import data, model, engines, inference, recipe.
"""
