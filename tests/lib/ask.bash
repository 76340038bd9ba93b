# Questions to a demo over HTTPS and what is expected of its answers. After demo.bash.
#
# `ask` leaves the answer in $BATS_TEST_TMPDIR/body and .../head, and its status in $answer.

# Any curl arguments; PATH last, under the HTTPS address. Credentials are the caller's to add.
ask() { # CURL-ARGUMENT... PATH
    local path=${*: -1}
    rm -f "$BATS_TEST_TMPDIR/body" "$BATS_TEST_TMPDIR/head"
    answer=$(curl -sS --max-time 40 --cacert "$CHANCERY_ROOT" -o "$BATS_TEST_TMPDIR/body" -D "$BATS_TEST_TMPDIR/head" -w '%{http_code}' \
        "${@:1:$#-1}" "$CHANCERY_URL$path") || { echo "curl ended with $? for $path"; return 1; }
}

# With the demo's bearer token, or the one in the file $TOKEN.
ask_token() {
    bearer "${TOKEN:-}" >"$BATS_TEST_TMPDIR/bearer"
    ask -H @"$BATS_TEST_TMPDIR/bearer" "$@"
}

# As the administrator, by client certificate.
ask_admin() { ask --cert "$CHANCERY_ADMIN_CERT" --key "$CHANCERY_ADMIN_KEY" "$@"; }

# As the operator, likewise: an administrator asks for no certificates.
ask_operator() { ask --cert "$CHANCERY_OPERATOR_CERT" --key "$CHANCERY_OPERATOR_KEY" "$@"; }

ask_csr() { # FILE of a CSR [QUERY]
    ask_token -H 'Content-Type: application/pkcs10' --data-binary @"$1" "/v1/certificates?${2:-template=server}"
}

ask_json() { # JSON
    printf '%s' "$1" >"$BATS_TEST_TMPDIR/json"
    ask_token -H 'Content-Type: application/json' --data-binary @"$BATS_TEST_TMPDIR/json" /v1/certificates
}

# JSON for /v1/certificates from a CSR file and further members: `with_csr FILE '"validity":"1h"'`.
with_csr() { jq -Rs "{template:\"${TEMPLATE:-server}\", csr:., ${2:-}}" <"$1"; }

body() { cat "$BATS_TEST_TMPDIR/body"; }
member() { jq -r "$1" "$BATS_TEST_TMPDIR/body"; }

header() { # NAME; its value
    awk -v n="$(tr 'A-Z' 'a-z' <<<"$1")" -F ': ' 'tolower($1) == n { sub(/\r$/, ""); sub(/^[^:]*: /, ""); print }' "$BATS_TEST_TMPDIR/head"
}

expect() { # STATUS
    [ "$answer" = "$1" ] || { echo "status $answer, not $1: $(head -c 2000 "$BATS_TEST_TMPDIR/body" 2>/dev/null)"; return 1; }
}

same() { # WHAT EXPECTED
    [ "$1" = "$2" ] || { echo "it is '$1', not '$2'"; return 1; }
}

matches() { # TEXT REGEX
    [[ $1 =~ $2 ]] || { echo "'$1' does not match /$2/"; return 1; }
}

# The last answer is a problem document of RFC 9457 with this status and type, whose detail matches.
expect_problem() { # STATUS TYPE REGEX [POINTER]
    expect "$1" || return
    matches "$(header Content-Type)" '^application/problem\+json' || return
    same "$(member .type)" "urn:chancery:error:$2" || return
    same "$(member .status)" "$1" || return
    jq -e '(.title | length > 0) and (.instance | test("^[0-9a-f]{32}$")) and (.retryable | type == "boolean")' \
        "$BATS_TEST_TMPDIR/body" >/dev/null || { echo "title, instance or retryable: $(body)"; return 1; }
    same "$(member .instance)" "$(header X-Request-Id)" || return
    matches "$(member .detail)" "$3" || return
    [ -z "${4:-}" ] || same "$(member .pointer)" "$4" || return
    case "$1" in
        429 | 503) matches "$(header Retry-After)" '^[0-9]+$' ;;
    esac
}

# --- the books ---

# All but heads of the log, which are signed by the clock.
seals() { chancery ledger verify --json | jq ".seals - .seals_head"; }
entries() { chancery ledger verify --json | jq .entries; }

# What the ledger holds since an entry, as one JSON array.
log_since() { # ENTRY
    chancery ledger log --from "$(($1 + 1))" --limit 1000 --json | jq .entries
}
