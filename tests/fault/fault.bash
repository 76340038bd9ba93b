# Demos that are meant to be hurt: with the counting module around the token, in the real program or the one with the
# other world; clients that keep on asking, and the books held against what they were told. After ../lib/demo.
#
#   $BIN     the release build           $DIR     the demo's folder
#   $WORLD   page of world-ctl           $WRAP    page of p11wrap-ctl

BIN=$CHANCERY_BUILD/release
export BIN

# Makes a demo in DIR whose token is reached through p11wrap, and starts nothing.
fault_make() { # DIR
    local port http_port
    export DIR=$1 WORLD=$1/world WRAP=$1/wrap/page
    read -r port http_port < <(demo_ports 2)
    export PORT=$port HTTP_PORT=$http_port
    "$BIN/bin/chancery" init --demo "$DIR" --port "$port" --http-port "$http_port" >"$DIR.init" 2>&1 || { cat "$DIR.init"; return 1; }
    mkdir -m 0700 "$DIR/wrap"
    "$BIN/p11wrap-ctl" "$WRAP" create
    "$BIN/world-ctl" "$WORLD" create
    sed -i -e "s|module: \(.*\)|module: $BIN/p11wrap.so|" \
        -e "s|env: {\(.*\)}|env: {\1, P11WRAP_MODULE: /usr/lib/softhsm/libsofthsm2.so, P11WRAP_STATE: $WRAP}|" \
        -e "s|writes: \[token\]|writes: [token, wrap]|" "$DIR/chancery.yaml"
    printf 'CHANCERY_BIN=%s\n' "$BIN/bin" >>"$DIR/env"
    demo_env "$DIR"
    SEALS_BEFORE=$(chancery ledger verify --json | jq .seals)
    export SEALS_BEFORE
}

# Starts it, by default the real program, and waits until it is well. PRELOAD=... a library before all others.
fault_start() { # [chanceryd-test]
    CHANCERY_WORLD=$WORLD LD_PRELOAD=${PRELOAD:-} setsid "$BIN/bin/${1:-chanceryd}" -c "$DIR/chancery.yaml" >>"$DIR/log" 2>&1 </dev/null 3>&- &
    within 30 demo_ready || { tail -20 "$DIR/log"; readyz; return 1; }
}

warden() { cat "$DIR/run/pid"; }
child() { demo_child "$1" "$(warden)" | head -1; } # ROLE

fault_stop() {
    clients_stop
    demo_stop "$DIR"
}

world() { "$BIN/world-ctl" "$WORLD" "$@"; }
wrap() { "$BIN/p11wrap-ctl" "$WRAP" "$@"; }
readyz() { curl -s --max-time 5 --cacert "$CHANCERY_ROOT" "$CHANCERY_URL/readyz"; }

# The fields of an answer to one question for a certificate: STATUS TYPE RETRY-AFTER. A fresh CSR each time.
asked() {
    rm -f "$DIR/one.key"
    csr "$DIR/one" "DNS:one.example.internal"
    local status
    status=$(bearer | curl -s --max-time 20 --cacert "$CHANCERY_ROOT" -H @- -H 'Content-Type: application/pkcs10' -D "$DIR/one.head" \
        --data-binary @"$DIR/one.csr" -o "$DIR/one.body" -w '%{http_code}' "$CHANCERY_URL/v1/certificates?template=server") || true
    echo "$status $(jq -r '.type // "-"' "$DIR/one.body" 2>/dev/null || echo -) $(awk 'tolower($1) == "retry-after:" { print $2 + 0 }' "$DIR/one.head" 2>/dev/null)"
}

# Issuance is refused with this type, retryable: 503 and Retry-After.
is_refused() { # TYPE
    answered=$(asked)
    [[ $answered =~ ^503\ urn:chancery:error:($1)\ [0-9]+$ ]]
}
refused_within() { # SECONDS TYPE
    within "$1" is_refused "$2" || { echo "asked: $answered; $(readyz)"; tail -5 "$DIR/log"; return 1; }
}

# OCSP and CRLs are there all the same.
status_is_served() {
    local serial
    serial=$(awk '/^issued/ { s = $2; exit } END { print s }' "$DIR/told")
    within 10 answers_ocsp "$serial" || { echo "OCSP of $serial: $(ocsp_of "$serial")"; return 1; }
    curl -sf --max-time 5 "$CHANCERY_HTTP_URL/crl/issuing.crl" | openssl crl -inform DER -noout -CAfile "$CHANCERY_ISSUER" 2>&1 | grep -q 'verify OK' ||
        { echo "no CRL"; return 1; }
}
answers_ocsp() { [[ $(ocsp_of "$1") =~ ^(good|revoked) ]]; }

