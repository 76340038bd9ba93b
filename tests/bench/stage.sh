# What tests/bench/run stands on: cores, the build, a folder of its own, a demo in it, and rows. Sourced, not run.
# shellcheck shell=bash disable=SC2154,SC2034

work="" nginx_pid="" haproxy_pid="" demo="" edge_pids=()

# The first core of those we may use is the server's, the last the generator's.
choose_cores() {
    local list
    list=$(taskset -pc $$ | sed 's/.*: //' | tr ',' '\n' | while IFS=- read -r a b; do seq "$a" "${b:-$a}"; done)
    core=$(head -1 <<<"$list") load_core=$(tail -1 <<<"$list")
    [ "$core" != "$load_core" ] || say "one core only: server and generator share it, and every figure of issue and ocsp is disturbed"
    say "load average $(cut -d' ' -f1-3 /proc/loadavg); server on core $core, generator on core $load_core"
}

# Answers on the larger shelf: as many as there is room for, with as much again left.
choose_large() {
    local free_mib
    free_mib=$(df -Pm "$dir" | awk 'NR == 2 { print $4 }')
    if [ "$quick" = 1 ]; then echo 100000; elif [ "$free_mib" -gt 20000 ]; then echo 10000000; else echo 1000000; fi
}

build_all() {
    say "building in $build"
    mkdir -p "$build"
    { cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo &&
        cmake --build "$build" --target chanceryd chancery bench; } >"$build/bench.log" 2>&1 ||
        { tail -20 "$build/bench.log" >&2; die "the build failed; the whole log: $build/bench.log"; }
    for module in /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so; do [ ! -e "$module" ] || break; done
    [ -e "$module" ] || die "SoftHSM is not installed (package softhsm2)"
    bin=$build/bench
}

# Other users must reach it: as root the demo's processes have users of their own.
open_work() {
    work=$(mktemp -d "$dir/chancery-bench.XXXXXX")
    chmod 0755 "$work"
    trap close_work EXIT
    trap 'exit 130' INT TERM
    case $(stat -f -c %T "$work") in tmpfs | ramfs) say "$dir is in memory: nothing there is durable, and it shows (--dir)" ;; esac
}

close_work() {
    local pid
    for pid in $nginx_pid $haproxy_pid "${edge_pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    [ ${#edge_pids[@]} -eq 0 ] || wait "${edge_pids[@]}" 2>/dev/null || true
    [ -z "$demo" ] || "$top/deploy/quickstart" --stop "$demo" >/dev/null 2>&1 || true
    rm -rf "$work"
}

# --- rows ----------------------------------------------------------------------------------------------------------

