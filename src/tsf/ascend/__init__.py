"""Drive npu-smi, atc and ais_bench as they really behave.

May import data, model, engines, inference, evaluation, workflow.
"""
