# The parts of tests/bench/run. Sourced, not run.
# shellcheck shell=bash disable=SC2154,SC2059

get() { jq -r "$2" <<<"$1"; }

measure_disk() {
    say "disk"
    local r
    r=$("$bin/bench_disk" "$work/disk" $((quick ? 1500 : 5000)))
    row disk.sync "$(get "$r" .rate)" "1/s"
    row disk.sync.p50 "$(get "$r" .p50_ms)" ms
    row disk.sync.p99 "$(get "$r" .p99_ms)" ms
}

# --- the token, and our provider on it -----------------------------------------------------------------------------

measure_signatures() {
    say "signatures: raw and through the provider in turns"
    mkdir "$work/token"
    "$bin/bench_sign" --module "$module" --cores "$core,$load_core" --rounds $((quick ? 10 : 40)) --slice-ms 150 "$work/token" \
        >"$work/sign.json" 2>"$work/sign.log" || { tail -5 "$work/sign.log" >&2; die "bench_sign failed"; }
    local r name one=null
    while read -r r; do
        name=$(get "$r" '.key + ".t" + (.threads | tostring)')
        [[ "$name" == *.t1 ]] && one=null
        row "token.$name" "$(get "$r" .raw)" "1/s" "$one"
        [[ "$name" == *.t1 ]] && one=$(get "$r" .raw)
        [[ "$name" == *.t2 ]] || row "token.$name.cpu" "$(get "$r" .raw_cpu_us)" us
    done <"$work/sign.json"
    while read -r r; do
        name=$(get "$r" '.key + ".t" + (.threads | tostring)')
        row "provider.$name" "$(get "$r" .provider)" "1/s" "$(get "$r" .raw)" 0.95
    done <"$work/sign.json"
}

measure_csr() {
    say "checking requests"
    local r
    r=$("$bin/bench_csr" --core "$core" --rounds $((quick ? 6 : 20)) --slice-ms 150)
    row csr.verify "$(get "$r" .verify)" "1/s"
    row csr.verify.cpu "$(get "$r" .verify_cpu_us)" us
    row csr.whole "$(get "$r" .whole)" "1/s" "$(get "$r" .verify)"
}

# --- lists ---

# A key in software: what is measured is reading, building, writing; not the token.
measure_list() {
    say "lists of many"
    local r
    mkdir -p "$work/list"
    r=$("$bin/bench_list" --entries $((quick ? 200000 : 1000000)) "$work/list")
    rm -rf "$work/list"
    row list.full "$(get "$r" .full_s)" s "$(get "$r" .openssl_s)" 0.1 most
    row list.memory "$(get "$r" .full_mib)" MiB 32 1 most
    row list.revocation "$(get "$r" .revocation_many_ms)" ms "$(get "$r" .revocation_few_ms)" 1.5 most
}

# A decision beside the signature that it leads to: one C_Sign (P-256), CPU time on the same core in the same run.
measure_template() {
    say "templates: decisions, and a set of 10,000"
    local r sign
    rm -rf "$work/beside"
    mkdir "$work/beside"
    sign=$("$bin/bench_sign" --module "$module" --cores "$core" --threads 1 --raw-only --p256-only --rounds 4 --slice-ms 150 "$work/beside" 2>/dev/null)
    r=$("$bin/bench_template" --core "$core" --rounds $((quick ? 4 : 12)) --slice-ms 150)
    row template.decide.cpu "$(get "$r" .decide_cpu_us)" us "$(get "$sign" .raw_cpu_us)" 0.2 most
    row template.decide.of10000.cpu "$(get "$r" .decide_many_cpu_us)" us "$(get "$r" .decide_cpu_us)" 1.2 most
    row template.load10000 "$(get "$r" .load_s)" s 1 1 most
}

# --- issuance ------------------------------------------------------------------------------------------------------

# What no server can do without: CPU time of one C_Sign (P-256) and one verification, on the server's core.
measure_least() { # file to add to
    local sign csr
    rm -rf "$work/least"
    mkdir "$work/least"
    sign=$("$bin/bench_sign" --module "$module" --cores "$core" --threads 1 --raw-only --p256-only --rounds 4 --slice-ms 100 "$work/least" 2>/dev/null)
    csr=$("$bin/bench_csr" --core "$core" --rounds 4 --slice-ms 100)
    jq -n --argjson s "$sign" --argjson c "$csr" '$s.raw_cpu_us + $c.verify_cpu_us' >>"$1"
}

