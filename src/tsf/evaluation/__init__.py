"""Measure accuracy, parity and speed; write JSON.

May import recipe, data, model, engines, inference.
"""
