# One way to a certificate, whatever the door: every path ends in one step, one frame and one judge. These tests name
# all that lies on it, so that a new path has to pass by here.

setup() {
    top=$CHANCERY_TOP
    rooms="base cert config http templates hsm ledger tlog ca crl ocsp enroll daemon cli"
}

# Files that call this function or define it, in the tree at $top.
callers() { # FUNCTION
    # shellcheck disable=SC2086
    (cd "$top" && grep -rlP --include='*.c' "(?<![\w>.])$1\(" $rooms | sort | tr '\n' ' ')
}

only() { # FUNCTION FILE...
    local found want
    found=$(callers "$1")
    want=$(printf '%s\n' "${@:2}" | sort | tr '\n' ' ')
    [ "$found" = "$want" ] || { echo "$1 is called in: $found; that should be: $want"; return 1; }
}

one_way_in_the_front() {
    only ca_issue ca/issue.c daemon/own_cert.c daemon/role_front.c $(cd "$top" && grep -rlP --include='*.c' '(?<![\w>.])ca_issue\(' enroll | sort) || return 1
    only steps_seal ca/steps.c || return 1
    only hsm_seal_cert ca/steps.c hsm/client_calls.c
}

one_way_in_the_vault() {
    local file
    only signer_submit hsm/signer.c hsm/vault_seal.c || return 1
    only judge_cert hsm/judge_cert.c hsm/vault_cert.c || return 1
    only templates_judge hsm/judge_ca.c hsm/judge_cert.c templates/judge.c || return 1
    # whoever starts a seal has judged what is sealed
    for file in $(callers vault_seal_start); do
        [ "$file" = hsm/vault_seal.c ] || grep -qP '\bjudge_\w+\(' "$top/$file" || { echo "$file starts seals and judges nothing"; return 1; }
    done
}

# A copy of the sources, to be spoiled.
spoiled() {
    top=$BATS_TEST_TMPDIR/tree
    mkdir -p "$top"
    # shellcheck disable=SC2086
    (cd "$CHANCERY_TOP" && cp -r --parents $rooms "$top")
}

@test "every issuance in the front goes through the steps, to one frame" { one_way_in_the_front; }

@test "every seal in the vault is judged before it is rolled and signed" { one_way_in_the_vault; }

@test "a door that asked the vault itself would be found" {
    spoiled
    printf 'void f(void)\n{\n    hsm_seal_cert(h, what, done, arg, NULL);\n}\n' >"$top/enroll/rest/short.c"
    run one_way_in_the_front
    [ "$status" -ne 0 ]
    [[ "$output" == *enroll/rest/short.c* ]]
}

@test "a handler that sealed without judging would be found" {
    spoiled
    printf 'void f(void)\n{\n    vault_seal_start(v, peer, id, &want);\n}\n' >"$top/hsm/vault_short.c"
    run one_way_in_the_vault
    [ "$status" -ne 0 ]
    [[ "$output" == *vault_short.c* ]]
}

@test "a signature past the vault's seals would be found" {
    spoiled
    printf 'void f(void)\n{\n    signer_submit(s, &job);\n}\n' >"$top/hsm/vault_short.c"
    run one_way_in_the_vault
    [ "$status" -ne 0 ]
}