issue_load() { # name connections seconds
    load "$1" --port "$port" --ca "$CHANCERY_ROOT" --requests "$work/issue.requests" --from "$asked" --once --connections "$2" \
        --warmup 1 --seconds "$3" --expect 201 --keep "$work/serials" "${watch[@]}"
    asked=$(jq .next "$work/$1.json")
}

issue_rows() { # clients, least CPU
    local r p
    r=$(middle "issue.c$1")
    row "issue.c$1.rate" "$(get "$r" .rate)" "1/s" "$(jq -n "1e6 / $2")"
    row "issue.c$1.p50" "$(get "$r" .p50_ms)" ms
    row "issue.c$1.p99" "$(get "$r" .p99_ms)" ms
    if [ "$1" != 64 ]; then
        row "issue.c$1.cpu" "$(get "$r" '[.cpu_us[]] | add')" us "$2"
        return
    fi
    row "issue.c$1.cpu" "$(get "$r" '[.cpu_us[]] | add')" us "$2" 2.2 most
    for p in front vault responder warden; do
        row "issue.c$1.cpu.$p" "$(get "$r" "[.cpu_us | to_entries[] | select(.key == \"$p\").value] | add // 0")" us
    done
    row "issue.c$1.errors" "$(get "$r" .errors)" answers
    row "issue.c$1.generator" "$(get "$r" .cpu_share)" "of a core"
    row "issue.c$1.others" "$(get "$r" .others)" "of a core"
}

measure_issue() {
    local round clients least rounds=$((quick ? 1 : 3)) seconds=$((quick ? 4 : 8))
    wanted issue || { issue_load issue.c64.1 64 2; return; }
    : >"$work/least.us"
    for round in $(seq "$rounds"); do
        measure_least "$work/least.us"
        for clients in 1 16 64; do issue_load "issue.c$clients.$round" "$clients" "$seconds"; done
        measure_least "$work/least.us"
    done
    least=$(jq -s 'add / length' "$work/least.us")
    row issue.least.cpu "$least" us
    for clients in 1 16 64; do issue_rows "$clients" "$least"; done
}

# --- ACME ----------------------------------------------------------------------------------------------------------

# The limits of a demo are for people; here they are off.
acme_unlimited() {
    local before
    before=$(grep -c reload.done "$demo/log" || true)
    sed -i 's/^acme:$/&\n  orders_per_account: 0\n  orders_per_name: 0\n  accounts_per_address: 0/' "$demo/chancery.yaml"
    kill -HUP "$CHANCERY_PID"
    for _ in $(seq 100); do
        [ "$(grep -c reload.done "$demo/log" || true)" -gt "$before" ] && return 0
        sleep 0.1
    done
    die "the demo did not take the changed configuration"
}

acme_load() { # name connections seconds
    "$bin/bench_acme" --core "$load_core" --port "$port" --ca "$CHANCERY_ROOT" --kid "$KID" --secret "$HMAC" \
        --connections "$2" --seconds "$3" "${watch[@]}" >"$work/$1.json"
    say "$1: $(jq -r '"\(.rate | round) orders a second, p99 \(.p99_ms) ms, \(.errors) errors"' "$work/$1.json")"
}

# Whole orders beside the REST issuance of the same run, in turns.
measure_acme() {
    local clients round rounds=$((quick ? 1 : 3)) seconds=$((quick ? 4 : 6)) r rest KID HMAC
    acme_unlimited
    "$build/bin/chancery" -c "$demo/chancery.yaml" acme eab create --template server --name '**.example.internal' --accounts 0 \
        --preapproved --out "$work/eab" 2>/dev/null
    # shellcheck disable=SC1091
    . "$work/eab"
    for clients in 1 16 64; do
        for round in $(seq "$rounds"); do
            issue_load "acme.rest.c$clients.$round" "$clients" "$seconds"
            acme_load "acme.c$clients.$round" "$clients" "$seconds"
        done
        r=$(middle "acme.c$clients")
        rest=$(get "$(middle "acme.rest.c$clients")" .rate)
        row "acme.c$clients.rate" "$(get "$r" .rate)" "orders/s" "$rest" 0.35
        row "acme.c$clients.p50" "$(get "$r" .p50_ms)" ms
        row "acme.c$clients.p99" "$(get "$r" .p99_ms)" ms
    done
    row acme.c64.cpu.front "$(get "$r" '.cpu_us.front // 0')" us
    row acme.c64.cpu.jws "$(get "$r" '.jws_us * 3')" us
    row acme.c64.cpu.signing "$(get "$r" '.cpu_us.vault // 0')" us
    row acme.c64.errors "$(get "$r" .errors)" orders
}

# --- tokens, each good for one certificate, beside one that is good for all; in turns ---

redeem_load() { # name requests seconds
    load "$1" --port "$port" --ca "$CHANCERY_ROOT" --requests "$2" --from "$redeemed" --once --connections 64 \
        --warmup 1 --seconds "$3" --expect 201 "${watch[@]}"
}

make_redeem() { # how many
    { echo label; seq "$1"; } >"$work/in.csv"
    CHANCERY_CONFIG=$demo/chancery.yaml "$CHANCERY_BIN/chancery" token create --csv "$work/in.csv" --out "$work/out.csv" --template server \
        --name '**.example.internal' 2>/dev/null || die "no tokens"
    tail -n +2 "$work/out.csv" | cut -d, -f2 >"$work/tokens"
    "$bin/bench_ask_issue" --host "localhost:$port" --token-file "$work/tokens" --from 5000000 --count "$1" "$work/redeem.requests"
    "$bin/bench_ask_issue" --host "localhost:$port" --token-file "$CHANCERY_TOKEN_FILE" --from 6000000 --count "$1" "$work/plain.requests"
}

measure_redeem() {
    say "tokens for one certificate each"
    local round rounds=$((quick ? 1 : 3)) n=$((quick ? 12000 : 40000)) r plain
    make_redeem "$n"
    redeemed=0
    for round in $(seq "$rounds"); do
        redeem_load "plain.c64.$round" "$work/plain.requests" 2
        redeem_load "redeem.c64.$round" "$work/redeem.requests" 2
        redeemed=$((redeemed + n / rounds))
    done
    r=$(middle redeem.c64) plain=$(middle plain.c64)
    row redeem.c64.rate "$(get "$r" .rate)" "1/s" "$(get "$plain" .rate)"
    row redeem.c64.cpu "$(get "$r" '[.cpu_us[]] | add')" us "$(get "$plain" '[.cpu_us[]] | add')" 1.2 most
    row redeem.c64.errors "$(get "$r" .errors)" answers
}

# --- OCSP ----------------------------------------------------------------------------------------------------------

start_nginx() { # size of the file
    command -v nginx >/dev/null || { say "nginx is not installed: nothing to compare OCSP with"; return 0; }
    nginx_port=$(free_port)
    mkdir -p "$work/nginx/root" "$work/nginx/tmp"
    head -c "$1" /dev/urandom >"$work/nginx/root/answer"
    cat >"$work/nginx/nginx.conf" <<CONF
daemon off;
worker_processes 1;
pid $work/nginx/pid;
error_log $work/nginx/error.log;
$([ "$(id -u)" -ne 0 ] || echo "user root;")
events { worker_connections 512; }
http {
    access_log off; sendfile on; tcp_nodelay on; keepalive_requests 1000000000; keepalive_timeout 1h;
    open_file_cache max=16 inactive=1h; open_file_cache_valid 1h;
    client_body_temp_path $work/nginx/tmp/1; proxy_temp_path $work/nginx/tmp/2; fastcgi_temp_path $work/nginx/tmp/3;
    uwsgi_temp_path $work/nginx/tmp/4; scgi_temp_path $work/nginx/tmp/5;
    server { listen 127.0.0.1:$nginx_port backlog=1024; root $work/nginx/root; default_type application/ocsp-response; }
}
CONF
    taskset -c "$core" nginx -p "$work/nginx" -e "$work/nginx/error.log" -c "$work/nginx/nginx.conf" >/dev/null 2>&1 &
    nginx_pid=$!
    wait_for_port "$nginx_port" nginx
    local text=$'GET /answer HTTP/1.1\r\nHost: localhost\r\n\r\n' hex
    hex=$(printf '%08x' ${#text})
    { printf "\\x${hex:6:2}\\x${hex:4:2}\\x${hex:2:2}\\x${hex:0:2}"; printf '%s' "$text"; } >"$work/nginx.requests"
    nginx_watch=(--watch "nginx:$(cut -d' ' -f1 "/proc/$nginx_pid/task/$nginx_pid/children")")
}

ocsp_load() { # name requests args...
    local name=$1 requests=$2
    shift 2
    load "$name" --port "$http_port" --requests "$work/$requests" --connections 64 --body-min 100 "${watch[@]}" "$@"
}

# Certificates to ask about, where issuing has not left enough.
some_certificates() {
    local n
    n=$(wc -l <"$work/serials")
    [ "$n" -ge 5000 ] || issue_load ocsp.certificates 64 10
    head -n 20000 "$work/serials" >"$work/asked"
    for n in post get; do
        "$bin/bench_ask_ocsp" --host "localhost:$http_port" --issuer "$CHANCERY_ISSUER" --path /ocsp/issuing \
            $([ $n = post ] || echo --get) "$work/asked" "$work/ocsp.$n"
    done
    say "$(wc -l <"$work/asked") serials to ask about"
}

# HAProxy with the same octets in its memory: what serving costs where nothing is looked up.
start_haproxy() { # file of the answer
    command -v haproxy >/dev/null || { say "haproxy is not installed: nothing beside nginx"; return 0; }
    haproxy_port=$(free_port)
    cat >"$work/haproxy.cfg" <<CONF
global
    nbthread 1
    maxconn 2000
defaults
    mode http
    timeout client 1h
    timeout connect 5s
    timeout server 5s
    timeout http-keep-alive 1h
frontend answers
    bind 127.0.0.1:$haproxy_port
    http-request return status 200 content-type application/ocsp-response file $1
CONF
    taskset -c "$core" haproxy -db -f "$work/haproxy.cfg" >"$work/haproxy.log" 2>&1 &
    haproxy_pid=$!
    wait_for_port "$haproxy_port" haproxy
    haproxy_watch=(--watch "haproxy:$haproxy_pid")
}

ocsp_round() { # round
    local order="nginx haproxy post get" what seconds=$((quick ? 2 : 4))
    [ $(($1 % 2)) = 1 ] || order="get post haproxy nginx"
    for what in $order; do
        case "$what" in
            nginx) [ -z "$nginx_pid" ] || load "ocsp.nginx.$1" --port "$nginx_port" --requests "$work/nginx.requests" --connections 64 \
                --warmup 0.5 --seconds "$seconds" "${nginx_watch[@]}" ;;
            haproxy) [ -z "$haproxy_pid" ] || load "ocsp.haproxy.$1" --port "$haproxy_port" --requests "$work/nginx.requests" --connections 64 \
                --warmup 0.5 --seconds "$seconds" "${haproxy_watch[@]}" ;;
            *) ocsp_load "ocsp.$what.$1" "ocsp.$what" --warmup 0.5 --seconds "$seconds" ;;
        esac
    done
}

