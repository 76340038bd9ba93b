#!/usr/bin/env bats
# nginx with our certificates: TLS, client certificates with the bundle of CRLs, OCSP stapling, OCSP of clients. As an ordinary user,
# with its own prefix.

load ../lib/demo
load ../lib/ask

setup_file() {
    demo_start
    export N=$BATS_FILE_TMPDIR/nginx
    mkdir -p "$N/html"
    echo served >"$N/html/index.html"
    cd "$N" || return 1
    read -r PLAIN MUTUAL ASKING < <(demo_ports 3)
    export PLAIN MUTUAL ASKING
    issue web DNS:web.example.internal DNS:localhost
    cat "$CHANCERY_ISSUER" "$CHANCERY_ROOT" >cas.pem
    crls_fetch
    nginx_conf >nginx.conf
    nginx -e "$N/error.log" -p "$N" -c "$N/nginx.conf" -t || return 1
    nginx -e "$N/error.log" -p "$N" -c "$N/nginx.conf" 3>&-
    within 5 test -s nginx.pid
}

teardown_file() {
    [ ! -s "$N/nginx.pid" ] || kill "$(cat "$N/nginx.pid")"
    demo_stop
}

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

crls_fetch() { curl -sf -o "$N/crls.pem" "$CHANCERY_HTTP_URL/crl/issuing-chain.pem"; }

nginx_conf() {
    local http=127.0.0.1:${CHANCERY_HTTP_URL##*:}
    cat <<CONF
pid $N/nginx.pid;
error_log $N/error.log info;
worker_processes 1;
events { worker_connections 128; }
http {
    access_log off;
    client_body_temp_path $N/tmp-body; proxy_temp_path $N/tmp-proxy; fastcgi_temp_path $N/tmp-fcgi;
    uwsgi_temp_path $N/tmp-uwsgi; scgi_temp_path $N/tmp-scgi;
    root $N/html;
    ssl_certificate $N/web.pem;
    ssl_certificate_key $N/web.key;
    ssl_trusted_certificate $N/cas.pem;
    server { # a server's certificate, with its status stapled
        listen 127.0.0.1:$PLAIN ssl;
        ssl_stapling on;
        ssl_stapling_verify on;
        ssl_stapling_responder http://$http/ocsp/issuing;
    }
    server { # clients by certificate, against the lists
        listen 127.0.0.1:$MUTUAL ssl;
        ssl_verify_client on;
        ssl_verify_depth 2;
        ssl_client_certificate $N/cas.pem;
        ssl_crl $N/crls.pem;
    }
    server { # clients by certificate, asking about the leaf
        listen 127.0.0.1:$ASKING ssl;
        ssl_verify_client on;
        ssl_verify_depth 2;
        ssl_client_certificate $N/cas.pem;
        ssl_ocsp leaf;
        ssl_ocsp_responder http://$http/ocsp/issuing;
    }
}
CONF
}

get() { # PORT CURL-ARGUMENT...
    local port=$1
    shift
    curl -sS --max-time 10 -o body -w '%{http_code}' --cacert "$CHANCERY_ROOT" --resolve "web.example.internal:$port:127.0.0.1" "$@" "https://web.example.internal:$port/"
}

# A reload is done when the old workers are gone.
nginx_reload() {
    local old
    old=$(pgrep -P "$(cat "$N/nginx.pid")" | head -1)
    kill -HUP "$(cat "$N/nginx.pid")"
    within 10 process_gone "$old"
}

@test "its certificate is accepted with the root alone in the client's store" {
    same "$(get "$PLAIN")" 200
    same "$(cat body)" served
    gnutls-cli --x509cafile "$CHANCERY_ROOT" --verify-hostname web.example.internal -p "$PLAIN" 127.0.0.1 </dev/null >out 2>&1
}

@test "it staples our OCSP answer, which the client checks" {
    stapled() {
        openssl s_client -connect "127.0.0.1:$PLAIN" -servername web.example.internal -CAfile "$CHANCERY_ROOT" -status </dev/null >out 2>/dev/null
        grep -q 'OCSP Response Status: successful' out
    }
    within 10 stapled # nginx asks after the first handshake
    grep -q 'Cert Status: good' out
    same "$(get "$PLAIN" --cert-status)" 200
}

@test "without a client certificate it lets nobody in" {
    same "$(get "$MUTUAL")" 400
    grep -q 'No required SSL certificate' body
}

@test "a good client certificate passes, with the lists of the whole chain" {
    TEMPLATE=client issue me DNS:me.example.internal
    same "$(get "$MUTUAL" --cert me.pem --key me.key)" 200
}

@test "negative control: without the root's list it refuses good clients" {
    TEMPLATE=client issue me DNS:me.example.internal
    curl -sf "$CHANCERY_HTTP_URL/crl/issuing.crl" | openssl crl -inform DER -out "$N/crls.pem"
    nginx_reload
    same "$(get "$MUTUAL" --cert me.pem --key me.key)" 400
    crls_fetch
    nginx_reload
    same "$(get "$MUTUAL" --cert me.pem --key me.key)" 200
}

@test "a revoked client certificate is refused once the lists are fetched anew" {
    TEMPLATE=client issue me DNS:me.example.internal
    TEMPLATE=client issue you DNS:you.example.internal
    chancery cert revoke "$(serial_of me.pem)" --reason keyCompromise
    listed() {
        crls_fetch
        openssl crl -in "$N/crls.pem" -noout -text | grep -qi "$(serial_of me.pem)"
    }
    within 1 listed
    nginx_reload
    same "$(get "$MUTUAL" --cert me.pem --key me.key)" 400
    grep -q 'SSL certificate error' body
    grep -q 'certificate revoked' "$N/error.log"
    same "$(get "$MUTUAL" --cert you.pem --key you.key)" 200
}

@test "a server's certificate is not taken for a client's" {
    same "$(get "$MUTUAL" --cert "$N/web.pem" --key "$N/web.key")" 400
}

@test "asking OCSP about its clients, it lets in the good one and refuses the revoked one" {
    TEMPLATE=client issue me DNS:me.example.internal
    same "$(get "$ASKING" --cert me.pem --key me.key)" 200
    TEMPLATE=client issue you DNS:you.example.internal
    chancery cert revoke "$(serial_of you.pem)"
    same "$(get "$ASKING" --cert you.pem --key you.key)" 400
}

@test "renewed with the same names, the new certificate serves after a reload" {
    cp "$N/web.key" web.key
    issue web DNS:web.example.internal DNS:localhost
    cp web.pem "$N/web.pem"
    nginx_reload
    same "$(get "$PLAIN")" 200
    same "$(openssl s_client -connect "127.0.0.1:$PLAIN" </dev/null 2>/dev/null | openssl x509 -noout -serial)" "$(openssl x509 -in web.pem -noout -serial)"
}
