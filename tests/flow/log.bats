#!/usr/bin/env bats
# The ledger as a transparency log: what a monitor that knows nothing of Chancery can follow and check, what it finds where
# something was changed, proofs for entries, and a ledger that was taken back.

load ../lib/demo
load ../lib/ask

setup_file() {
    demo_start
}

teardown_file() {
    demo_stop
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    demo_env "$BATS_FILE_TMPDIR/demo"
    VKEY=$(chancery ledger head --json | jq -r .key)
}

monitor() { # OPTION...; over HTTPS, as anybody
    python3 "$CHANCERY_TOP/tests/lib/tlog_verify.py" --url "$CHANCERY_URL/log" --ca "$CHANCERY_ROOT" --vkey "$VKEY" "$@"
}

staff() { monitor --cert "$CHANCERY_ADMIN_CERT" --key "$CHANCERY_ADMIN_KEY" "$@"; }

# N more certificates over one connection, two entries each.
grow() { # N
    local base=$BATS_FILE_TMPDIR/grow
    [ -e "$base.csr" ] || csr "$base" DNS:grow.example.internal
    yes "url = \"$CHANCERY_URL/v1/certificates?template=server\"" | head -n "$1" |
        curl -sSf --cacert "$CHANCERY_ROOT" -H @<(bearer) -H 'Content-Type: application/pkcs10' --data-binary @"$base.csr" -K - >/dev/null
}

@test "a monitor follows the log: signature, tiles, root, entries, and from checkpoint to checkpoint" {
    chancery ledger head --json | jq -j .checkpoint >old
    run -0 staff --entries
    [[ $output == size* ]]
    grow 140
    local now
    now=$(chancery ledger head --json | jq .size)
    [ "$now" -gt 280 ]
    run -0 staff --entries --old old
    [[ $output == "size $now root "*" after $(sed -n 2p old) entries $now" ]]
}

@test "entries are for staff, hashes and checkpoints for anybody" {
    run -0 monitor
    run -1 monitor --entries
    [[ $output == *"401"* ]]
    ask_plain() { curl -s --cacert "$CHANCERY_ROOT" -o body -D head -w '%{http_code}' "$CHANCERY_URL/log/$1"; }
    [ "$(ask_plain checkpoint)" = 200 ]
    grep -qi '^content-type: text/plain; charset=utf-8' head
    local path
    for path in tile/0/000.p/0 tile/0/999 tile/0/x000/001 tile/9/000 tile/0/1 tile/0/000.p/256 tile/1/000.p/200 tile/x/000; do
        [ "$(ask_plain "$path")" = 404 ] || { echo "$path: $(cat head)"; return 1; }
    done
}

@test "a proof with an entry, checked by somebody else, and with a leaf of another entry not" {
    chancery ledger proof 3 >3.proof
    run -0 monitor --proof 3.proof
    [[ $output == *" index 2" ]]
    run -0 monitor --proof 3.proof --leaf "$(chancery --json ledger log --from 3 --limit 1 | jq -r '.entries[0].leaf')"
    run -1 monitor --proof 3.proof --leaf "$(chancery --json ledger log --from 4 --limit 1 | jq -r '.entries[0].leaf')"
    [[ $output == *"not under the proof's checkpoint"* ]]
    run -1 chancery ledger proof 99999999
    [[ $output == *"1 to "* ]]
}

# A copy of the log on disk, to be changed.
mirror() {
    local size n i width
    mkdir -p mirror/tile/0 mirror/tile/1
    curl -sf --cacert "$CHANCERY_ROOT" "$CHANCERY_URL/log/checkpoint" -o mirror/checkpoint
    size=$(sed -n 2p mirror/checkpoint)
    for n in $((size)) $((size / 256)); do
        for ((i = 0; i * 256 < n; i++)); do
            width=$((n - i * 256 < 256 ? n - i * 256 : 256))
            printf -v path 'tile/%d/%03d' "$([ "$n" = "$size" ] && echo 0 || echo 1)" "$i"
            [ $width = 256 ] || { mkdir -p "mirror/$path.p" && path=$path.p/$width; }
            curl -sf --cacert "$CHANCERY_ROOT" "$CHANCERY_URL/log/$path" -o "mirror/$path"
        done
    done
}