ocsp_rows() {
    local what r rate=null cpu=null other
    for what in nginx haproxy; do
        [ -e "$work/ocsp.$what.1.json" ] || continue
        other=$(middle "ocsp.$what")
        row "ocsp.$what.rate" "$(get "$other" .rate)" "1/s" "$rate"
        row "ocsp.$what.cpu" "$(get "$other" "[.cpu_us[]] | add")" us "$cpu"
        [ "$what" != nginx ] || { rate=$(get "$other" .rate) cpu=$(get "$other" .cpu_us.nginx); }
    done
    for what in post get; do
        r=$(middle "ocsp.$what")
        row "ocsp.$what.rate" "$(get "$r" .rate)" "1/s" "$rate" 0.9
        row "ocsp.$what.p99" "$(get "$r" .p99_ms)" ms
        row "ocsp.$what.cpu" "$(get "$r" '[.cpu_us[]] | add')" us "$cpu"
    done
    row ocsp.errors "$(jq -s 'map(.errors) | add' "$work"/ocsp.{post,get}.[0-9].json)" answers
    row ocsp.generator "$(jq -s 'map(.cpu_share) | max' "$work"/ocsp.*.[0-9].json)" "of a core"
    row ocsp.others "$(jq -s 'map(.others) | max' "$work"/ocsp.{post,get}.[0-9].json)" "of a core"
}

