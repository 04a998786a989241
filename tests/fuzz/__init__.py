"""Damaged inputs, thousands of them, through the real steps: `make fuzz`.

A mutant is known by the seed and its number alone, so it can be made again:

    PYTHONPATH=src:tests python -m fuzz --seed 7 --only 123
"""