# --- clients ---

clients_start() { # [THREADS]
    touch "$DIR/told"
    "$BIN/fault-clients" "$DIR" "$PORT" "${1:-4}" "$DIR/told" >"$DIR/clients.log" 2>&1 3>&- &
    echo $! >"$DIR/clients.pid"
    within 20 handed_more 0 || { cat "$DIR/clients.log"; tail -5 "$DIR/log"; return 1; }
}

clients_stop() {
    local pid
    pid=$(cat "$DIR/clients.pid" 2>/dev/null) || return 0
    rm -f "$DIR/clients.pid"
    kill "$pid" 2>/dev/null || return 0
    within 30 process_gone "$pid" || { echo "clients $pid did not end"; kill -9 "$pid"; return 1; }
}

handed() { awk '/^issued/ { n++ } END { print n + 0 }' "$DIR/told"; }
handed_more() { [ "$(handed)" -gt "$1" ]; }

# Waits until clients get certificates again; milliseconds that it took go to $DIR/gaps.
issuance_goes_on() { # SECONDS
    local n start=${EPOCHREALTIME/./}
    n=$(handed)
    within "$1" handed_more $((n + 4)) || {
        echo "no certificate in $1 seconds: $(readyz)"
        tail -30 "$DIR/log"
        return 1
    }
    echo $(((${EPOCHREALTIME/./} - start) / 1000)) >>"$DIR/gaps"
}

kill_one() { # ROLE
    local pid
    pid=$(child "$1")
    [ -n "$pid" ] && kill -9 "$pid" && echo "$1" >>"$DIR/kills"
}

kills() { wc -l <"$DIR/kills"; }

# --- the books, when all is stopped ---

# Nobody asks any more, and no intent is left without an end; then the end.
fault_settle() {
    clients_stop
    within 15 none_open || { chancery ledger verify; tail -5 "$DIR/log"; return 1; }
    demo_stop "$DIR"
}
none_open() { [ "$(chancery ledger verify --json | jq .open)" = 0 ]; }

books() { # [LEDGER [ROLL [RECORD]]]
    "$BIN/fault-books" "${1:-$DIR/ledger}" "${2:-$DIR/roll/roll.der}" "${3:-$DIR/told}" "$SEALS_BEFORE" "$(wrap good C_Sign)" >"$DIR/books" ||
        { grep -v '^lost\|^never' "$DIR/books"; return 1; }
    tail -1 "$DIR/books"
}

books_agree() {
    books
    chancery ledger verify >"$DIR/verify" || { cat "$DIR/verify"; return 1; }
    tail -1 "$DIR/verify" | grep -q 'the books agree'
}

# What OCSP says of a serial: good, revoked, or what stands in its place.
ocsp_of() { # SERIAL
    openssl ocsp -issuer "$CHANCERY_ISSUER" -serial "0x$1" -CAfile "$CHANCERY_ROOT" -url "$CHANCERY_HTTP_URL/ocsp/issuing" -no_nonce 2>&1 |
        sed -n "s/^0x$1: //p; s/^Responder Error: //p" | head -1
}

# "lost" counts as revoked, of "never" nothing is on record; tryLater says nothing and is asked again.
is_not_good() { # lost|never SERIAL
    status=$(ocsp_of "$2")
    case "$1 $status" in
        "lost revoked" | never\ unauthorized*) return 0 ;;
        *good*) echo "$2 ($1) is good"; exit 1 ;;
        *) return 1 ;;
    esac
}

# Certificates that nobody got are good for nobody: of MOST of them.
lost_serials_are_not_good() { # MOST
    local kind serial
    while read -r kind serial; do
        within 10 is_not_good "$kind" "$serial" || { echo "$serial ($kind) is '$status'"; return 1; }
    done < <(grep '^lost\|^never' "$DIR/books" | shuf -n "$1")
}

# All that count as revoked stand on the list: revoked by clients, or lost.
the_list_is_whole() {
    curl -sf --max-time 10 "$CHANCERY_HTTP_URL/crl/issuing.crl" | openssl crl -inform DER -noout -text |
        sed -n 's/^ *Serial Number: //p' | tr 'A-F' 'a-f' | sort >"$DIR/listed"
    { sed -n 's/^lost //p' "$DIR/books"; sed -n 's/^revoked //p' "$DIR/told"; } | sort >"$DIR/revoked"
    comm -13 "$DIR/listed" "$DIR/revoked" >"$DIR/missing"
    [ -s "$DIR/revoked" ] && [ ! -s "$DIR/missing" ]
}