# Nonces: each answer is signed for its asker. All of the server on one core, and beside it what one thread of the token
# signs on that core.
measure_nonces() {
    local round raw rounds=$((quick ? 2 : 3)) r
    "$bin/bench_ask_ocsp" --host "localhost:$http_port" --issuer "$CHANCERY_ISSUER" --path /ocsp/issuing --nonce "$work/asked" "$work/ocsp.nonces"
    : >"$work/raw.rates"
    for round in $(seq "$rounds"); do
        rm -rf "$work/raw"
        mkdir "$work/raw"
        "$bin/bench_sign" --module "$module" --cores "$core" --threads 1 --raw-only --p256-only --rounds 4 --slice-ms 100 "$work/raw" \
            2>/dev/null | jq .raw >>"$work/raw.rates"
        ocsp_load "ocsp.nonce.$round" ocsp.nonces --warmup 0.5 --seconds $((quick ? 3 : 5)) --body-min 100
    done
    raw=$(jq -s 'add / length' "$work/raw.rates")
    r=$(middle ocsp.nonce)
    row ocsp.nonce.rate "$(get "$r" .rate)" "1/s" "$raw" 0.7
    row ocsp.nonce.p99 "$(get "$r" .p99_ms)" ms
    row ocsp.nonce.cpu "$(get "$r" '[.cpu_us[]] | add')" us "$(jq -n "1e6 / $raw")"
}

