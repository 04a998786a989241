"""The Huawei Ascend side: npu-smi, atc and ais_bench, driven as they really behave."""
