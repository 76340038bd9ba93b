#!/usr/bin/env bats
# kill -9 of any process at any moment, under load: what clients were handed is in the ledger, ledger and seal roll agree,
# the token signed no more than the roll says, issuance goes on at once, and a lost certificate is good for nobody.

load ../lib/demo
load fault

KILLS=36
[ "${CHANCERY_LONG:-0}" = 1 ] && KILLS=400

setup_file() { fault_make "$BATS_FILE_TMPDIR/demo"; }
teardown_file() { fault_stop; }

# The state of the token, the roll's floors and leases all begin anew with each of these.
roles=(vault front responder vault front)

@test "the token signs as often as the roll says while nobody dies" {
    fault_start
    clients_start 4
    within 30 handed_more 60
    fault_settle
    books_agree
    cp -r "$DIR/ledger" "$DIR/ledger.early"
    cp "$DIR/roll/roll.der" "$DIR/roll.early"
    rolled=$(sed -n 's/.*rolled //p' "$DIR/books")
    [ "$(wrap good C_Sign)" -eq $((rolled - SEALS_BEFORE)) ] || { echo "$(wrap good C_Sign) C_Sign, $rolled - $SEALS_BEFORE seals"; return 1; }
}

@test "random kills" {
    fault_start
    clients_start 4
    for ((i = 0; i < KILLS; i++)); do
        kill_one "${roles[RANDOM % ${#roles[@]}]}" || { sleep 0.2; continue; }
        issuance_goes_on 15
        sleep "0.$((RANDOM % 6))"
    done
}

@test "a kill at every point that has a name" {
    clients_stop
    demo_stop "$DIR"
    fault_start chanceryd-test
    clients_start 4
    points=$(sed -n 's/^WORLD_POINT("\(.*\)")/\1/p' "$CHANCERY_TOP/base/include/base/world_points.def")
    [ "$(wc -w <<<"$points")" -ge 17 ]
    for point in $points; do
        for after in 0 3; do
            n=$(world count "$point")
            world rule "$point" kill after=$after >/dev/null
            within 20 passed_more "$point" "$n" $after || { echo "$point was not passed"; world show; return 1; }
            echo "$point" >>"$DIR/kills"
            issuance_goes_on 15
            world clear
        done
    done
}

passed_more() { # POINT N AFTER: the point was passed so often that the rule has acted. A status is asked for on the way.
    local serial
    serial=$(awk '/^issued/ { s = $2 } END { print s }' "$DIR/told")
    ocsp_of "$serial" >/dev/null || true
    [ "$(world count "$1")" -gt $(($2 + $3)) ]
}

@test "all of them die at once, and the warden too" {
    for role in vault front responder; do kill_one "$role"; done
    issuance_goes_on 15
    pid=$(warden)
    children=$(pgrep -P "$pid")
    kill -9 "$pid"
    echo warden >>"$DIR/kills"
    for pid in $pid $children; do within 10 process_gone "$pid"; done
    fault_start chanceryd-test
    issuance_goes_on 15
}

@test "at least 50 were killed, and issuance went on within a second or so" {
    [ "$(kills)" -ge 50 ]
    median=$(sort -n "$DIR/gaps" | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }')
    most=$(sort -n "$DIR/gaps" | tail -1)
    echo "# $(kills) kills; certificates again after $median ms, at most $most ms; $(handed) certificates handed out" >&3
    [ "$median" -lt 1500 ]
}

@test "what clients hold is in the ledger, and the books agree" {
    fault_settle
    books_agree
    echo "# $(tail -1 "$DIR/books"); C_Sign $(wrap good C_Sign)" >&3
}

@test "a lost certificate is good for nobody" {
    fault_start
    [ "$(grep -c '^lost\|^never' "$DIR/books")" -gt 0 ]
    lost_serials_are_not_good 40
    within 10 the_list_is_whole || { head "$DIR/missing"; return 1; }
}

# As if records were answered before they are durable, intents left out, seals left unrolled.
@test "control: the checkers see what is missing" {
    demo_stop "$DIR"
    books
    run books "$DIR/ledger.early"
    [ "$status" -ne 0 ]
    [[ "$output" =~ "a client holds" ]] && [[ "$output" =~ "has no intent" ]]
    run ! chancery ledger verify --ledger "$DIR/ledger.early"
    run books "$DIR/ledger" "$DIR/roll.early"
    [ "$status" -ne 0 ]
    [[ "$output" =~ "has a record and no seal" ]] && [[ "$output" =~ "the token signed" ]]
    run ! chancery ledger verify --roll "$DIR/roll.early"
    sed '0,/^issued/s/^issued \([^ ]*\) [^ ]*/issued \1 00/' "$DIR/told" >"$DIR/told.other"
    run books "$DIR/ledger" "$DIR/roll/roll.der" "$DIR/told.other"
    [ "$status" -ne 0 ]
    [[ "$output" =~ "a client holds another" ]]
}
