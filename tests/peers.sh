#!/usr/bin/env bash
# Tests that need real tools from pip: a venv a tool below build/peers, then the tool's test in it.
#   tests/peers.sh BUILD [NAME...]
set -euo pipefail
sources=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift

# name, test, what pip installs
peers=(
    "airflow2 orchestrator/export/with_airflow.py apache-airflow==2.11.2"
    "airflow3 orchestrator/export/with_airflow.py apache-airflow==3.3.2"
    "beam     orchestrator/export/with_beam.py    apache-beam==2.77.0"
    "kfp      orchestrator/export/with_kfp.py     kfp==2.17.3"
    "dvc      orchestrator/export/with_dvc.py     dvc==3.67.1"
    "argo     orchestrator/export/with_hera.py    hera==7.1.0 pyyaml"
    "mlmd     orchestrator/query/with_mlmd.py     ml-metadata==1.17.1"
    "openlineage orchestrator/query/with_openlineage.py openlineage-python==1.54.0"
    "ui       orchestrator/ui/with_chromium.py    playwright"
    "notebook orchestrator/notebook/with_nbconvert.py nbconvert ipykernel"
)

# Airflow 2 ends at Python 3.12, and so does this list of versions.
python=$(command -v python3.11 || command -v python3.12 || command -v python3.10) || {
    echo "peers: expected Python 3.10, 3.11 or 3.12, found none; apt-get install python3-venv on Debian 12" >&2
    exit 3
}

failed=0
for peer in "${peers[@]}"; do
    read -r name test packages <<<"$peer"
    if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then
        continue
    fi
    venv=$build/peers/$name
    echo "== $name"
    if [ ! -f "$venv/installed" ] || [ "$(cat "$venv/installed")" != "$packages" ]; then
        rm -rf "$venv"
        "$python" -m venv "$venv"
        # shellcheck disable=SC2086
        "$venv/bin/pip" install -q --disable-pip-version-check $packages
        echo "$packages" >"$venv/installed"
    fi
    "$venv/bin/python" -W ignore "$sources/$test" "$build/penstock" "$build/scratch/peers/$name" || failed=1
done
exit $failed
