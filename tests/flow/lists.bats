#!/usr/bin/env bats
# Full, delta and partitioned lists together, as clients see them: the responder's paths, a directory, an address that takes
# PUT; openssl with deltas and critical distribution points, nginx and haproxy.

load ../lib/demo
load ../lib/ask

setup_file() {
    demo_start
    demo_stop
    export L=$BATS_FILE_TMPDIR/lists
    mkdir -p "$L/put"
    cd "$L" || return 1
    read -r PUT NGINX_PORT HAPROXY_PORT < <(demo_ports 3)
    export PUT NGINX_PORT HAPROXY_PORT
    umask 077
    echo "Authorization: Bearer secret-of-the-place" >"$L/header"
    umask 022
    put_server 3>&- &
    echo $! >"$L/put.pid"
    python3 - "$BATS_FILE_TMPDIR/demo/chancery.yaml" <<PY
import re, sys
text = open(sys.argv[1]).read()
crl = """    crl: {every: 12h, lifetime: 7d, partition: 3, delta: 1h, directory: $L/dir,
          put: "http://127.0.0.1:$PUT/cdn", put_header_file: $L/header}
"""
at = text.index("name: issuing")
line = text.index("\n", at) + 1
text = text[:line] + crl + text[line:]
open(sys.argv[1], "w").write(text)
PY
    demo_start
}

teardown_file() {
    for name in nginx haproxy put; do
        [ ! -s "$L/$name.pid" ] || kill "$(cat "$L/$name.pid")"
    done
    demo_stop
}

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# Takes PUT with the credential, refuses once in a while, keeps what comes.
put_server() {
    exec python3 - "$PUT" "$L/put" <<'PY'
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    refused = False
    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        good = self.headers["Authorization"] == "Bearer secret-of-the-place"
        if not Handler.refused or not good:
            Handler.refused = True
            self.send_response(503 if good else 403)
            self.end_headers()
            return
        path = sys.argv[2] + self.path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path + ".tmp", "wb").write(body)
        os.rename(path + ".tmp", path)
        self.send_response(201)
        self.end_headers()
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
PY
}

fetch() { curl -sf --max-time 10 "$@"; }
crl() { fetch -o "$2" "$CHANCERY_HTTP_URL/crl/$1"; } # PATH FILE
pem() { openssl crl -inform DER -in "$1" -out "$2"; }
text() { openssl crl -inform DER -in "$1" -noout -text; }
number() { printf '%d' "$(openssl crl -inform DER -in "$1" -noout -crlnumber | cut -d= -f2)"; }
point() { openssl x509 -in "$1" -noout -ext crlDistributionPoints | sed -n 's/.*URI://p'; }
partition_of() { point "$1" | sed 's|.*/\([0-9]*\)\.crl|\1|'; }

revoke() { # FILE REASON
    ask_token -H 'Content-Type: application/json' -d "{\"reason\":\"$2\"}" "/v1/certificates/$(serial_of "$1")/revoke"
    expect 200
}

lists() { # PATH FILE SERIAL
    crl "$1" "$2" && text "$2" | grep -qi "Serial Number: $3"
}

# With these lists of the issuer (DER), and the root's.
verify() { # FILE LIST... -- OPTION...
    local file=$1 one=()
    shift
    crl root.crl root.der
    pem root.der all.pem
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        pem "$1" one.pem
        cat one.pem >>all.pem
        shift
    done
    openssl verify -crl_check_all -CRLfile all.pem "${@:2}" -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" "$file" 2>&1
}

@test "a certificate names its partition's list, whose distribution point is critical" {
    issue a DNS:a.example.internal
    n=$(partition_of a.pem)
    same "$(point a.pem)" "$CHANCERY_HTTP_URL/crl/issuing/$n.crl"
    within 5 crl "issuing/$n.crl" part.der
    text part.der >part.text
    grep -A2 'Issuing Distribution Point: critical' part.text | grep -q "crl/issuing/$n.crl"
    verify a.pem part.der
}

@test "partitions fill and new ones come, each with a list from its first certificate on" {
    issue a DNS:a.example.internal
    first=$(partition_of a.pem)
    for i in 1 2 3; do issue "b$i" "DNS:b$i.example.internal"; done
    same "$(partition_of b3.pem)" $((first + 1))
    within 5 crl "issuing/$((first + 1)).crl" next.der
    verify b3.pem next.der
}

