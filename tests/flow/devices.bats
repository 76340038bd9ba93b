#!/usr/bin/env bats
# Devices: doc/DEVICES.md as it is printed; and from a token to a renewed, then revoked certificate in front of nginx and haproxy.

load ../lib/demo
load ../lib/ask

setup_file() {
    demo_start
    export S=$BATS_FILE_TMPDIR/servers
    mkdir -p "$S"
    cd "$S" || return 1
    read -r NGINX_PORT HAPROXY_PORT < <(demo_ports 2)
    export NGINX_PORT HAPROXY_PORT
    issue web DNS:web.example.internal DNS:localhost
    cat web.pem web.key >both.pem
    cat "$CHANCERY_ISSUER" "$CHANCERY_ROOT" >cas.pem
    curl -sf -o crls.pem "$CHANCERY_HTTP_URL/crl/issuing-chain.pem"
    nginx_conf >nginx.conf
    haproxy_conf >haproxy.cfg
    nginx -e "$S/error.log" -p "$S" -c "$S/nginx.conf" 3>&- || return 1
    haproxy -f haproxy.cfg -W -D -p "$S/haproxy.pid" 3>&- || return 1
    within 5 test -s nginx.pid -a -s haproxy.pid
}

teardown_file() {
    local name
    for name in nginx haproxy; do
        [ ! -s "$S/$name.pid" ] || kill "$(cat "$S/$name.pid")"
    done
    demo_stop
}

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

nginx_conf() {
    cat <<CONF
pid $S/nginx.pid;
error_log $S/error.log info;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $S/tmp-body; proxy_temp_path $S/tmp-proxy; fastcgi_temp_path $S/tmp-fcgi;
    uwsgi_temp_path $S/tmp-uwsgi; scgi_temp_path $S/tmp-scgi;
    ssl_certificate $S/web.pem;
    ssl_certificate_key $S/web.key;
    server {
        listen 127.0.0.1:$NGINX_PORT ssl;
        ssl_verify_client on;
        ssl_verify_depth 2;
        ssl_client_certificate $S/cas.pem;
        ssl_crl $S/crls.pem;
        location / { return 200 served; }
    }
}
CONF
}

haproxy_conf() {
    cat <<CONF
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend devices
    bind 127.0.0.1:$HAPROXY_PORT ssl crt $S/both.pem ca-file $S/cas.pem verify required crl-file $S/crls.pem
    http-request return status 200 content-type text/plain string served
CONF
}

# Both servers with the lists as they are now. haproxy's master starts a new worker and lets the old one end.
fresh_lists() {
    curl -sf -o "$S/crls.pem" "$CHANCERY_HTTP_URL/crl/issuing-chain.pem"
    kill -HUP "$(cat "$S/nginx.pid")"
    kill -USR2 "$(cat "$S/haproxy.pid")"
}

