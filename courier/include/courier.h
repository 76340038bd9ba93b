/*
 * Errands outside: the one process that opens connections to other hosts, with no key, no ledger and no say
 * in where it goes. Who asks names an errand; the address, the credential and the trust anchors are the
 * courier's own, from its configuration, so that an owned front cannot send it anywhere else.
 *
 *     PUT   a published list to where its issuer's lists go
 *
 * Both halves live on one loop and are used by its thread alone. An errand that was taken ends exactly once;
 * where the channel is lost all end with ERR_BUSY. Nothing is tried again here: whoever asks does.
 */
#ifndef CHANCERY_COURIER_H
#define CHANCERY_COURIER_H

#include "base/err.h"
#include "base/loop.h"

/* --- asking: the front --- */

struct courier;
struct courier *courier_new(struct loop *loop);
void courier_free(struct courier *c); /* no `done` is called; accepts NULL */
/* A fresh channel; takes fd. ready(arg): it stands. */
void courier_attach(struct courier *c, int fd);
void courier_on_ready(struct courier *c, void (*ready)(void *arg), void *arg);
bool courier_ready(const struct courier *c);

struct courier_put {
    const char *issuer; /* whose lists' place it goes to */
    const char *name;   /* under it: "issuing/7.crl"; a-z, 0-9 and "-./", no ".." */
    const char *type;   /* "application/pkix-crl" */
    int fd;             /* of a file, all of it; stays the caller's */
};
/* e: NULL where the other end said it has it (2xx). ERR_BUSY: no courier, or lost on the way; ERR_IO: what
 * went wrong outside, with the status where there was one; ERR_NOT_FOUND: no such place in its configuration.
 */
typedef void courier_done(void *arg, struct err *e);
MUST_USE struct err *courier_put(struct courier *c, const struct courier_put *put, courier_done *done,
                                 void *arg);

/* --- running: the courier's process --- */

/* Where lists of an issuer go. Borrowed until the next courier_server_set. */
struct courier_place {
    const char *issuer;
    const char *url;         /* http:// or https://, without a slash at its end */
    const char *header_file; /* holds one header line, such as "Authorization: Bearer ..."; or NULL */
    const char *ca_file;     /* PEM, instead of the system's; or NULL */
};

struct courier_server;
MUST_USE struct err *courier_server_new(struct loop *loop, struct courier_server **ret);
void courier_server_free(struct courier_server *s); /* cuts what is under way; accepts NULL */
void courier_server_set(struct courier_server *s, const struct courier_place *places, size_t n);
/* The front's channel; takes fd. An older one is dropped, and what it asked for with it. */
void courier_server_attach(struct courier_server *s, int fd);

#endif
