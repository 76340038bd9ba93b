#!/usr/bin/env bats
# Templates over the commands: a request explained, versions and what they make of past requests.

load ../lib/demo
load ../lib/ask

setup_file() { demo_start; }
teardown_file() { demo_stop; }

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# Standard output is one JSON value; nothing else is printed there.
json() { # COMMAND...
    chancery "$@" --json >out.json 2>err.txt || { cat out.json err.txt; return 1; }
    jq -e . out.json >/dev/null
}

newest_is() { # NAME VERSION
    [ "$(chancery template versions "$1" --json | jq ".versions[0].version")" = "$2" ]
}

@test "template explain names every field's origin and every rule's judge, and signs nothing" {
    local before
    csr a "DNS:*.example.internal"
    before=$(chancery ledger log --limit 1000 --json | jq '.entries | length')
    run chancery template explain server --csr a.csr
    [ "$status" -eq 0 ]
    matches "$output" $'\nkey +csr +p256'
    matches "$output" $'\nsans.wildcard +broken +both +dns:'
    matches "$output" $'\nvault +broken +vault '
    matches "$output" "would be refused by template 'server':"
    json template explain server --csr a.csr --san dns:b.example.internal --asker "token:$(chancery token list --json | jq -r '.tokens[0].id[:8]')"
    same "$(jq -r '.issued' out.json)" true
    same "$(jq -r '.fields[] | select(.field == "sans") | .value + " " + .origin' out.json)" "dns:b.example.internal request"
    same "$(jq -r '[.rules[].judge] | unique | join(" ")' out.json)" "both front vault"
    json template explain server --csr a.csr --wanting
    same "$(jq -r '[.rules[].verdict] | unique | join(" ")' out.json)" broken
    same "$(chancery ledger log --limit 1000 --json | jq '.entries | length')" "$before"
    run -1 chancery template explain bogus --csr a.csr
}

@test "every version of a template is on record, and a certificate names its own" {
    local file="$CHANCERY_DIR/templates/server.yaml" before
    cp "$file" kept.yaml
    before=$(chancery template versions server --json | jq .versions[0].version)
    issue a DNS:a.versions.example.internal
    sed 's/default: 90d/default: 80d/' kept.yaml >"$file.new" && mv "$file.new" "$file"
    kill -HUP "$CHANCERY_PID"
    within 10 newest_is server $((before + 1))
    issue b DNS:b.versions.example.internal
    json cert show "$(serial_of a.pem)"
    same "$(jq -r .template_version out.json)" "$before"
    json cert show "$(serial_of b.pem)"
    same "$(jq -r .template_version out.json)" "$((before + 1))"
    same "$(chancery template show server --version "$before" | jq -r .validity.default)" 90d
    run chancery template diff "server@$before" server --replay 1
    [ "$status" -eq 0 ]
    matches "$output" 'validity.default +90d +80d'
    matches "$output" 'asked for again: 0 the same, 1 different, 0 refused'
    cp kept.yaml "$file.new" && mv "$file.new" "$file"
    kill -HUP "$CHANCERY_PID"
    within 10 newest_is server $((before + 2))
    chancery ledger verify
}

@test "template diff says what a file would refuse of what was issued" {
    issue a DNS:a.diff.example.internal DNS:b.diff.example.internal
    sed 's/  max: 100$/  max: 1/' "$CHANCERY_DIR/templates/server.yaml" >server.yaml
    json template diff server server.yaml --replay 1
    same "$(jq -r '.replay.requests[0].serial + " " + .replay.requests[0].outcome' out.json)" "$(serial_of a.pem) refused"
    matches "$(jq -r '.replay.requests[0].why' out.json)" '^sans.max: '
    run -1 chancery template diff server@999 server
    run -1 chancery template diff server missing.yaml
}


@test "template rollback puts back what was in force before, and the daemon takes it" {
    local file="$CHANCERY_DIR/templates/server.yaml" version
    version=$(chancery template versions server --json | jq .versions[0].version)
    cp "$file" kept.yaml
    sed 's/max: 398d/max: 390d/' kept.yaml >"$file.new" && mv "$file.new" "$file"
    cp kept.yaml "$CHANCERY_DIR/templates/extra.yaml"
    kill -HUP "$CHANCERY_PID"
    within 10 newest_is server $((version + 1))
    run chancery template rollback
    [ "$status" -eq 0 ] || { echo "$output"; false; }
    matches "$output" 'templates/server.yaml +put back'
    matches "$output" 'templates/extra.yaml +taken away'
    matches "$output" 'generation [0-9]+ is in force'
    cmp kept.yaml "$file"
    [ ! -e "$CHANCERY_DIR/templates/extra.yaml" ]
    within 10 newest_is server $((version + 2))
    same "$(chancery template show server | jq -r .validity.max)" 398d
    json template rollback --list
    same "$(jq -r '.generations | map(.in_force) | .[0], .[1] | tostring' out.json | paste -sd' ')" "true false"
    same "$(jq -r '.generations[0].id' out.json)" "$(jq -r '.generations[2].id' out.json)"
}

@test "template rollback loses no change that is not in force yet" {
    local file="$CHANCERY_DIR/templates/server.yaml"
    cp "$file" kept.yaml
    echo '# mine' >>"$file"
    run -1 chancery template rollback
    matches "$output" 'templates/server.yaml has changes that are not in force'
    tail -1 "$file" | grep -q '# mine'
    cp kept.yaml "$file"
    run -1 chancery template rollback --to 0000
    matches "$output" 'no generation'
}