@test "a revocation is on the partition's list and on the delta within a second, and the list of everything stays" {
    issue a DNS:a.example.internal
    n=$(partition_of a.pem)
    crl issuing.crl whole.der
    revoke a.pem superseded
    within 1 lists "issuing/$n.crl" part.der "$(serial_of a.pem)"
    within 1 lists issuing-delta.crl delta.der "$(serial_of a.pem)"
    crl issuing.crl after.der
    same "$(number whole.der)" "$(number after.der)"
    run verify a.pem part.der
    matches "$output" 'certificate revoked'
}

@test "openssl sees it in list and delta together, and without the delta does not" {
    issue a DNS:a.example.internal
    revoke a.pem keyCompromise
    within 1 lists issuing-delta.crl delta.der "$(serial_of a.pem)"
    crl issuing.crl whole.der
    text whole.der | grep -A2 'Freshest CRL' | grep -q issuing-delta.crl
    run verify a.pem whole.der delta.der -- -extended_crl -use_deltas
    matches "$output" 'certificate revoked'
    verify a.pem whole.der
    issue b DNS:b.example.internal
    verify b.pem whole.der delta.der -- -extended_crl -use_deltas
}

@test "the list of another partition is not taken for a certificate's own" {
    issue a DNS:a.example.internal
    n=$(partition_of a.pem)
    within 5 crl "issuing/$n.crl" own.der
    other=$((n > 1 ? n - 1 : n + 1))
    within 5 crl "issuing/$other.crl" other.der
    verify a.pem own.der
    run verify a.pem other.der
    matches "$output" 'unable to get certificate CRL|[Dd]ifferent CRL scope'
}

@test "lists lie in the directory, whole, as the responder serves them" {
    issue a DNS:a.example.internal
    n=$(partition_of a.pem)
    revoke a.pem superseded
    within 1 lists "issuing/$n.crl" part.der "$(serial_of a.pem)"
    there() { cmp -s part.der "$L/dir/issuing/$n.crl"; }
    within 3 there
    for name in issuing.crl issuing-delta.crl issuing-chain.pem; do
        [ -s "$L/dir/$name" ]
    done
    [ -z "$(find "$L/dir" -name '*.tmp')" ]
}

@test "lists are put to the address, with the credential, again where that was refused" {
    issue a DNS:a.example.internal
    n=$(partition_of a.pem)
    revoke a.pem superseded
    within 1 lists "issuing/$n.crl" part.der "$(serial_of a.pem)"
    there() { cmp -s part.der "$L/put/cdn/issuing/$n.crl"; }
    within 10 there
    whole() { crl issuing.crl whole.der && cmp -s whole.der "$L/put/cdn/issuing.crl"; }
    within 10 whole
    grep -q 'crl.undelivered.*503' "$CHANCERY_DIR/log"
    ask_admin /metrics
    matches "$(body | sed -n 's/^chancery_crl_deliveries_failed_total //p')" '^[1-9]'
    matches "$(body | sed -n 's/^chancery_crl_deliveries_total //p')" '^[1-9]'
}

@test "an address that is away for a while gets what it missed, and nothing else waits for it" {
    kill "$(cat "$L/put.pid")"
    issue a DNS:a.example.internal
    n=$(partition_of a.pem)
    revoke a.pem superseded
    within 1 lists "issuing/$n.crl" part.der "$(serial_of a.pem)"
    put_server 3>&- &
    echo $! >"$L/put.pid"
    there() { cmp -s part.der "$L/put/cdn/issuing/$n.crl"; }
    within 20 there
}

@test "the courier is a process of its own, which is started again and misses nothing" {
    old=$(demo_child courier)
    kill -9 "$old"
    again() { new=$(demo_child courier) && [ -n "$new" ] && [ "$new" != "$old" ]; }
    within 10 again
    issue a DNS:a.example.internal
    n=$(partition_of a.pem)
    revoke a.pem superseded
    within 1 lists "issuing/$n.crl" part.der "$(serial_of a.pem)"
    there() { cmp -s part.der "$L/put/cdn/issuing/$n.crl"; }
    within 20 there
}

