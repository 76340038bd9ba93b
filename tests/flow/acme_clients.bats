#!/usr/bin/env bats
# The clients that service teams already run, as Debian ships them: nothing is told to them but the directory and the root.
# The commands are those of doc/ACME.md, run as printed there.

load ../lib/demo
load ../lib/ask
load ../lib/acme

setup_file() { acme_start; }
teardown_file() { acme_stop; }

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }
teardown() { web_stop; }

# --- certbot ---

# Where an ordinary user's certbot keeps its files.
certbot_home() {
    export XDG_CONFIG_HOME=$PWD
    mkdir letsencrypt
    printf '%s\n' "config-dir = $PWD/c" "work-dir = $PWD/w" "logs-dir = $PWD/l" >letsencrypt/cli.ini
}

run_certbot() {
    REQUESTS_CA_BUNDLE=$CHANCERY_ROOT certbot "$@" --non-interactive >>certbot.log 2>&1 || { cat certbot.log; return 1; }
}

@test "certbot: registers, issues by http-01, renews, revokes, leaves" {
    certbot_home
    as_printed certbot 1
    certified c/live/www.example.internal/fullchain.pem www.example.internal example.internal
    cp leaf.pem first.pem
    as_printed certbot 2 # not due yet
    cmp c/live/www.example.internal/cert.pem first.pem
    run_certbot renew --no-random-sleep-on-renew --force-renewal
    certified c/live/www.example.internal/fullchain.pem www.example.internal example.internal
    run ! cmp leaf.pem first.pem
    as_printed certbot 3
    status_is revoked leaf.pem
    status_is good first.pem
    run_certbot unregister --server "$DIRECTORY"
}

@test "certbot: an account bound by EAB, and a wildcard by dns-01 with a hook that writes the zone" {
    cat >hook <<'HOOK'
#!/bin/sh
echo "_acme-challenge.$CERTBOT_DOMAIN TXT $CERTBOT_VALIDATION" >>"$ZONE"
HOOK
    chmod +x hook
    certbot_home
    local args=(certonly --server "$WILD" --manual --preferred-challenges dns --manual-auth-hook "$PWD/hook" -d '*.wild.example.internal'
        -d wild.example.internal --agree-tos -m ops@example.internal --no-eff-email)
    run ! run_certbot "${args[@]}"
    grep -qi 'external account' <<<"$output"
    eab
    run_certbot "${args[@]}" --eab-kid "$KID" --eab-hmac-key "$HMAC"
    certified c/live/wild.example.internal/fullchain.pem '*.wild.example.internal' wild.example.internal
}

# --- lego ---

run_lego() {
    LEGO_CA_CERTIFICATES=$CHANCERY_ROOT lego --server "${LEGO_DIRECTORY:-$DIRECTORY}" --path p --email ops@example.internal --accept-tos "$@" >>lego.log 2>&1 ||
        { cat lego.log; return 1; }
}

@test "lego: http-01, renew, revoke; tls-alpn-01; an account key on P-384" {
    as_printed lego 1
    certified lego/certificates/lego.example.internal.crt lego.example.internal
    cp leaf.pem first.pem
    as_printed lego 2 # not due yet
    certified lego/certificates/lego.example.internal.crt lego.example.internal
    cmp leaf.pem first.pem
    printed lego 2 | sed 's/--days 30/--days 9999/' >block.sh
    DIRECTORY=$DIRECTORY ROOT=$CHANCERY_ROOT bash -e block.sh >block.log 2>&1 || { cat block.log; return 1; }
    certified lego/certificates/lego.example.internal.crt lego.example.internal
    run ! cmp leaf.pem first.pem
    as_printed lego 3
    status_is revoked leaf.pem
    as_printed lego 4
    certified lego/certificates/alpn.example.internal.crt alpn.example.internal
    run_lego --key-type ec384 -d p384.example.internal --tls --tls.port ":$CHALLENGE_TLS" run
    certified p/certificates/p384.example.internal.crt p384.example.internal
}

@test "lego: dns-01 with a program that writes the zone" {
    cat >hook <<'HOOK'
#!/bin/sh
if [ "$1" = present ]; then echo "${2%.} TXT $3" >>"$ZONE"; fi
HOOK
    chmod +x hook
    EXEC_PATH=$PWD/hook EXEC_POLLING_INTERVAL=1 run_lego -d dns.lego.example.internal --dns exec --dns.disable-cp --dns.resolvers "$RESOLVER" run
    certified p/certificates/dns.lego.example.internal.crt dns.lego.example.internal
}

@test "lego: an EAB that is approved beforehand needs no challenge, and is used up" {
    eab '"preapproved": true'
    LEGO_DIRECTORY=$WILD run_lego --eab --kid "$KID" --hmac "$HMAC" -d '*.pre.example.internal' --http --http.port ":$CHALLENGE_HTTP" run
    certified p/certificates/_.pre.example.internal.crt '*.pre.example.internal'
    rm -r p
    LEGO_DIRECTORY=$WILD run ! run_lego --eab --kid "$KID" --hmac "$HMAC" -d x.example.internal --http --http.port ":$CHALLENGE_HTTP" run
    grep -qE 'unauthorized|externalAccount' <<<"$output"
}

# --- dehydrated ---

