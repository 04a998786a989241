"""Drive npu-smi, atc and ais_bench, and check what they report.

May import data, model, engines, inference, evaluation, workflow, recipe.
"""