wanted() { # part
    [ ${#names[@]} -eq 0 ] && return 0
    local n
    for n in "${names[@]}"; do [ "${n%%.*}" = "$1" ] && return 0; done
    return 1
}

shown() { # row's name
    [ ${#names[@]} -eq 0 ] && return 0
    local n
    for n in "${names[@]}"; do [[ "$1" == "$n" || "$1" == "$n".* ]] && return 0; done
    return 1
}

# row NAME VALUE UNIT [LIMIT [BAR [least|most]]]: a bar is of the ratio, VALUE/LIMIT: at least (or at most) that.
row() {
    shown "$1" || return 0
    jq -cn --arg name "$1" --arg unit "$3" --argjson value "$2" --argjson limit "${4:-null}" --argjson bar "${5:-null}" \
        --arg sense "${6:-least}" '
        def short: if . == null then null elif . >= 1000 then round elif . >= 10 then . * 10 | round / 10
            else . * 1000 | round / 1000 end;
        (if $limit == null or $limit == 0 then null else $value / $limit end) as $ratio
        | {name: $name, value: ($value | short), unit: $unit, limit: ($limit | short), ratio: ($ratio | short), bar: $bar,
           holds: (if $ratio == null or $bar == null then null
                   elif $sense == "most" then $ratio <= $bar else $ratio >= $bar end)}' >"$work/row"
    cat "$work/row" >>"$work/rows"
    [ "$json" = 0 ] || cat "$work/row"
}

print_table() {
    touch "$work/rows"
    jq -r '[.name, .value, .unit, .limit // "-", .ratio // "-", .bar // "-",
            (if .holds == null then "-" elif .holds then "yes" else "no" end)] | @tsv' "$work/rows" |
        awk -F'\t' 'BEGIN { f = "%-28s %10s %-13s %10s %7s %5s %5s\n"; printf f, "name", "value", "unit", "limit", "ratio", "bar", "holds" }
            { printf f, $1, $2, $3, $4, $5, $6, $7 }'
}

# --- the demo ------------------------------------------------------------------------------------------------------

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
}

wait_for_port() { # port what
    local i
    for i in $(seq 100); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return 0; fi
        sleep 0.1
    done
    die "$2 did not start"
}

start_demo() {
    say "starting a demo on core $core"
    demo=$work/demo port=$(free_port) http_port=$(free_port)
    [ "$fill" = 0 ] || "$here/fill" "$fill" --build-dir "$build" --port "$port" --http-port "$http_port" "$demo" >"$work/fill.log" 2>&1 ||
        { tail -5 "$work/fill.log" >&2; die "the ledger could not be filled"; }
    taskset -c "$core" "$top/deploy/quickstart" --no-install --build-dir "$build" --port "$port" --http-port "$http_port" "$demo" \
        >"$work/quickstart.log" 2>&1 || { tail -5 "$work/quickstart.log" >&2; die "the demo did not start"; }
    # shellcheck disable=SC1091
    . "$demo/env"
    watch=() processes=()
    local pid role
    for pid in $CHANCERY_PID $(cat "/proc/$CHANCERY_PID/task/$CHANCERY_PID/children"); do
        role=$(tr '\0' ' ' <"/proc/$pid/cmdline" | sed -n 's/.*--role \([a-z]*\).*/\1/p')
        watch+=(--watch "${role:-warden}:$pid")
        processes+=("${role:-warden}:$pid")
    done
}

# Requests for certificates, made on both cores; `asked` is how many have been sent.
make_requests() {
    local n half
    if wanted issue; then n=$((quick ? 60000 : 250000)); else n=12000; fi
    if wanted acme; then n=$((n + (quick ? 60000 : 150000))); fi
    if wanted revoke; then n=$((n + (quick ? 70000 : 280000))); fi
    half=$((n / 2))
    say "making $n keys and requests"
    "$bin/bench_ask_issue" --host "localhost:$port" --token-file "$CHANCERY_TOKEN_FILE" --count "$half" "$work/issue.1" &
    "$bin/bench_ask_issue" --host "localhost:$port" --token-file "$CHANCERY_TOKEN_FILE" --from "$half" --count "$half" "$work/issue.2"
    wait $!
    cat "$work/issue.1" "$work/issue.2" >"$work/issue.requests"
    rm "$work/issue.1" "$work/issue.2"
    asked=0
    : >"$work/serials"
}

# Busy and all ticks of one core.
ticks() { awk -v c="cpu$1" '$1 == c { all = 0; for (i = 2; i <= 9; i++) all += $i; print all - $5 - $6, all }' /proc/stat; }

# load NAME ARGS...: one run of the generator, kept as $work/NAME.json with `others`: the share of the server's core that
# processes we do not watch used meanwhile. A figure taken beside busy others is a disturbed one.
load() {
    local name=$1 before after
    shift
    before=$(ticks "$core")
    "$bin/bench_load" --core "$load_core" "$@" >"$work/load.json"
    after=$(ticks "$core")
    jq -c --arg b "$before" --arg a "$after" '
        ($b | split(" ") | map(tonumber)) as $b | ($a | split(" ") | map(tonumber)) as $a
        | .others = ([0, ($a[0] - $b[0]) / ([1, $a[1] - $b[1]] | max) - ([.share[]] | add // 0)] | max)' \
        "$work/load.json" >"$work/$name.json"
    say "$name: $(jq -r '"\(.rate | round) a second, p99 \(.p99_ms) ms, \(.errors) errors; server \([.share[]] | (add // 0) * 100 | round) %, generator \(.cpu_share * 100 | round) %, others \(.others * 100 | round) % of a core" +
        (if .ran_out then ", out of requests" else "" end)' "$work/$name.json")"
}

# The round with the middle rate of NAME.1, NAME.2, ...
middle() { jq -sc 'sort_by(.rate) | .[(length - 1) / 2 | floor]' "$work/$1".[0-9].json; }
