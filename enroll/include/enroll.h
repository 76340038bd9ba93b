/*
 * The doors: protocols by which certificates are asked for. Each is a folder with one record of routes and
 * one row in a table (enroll.c); all of them build the same `struct ca_asker` in one place (asker.c) and end
 * in ca_issue(). On the front's loop.
 */
#ifndef CHANCERY_ENROLL_H
#define CHANCERY_ENROLL_H

#include <sys/types.h>

#include "ca.h"
#include "enroll_jwt.h"
#include "http.h"

struct courier; /* courier.h */
struct enroll;
struct tlog; /* tlog.h */

/* One thing that /readyz asks: NULL, or why not. `degraded`: shown, but issuance goes on, so the answer stays
 * 200. */
struct enroll_probe {
    const char *name;
    struct err *(*check)(void *arg);
    void *arg;
    bool degraded;
};

/* The ACME door. Durations in seconds; limits are per hour, 0: none. */
struct enroll_acme {
    const char *url;                     /* "https://ca.example:8443": never taken from a request */
    const char *template;                /* of /acme/directory */
    struct ledger_texts templates, open; /* with a directory each; those that need no EAB */
    const char *website, *terms;         /* or NULL */
    struct ledger_texts caa;             /* our names in CAA records */
    int64_t order_s, authz_s;
    int64_t orders_per_account, orders_per_name, accounts_per_address;
};

/* What a reload changes. Borrowed until the next enroll_set or enroll_free. */
struct enroll_config {
    const struct hsm_roster *roster;
    uint64_t generation;
    const char *generation_sha256;
    const struct enroll_jwt *jwts; /* whose JSON web tokens count */
    size_t jwts_n;
    const struct enroll_acme *acme; /* NULL: no ACME */
};

struct enroll_setup {
    struct loop *loop;
    struct ca *ca;
    struct ledger *ledger;
    struct hsm *hsm;
    struct tlog *tlog; /* NULL: no heads here */
    uid_t control_uid; /* besides root, who is administrator on control.sock: the owner of the installation */
    const char *isolation; /* what holds the processes apart, for /readyz */
    const struct enroll_probe *probes;
    size_t probes_n;
    const char *folder; /* of the front's own secrets; NULL: no ACME. Looked at while it is switched on */
    struct courier *courier; /* who looks at challenges; NULL: nobody */
};

/* The setup is copied, what it points to is borrowed. */
MUST_USE struct err *enroll_new(const struct enroll_setup *setup, const struct enroll_config *config,
                                struct enroll **ret);
void enroll_set(struct enroll *en, const struct enroll_config *config);
/* Adds every door's routes; requests are resumed at this server. */
void enroll_serve(struct enroll *en, struct http_server *http);
/* Before the ledger closes: what doors must remember over a restart. */
void enroll_stop(struct enroll *en);
void enroll_free(struct enroll *en); /* accepts NULL */

/* A new bearer token: 256 random bits behind a prefix that secret scanners recognise. The text is the
 * caller's to hand out once and wipe; the ledger gets only its SHA-256. */
enum { ENROLL_TOKEN_TEXT_BYTES = 64 };
void enroll_token_make(char text[ENROLL_TOKEN_TEXT_BYTES], uint8_t ret_id[32]);

#endif
