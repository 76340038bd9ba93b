#!/usr/bin/env bats
# How the house says how it is: /healthz, /readyz, /metrics, and the files of an idle and a working day.

load ../lib/demo
load ../lib/ask

setup_file() { demo_start; }
teardown_file() { demo_stop; }

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }
teardown() { demo_stop "$BATS_TEST_TMPDIR/other"; }

metric() { curl -s --cacert "$CHANCERY_ROOT" "$CHANCERY_URL/metrics" | awk -v n="$1" '$1 == n { print $2 }'; }

@test "/healthz says ok to anybody" {
    ask /healthz
    expect 200
    same "$(body)" ok
    same "$(header Cache-Control)" no-store
    ask -I /healthz
    expect 200
    same "$(header Content-Length)" 3
}

@test "/readyz names each probe, the isolation and the generation" {
    ask /readyz
    expect 200
    same "$(header Content-Type)" application/json
    same "$(member '.ready and ([.probes[].ok] | all)')" true
    same "$(member '[.probes[].name] | sort | join(" ")')" "crl issuing log ocsp processes tls"
    same "$(member .generation)" 1
    matches "$(member .generation_sha256)" '^[0-9a-f]{64}$'
}

@test "/readyz says what isolation is in force, for each process, and it is not none" {
    ask /readyz
    matches "$(member .isolation)" '^(landlock|users|full); vault: .*; front: .*; responder: '
    run ! grep -q none <(member .isolation)
    grep -q ' isolation level=' "$CHANCERY_DIR/log"
}

@test "/readyz tells nothing of paths, labels or askers" {
    ask /readyz
    run ! grep -qF "$CHANCERY_DIR" body
    run ! grep -qiE 'pin|token:|pkcs11' body
}

@test "every answer has an X-Request-Id of its own, which the log and the ledger know" {
    local first
    csr a DNS:a.example.internal
    ask_csr a.csr
    expect 201
    first=$(header X-Request-Id)
    matches "$first" '^[0-9a-f]{32}$'
    grep -q "$first" "$CHANCERY_DIR/log"
    chancery ledger log --limit 1000 --json | jq -e --arg r "$first" '.entries | any(.kind == "intent" and .request == $r)'
    ask /healthz
    run ! test "$(header X-Request-Id)" = "$first"
}

@test "/metrics is Prometheus text: HELP and TYPE before each, names and numbers well formed" {
    ask /metrics
    expect 200
    same "$(header Content-Type)" "text/plain; version=0.0.4; charset=utf-8"
    if command -v promtool >/dev/null; then
        promtool check metrics <body
    fi
    python3 - body <<'PY'
import re, sys
typed, helped, samples = {}, set(), {}
for line in open(sys.argv[1], encoding="utf-8"):
    assert line.endswith("\n")
    line = line[:-1]
    if line.startswith("# HELP "):
        helped.add(line.split(" ", 3)[2])
    elif line.startswith("# TYPE "):
        _, _, name, kind = line.split(" ")
        assert name in helped and name not in typed, line
        typed[name] = kind
    else:
        m = re.fullmatch(r'([a-z_]+)(\{[a-z_]+="[^"\\\n]*"(,[a-z_]+="[^"\\\n]*")*\})? (\+Inf|-?[0-9.e+-]+)', line)
        assert m, line
        name, labels, value = m.group(1), m.group(2) or "", float(m.group(4))
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        kind = typed.get(name) or typed[base]
        assert (kind == "histogram") == (name not in typed), line
        assert kind != "counter" or name.endswith("_total"), line
        assert (name, labels) not in samples, line
        samples[name, labels] = value
for name, kind in typed.items():
    if kind == "histogram":
        buckets = [v for (n, l), v in samples.items() if n == name + "_bucket"]
        assert buckets == sorted(buckets) and buckets[-1] == samples[name + "_count", ""], name
assert len(typed) > 10
PY
}

@test "/metrics counts what was issued, refused, revoked, answered" {
    local issued refused revoked answers
    issued=$(metric chancery_certificates_issued_total) refused=$(metric chancery_requests_refused_total)
    revoked=$(metric chancery_certificates_revoked_total) answers=$(metric chancery_ocsp_answers_total)
    issue a DNS:a.example.internal
    issue b DNS:b.example.internal
    csr c DNS:c.example.com
    ask_csr c.csr
    chancery cert revoke "$(serial_of a.pem)" >/dev/null
    openssl ocsp -issuer "$CHANCERY_ISSUER" -cert b.pem -no_nonce -url "$CHANCERY_HTTP_URL/ocsp/issuing" -CAfile "$CHANCERY_ROOT" >/dev/null 2>&1
    counted() {
        [ "$(metric chancery_certificates_issued_total)" = "$((issued + 2))" ] && [ "$(metric chancery_requests_refused_total)" = "$((refused + 1))" ] &&
            [ "$(metric chancery_certificates_revoked_total)" = "$((revoked + 1))" ] && [ "$(metric chancery_ocsp_answers_total)" -gt "$answers" ]
    }
    within 3 counted || { curl -s --cacert "$CHANCERY_ROOT" "$CHANCERY_URL/metrics" | grep -v '^#'; return 1; }
}

