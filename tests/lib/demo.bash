# Demos for tests: whole installations in folders of their own, on free ports of this machine, made by deploy/quickstart.
# A bats file loads it (`load ../lib/demo`), starts one in setup_file and stops it in teardown_file; the names of
# DIR/env are exported from there into every test. Nothing here ends a process that it did not start.

bats_require_minimum_version 1.5.0

: "${CHANCERY_TOP:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${CHANCERY_BUILD:=$CHANCERY_TOP/build}"
export CHANCERY_TOP CHANCERY_BUILD

# --- ports and processes ---

# N ports that nobody has, on IPv4 and IPv6, outside the range from which clients' own ports are taken.
demo_ports() { # N
    python3 - "$1" <<'PY'
import random, socket, sys
found = []
while len(found) < int(sys.argv[1]):
    port = random.randrange(12000, 32000)
    try:
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family) as s:
                s.bind((host, port))
        if port not in found:
            found.append(port)
    except OSError:
        pass
print(*found)
PY
}

process_alive() { # PID; a zombie is not
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    stat=${stat##*) }
    [ "${stat%% *}" != Z ]
}

# Waits up to SECONDS for a command to succeed.
within() { # SECONDS COMMAND...
    local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
    shift
    until "$@"; do
        [ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
        sleep 0.05
    done
}

process_gone() { ! process_alive "$1"; }

# --- a demo's life ---

# Makes and starts one in DIR, or starts what is there, and exports the names of its env.
demo_start() { # [DIR]
    local dir=${1:-$BATS_FILE_TMPDIR/demo} port http_port ports=()
    if [ ! -e "$dir/chancery.yaml" ]; then
        read -r port http_port < <(demo_ports 2)
        ports=(--port "$port" --http-port "$http_port")
    fi
    "$CHANCERY_TOP/deploy/quickstart" --no-install --build-dir "$CHANCERY_BUILD/release" "${ports[@]}" "$dir" >"$dir.start" 2>&1 3>&- ||
        { cat "$dir.start" "$dir/log" >&2; return 1; }
    demo_env "$dir"
}

demo_env() { # DIR
    set -a
    # shellcheck disable=SC1091
    . "$1/env"
    set +a
}

# Ends it, and says so where it does not end.
demo_stop() { # [DIR]
    local dir=${1:-$BATS_FILE_TMPDIR/demo} pid
    pid=$(cat "$dir/run/pid" 2>/dev/null) || return 0
    process_alive "$pid" || return 0
    kill "$pid"
    within 30 process_gone "$pid" || { echo "chanceryd $pid did not end" >&2; kill -9 "$pid"; return 1; }
}

# The process id of a child, by role: vault, front, responder.
demo_child() { # ROLE [PID of the warden]
    local pid
    for pid in $(pgrep -P "${2:-$CHANCERY_PID}"); do
        if tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q -- "--role $1"; then echo "$pid"; fi
    done
}

# Every probe is well.
demo_ready() {
    local answer # jq 1.6 is content with nothing
    answer=$(curl -sf --max-time 2 --cacert "$CHANCERY_ROOT" "$CHANCERY_URL/readyz" 2>/dev/null) || return 1
    jq -e '[.probes[].ok] | all' <<<"$answer" >/dev/null
}

chancery() { "$CHANCERY_BIN/chancery" "$@"; }

# --- certificates ---

# FILE.key and FILE.csr: P-256, empty subject, the names given ("DNS:a.example", "IP:..."). KEY=... other keys.
csr() { # FILE NAME...
    local file=$1 names
    shift
    names=$(IFS=,; echo "$*")
    [ -e "$file.key" ] || key_make "$file.key" "${KEY:-P-256}"
    openssl req -new -key "$file.key" -subj "${SUBJECT:-/}" ${names:+-addext "subjectAltName=$names"} -out "$file.csr" 2>/dev/null
}

key_make() { # FILE KIND
    case "$2" in
        P-*) openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$2" -out "$1" ;;
        RSA-*) openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:${2#RSA-}" -out "$1" ;;
        *) openssl genpkey -algorithm "$2" -out "$1" ;;
    esac 2>/dev/null
}

bearer() { printf 'Authorization: Bearer %s\n' "$(cat "${1:-$CHANCERY_TOKEN_FILE}")"; }

# FILE.key, FILE.csr and FILE.pem (leaf, issuing CA) for these names, with the demo's token. TEMPLATE=...
issue() { # FILE NAME...
    csr "$@" &&
        bearer "${TOKEN:-}" | curl -sS --max-time 30 --fail-with-body --cacert "$CHANCERY_ROOT" -H @- -H 'Content-Type: application/pkcs10' \
            -H 'Accept: application/pem-certificate-chain' --data-binary @"$1.csr" -o "$1.pem" \
            "$CHANCERY_URL/v1/certificates?template=${TEMPLATE:-server}" || { cat "$1.pem"; return 1; }
}

serial_of() { openssl x509 -in "$1" -noout -serial | cut -d= -f2 | tr 'A-F' 'a-f'; }
