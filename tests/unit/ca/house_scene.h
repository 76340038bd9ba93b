/*
 * A whole house in one process, for the tests of ca, crl, ocsp and enroll: a SoftHSM token that a real
 * ceremony filled (root and issuing CA), a real vault on a thread of its own, and on the test's thread the
 * front: ledger, shelf, the vault's client, the engine. Linked with the test world, so that the clock can be
 * moved and the vault or the writer held at a named point.
 */
#ifndef CHANCERY_TESTS_HOUSE_SCENE_H
#define CHANCERY_TESTS_HOUSE_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca.h"
#include "hsm_ceremony.h"
#include "ledger.h"
#include "ledger_shelf.h"
#include "world_test.h"

#define HOUSE_SELF "dns:ca.example.internal"

struct house_vault; /* house_vault.c */

struct house {
    struct world_page *page;
    char dir[64], ledger_dir[80], shelf_dir[80];
    struct arena *arena;
    struct templates *templates;
    struct house_vault *vault;
    struct hsm_roster *roster;         /* of one administrator ... */
    struct evp_pkey_st *admin;         /* ... with this key */
    struct view root, issuing, second; /* certificates, DER; second: another issuing CA, not in the setup */
    /* the front */
    struct loop *loop;
    struct ledger *ledger;
    struct shelf *shelf;
    struct hsm *hsm;
    struct ca *ca;
    struct ca_setup setup;
    struct ca_issuer issuers[2]; /* root, issuing */
    int ready, lost;             /* how often hsm said so */
    bool recovered;              /* as ca_recover said last */
    enum err_code recover_code;
    /* Of a test that adds rooms to the front; all may be NULL. on_recovered: what was open is closed.
     * on_open, on_close: with every life of the front; on_close before its loop goes. is_quiet: nothing is
     * under way there. */
    void (*on_recovered)(struct house *h);
    void (*on_open)(struct house *h);
    void (*on_close)(struct house *h);
    bool (*is_quiet)(struct house *h);
    void *more;
};

/* To be called first in main: makes the page that steers the world and starts the program anew with it. */
struct world_page *house_world(char **argv);

/* cmocka's group setup and teardown: *state is the house, vault attached, what was open closed. The page is
 * the one of house_world. */
int house_setup(void **state);
int house_teardown(void **state);
/* An issuing CA as ca_setup has it. */
struct ca_issuer house_another_issuer(struct house *h, const char *name, struct view der);
/* The same in two parts: for a test that sets the hooks between them. */
struct house *house_build(void);
void house_start(struct house *h);

/* The front alone, closed and opened again over the same folders: as after a restart. */
void house_front_close(struct house *h);
void house_front_open(struct house *h);

/* A fresh channel to the vault; house_attach waits until what was open is closed. */
void house_connect(struct house *h);
void house_attach(struct house *h);
/* The channel breaks, as seen from the front; waits until it has noticed. */
void house_drop(struct house *h);
/* The vault's thread stands still until house_release. */
void house_hold(struct house *h);
void house_release(struct house *h);
/* The same, and the first thing it does is to take a fresh channel, as when the front was replaced: what was
 * queued on the old one is never read. Waits as house_attach. */
void house_release_attach(struct house *h);

/* Runs the loop until is(arg); fails the test after ten seconds. */
void house_wait(struct house *h, bool (*is)(void *arg), void *arg);
void house_await(struct house *h, const bool *flag);
/* Runs it for so long, whatever comes. */
void house_run(struct house *h, int64_t ms);
/* Until nothing is under way and everything queued is durable. */
void house_quiet(struct house *h);

/* Steering: acts at the next pass of this point, once. Returns the rule's index, for world_page_clear. */
int house_rule(struct house *h, const char *point, enum world_action action, int64_t value);
/* Waits (running the loop) until the point has been passed so often in all. */
void house_passed(struct house *h, const char *point, unsigned long long n);
unsigned long long house_count(const struct house *h, const char *point);
/* Moves the wall clock by so much against the monotonic one. */
void house_leap(struct house *h, int64_t ms);
/* Time passes: both clocks. */
void house_pass(struct house *h, int64_t s);

/* --- ledger, by the way --- */
uint64_t house_append(struct house *h, const struct ledger_entry *entry); /* must be written; its seq */
/* The last entry of this kind, of all that are; false: none. */
bool house_last(struct house *h, unsigned kind, struct ledger_entry *ret);
size_t house_entries(struct house *h, unsigned kind);

/* --- house_ask.c: askers, requests, what becomes of them --- */

/* A bearer token in the ledger, and the asker who holds it. Lists end with NULL. */
struct ca_asker *house_token(struct house *h, const char *const *templates, const char *const *names,
                             uint64_t uses);
struct ca_asker *house_asker(struct house *h, enum ca_role role, const char *id);
/* May ask for server, client and device, any name under example.internal. */
struct ca_asker *house_requester(struct house *h);

struct evp_pkey_st;
struct evp_pkey_st *house_key(void); /* P-256; EVP_PKEY_free */
/* A CSR with this common name (or NULL) and these SANs as OpenSSL writes them ("DNS:a,IP:10.0.0.1", or NULL).
 */
struct view house_csr(struct house *h, struct evp_pkey_st *key, const char *cn, const char *sans);
/* The same for a fresh key and one name. */
struct view house_csr_for(struct house *h, const char *name);

struct house_issued {
    bool done;
    enum err_code code;                         /* ERR__COUNT: issued */
    char detail[512], pointer[64], pending[40]; /* pending: with ERR_PENDING, the request's id */
    bool replayed;
    char serial[2 * SERIAL_BYTES + 1], issuer[64], template[64];
    uint8_t serial_bytes[SERIAL_BYTES];
    int64_t not_before, not_after;
    uint8_t der[16384];
    size_t der_n;
};
struct ca_request house_request(struct house *h, const struct ca_asker *asker, const char *template,
                                struct view csr);
void house_ask(struct house *h, const struct ca_request *request, struct house_issued *to);
/* house_ask, and waits. Returns the code. */
enum err_code house_issue(struct house *h, const struct ca_request *request, struct house_issued *to);
/* A server certificate for this name, for an asker of its own; must be issued. */
void house_good(struct house *h, const char *name, struct house_issued *to);

struct house_revoked {
    bool done;
    enum err_code code;
    int64_t at;
    enum cert_reason reason;
    bool already;
};
enum err_code house_revoke(struct house *h, const struct ca_asker *asker, struct view serial,
                           enum cert_reason reason, struct house_revoked *to);

/* Frees e; ERR__COUNT where there was none. */
enum err_code house_code(struct err *e);

#define OK(expr)                                                                                             \
    do {                                                                                                     \
        struct err *e_ = (expr);                                                                             \
        if (e_)                                                                                              \
            fail_msg("%s: %s", #expr, err_detail(e_));                                                       \
    } while (0)
#define FAILS(code, expr)                                                                                    \
    do {                                                                                                     \
        struct err *e_ = (expr);                                                                             \
        assert_non_null(e_);                                                                                 \
        assert_int_equal(err_code(e_), (code));                                                              \
        err_free(e_);                                                                                        \
    } while (0)

/* --- house_vault.c --- */
struct house_vault *house_vault_start(struct house *h); /* ceremony; fills root and issuing */
void house_vault_stop(struct house_vault *v);
int house_vault_connect(struct house_vault *v, enum hsm_peer peer); /* the peer's end */
void house_vault_hold(struct house_vault *v);
void house_vault_release(struct house_vault *v);
int house_vault_release_with(struct house_vault *v);

#endif