@test "/metrics tells no names, serials or askers" {
    issue a DNS:secret.example.internal
    ask /metrics
    run ! grep -qiE "secret\.example|$(serial_of a.pem)|token:" body
}

@test "/metrics from elsewhere needs a role" {
    skip "a demo listens on loopback alone"
}

@test "idle, it writes nothing and signs nothing" {
    local before
    sleep 1.5
    before=$(seals)/$(entries)/$(stat -c %s "$CHANCERY_DIR/log")
    sleep 2.5
    same "$(seals)/$(entries)/$(stat -c %s "$CHANCERY_DIR/log")" "$before"
}

@test "idle, its processes use next to no CPU" {
    ticks() { local p sum=0 n; for p in "$CHANCERY_PID" $(pgrep -P "$CHANCERY_PID"); do n=$(sed 's/.*) //' "/proc/$p/stat" | awk '{ print $12 + $13 }'); sum=$((sum + n)); done; echo "$sum"; }
    local before
    before=$(ticks)
    sleep 3
    [ "$(($(ticks) - before))" -le 6 ] # hundredths of a second
}

@test "each process has no_new_privs, a seccomp filter and no capability" {
    local role pid
    for role in vault front responder; do
        pid=$(demo_child "$role")
        same "$(awk '/^NoNewPrivs:/ { print $2 }' "/proc/$pid/status")" 1
        same "$(awk '/^Seccomp:/ { print $2 }' "/proc/$pid/status")" 2
        same "$(awk '/^CapEff:/ { print $2 }' "/proc/$pid/status")" 0000000000000000
    done
}

@test "no process of the house can be looked into by its own user" {
    local pid
    for pid in "$CHANCERY_PID" $(pgrep -P "$CHANCERY_PID"); do
        run ! cat "/proc/$pid/environ"
        run ! ls "/proc/$pid/fd"
        run ! cat "/proc/$pid/maps"
    done
}

@test "a core dump is not left, whatever kills it" {
    local pid
    pid=$(demo_child responder)
    same "$(awk '/^Max core file size/ { print $5 }' "/proc/$pid/limits")" 0
}

# --- isolation that is missing ---

# Runs a command where the kernel has no Landlock: a seccomp filter answers ENOSYS to its three calls.
without_landlock() {
    python3 - "$@" <<'PY'
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
code = b"".join(struct.pack("HBBI", *i) for i in (
    (0x20, 0, 0, 0),            # the call's number
    (0x35, 0, 2, 444),          # below landlock_create_ruleset: let it through
    (0x25, 1, 0, 446),          # above landlock_restrict_self: likewise
    (0x06, 0, 0, 0x00050000 | 38),
    (0x06, 0, 0, 0x7fff0000)))
buf = ctypes.create_string_buffer(code)
class Program(ctypes.Structure):
    _fields_ = [("n", ctypes.c_ushort), ("code", ctypes.c_void_p)]
program = Program(len(code) // 8, ctypes.cast(buf, ctypes.c_void_p))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
PY
}

# ./other: an installation of its own, not a demo any more.
not_a_demo() {
    local a b
    read -r a b < <(demo_ports 2)
    chancery init --demo other --port "$a" --http-port "$b" 2>/dev/null
    sed -i 's/^demo: true/demo: false/' other/chancery.yaml
}

@test "without own users and Landlock, a house that is no demo does not start" {
    not_a_demo
    run without_landlock "$CHANCERY_BIN/chanceryd" -c other/chancery.yaml
    [ "$status" -eq 1 ]
    matches "$output" 'isolation'
    run without_landlock "$CHANCERY_BIN/chanceryd" -c other/chancery.yaml --check
    [ "$status" -eq 1 ]
    matches "$output" 'isolation'
}

@test "with Landlock the same is well" {
    python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 1)' || skip "this kernel has no Landlock"
    not_a_demo
    run "$CHANCERY_BIN/chanceryd" -c other/chancery.yaml --check
    [ "$status" -eq 0 ] || { echo "$output"; return 1; }
}

@test "a level of isolation that is asked for and not there is refused" {
    not_a_demo
    sed -i '1i isolation: full' other/chancery.yaml
    run "$CHANCERY_BIN/chanceryd" -c other/chancery.yaml --check
    [ "$status" -eq 1 ]
    matches "$output" 'isolation'
}

@test "a demo starts without Landlock, says none, and doctor calls it bad" {
    not_a_demo
    sed -i 's/^demo: false/demo: true/' other/chancery.yaml
    demo_env other
    without_landlock "$CHANCERY_BIN/chanceryd" -c "$CHANCERY_CONFIG" >log 2>&1 </dev/null 3>&- &
    within 10 demo_ready || { cat log; return 1; }
    ask /readyz
    matches "$(member .isolation)" '^none; '
    run chancery doctor
    [ "$status" -eq 1 ]
    matches "$output" 'bad +what holds the processes apart: none'
}
