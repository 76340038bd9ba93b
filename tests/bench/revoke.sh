# What a revocation takes until it is seen, while issuance runs at full rate. Sourced by tests/bench/run, not run.
# shellcheck shell=bash disable=SC2154,SC2034

visible() { # the histogram's lines "bound count", not cumulative
    curl -s --cacert "$CHANCERY_ROOT" "$CHANCERY_URL/metrics" |
        sed -n 's/^chancery_revocation_visible_seconds_bucket{le="\([^"]*\)"} /\1 /p'
}

# The bound that PART of those between two looks lie at or below.
visible_within() { # BEFORE AFTER PART
    paste -d' ' "$1" "$2" | awk -v part="$3" '{ bound[NR] = $1; n[NR] = $4 - $2 } END {
        for (i = 1; i <= NR; i++) if (n[i] >= part * n[NR]) { print bound[i] == "+Inf" ? 1e9 : bound[i]; exit } }'
}

ocsp_revoked() { # SERIAL
    openssl ocsp -issuer "$CHANCERY_ISSUER" -serial "0x$1" -no_nonce -noverify -url "$CHANCERY_HTTP_URL/ocsp/issuing" 2>/dev/null | grep -q ': revoked'
}

# Seconds from the 200 to the first answer that says so, asked from outside; a question takes some milliseconds itself.
seen_after() { # SERIAL
    local begin=${EPOCHREALTIME/./}
    until ocsp_revoked "$1"; do [ $((${EPOCHREALTIME/./} - begin)) -lt 10000000 ] || break; done
    echo $((${EPOCHREALTIME/./} - begin)) | awk '{ print $1 / 1e6 }'
}

measure_revoke() {
    local n=$((quick ? 60 : 400)) i=0 serial loading r
    say "revoking $n while certificates are issued at full rate"
    issue_load revoke.certificates 64 $((quick ? 2 : 4))
    head -n "$n" "$work/serials" >"$work/to-revoke"
    issue_load revoke.load 64 $((quick ? 14 : 60)) &
    loading=$!
    sleep 2
    visible >"$work/visible.before"
    : >"$work/seen"
    while read -r serial; do
        "$build/bin/chancery" -c "$CHANCERY_CONFIG" cert revoke "$serial" >/dev/null
        [ $((i++ % 10)) != 0 ] || seen_after "$serial" >>"$work/seen"
    done <"$work/to-revoke"
    sleep 1
    visible >"$work/visible.after"
    wait "$loading" || true
    r=$(cat "$work/revoke.load.json")
    row revoke.live "$((fill + $(wc -l <"$work/serials")))" certificates
    row revoke.visible.p50 "$(visible_within "$work/visible.before" "$work/visible.after" 0.5)" s
    row revoke.visible.p99 "$(visible_within "$work/visible.before" "$work/visible.after" 0.99)" s 1 1 most
    row revoke.seen.most "$(sort -g "$work/seen" | tail -1)" s 1 1 most
    row revoke.issue.rate "$(get "$r" .rate)" "1/s"
    row revoke.issue.p99 "$(get "$r" .p99_ms)" ms
}
