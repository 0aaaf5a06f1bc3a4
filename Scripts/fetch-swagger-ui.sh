#!/usr/bin/env bash
# Puts Swagger UI's files into .build/swagger-ui, where /docs is served from (DOCS_ASSETS). They come from a package on
# PyPI, checked against the hash below, so that the repository carries no third-party bundle and /docs asks no CDN.
# Does nothing when they are there. Ends with 3 when the package cannot be had: the server runs without, and /docs says so.
# Environment: PIP_*  pip's own settings (index, proxy, certificates)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

requirement='flask-swagger-ui==5.34.0 --hash=sha256:63e4ecfee6345ca746c11c5341c6f2a1cbe271e518aac1659889cd3905b1110f'
target=.build/swagger-ui

if [[ -r $target/.version && $(<"$target/.version") == "$requirement" ]]; then exit 0; fi

say "Fetching Swagger UI for /docs (${requirement%% *} from PyPI)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "$requirement" >"$work/requirements.txt"
if ! python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    --retries 2 --dest "$work" --requirement "$work/requirements.txt" >&2; then
    say "Swagger UI could not be fetched; everything but the page at /docs works. 'make docs-assets' tries again."
    exit 3
fi

python3 -m zipfile -e "$work"/flask_swagger_ui-*.whl "$work/unpacked"
mkdir -p "$work/swagger-ui"
for file in swagger-ui.css swagger-ui-bundle.js; do
    cp "$work/unpacked/flask_swagger_ui/dist/$file" "$work/swagger-ui/"
done
echo "$requirement" >"$work/swagger-ui/.version"
mkdir -p .build
rm -rf "$target"
mv "$work/swagger-ui" "$target"
