#!/usr/bin/env bats
# An owned front and an owned responder against a real vault (owned_test.c), as built for release. ctest runs the same with
# sanitizers.

@test "what owned peers cannot do: refused, unsigned, unrolled; sealed where the check is switched off" {
    run "$CHANCERY_BUILD/release/tests/fault/fault_owned"
    [ "$status" -eq 0 ] || { grep -E "ERROR|FAILED|LINE|^  [a-zA-Z]" <<<"$output" | tail -40; return 1; }
}
