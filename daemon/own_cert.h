/*
 * The front's own TLS certificate: a software key in a 0600 file, certified by this very house (template
 * `self`, the configured names and no other). Reused while it holds, renewed after two thirds of its life,
 * and at once where it is revoked; where that fails, tried again while the old one goes on. On the front's
 * loop.
 */
#ifndef CHANCERY_DAEMON_OWN_CERT_H
#define CHANCERY_DAEMON_OWN_CERT_H

#include "ca.h"
#include "http.h"

struct own_cert;

struct own_cert_setup {
    struct loop *loop;
    struct ca *ca;
    struct ledger *ledger;
    struct http_server *http;
    const char *folder; /* tls.key and tls.pem stand there */
    void (*on_usable)(
        void *arg); /* the first time that there is one to serve with; from own_cert_new or later */
    void *arg;
};

/* Looks at what the folder has; usable, it is served at once. names: "dns:ca.example", "ip:127.0.0.1";
 * borrowed until own_cert_names. */
MUST_USE struct err *own_cert_new(const struct own_cert_setup *setup, const char *const *names,
                                  size_t names_n, struct own_cert **ret);
void own_cert_free(struct own_cert *c); /* accepts NULL */

/* Other names are wanted: a new one is asked for where they differ. */
void own_cert_names(struct own_cert *c, const char *const *names, size_t names_n);
/* The engine can issue (again): what is due is asked for now. */
void own_cert_go(struct own_cert *c);

/* NULL where one is served that is not about to lapse; else which trouble: for /readyz. */
MUST_USE struct err *own_cert_ready(const struct own_cert *c);

#endif