# --- OCSP from shelves of different sizes ---

# A daemon with responders alone over a shelf of N answers, on the server's core.
start_edge() { # N
    local at=$work/edge.$1
    mkdir -p "$at"
    mkdir -m 0700 "$at/shelf" # as the daemon would make it
    cp -r "$demo/templates" "$demo/roster.yaml" "$demo/issuers" "$at/"
    edge_port=$(free_port)
    sed -e "s/^  http: .*/  http: [\"127.0.0.1:$edge_port\"]/" -e '/^users:/d' "$demo/chancery.yaml" >"$at/chancery.yaml"
    echo 'responders_only: true' >>"$at/chancery.yaml"
    say "a shelf of $1 answers"
    "$bin/bench_shelf" --issuer issuing --answer "$work/answer" --count "$1" --ask "$(($1 < 1000000 ? 20000 : 1000000))" "$at/shelf" "$at/serials"
    "$bin/bench_ask_ocsp" --host "localhost:$edge_port" --issuer "$CHANCERY_ISSUER" --path /ocsp/issuing "$at/serials" "$work/edge.$1.requests"
    taskset -c "$core" "$CHANCERY_BIN/chanceryd" -c "$at/chancery.yaml" >"$at/log" 2>&1 &
    edge_pids+=($!)
    wait_for_port "$edge_port" "the responder of $1 answers"
    edge_ports[$1]=$edge_port
    edge_watch[$1]=responder:$(cut -d' ' -f1 "/proc/$!/task/$!/children")
}

measure_large() {
    local n small=10000 round name r
    declare -gA edge_ports=() edge_watch=()
    for n in "$small" "$large"; do start_edge "$n"; done
    for round in $(seq $((quick ? 2 : 4))); do
        for n in "$small" "$large"; do
            load "ocsp.of$n.$round" --port "${edge_ports[$n]}" --requests "$work/edge.$n.requests" --connections 64 --body-min 100 \
                --warmup 1 --seconds $((quick ? 2 : 4)) --watch "${edge_watch[$n]}"
        done
    done
    name=$(middle "ocsp.of$small")
    r=$(middle "ocsp.of$large")
    row "ocsp.of$small.rate" "$(get "$name" .rate)" "1/s"
    row "ocsp.of$large.rate" "$(get "$r" .rate)" "1/s" "$(get "$name" .rate)" 0.9
    row ocsp.large.errors "$(jq -s 'map(.errors) | add' "$work"/ocsp.of*.[0-9].json)" answers
}

measure_ocsp() {
    local round try
    some_certificates
    # The first question makes an answer; what came too late for its asker is there for the next.
    ocsp_load ocsp.first ocsp.post --once --warmup 0 --seconds 60 2>"$work/first.log"
    tail -1 "$work/first.log" >&2
    for try in 1 2 3 4 5 6; do
        ocsp_load ocsp.again ocsp.post --once --warmup 0 --seconds 60
        [ "$(jq .errors "$work/ocsp.again.json")" != 0 ] || break
    done
    [ "$try" -lt 6 ] || say "some answers were still not made after $try askings"
    wanted ocsp || return 0
    openssl ocsp -issuer "$CHANCERY_ISSUER" -serial "0x$(head -1 "$work/asked")" -no_nonce -noverify -respout "$work/answer" \
        -url "http://localhost:$http_port/ocsp/issuing" >/dev/null 2>&1
    start_nginx "$(jq .body_bytes "$work/ocsp.again.json")"
    start_haproxy "$work/answer"
    for round in $(seq $((quick ? 3 : 5))); do ocsp_round "$round"; done
    row ocsp.first.rate "$(jq .rate "$work/ocsp.first.json")" "1/s"
    row ocsp.first.errors "$(jq .errors "$work/ocsp.first.json")" answers
    ocsp_rows
    measure_nonces
    measure_large
}

# --- memory --------------------------------------------------------------------------------------------------------

# `own` is anonymous memory: without program, libraries and the ledger's map, whose pages are the kernel's to take back.
measure_memory() { # idle | loaded
    local p pid name
    for p in "${processes[@]}"; do
        pid=${p#*:} name=${p%:*}
        row "memory.$name.$1.own" "$(awk '/^RssAnon/ { print $2 / 1024 }' "/proc/$pid/status")" MiB
        row "memory.$name.$1.rss" "$(awk '/^VmRSS/ { print $2 / 1024 }' "/proc/$pid/status")" MiB
    done
}
