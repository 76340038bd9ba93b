#!/usr/bin/env bats
# The clients that service teams already run, as Debian ships them: nothing is told to them but the directory and the root.

load ../lib/demo
load ../lib/ask
load ../lib/acme

setup_file() { acme_start; }
teardown_file() { acme_stop; }

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }
teardown() { web_stop; }

# --- certbot ---

run_certbot() {
    REQUESTS_CA_BUNDLE=$CHANCERY_ROOT certbot "$@" --non-interactive --config-dir c --work-dir w --logs-dir l >>certbot.log 2>&1 ||
        { cat certbot.log; return 1; }
}

@test "certbot: registers, issues by http-01, renews, revokes, leaves" {
    run_certbot certonly --server "$DIRECTORY" --standalone --http-01-port "$CHALLENGE_HTTP" -d a.example.internal -d b.example.internal \
        --agree-tos -m ops@example.internal --no-eff-email
    certified c/live/a.example.internal/fullchain.pem a.example.internal b.example.internal
    local first
    first=$(serial_of leaf.pem)
    cp leaf.pem first.pem
    run_certbot renew --no-random-sleep-on-renew --force-renewal
    certified c/live/a.example.internal/fullchain.pem a.example.internal b.example.internal
    [ "$(serial_of leaf.pem)" != "$first" ]
    run_certbot revoke --server "$DIRECTORY" --cert-path c/live/a.example.internal/cert.pem --reason superseded --no-delete-after-revoke
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
    run_lego -d l.example.internal --http --http.port ":$CHALLENGE_HTTP" run
    certified p/certificates/l.example.internal.crt l.example.internal
    local first
    first=$(serial_of leaf.pem)
    run_lego -d l.example.internal --http --http.port ":$CHALLENGE_HTTP" renew --days 9999 --no-random-sleep
    certified p/certificates/l.example.internal.crt l.example.internal
    [ "$(serial_of leaf.pem)" != "$first" ]
    run_lego -d l.example.internal revoke --reason 4
    status_is revoked leaf.pem
    run_lego --key-type ec384 -d t.example.internal --tls --tls.port ":$CHALLENGE_TLS" run
    certified p/certificates/t.example.internal.crt t.example.internal
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
    cat >config <<CONFIG
CA="$DIRECTORY"
BASEDIR="$PWD/d"
WELLKNOWN="$WELL_KNOWN"
CURL_OPTS="--cacert $CHANCERY_ROOT"
CONTACT_EMAIL=ops@example.internal
LOCKFILE="$PWD/lock"
CONFIG
    cat >hook <<'HOOK'
#!/bin/sh
[ "$1" = deploy_challenge ] && echo "_acme-challenge.$2 TXT $4" >>"$ZONE"
exit 0
HOOK
    chmod +x hook
    mkdir d
    web_start
    dehydrated -f config --register --accept-terms
    dehydrated -f config -c -d d.example.internal
    certified d/certs/d.example.internal/fullchain.pem d.example.internal
    dehydrated -f config --revoke d/certs/d.example.internal/cert.pem
    status_is revoked leaf.pem
    dehydrated -f config -c -d dd.example.internal -t dns-01 -k "$PWD/hook"
    certified d/certs/dd.example.internal/fullchain.pem dd.example.internal
    dehydrated -f config --deactivate
}

# --- acme-tiny ---

@test "acme-tiny: a request made elsewhere, an RSA account" {
    web_start
    openssl genrsa -out account.key 2048 2>/dev/null
    csr t DNS:tiny.example.internal
    SSL_CERT_FILE=$CHANCERY_ROOT acme-tiny --directory-url "$DIRECTORY" --account-key account.key --csr t.csr --acme-dir "$WELL_KNOWN" \
        --disable-check --contact mailto:ops@example.internal >t.pem 2>tiny.log || { cat tiny.log; return 1; }
    certified t.pem tiny.example.internal
}

# --- uacme, which trusts the system's store alone ---

