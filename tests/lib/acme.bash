# ACME in a demo, with real clients: names from tests/lib/outside.py, challenges on ports of the test's own. A bats file loads
# it after lib/demo, calls acme_start in setup_file and acme_stop in teardown_file.

# CHALLENGE_HTTP, CHALLENGE_TLS: where clients answer; DIRECTORY, and WILD, that of a template with wildcards for which an
# account needs an EAB; ZONE: the file of names (see outside.py).
acme_start() {
    export ZONE=$BATS_FILE_TMPDIR/zone OUTSIDE=$BATS_FILE_TMPDIR/outside WELL_KNOWN=$BATS_FILE_TMPDIR/www/.well-known/acme-challenge
    read -r CHALLENGE_HTTP CHALLENGE_TLS < <(demo_ports 2)
    export CHALLENGE_HTTP CHALLENGE_TLS
    mkdir -p "$OUTSIDE" "$WELL_KNOWN"
    printf '%s A 127.0.0.1\n' example.internal '*.example.internal' >"$ZONE"
    python3 "$CHANCERY_TOP/tests/lib/outside.py" "$ZONE" "$OUTSIDE" --stay >"$OUTSIDE/ports" 2>"$OUTSIDE/errors" 3>&- &
    echo $! >"$OUTSIDE/pid"
    within 10 test -s "$OUTSIDE/ports" || { cat "$OUTSIDE/errors" >&2; return 1; }
    export RESOLVER
    RESOLVER=127.0.0.1:$(sed -E 's/dns=([0-9]+).*/\1/' "$OUTSIDE/ports")
    demo_start
    sed 's/wildcard: false/wildcard: true/' "$CHANCERY_DIR/templates/server.yaml" >"$CHANCERY_DIR/templates/wild.yaml"
    sed -i 's/^  templates: \[server,/  templates: [wild, server,/' "$CHANCERY_CONFIG"
    acme_validation
    export DIRECTORY=$CHANCERY_URL/acme/directory WILD=$CHANCERY_URL/acme/wild/directory
}

acme_stop() {
    demo_stop
    kill "$(cat "$BATS_FILE_TMPDIR/outside/pid")"
}

# Sets acme.validation to the test's own resolver and ports, and has the daemon take it.
acme_validation() { # [", key: value"...]
    local all="resolvers: [\"$RESOLVER\"], http_port: $CHALLENGE_HTTP, tls_port: $CHALLENGE_TLS, timeout: 5s${1:-}"
    sed -i -e '/^ *validation:/d' -e "/^acme:/a\\  validation: {$all}" "$CHANCERY_CONFIG"
    local logged
    logged=$(wc -l <"$CHANCERY_DIR/log")
    kill -HUP "$CHANCERY_PID"
    within 10 reloaded "$logged" || { tail -5 "$CHANCERY_DIR/log" >&2; return 1; }
}
reloaded() { tail -n "+$(($1 + 1))" "$CHANCERY_DIR/log" | grep -q 'reload\.done'; }

# A plain web server over www/, for clients that only write files; ends with the test.
web_start() {
    python3 -m http.server "$CHALLENGE_HTTP" --bind 127.0.0.1 --directory "$BATS_FILE_TMPDIR/www" >web.log 2>&1 3>&- &
    echo $! >web.pid
    within 10 curl -so /dev/null "http://127.0.0.1:$CHALLENGE_HTTP/"
}
web_stop() { [ ! -e web.pid ] || kill "$(cat web.pid)"; }

# KID and HMAC of a new key for one account of the WILD directory, names under example.internal.
eab() { # [JSON members]
    ask_operator -H 'Content-Type: application/json' -d "{\"templates\": [\"wild\"], \"names\": [\"**.example.internal\"]${1:+, $1}}" /v1/acme/eab &&
        expect 201 && KID=$(member .kid) HMAC=$(member .hmac_key)
}

# What doc/ACME.md prints under a client's heading: its Nth block, with the ports of this test.
printed() { # HEADING [N]
    awk -v heading="### $1" -v want="${2:-1}" '
        /^#/ { here = $0 == heading }
        here && /^```[a-z]/ { if (++n == want) { on = 1; next } }
        /^```$/ { on = 0 }
        on' "$CHANCERY_TOP/doc/ACME.md" | sed "s/\b5002\b/$CHALLENGE_HTTP/g; s/\b5001\b/$CHALLENGE_TLS/g" >printed
    [ -s printed ] && cat printed
}

# Runs it, as printed.
as_printed() { # HEADING [N]
    printed "$@" >block.sh || { echo "no such block: $*"; return 1; }
    DIRECTORY=$DIRECTORY ROOT=$CHANCERY_ROOT WELLKNOWN=$WELL_KNOWN "${WITHIN:-bash}" -e block.sh >block.log 2>&1 || { cat block.sh block.log; return 1; }
}

# --- what came back ---

# FILE (leaf first) is a certificate of this CA for exactly these names, and good by OCSP.
certified() { # FILE NAME...
    local file=$1 names
    shift
    openssl x509 -in "$file" -out leaf.pem &&
        openssl verify -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" leaf.pem >verify.out 2>&1 || { cat verify.out; return 1; }
    names=$(openssl x509 -in leaf.pem -noout -ext subjectAltName | tail -n +2 | tr -d ' ' | tr ',' '\n' | sort | paste -sd' ')
    [ "$names" = "$(printf 'DNS:%s\n' "$@" | sort | paste -sd' ')" ] || { echo "names: $names"; return 1; }
    status_is good leaf.pem
}

ocsp_of() { # FILE
    openssl ocsp -issuer "$CHANCERY_ISSUER" -cert "$1" -url "$(openssl x509 -in "$1" -noout -ocsp_uri)" -CAfile "$CHANCERY_ROOT" 2>&1
}
status_is() { # good|revoked FILE
    within 5 eval "ocsp_of '$2' | grep -q ': $1'" || { ocsp_of "$2"; return 1; }
}
