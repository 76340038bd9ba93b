# Installations on PKCS#11 modules other than SoftHSM, for tests. After demo.bash and ask.bash.
#
# A test makes a token of the module under $DIR, says in $TOKEN_YAML how it is opened, and calls `signs_and_issues`.

# One installation in $DIR: a token named `t`, opened as $TOKEN_YAML says; PIN in secret/pin.
module_config() { # ROOT-KEY-TYPE ISSUING-KEY-TYPE
    local port http_port
    read -r port http_port < <(demo_ports 2)
    HTTPS=https://localhost:$port HTTP=http://localhost:$http_port
    mkdir -p "$DIR/issuers"
    {
        printf 'demo: true\npublic_url: %s\nhttps_url: %s\nnames: ["dns:localhost", "ip:127.0.0.1"]\n' "$HTTP" "$HTTPS"
        printf 'listen:\n  https: ["127.0.0.1:%s"]\n  http: ["127.0.0.1:%s"]\n' "$port" "$http_port"
        printf 'tokens:\n  - name: t\n    pin_file: secret/pin\n%s\n' "$TOKEN_YAML"
        printf 'issuers:\n  - {name: root, key: "pkcs11:object=root", key_type: %s, certificate: issuers/root.pem, issue: false}\n' "$1"
        printf '  - {name: issuing, key: "pkcs11:object=issuing", key_type: %s, certificate: issuers/issuing.pem}\n' "$2"
    } >"$DIR/chancery.yaml"
}

module_pin() { # PIN
    mkdir -p -m 700 "$DIR/secret"
    (umask 077 && printf %s "$1" >"$DIR/secret/pin")
}

tool() { "$CHANCERY_BUILD/release/bin/chancery" -c "$DIR/chancery.yaml" "$@"; }

module_ready() {
    process_alive "$DAEMON" && curl -sf --max-time 2 --cacert "$DIR/issuers/root.pem" -o "$DIR/ready" "$HTTPS/readyz" &&
        jq -e '[.probes[].ok] | all' "$DIR/ready" >/dev/null
}

module_stop() {
    [ -n "${DAEMON:-}" ] && kill "$DAEMON" && within 30 process_gone "$DAEMON"
    DAEMON=
}

# init, start, a certificate, its chain, its lists, its status; then once more by a vault that came up anew.
signs_and_issues() { # ROOT-KEY-TYPE ISSUING-KEY-TYPE
    module_config "$1" "$2"
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$DIR/admin.key" -subj /CN=admin -out "$DIR/admin.csr" 2>/dev/null
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$DIR/key" -subj / -addext subjectAltName=DNS:a.example.internal -out "$DIR/csr" 2>/dev/null
    tool init --admin-csr "$DIR/admin.csr" >"$DIR/init" 2>&1 || { cat "$DIR/init"; return 1; }
    "$CHANCERY_BUILD/release/bin/chanceryd" -c "$DIR/chancery.yaml" >"$DIR/log" 2>&1 </dev/null 3>&- &
    DAEMON=$!
    within 30 module_ready || { tail -20 "$DIR/log"; tool hsm info | head -3; return 1; }
    tool hsm info --json | jq -e '[.keys[].label] | contains(["root", "issuing"])' >/dev/null || { tool hsm info; return 1; }
    module_certificate || return
    kill -9 "$(ps -o pid=,args= --ppid "$DAEMON" | awk '/--role vault/ { print $1; exit }')"
    within 60 module_certificate || { tail -20 "$DIR/log"; return 1; }
    within 30 module_ready
    tool ledger verify
}

module_certificate() {
    tool cert request --template server --csr "$DIR/csr" --out "$DIR/chain.pem" >"$DIR/request" 2>&1 || { cat "$DIR/request"; return 1; }
    openssl verify -CAfile "$DIR/issuers/root.pem" -untrusted "$DIR/issuers/issuing.pem" "$DIR/chain.pem" || return
    curl -sf "$HTTP/crl/issuing-chain.pem" >"$DIR/crls" &&
        openssl verify -crl_check_all -CRLfile "$DIR/crls" -CAfile "$DIR/issuers/root.pem" -untrusted "$DIR/issuers/issuing.pem" "$DIR/chain.pem" || return
    openssl ocsp -issuer "$DIR/issuers/issuing.pem" -cert "$DIR/chain.pem" -CAfile "$DIR/issuers/root.pem" -url "$HTTP/ocsp/issuing" >"$DIR/ocsp" 2>&1
    grep -q 'Response verify OK' "$DIR/ocsp" && grep -q 'chain.pem: good' "$DIR/ocsp" || { cat "$DIR/ocsp"; return 1; }
}
