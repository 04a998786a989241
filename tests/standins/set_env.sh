# Puts the stand-ins of CANN, npu-smi and ais_bench on the paths, as CANN's set_env.sh does for the
# real ones. As that one, it fails under `set -u`.
#
#   source tests/standins/set_env.sh
#   snakemake all --cores 2 --config 'engines=[ascend, onnxruntime]'
#
# They check their arguments and fail as the real tools do, and run the ONNX model in ONNX Runtime:
# their results and speeds are not those of an NPU.
if [ -z "$CANN_STAND_IN_NEVER_SET" ]; then
    here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
    export ASCEND_TOOLKIT_HOME="$here/cann"
    export ASCEND_HOME_PATH="$here/cann"
    export ASCEND_OPP_PATH="$here/cann/opp"
    export PATH="$here/bin:$PATH"
    export PYTHONPATH="$here/python:$PYTHONPATH"
fi