@test "uacme: account, http-01, newkey, revoke, deactivate" {
    cat /etc/ssl/certs/ca-certificates.crt "$CHANCERY_ROOT" >store.pem 2>/dev/null || cp "$CHANCERY_ROOT" store.pem
    cat >inside <<INSIDE
#!/bin/sh
mount --bind "$PWD/store.pem" /etc/ssl/certs/ca-certificates.crt && exec uacme -v -a "$DIRECTORY" -c "$PWD/u" -y -t EC "\$@"
INSIDE
    chmod +x inside
    [ -e /etc/ssl/certs/ca-certificates.crt ] && unshare -rm mount --bind store.pem /etc/ssl/certs/ca-certificates.crt 2>/dev/null ||
        skip "uacme trusts the system's store alone, and here no mount namespace can be made to change it for one process"
    cat >hook <<HOOK
#!/bin/sh
[ "\$2" = http-01 ] || exit 1
[ "\$1" = begin ] && printf '%s' "\$5" >"$WELL_KNOWN/\$4"
exit 0
HOOK
    chmod +x hook
    web_start
    mkdir u
    u() { unshare -rm ./inside "$@" >>uacme.log 2>&1 || { cat uacme.log; return 1; }; }
    u new ops@example.internal
    u -h "$PWD/hook" issue u.example.internal
    certified u/u.example.internal/cert.pem u.example.internal
    u newkey
    u revoke u/u.example.internal/cert.pem
    status_is revoked leaf.pem
    u deactivate
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
    cat >Caddyfile <<CADDY
{
    acme_ca $DIRECTORY
    acme_ca_root $CHANCERY_ROOT
    email ops@example.internal
    http_port $CHALLENGE_HTTP
    https_port $CHALLENGE_TLS
    admin off
    storage file_system $PWD/store
}
caddy.example.internal {
    tls {
        issuer acme {
            disable_tlsalpn_challenge
        }
    }
    respond "well"
}
alpn.example.internal {
    tls {
        issuer acme {
            disable_http_challenge
        }
    }
    respond "well"
}
CADDY
    HOME=$PWD XDG_CONFIG_HOME=$PWD XDG_DATA_HOME=$PWD caddy run --config Caddyfile --adapter caddyfile >caddy.log 2>&1 3>&- &
    local pid=$!
    serves caddy.example.internal && serves alpn.example.internal || { kill $pid; cat caddy.log; return 1; }
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
MDCertificateAuthority $DIRECTORY
MDCACertificateFile $CHANCERY_ROOT
MDCertificateAgreement accepted
MDContactEmail ops@example.internal
MDPortMap http:$CHALLENGE_HTTP https:$CHALLENGE_TLS
MDRetryDelay 1s
MDomain md.example.internal
<VirtualHost *:$CHALLENGE_TLS>
ServerName md.example.internal
SSLEngine on
Protocols http/1.1 acme-tls/1
</VirtualHost>
<VirtualHost *:$CHALLENGE_HTTP>
ServerName md.example.internal
</VirtualHost>
HTTPD
    apache2 -d "$PWD" -f "$PWD/httpd.conf" -DFOREGROUND >apache.log 2>&1 3>&- &
    local pid=$!
    within 20 test -s md/staging/md.example.internal/pubcert.pem || { kill $pid; tail -40 error.log; cat apache.log; return 1; }
    kill -USR1 $pid # a graceful restart
    serves md.example.internal || { kill $pid; tail -40 error.log; return 1; }
    kill $pid
    wait $pid
}

# --- what a client is told ---

@test "a challenge that is not met says which record or status, and nothing of what was there" {
    web_start
    mkdir -p u d
    printf 'CA="%s"\nBASEDIR="%s"\nWELLKNOWN="%s"\nCURL_OPTS="--cacert %s"\nLOCKFILE="%s"\n' "$DIRECTORY" "$PWD/d" "$PWD/u" \
        "$CHANCERY_ROOT" "$PWD/lock" >config
    dehydrated -f config --register --accept-terms
    run ! dehydrated -f config -c -d missing.example.internal
    grep -q 'missing.example.internal.*answered with status 404' <<<"$output"
    run ! dehydrated -f config -c -d name.elsewhere.internal
    grep -q 'NXDOMAIN' <<<"$output"
    validation "resolvers: [\"$RESOLVER\"], http_port: $CHALLENGE_HTTP, tls_port: $CHALLENGE_TLS, timeout: 5s, deny: [127.0.0.0/8]"
    run ! dehydrated -f config -c -d denied.example.internal
    grep -q 'one that this CA does not connect to' <<<"$output"
    validation "resolvers: [\"$RESOLVER\"], http_port: $CHALLENGE_HTTP, tls_port: $CHALLENGE_TLS, timeout: 5s"
}
