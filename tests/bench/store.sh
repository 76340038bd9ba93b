# What the ledger costs with many certificates on record: disk by part, a query's first page, a start. Sourced by tests/bench/run.
# shellcheck shell=bash disable=SC2154,SC2034

# Most milliseconds of ten, asked over one connection by the administrator.
query_ms() { # QUERY
    local i args=()
    for i in 1 2 3 4 5 6 7 8 9 10; do args+=(-o /dev/null "$CHANCERY_URL/v1/certificates?$1"); done
    curl -sf --cacert "$CHANCERY_ROOT" --cert "$CHANCERY_ADMIN_CERT" --key "$CHANCERY_ADMIN_KEY" -w '%{time_pretransfer} %{time_total}\n' "${args[@]}" |
        awk 'NR > 1 { t = ($2 - $1) * 1000; if (t > most) most = t } END { print most }'
}

# What each certificate takes, by parts; the log holds intent, record and what else was said of it.
measure_disk_parts() {
    local stat certs
    stat=$("$build/bin/chancery" -c "$CHANCERY_CONFIG" --json ledger stat)
    certs=$(jq '.parts[] | select(.name == "cert") | .rows' <<<"$stat")
    row store.certificates "$certs" ""
    row store.disk "$(jq --argjson n "$certs" '[.parts[].bytes] | add / $n' <<<"$stat")" B/cert 3072 1 most
    row store.disk.log "$(jq --argjson n "$certs" '[.parts[] | select(.name == "log") | .bytes] | add / $n' <<<"$stat")" B/cert
    row store.disk.proofs "$(jq --argjson n "$certs" '[.parts[] | select(.name == "leaf" or .name == "node") | .bytes] | add / $n' <<<"$stat")" B/cert
    row store.disk.files "$(jq --argjson n "$certs" '[.parts[] | select(.name == "index of files") | .bytes] | add / $n' <<<"$stat")" B/cert
    row store.disk.indexes "$(jq --argjson n "$certs" '[.parts[] | select(.name | IN("log", "leaf", "node", "index of files", "free") | not) | .bytes] | add / $n' <<<"$stat")" B/cert
    row store.shelf "$(du -sb "$demo/shelf" | awk -v n="$certs" '{ print $1 / n }')" B/cert
}

measure_queries() {
    local cert serial spki
    cert=$(curl -sf --cacert "$CHANCERY_ROOT" --cert "$CHANCERY_ADMIN_CERT" --key "$CHANCERY_ADMIN_KEY" "$CHANCERY_URL/v1/certificates?limit=1&template=server")
    serial=$(jq -r '.certificates[0].serial' <<<"$cert")
    row store.query.name "$(query_ms "name=$(jq -r '.certificates[0].names[0] | @uri' <<<"$cert")")" ms 10 1 most
    row store.query.under "$(query_ms under=dns:internal)" ms 10 1 most
    row store.query.template "$(query_ms template=server)" ms 10 1 most
    row store.query.owner "$(query_ms owner=self)" ms 10 1 most
    row store.query.issuer "$(query_ms issuer=issuing)" ms 10 1 most
    row store.query.revoked "$(query_ms status=revoked)" ms 10 1 most
    row store.query.expired "$(query_ms status=expired)" ms 10 1 most
    row store.query.end "$(query_ms "not_after_till=2026-12-31T00:00:00Z&status=valid")" ms 10 1 most
    row store.query.tag "$(query_ms tag=team%3Dpay)" ms 10 1 most
    row store.query.replaces "$(query_ms "replaces=$serial")" ms 10 1 most
    row store.query.serial "$(query_ms "since=2026-01-01T00:00:00Z&limit=100")" ms 10 1 most
}

issues() { curl -sf --max-time 1 --cacert "$CHANCERY_ROOT" -o /dev/null "$CHANCERY_URL/readyz"; }

# Seconds until it issues again.
started_s() {
    local begin=${EPOCHREALTIME/./}
    "$build/bin/chanceryd" -c "$CHANCERY_CONFIG" >>"$demo/log" 2>&1 &
    until issues; do [ $((${EPOCHREALTIME/./} - begin)) -lt 120000000 ] || break; sleep 0.01; done
    echo $((${EPOCHREALTIME/./} - begin)) | awk '{ print $1 / 1e6 }'
}

gone() { while kill -0 "$1" 2>/dev/null; do sleep 0.01; done; }

measure_starts() {
    local pid
    pid=$(cat "$demo/run/pid")
    kill "$pid"; gone "$pid"
    row store.start.clean "$(started_s)" s 1 1 most
    pid=$(cat "$demo/run/pid")
    # shellcheck disable=SC2046
    kill -9 "$pid" $(cat "/proc/$pid/task/$pid/children")
    gone "$pid"
    row store.start.killed "$(started_s)" s 1 1 most
}

measure_store() {
    say "the ledger as it lies there"
    measure_disk_parts
    measure_queries
    measure_starts
}
