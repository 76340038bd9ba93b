# The bench says what it should say; how fast anything is, is not judged here. With tests/run --long only: its figures
# want a machine to themselves for a few minutes.

@test "every part of the bench prints its rows, as JSON, within three minutes" {
    [ "${CHANCERY_LONG:-0}" = 1 ] || skip "three minutes of load: with --long"
    timeout 180 "$CHANCERY_TOP/tests/bench/run" --quick --json >"$BATS_TEST_TMPDIR/rows"
    jq -es 'length > 40 and all(.[]; keys == ["bar", "holds", "limit", "name", "ratio", "unit", "value"] and (.value | type) == "number")' \
        "$BATS_TEST_TMPDIR/rows" >/dev/null
    for name in disk.sync token.{p256,rsa2048}.t{1,2} csr.{verify,whole} provider.{p256,rsa2048}.t{1,2} issue.c{1,16,64}.{rate,p50,p99,cpu} \
        issue.c64.cpu.{front,vault,responder,warden} issue.c64.generator ocsp.{nginx,post,get}.rate \
        memory.{front,vault,responder,warden}.{idle,loaded}.own; do
        jq -es --arg n "$name" 'any(.[]; .name == $n)' "$BATS_TEST_TMPDIR/rows" >/dev/null || { echo "no row $name"; false; }
    done
    jq -es '[.[] | select(.name == "issue.c64.errors" or .name == "ocsp.errors").value] == [0, 0]' "$BATS_TEST_TMPDIR/rows" >/dev/null
    jq -es '[.[] | select(.bar != null).name] | length == 7' "$BATS_TEST_TMPDIR/rows" >/dev/null
}

@test "a part that is not there is named, and costs nothing" {
    run "$CHANCERY_TOP/tests/bench/run" nothing
    [ "$status" = 2 ]
    [[ "$output" == *"no part nothing"* ]]
}