@test "curl gets parts, gzip and 304" {
    crl issuing-chain.pem chain.pem
    fetch -r 0-9 -o part "$CHANCERY_HTTP_URL/crl/issuing-chain.pem"
    cmp part <(head -c 10 chain.pem)
    head -c 100 chain.pem >resumed
    fetch -C - -o resumed "$CHANCERY_HTTP_URL/crl/issuing-chain.pem"
    cmp resumed chain.pem
    tag=$(curl -sI "$CHANCERY_HTTP_URL/crl/issuing.crl" | sed -n 's/^ETag: \(.*\)\r$/\1/p')
    same "$(curl -s -o none -w '%{http_code}' -H "If-None-Match: $tag" "$CHANCERY_HTTP_URL/crl/issuing.crl")" 304
    for i in $(seq 30); do issue "r$i" "DNS:r$i.example.internal"; revoke "r$i.pem" superseded; done
    gz() {
        fetch -H 'Accept-Encoding: gzip' -D head -o gz "$CHANCERY_HTTP_URL/crl/issuing-delta.crl" && grep -qi '^content-encoding: gzip' head
    }
    within 5 gz
    fetch --compressed -o plain "$CHANCERY_HTTP_URL/crl/issuing-delta.crl"
    cmp plain <(gzip -dc gz)
}

@test "nginx refuses a revoked client by the lists of the chain" {
    issue web DNS:web.example.internal
    TEMPLATE=client issue good DNS:good.example.internal
    TEMPLATE=client issue bad DNS:bad.example.internal
    revoke bad.pem superseded
    n=$(partition_of bad.pem)
    chained() {
        crl issuing-chain.pem crls.pem && lists "issuing/$n.crl" part.der "$(serial_of bad.pem)" && pem part.der one.pem &&
            grep -qF "$(sed -n 3p one.pem)" crls.pem
    }
    within 5 chained
    cat "$CHANCERY_ISSUER" "$CHANCERY_ROOT" >cas.pem
    mkdir -p html && echo served >html/index.html
    cat >nginx.conf <<CONF
daemon off;
pid $L/nginx.pid;
error_log $PWD/error.log info;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $PWD/t1; proxy_temp_path $PWD/t2; fastcgi_temp_path $PWD/t3; uwsgi_temp_path $PWD/t4; scgi_temp_path $PWD/t5;
    server {
        listen 127.0.0.1:$NGINX_PORT ssl;
        root $PWD/html;
        ssl_certificate $PWD/web.pem; ssl_certificate_key $PWD/web.key;
        ssl_verify_client on; ssl_verify_depth 2; ssl_client_certificate $PWD/cas.pem; ssl_crl $PWD/crls.pem;
    }
}
CONF
    nginx -e "$PWD/error.log" -p "$PWD" -c "$PWD/nginx.conf" 3>&- &
    within 5 test -s "$L/nginx.pid"
    to() { curl -s -o body -w '%{http_code}' --cacert "$CHANCERY_ROOT" --resolve "web.example.internal:$NGINX_PORT:127.0.0.1" --cert "$1.pem" --key "$1.key" "https://web.example.internal:$NGINX_PORT/"; }
    same "$(to good)" 200
    same "$(to bad)" 400
}

@test "haproxy refuses a revoked client by the lists of the chain" {
    command -v haproxy >/dev/null || skip "no haproxy here"
    issue web DNS:web.example.internal
    TEMPLATE=client issue good DNS:good.example.internal
    TEMPLATE=client issue bad DNS:bad.example.internal
    revoke bad.pem superseded
    n=$(partition_of bad.pem)
    chained() {
        crl issuing-chain.pem crls.pem && lists "issuing/$n.crl" part.der "$(serial_of bad.pem)" && pem part.der one.pem &&
            grep -qF "$(sed -n 3p one.pem)" crls.pem
    }
    within 5 chained
    cat "$CHANCERY_ISSUER" "$CHANCERY_ROOT" >cas.pem
    cat web.pem web.key >both.pem
    cat >haproxy.cfg <<CONF
global
    pidfile $L/haproxy.pid
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend f
    bind 127.0.0.1:$HAPROXY_PORT ssl crt $PWD/both.pem ca-file $PWD/cas.pem crl-file $PWD/crls.pem verify required
    http-request return status 200 content-type text/plain string served
CONF
    haproxy -D -f haproxy.cfg 3>&-
    within 5 test -s "$L/haproxy.pid"
    to() { curl -s -o body --cacert "$CHANCERY_ROOT" --resolve "web.example.internal:$HAPROXY_PORT:127.0.0.1" --cert "$1.pem" --key "$1.key" "https://web.example.internal:$HAPROXY_PORT/" && grep -q served body; }
    to good
    ! to bad
}

@test "the ledger agrees with the roll after all of this" {
    chancery ledger verify
}
