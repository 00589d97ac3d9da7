#!/bin/sh
# Everything about VoxCPM on a GPU that only a GPU can tell, in one run:
#
#   sh benchmarks/gpu_check.sh [tests precision graphs unfused eager served]
#
# Takes the environment in VENV (.venv), or the Python on the path, whichever has what is needed,
# and else makes one, for which it needs the network. DEVICE, MODEL and OUT say where, with which
# sizes, and where figures go as JSON. A section that fails is told at the end; the others run.
set -u
cd "$(dirname "$0")/.."

VENV=${VENV:-.venv}
DEVICE=${DEVICE:-cuda}
MODEL=${MODEL:-voxcpm2}
OUT=${OUT:-$(mktemp -d)}
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-4}"
DATA_DIR=$(mktemp -d)
export DATA_DIR
trap 'rm -rf "$DATA_DIR"' EXIT

has_all() {
    # Found, not imported: voxcpm's own import fails beside some builds of torch, ours does not.
    "$1" -c "import sys; from importlib.util import find_spec
names = 'torch voxcpm transformers pytest pytest_asyncio pytest_timeout django httpx openai av'
sys.exit(not all(map(find_spec, names.split())))" >/dev/null 2>&1
}

if has_all "$VENV/bin/python"; then
    python=$VENV/bin/python
elif has_all python3; then
    python=python3
else
    make install-dev VENV="$VENV" || exit 1
    python=$VENV/bin/python
fi
"$python" -c "import sys, torch; sys.exit(0 if torch.cuda.is_available() else 'torch finds no CUDA here.')" || exit 1

echo "# Hardware"
nvidia-smi --query-gpu=name,memory.total,driver_version,clocks.max.sm,power.limit --format=csv
"$python" -c "import platform, torch; print(platform.python_version(), 'torch', torch.__version__, 'CUDA', torch.version.cuda, 'cuDNN', torch.backends.cudnn.version())"

failed=""
section() {
    name=$1
    shift
    case " $wanted " in *" $name "*) ;; *) return ;; esac
    echo
    echo "# $name: $*"
    began=$(date +%s)
    "$@" || failed="$failed $name"
    echo "($name took $(($(date +%s) - began)) s)"
}

wanted=${*:-tests precision graphs unfused eager served}
engine="-m benchmarks.engine --models $MODEL --device $DEVICE --requests --steps 1 16 64
    --arrivals --listeners 64 --letters 24 --prefill 512x2 512x4"
few="--graph-batches 1 16 64 --graph-timesteps 10"

# Equality of eager steps, graphs and the official package, in float32; kernels, and products of
# few rows with the race that chooses them, against the plain code.
section tests "$python" -m pytest -q -p no:cacheprovider --timeout=600 -m gpu tests/gpu
# AudioVAE: exact, TF32, bfloat16.
section precision "$python" -m benchmarks.precision "$MODEL" --device "$DEVICE" --rows 1 16 64
# The engine as it is served (its "Hand-made products" line tells what the race chose), then without fused kernels, then without graphs.
# shellcheck disable=SC2086
section graphs "$python" $engine --json "$OUT/graphs.json"
# shellcheck disable=SC2086
section unfused "$python" $engine --no-fused $few --json "$OUT/unfused.json"
# shellcheck disable=SC2086
section eager "$python" $engine --no-graphs --json "$OUT/eager.json"
# The same through HTTP.
# shellcheck disable=SC2086
section served "$python" -m benchmarks.served --model "$MODEL" --device "$DEVICE" $few \
    --clients 1 16 64 --json "$OUT/served.json"

echo
echo "Figures lie in $OUT."
if [ -n "$failed" ]; then
    echo "FAILED:$failed"
    exit 1
fi
