/* The list maker in a house with a real vault, and what its lists say. */
#ifndef CHANCERY_TESTS_CRL_PRESS_H
#define CHANCERY_TESTS_CRL_PRESS_H

#include "cert/crl.h"
#include "house_scene.h"
#include "maker.h"

enum { PRESS_EVERY_S = 3600, PRESS_LIFETIME_S = 4 * 3600 };

struct press {
    struct crl_maker *maker;
    struct crl_issuer
        issuers[2]; /* root, issuing: kept over lives of the front once a test has changed them */
    bool changed;
};
struct press *press(struct house *h);

/* cmocka's group setup. */
int press_setup(void **state);
/* Another way of making lists of "issuing" from now on. */
struct crl_issuer press_like(struct house *h);
void press_change(struct house *h, const struct crl_issuer *issuing);
/* New certificates go into partitions of so many; 0: into none. */
void press_partition(struct house *h, uint64_t size);

struct press_list {
    struct cert_crl crl;
    struct cert_sealed sealed;
    struct shelf_item item;
    size_t n;
};
/* name: "issuing", "issuing/3"; "-delta/issuing". Must be there. */
struct press_list press_list(struct house *h, const char *name);
struct view press_bytes(struct house *h, const struct shelf_item *item); /* also of one that is a file */
bool press_has(struct house *h, const char *name);
/* The entry of this serial on that list. */
bool press_finds(struct house *h, const char *name, struct view serial, struct cert_crl_entry *ret);
bool press_lists(struct house *h, struct view serial, struct cert_crl_entry *ret); /* of "issuing" */
/* Waits until it stands there, and until nothing is under way. */
void press_await(struct house *h, const char *name, struct view serial);
void press_await_listed(struct house *h, struct view serial); /* of "issuing" */
void press_await_above(struct house *h, const char *name, uint64_t number);

void press_revoke(struct house *h, struct view serial, enum cert_reason reason);
struct view press_issue(struct house *h); /* a certificate; its serial */

#endif