mirrored() { python3 "$CHANCERY_TOP/tests/lib/tlog_verify.py" --url "file://$PWD/mirror" --vkey "$VKEY" "$@"; }

flip() { # FILE OFFSET
    python3 - "$1" "$2" <<'PY'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2]))
    octet = f.read(1)[0]
    f.seek(int(sys.argv[2]))
    f.write(bytes([octet ^ 1]))
PY
}

@test "one bit changed in a copy is found: leaf, tile above, checkpoint, signature" {
    [ "$(chancery ledger head --json | jq .size)" -gt 256 ] || grow 140
    chancery ledger head >/dev/null
    mirror
    run -0 mirrored
    cp -r mirror good
    flip mirror/tile/0/000 4000
    run -1 mirrored
    [[ $output == *"do not give the checkpoint's root"* ]]
    rm -rf mirror && cp -r good mirror
    flip mirror/tile/1/000.p/1 9
    run -1 mirrored
    [[ $output == *"not over those below"* ]]
    local at
    for ((at = 0; at < $(stat -c %s good/checkpoint); at += 11)); do
        rm -rf mirror && cp -r good mirror
        flip mirror/checkpoint "$at"
        run -1 mirrored
    done
    # another log's key
    rm -rf mirror && cp -r good mirror
    VKEY="localhost/other+$(cut -d+ -f2- <<<"$VKEY")" run -1 mirrored
}

@test "an export is checked elsewhere, with public keys alone; changed octets are found" {
    issue a DNS:a.example.internal
    chancery cert revoke "$(serial_of a.pem)" --reason superseded >/dev/null
    chancery ledger head >/dev/null
    run -0 chancery ledger export all.export
    verified() { env -u CHANCERY_CONFIG "$CHANCERY_BIN/chancery" -c /nowhere "$@"; }
    run -0 verified ledger verify all.export --key "$VKEY"
    [[ $output == *"the books agree"* ]]
    verified --json ledger verify all.export --key "$VKEY" >said
    jq -e '.findings == [] and .signatures_of_certificates == .records and .records > 0 and .signatures_of_heads == .heads
        and .heads > 0 and .revocations.superseded == 1' said || { cat said; return 1; }
    # written once
    run -1 chancery ledger export all.export
    # another log's key
    run -1 verified ledger verify all.export --key "${VKEY%%+*}+00000000+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    local size at
    size=$(stat -c %s all.export)
    cp all.export good
    for at in 1 40 $((size / 7)) $((size / 3)) $((size / 2)) $((size * 3 / 4)) $((size - 70)) $((size - 1)); do
        cp good all.export
        flip all.export "$at"
        run -1 verified ledger verify all.export --key "$VKEY"
    done
    head -c $((size / 2)) good >all.export
    run -1 verified ledger verify all.export --key "$VKEY"
    [[ $output == *"cannot be read from octet"* ]]
}

@test "a certificate with the proof that it is in the log" {
    csr b DNS:b.example.internal
    ask_csr b.csr 'template=server&proof=1'
    expect 201
    jq -e '.proof.head.size >= .proof.entry and (.proof.hashes | length) > 0' body
    same "$(member .proof.leaf)" "$(chancery --json ledger log --from "$(member .proof.entry)" --limit 1 | jq -r '.entries[0].leaf')"
    same "$(chancery --json ledger log --from "$(member .proof.entry)" --limit 1 | jq -r '.entries[0].kind')" record
    ask_token "/v1/certificates/$(member .serial)?proof=1"
    expect 200
    jq -e '.proof.head.checkpoint | length > 0' body
    member .serial >serial
    ask_token "/v1/certificates/$(cat serial)?proof=2"
    expect_problem 422 bad-field 'proof=1' /proof
    ask_token "/v1/certificates/$(cat serial)"
    jq -e 'has("proof") | not' body
}