let_in() { # CERT KEY PORT
    [ "$(curl -sS --max-time 5 --cacert "$CHANCERY_ROOT" --cert "$1" --key "$2" "https://localhost:$3/" 2>&1 | tee said)" = served ]
}
shut_out() { ! let_in "$@"; }

# Every line of a console block that begins with `$ `, and the lines that go on from it.
printed() {
    awk '/^```/ { on = $0 ~ /console/; next } on && /^\$ / { going = 1; print substr($0, 3); next }
        on && going && /^    / { print; next } { going = 0 }' "$CHANCERY_TOP/doc/DEVICES.md"
}

@test "doc/DEVICES.md runs as it is printed" {
    { echo 'set -euxo pipefail'; declare -f chancery; printed; } >commands
    [ "$(grep -c curl commands)" -ge 6 ]
    bash commands >out 2>&1 || { tail -30 out; return 1; }
    same "$(grep -cE '^(dev|next).pem: OK' out)" 2
    grep -q 'revoked at' out
}

@test "from a token to a renewed, then revoked certificate in front of nginx and haproxy" {
    local port
    chancery token create --template device --name dev9.example.internal --uses 1 --ttl 1d --out token 2>/dev/null
    TEMPLATE=device TOKEN=token issue dev9 DNS:dev9.example.internal
    for port in "$NGINX_PORT" "$HAPROXY_PORT"; do
        let_in dev9.pem dev9.key "$port" || { echo "port $port:"; cat said; return 1; }
        run curl -s --max-time 5 --cacert "$CHANCERY_ROOT" "https://localhost:$port/"
        [ "$output" != served ]
    done

    csr next DNS:dev9.example.internal
    ask --cert dev9.pem --key dev9.key -H 'Content-Type: application/pkcs10' -H 'Accept: application/pem-certificate-chain' \
        --data-binary @next.csr "/v1/certificates/$(serial_of dev9.pem)/renew"
    expect 201
    body >next.pem
    for port in "$NGINX_PORT" "$HAPROXY_PORT"; do let_in next.pem next.key "$port"; done

    chancery cert revoke "$(serial_of next.pem)" --reason keyCompromise
    listed() {
        curl -sf -o lists.pem "$CHANCERY_HTTP_URL/crl/issuing.crl" &&
            openssl crl -inform DER -in lists.pem -noout -text | grep -qi "$(serial_of next.pem)"
    }
    within 5 listed
    fresh_lists
    for port in "$NGINX_PORT" "$HAPROXY_PORT"; do
        within 10 shut_out next.pem next.key "$port"
    done
    ask --cert next.pem --key next.key -H 'Content-Type: application/pkcs10' --data-binary @next.csr \
        "/v1/certificates/$(serial_of next.pem)/renew"
    expect_problem 401 unauthenticated revoked
}

@test "a second key in one line is an alarm" {
    local before
    TEMPLATE=device issue dev8 DNS:dev8.example.internal
    csr next DNS:dev8.example.internal
    csr thief DNS:dev8.example.internal
    renew() { ask --cert dev8.pem --key dev8.key -H 'Content-Type: application/pkcs10' --data-binary @"$1" "/v1/certificates/$(serial_of dev8.pem)/renew"; }
    renew next.csr
    expect 201
    before=$(member .serial)
    renew next.csr # the answer was lost
    expect 200
    same "$(member .serial)" "$before"
    renew thief.csr
    expect_problem 409 renewed "$before"
    chancery ledger log --limit 1000 --json | jq -e '[.entries[] | select(.kind == "alarm")] | length == 1' >/dev/null
    ask_admin /metrics
    body | grep -qx 'chancery_identity_alarms_total 1'
}

@test "a thousand tokens from a table, each for its own device" {
    { echo label,name,serial_number,note; for i in $(seq 1001); do echo "unit-$i,dns:u$i.example.internal; cn:*,$i,\"shelf 4, \"\"left\"\"\""; done; } >in.csv
    chancery token create --csv in.csv --out out.csv --template device --ttl 2d 2>err || { cat err; return 1; }
    grep -qx '1001 of 1001 tokens' err
    same "$(stat -c %a out.csv)" 600
    same "$(wc -l <out.csv)" 1002
    same "$(head -1 out.csv)" label,name,serial_number,note,token,id,expires
    matches "$(sed -n 8p out.csv)" '^unit-7,dns:u7.example.internal; cn:\*,7,"shelf 4, ""left""",chancery_[A-Za-z0-9_-]{43},[0-9a-f]{64},20'
    sed -n 's/^unit-7,.*\(chancery_[^,]*\),.*/\1/p' out.csv >t7
    csr u8 DNS:u8.example.internal
    TOKEN=t7 ask_csr u8.csr template=device
    expect_problem 403 name-forbidden u8
    SUBJECT=/serialNumber=8/CN=u7 csr u7 DNS:u7.example.internal
    TOKEN=t7 ask_csr u7.csr template=device
    expect_problem 403 name-forbidden serial_number
    SUBJECT=/serialNumber=7/CN=u7 csr u7 DNS:u7.example.internal
    TOKEN=t7 ask_csr u7.csr template=device
    expect 201
    run chancery token create --csv in.csv --out out.csv --template device
    [ "$status" -eq 1 ]
}

@test "a table with a fault makes nothing" {
    printf 'name,uses\ndns:a.example.internal,1\ndns:b.example.internal,many\n' >in.csv
    run chancery token create --csv in.csv --out out.csv --template device
    [ "$status" -eq 1 ]
    matches "$output" 'line 3: uses'
    [ ! -e out.csv ]
}

@test "the roots by fingerprint" {
    local fp
    fp=$(openssl x509 -in "$CHANCERY_ROOT" -noout -fingerprint -sha256 | cut -d= -f2)
    ask /v1/roots
    expect 200
    same "$(member '.roots[0].standing')" current
    same "$(member '.roots[0].sha256')" "$(tr -d : <<<"$fp" | tr A-F a-f)"
    ask -H "If-None-Match: $(header ETag)" /v1/roots
    expect 304
    chancery trust fetch --fingerprint "$fp" "$CHANCERY_URL" >r.pem
    cmp r.pem <(openssl x509 -in "$CHANCERY_ROOT")
    chancery trust fetch --fingerprint "$fp" "$CHANCERY_HTTP_URL" | cmp - r.pem
    run chancery trust fetch --fingerprint "${fp%??}00" "$CHANCERY_URL"
    [ "$status" -eq 1 ]
    matches "$output" 'trust none'
    mkdir store
    chancery trust install r.pem --fingerprint "$fp" --dir store
    cmp store/chancery-*.crt r.pem
}

b64url() { base64 -w0 | tr '+/' '-_' | tr -d =; }

jwks() { # KEY KID; the public half of an RSA key
    local n
    n=$(openssl rsa -in "$1" -noout -modulus 2>/dev/null | cut -d= -f2 | basenc --base16 -d | b64url)
    printf '{"keys": [{"kty": "RSA", "kid": "%s", "use": "sig", "n": "%s", "e": "AQAB"}]}' "$2" "$n"
}

jwt() { # KEY KID CLAIMS
    local input
    input=$(printf '{"alg":"RS256","kid":"%s"}' "$2" | b64url).$(printf '%s' "$3" | b64url)
    echo "$input.$(printf '%s' "$input" | openssl dgst -sha256 -sign "$1" | b64url)"
}

generation() { curl -s --cacert "$CHANCERY_ROOT" "$CHANCERY_URL/readyz" | jq .generation; }

reload() {
    local next=$(($(generation) + 1))
    is_next() { [ "$(generation)" = "$next" ]; }
    kill -HUP "$CHANCERY_PID"
    within 10 is_next
}

@test "a CI system's tokens count as the configuration says, and keys that it drops do not" {
    local claims
    key_make ci.key RSA-2048
    key_make next.key RSA-2048
    jwks ci.key one >"$CHANCERY_DIR/ci.json"
    cat >>"$CHANCERY_CONFIG" <<YAML
jwt:
  - name: ci
    issuer: https://ci.example.internal
    audience: chancery
    keys: ci.json
    when: claims.ref == 'main'
    template: "'server'"
    names: "['dns:' + claims.project + '.example.internal']"
YAML
    reload
    claims="{\"iss\":\"https://ci.example.internal\",\"aud\":[\"chancery\"],\"exp\":$(($(date +%s) + 600)),\"sub\":\"app\",\"ref\":\"main\",\"project\":\"app\"}"
    jwt ci.key one "$claims" >token
    TOKEN=token issue app DNS:app.example.internal
    same "$(chancery cert show "$(serial_of app.pem)" --json | jq -r .owner)" jwt:ci:app
    csr other DNS:other.example.internal
    TOKEN=token ask_csr other.csr
    expect_problem 403 name-forbidden other
    jwks next.key two >"$CHANCERY_DIR/ci.json"
    reload
    TOKEN=token ask_csr app.csr
    expect_problem 401 unauthenticated 'no key'
    jwt next.key two "$claims" >token
    csr app2 DNS:app.example.internal
    TOKEN=token ask_csr app2.csr
    expect 201
    ! grep -rqF "$(cut -d. -f3 token)" "$CHANCERY_DIR/log"
}
