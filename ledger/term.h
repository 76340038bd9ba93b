/*
 * Terms: what a certificate can be found by, each as a number of 64 bits. Two terms may share a number: who
 * finds by it holds what it found against the question. The numbers are stored (segment.h). Pure; any thread.
 */
#ifndef CHANCERY_LEDGER_TERM_H
#define CHANCERY_LEDGER_TERM_H

#include "ledger_entry.h"

enum term_kind {                       /* goes into the number: never used again for anything else */
                 TERM_FINGERPRINT = 1, /* SHA-256 of the certificate */
                 TERM_SPKI = 2,        /* SHA-256 of the SubjectPublicKeyInfo */
                 TERM_SUBJECT = 3,     /* RFC 4514 text */
                 TERM_NAME = 4,        /* "dns:www.example" */
                 TERM_UNDER = 5,       /* "dns:" and "dns:example", of which it is one */
                 TERM_NET = 6,         /* the address's networks of some lengths */
                 TERM_ACTOR = 7,
                 TERM_TEMPLATE = 8,
                 TERM_ISSUER = 9,
                 TERM_DAYS = 10,        /* notAfter: its day, its 32 days, its 1024 days */
                 TERM_UNRECORDED = 101, /* all that the seal roll alone knows */
                 TERM_REPLACES = 100,   /* the intent of the one that it replaces */
};

enum { TERM_DAYS_MAX = 192 };

/* Never 0. */
uint64_t term_of(enum term_kind kind, struct view bytes);

/* Of the certificates that replace this one. */
uint64_t term_of_replaced(uint64_t intent);

/* Of all that the seal roll alone knows; and all terms of one of them. */
uint64_t term_of_unrecorded(void);
void term_each_unrecorded(const struct ledger_entry *en, void (*emit)(void *arg, uint64_t term), void *arg);

/* All terms of an intent but the fingerprint; some may come twice. */
void term_each(const struct ledger_entry *intent, void (*emit)(void *arg, uint64_t term), void *arg);

/* The certificate put together of these (RFC 5280 4.1.1), hashed. False where tbs is not one. */
bool term_fingerprint(struct view tbs, struct view signature, struct arena *arena, uint8_t ret[SHA256_BYTES]);

/* --- for questions --- */

/* The term whose certificates have all that lie under this name, and some more where it has very many labels.
 */
uint64_t term_under(const char *name);
/* `under` "dns:a.b": that name, or one that ends in ".a.b" or "@a.b"; "dns:": any of this kind. */
bool term_lies_under(const char *name, const char *under);

struct term_net {
    uint8_t address[16];
    unsigned bytes, bits; /* 4 or 16; of the prefix */
};
/* "10.0.0.0/8", "2001:db8::/32", or an address alone; bits past the prefix are cleared. False: it is neither.
 */
bool term_net_parse(const char *text, struct term_net *ret);
uint64_t term_of_net(const struct term_net *net);
/* An "ip:" name within it. */
bool term_net_has(const struct term_net *net, const char *name);

/* Terms one of which each certificate has whose notAfter lies in this range, and some whose lies a little
 * outside. Returns how many. */
size_t term_days(int64_t from, int64_t till, uint64_t ret[TERM_DAYS_MAX]);

#endif
