/*
 * The form of the seal roll: a header and entries, DER, one after the other in roll.der. Pure functions over
 * bytes; the file is roll_file.h. The reading half is public in hsm.h.
 *
 *     Header ::= SEQUENCE { name UTF8String ("chancery-roll"), version INTEGER (1), madeMs INTEGER, id OCTET
 * STRING (16) } Entry  ::= SEQUENCE { n INTEGER, timeMs INTEGER, key UTF8String, kind ENUMERATED, serial
 * OCTET STRING, template UTF8String, generation INTEGER, tbsHash OCTET STRING (32), extra INTEGER, prevHash
 * OCTET STRING (32), check OCTET STRING (8) }
 *
 * prevHash: SHA-256 of the entry before (of the header for the first), so that no entry can be changed or
 * left out unseen. check: the first octets of the SHA-256 of all fields before it, so that the last entry is
 * held to itself too.
 */
#ifndef CHANCERY_HSM_ROLL_H
#define CHANCERY_HSM_ROLL_H

#include "base/der.h"
#include "hsm_books.h"

enum {
    ROLL_VERSION = 1,
    ROLL_ID_BYTES = 16,
    ROLL_ENTRY_MAX = 512,
    ROLL_HEADER_MAX = 128,
    ROLL_KEY_MAX = 96,
    ROLL_TEMPLATE_MAX = 100 /* as long as a template's name can be */
};

/* Writes the header; *ret lives in the arena. */
struct view roll_header_write(struct arena *arena, int64_t now_ms, const uint8_t id[16]);
/* Writes one entry with all its fields as given. */
struct view roll_entry_write(struct arena *arena, const struct hsm_roll_entry *entry);

/* A walk along a roll's bytes. */
struct roll_walk {
    struct view left;           /* not read yet */
    uint64_t n;                 /* of the last entry read; 0 after the header */
    uint8_t head[SHA256_BYTES]; /* SHA-256 of the last thing read */
    size_t at;                  /* offset of `left` in the file */
    uint8_t id[ROLL_ID_BYTES];  /* of the roll, from its header */
};
/* Reads the header. ERR_CORRUPT; a newer version is refused by name. */
MUST_USE struct err *roll_walk_begin(struct view file, struct roll_walk *ret);
/* Reads and checks one entry: number, chain, check. ERR_CORRUPT names n and offset; the walk then stands
 * before it. */
MUST_USE struct err *roll_walk_next(struct roll_walk *w, struct hsm_roll_entry *ret);

/* Whether what is left is the torn end of an append that never came to its sync: an entry cut short, or zeros
 * in place of its end. A whole entry with a wrong content is not torn but changed. */
bool roll_tail_torn(const struct roll_walk *w);

#endif