@test "dehydrated: registers, issues by http-01 and dns-01, revokes" {
    cat >hook <<'HOOK'
#!/bin/sh
[ "$1" = deploy_challenge ] && echo "_acme-challenge.$2 TXT $4" >>"$ZONE"
exit 0
HOOK
    chmod +x hook
    web_start
    as_printed dehydrated 1
    certified dehydrated/certs/dh.example.internal/fullchain.pem dh.example.internal
    as_printed dehydrated 2
    status_is revoked leaf.pem
    dehydrated -f dehydrated.conf -c -d dd.example.internal -t dns-01 -k "$PWD/hook"
    certified dehydrated/certs/dd.example.internal/fullchain.pem dd.example.internal
    dehydrated -f dehydrated.conf --deactivate
}

# --- acme-tiny ---

@test "acme-tiny: a request made elsewhere, an RSA account" {
    web_start
    as_printed acme-tiny
    certified tiny.pem tiny.example.internal
}

# --- uacme, which trusts the system's store alone ---

# A shell whose store has the demo's root in it.
store_shell() {
    cat /etc/ssl/certs/ca-certificates.crt "$CHANCERY_ROOT" >store.pem || return 1
    cat >inside <<INSIDE
#!/bin/sh
mount --bind "$PWD/store.pem" /etc/ssl/certs/ca-certificates.crt && exec bash "\$@"
INSIDE
    printf '#!/bin/sh\nexec unshare -rm "%s/inside" "$@"\n' "$PWD" >store-shell
    chmod +x inside store-shell
    ./store-shell -c true 2>/dev/null
}

@test "uacme: account, http-01, newkey, revoke, deactivate" {
    store_shell || skip "uacme trusts the system's store alone, and here no mount namespace can be made to change it for one process"
    cat >hook <<HOOK
#!/bin/sh
[ "\$2" = http-01 ] || exit 1
[ "\$1" = begin ] && printf '%s' "\$5" >"$WELL_KNOWN/\$4"
exit 0
HOOK
    chmod +x hook
    web_start
    export HOOK=$PWD/hook WITHIN=./store-shell
    as_printed uacme 1
    certified uacme/ua.example.internal/cert.pem ua.example.internal
    as_printed uacme 2
    status_is revoked leaf.pem
    ./store-shell -c "uacme -a $DIRECTORY -c ./uacme -y -t EC deactivate"
}

# --- servers that are their own clients ---

server_certificate() { # NAME: what is served on the challenge's TLS port
    openssl s_client -connect "127.0.0.1:$CHALLENGE_TLS" -servername "$1" -showcerts </dev/null 2>/dev/null >served.txt
    sed -n '/BEGIN/,/END/p' served.txt >served.pem
    grep -q BEGIN served.pem && openssl verify -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" served.pem >/dev/null 2>&1
}

serves() { # NAME
    within 20 server_certificate "$1" && certified served.pem "$1"
}

@test "caddy: by http-01 and by tls-alpn-01, on its own" {
    printed caddy | sed "s|admin off|&\n    storage file_system $PWD/store|" >Caddyfile
    cat >>Caddyfile <<CADDY
http.example.internal {
    tls {
        issuer acme {
            disable_tlsalpn_challenge
        }
    }
    respond "well"
}
calpn.example.internal {
    tls {
        issuer acme {
            disable_http_challenge
        }
    }
    respond "well"
}
CADDY
    HOME=$PWD XDG_CONFIG_HOME=$PWD XDG_DATA_HOME=$PWD ROOT=$CHANCERY_ROOT caddy run --config Caddyfile --adapter caddyfile >caddy.log 2>&1 3>&- &
    local pid=$!
    serves caddy.example.internal && serves http.example.internal && serves calpn.example.internal || { kill $pid; cat caddy.log; return 1; }
    kill $pid
    wait $pid
}

@test "apache mod_md: by tls-alpn-01 and http-01, and a restart to take it up" {
    local modules=/usr/lib/apache2/modules
    mkdir -p run www md
    cat >httpd.conf <<HTTPD
ServerRoot $PWD
PidFile run/pid
DefaultRuntimeDir run
Mutex file:$PWD/run
ErrorLog $PWD/error.log
LogLevel md:debug
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule ssl_module $modules/mod_ssl.so
LoadModule md_module $modules/mod_md.so
Listen 127.0.0.1:$CHALLENGE_HTTP
Listen 127.0.0.1:$CHALLENGE_TLS
DocumentRoot $PWD/www
MDStoreDir md
MDRetryDelay 1s
<VirtualHost *:$CHALLENGE_HTTP>
ServerName md.example.internal
</VirtualHost>
HTTPD
    printed "Apache, mod_md" >>httpd.conf
    ROOT=$CHANCERY_ROOT apache2 -d "$PWD" -f "$PWD/httpd.conf" -DFOREGROUND >apache.log 2>&1 3>&- &
    local pid=$!
    within 20 test -s md/staging/md.example.internal/pubcert.pem || { kill $pid; tail -40 error.log; cat apache.log; return 1; }
    kill -USR1 $pid # a graceful restart
    serves md.example.internal || { kill $pid; tail -40 error.log; return 1; }
    kill $pid
    wait $pid
}

# --- what a client is told ---

acme() { python3 "$CHANCERY_TOP/tests/lib/acme.py" state.json "$@"; }
refused() { # NAME REGEX
    run -0 acme order "$1"
    run -0 acme prove http-01
    matches "$output" '"status": "invalid"' && matches "$output" "$2"
}

@test "a challenge that is not met says which record or status, and nothing of what was there" {
    web_start
    run -0 acme register
    refused missing.example.internal 'missing.example.internal.*answered with status 404'
    refused name.elsewhere.internal 'A and AAAA at name.elsewhere.internal.*NXDOMAIN'
    acme_validation ", deny: [127.0.0.0/8]"
    refused denied.example.internal 'one that this CA does not connect to'
    acme_validation
}