# Takes one PUT after the other into FILE.
taker() { # PORT FILE
    exec python3 - "$1" "$2" 3>&- <<'PY'
import http.server, os, sys
class Take(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[2] + ".new", "wb") as f:
            f.write(self.path.encode() + b"\n" + body)
        os.rename(sys.argv[2] + ".new", sys.argv[2])
        self.send_response(204)
        self.end_headers()
    def log_message(self, *a):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Take).serve_forever()
PY
}

@test "heads taken elsewhere: kept in a folder, and the ledger held to them where the roll went back with it" {
    local at=$BATS_FILE_TMPDIR/demo pid port taking
    demo_stop
    read -r port < <(demo_ports 1)
    taker "$port" "$PWD/taken" &
    taking=$!
    printf 'heads:\n  every: 1s\n  directory: heads\n  put: "http://127.0.0.1:%s/w"\n' "$port" >>"$CHANCERY_CONFIG"
    demo_start "$at"
    pushed() { [ -s "$at/heads/checkpoint" ] && [ -s taken ]; }
    within 20 pushed
    kill "$taking"
    [ "$(head -n 1 taken)" = /w/checkpoint ]
    tail -n +2 taken >taken.checkpoint
    run -0 monitor --old taken.checkpoint
    run -0 monitor --old "$at/heads/checkpoint"
    demo_stop
    mkdir earlier later
    cp -a "$at/ledger" "$at/roll" earlier/
    demo_start "$at"
    grow 3
    local size
    size=$(chancery ledger head --json | jq .size)
    further() { [ "$(sed -n 2p "$at/heads/checkpoint")" -ge "$size" ]; }
    within 20 further
    demo_stop
    mv "$at/ledger" "$at/roll" later/
    cp -a earlier/* "$at/"
    "$CHANCERY_BIN/chanceryd" -c "$CHANCERY_CONFIG" 2>pushed.log &
    pid=$!
    said() { grep -q 'ledger.taken-back.*heads.directory has' pushed.log; }
    within 20 said || { cat pushed.log; kill "$pid"; return 1; }
    kill "$pid"
    within 30 process_gone "$pid"
    rm -rf "$at/ledger" "$at/roll"
    mv later/* "$at/"
    demo_start "$at"
}

@test "a ledger that was taken back: not issued from, and said why" {
    local at=$BATS_FILE_TMPDIR/demo pid
    demo_stop
    cp -a "$at/ledger" earlier
    demo_start "$at"
    grow 3
    chancery ledger head >/dev/null
    demo_stop
    mv "$at/ledger" later
    cp -a earlier "$at/ledger"
    "$CHANCERY_BIN/chanceryd" -c "$CHANCERY_CONFIG" 2>taken-back.log &
    pid=$!
    said() { grep -q 'ledger.taken-back' taken-back.log; }
    within 20 said || { cat taken-back.log; kill "$pid"; return 1; }
    grep -q 'ledger ends at entry .* signed a head over\|not those over which' taken-back.log
    # HTTPS is not opened; control.sock says why
    run curl -s --max-time 1 --cacert "$CHANCERY_ROOT" "$CHANCERY_URL/readyz"
    [ "$status" != 0 ]
    curl -s --unix-socket "$at/run/control.sock" http://localhost/readyz | jq -e '.probes[] | select(.name == "issuing") | .ok == false' >/dev/null
    kill "$pid"
    within 30 process_gone "$pid"
    # and with the right one it goes on
    rm -rf "$at/ledger"
    mv later "$at/ledger"
    demo_start "$at"
    grow 1
    run chancery ledger verify
    [ "$status" = 0 ] || { echo "$output"; return 1; }
}
