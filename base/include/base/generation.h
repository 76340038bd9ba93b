/*
 * A generation: configuration, templates, roster and issuers' certificates as one piece of bytes that is read
 * once by the warden, sealed in a memfd, and parsed by every process from there. So all of them work from the
 * same bytes, and a change is whole or not at all.
 *
 *     SEQUENCE { version INTEGER (1), number INTEGER,
 *                files SEQUENCE OF SEQUENCE { name UTF8String, bytes OCTET STRING } }
 *
 * Names are relative ("templates/server.yaml"): parts of [A-Za-z0-9._-], no part beginning with a dot, at
 * most 255 octets; none stands twice.
 */
#ifndef CHANCERY_BASE_GENERATION_H
#define CHANCERY_BASE_GENERATION_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"

enum {
    GENERATION_FILES_MAX = 12000,
    GENERATION_BYTES_MAX = 64 << 20,
    GENERATION_ARENA_BYTES = 3 * GENERATION_BYTES_MAX, /* enough to write or read any */
};

struct generation_file {
    const char *name;
    struct view bytes;
};

struct generation {
    uint32_t number; /* 1, 2, ... */
    size_t n;
    const struct generation_file *files;
};

/* ERR_CONFIG names the file that is at fault, ERR_TOO_LARGE and ERR_TOO_MANY the limit. */
MUST_USE struct err *generation_encode(const struct generation *g, struct arena *arena, struct view *ret_der);
/* Strict; views point into der, names and the list live in the arena. */
MUST_USE struct err *generation_decode(struct view der, struct arena *arena, struct generation *ret);

/* Encodes into a sealed memfd; the caller closes it. ret_sha256 is of the whole. */
MUST_USE struct err *generation_seal(const struct generation *g, uint8_t ret_sha256[SHA256_BYTES],
                                     int *ret_fd);
/* Refuses a descriptor that is not sealed. Everything is copied into the arena; fd stays the caller's. */
MUST_USE struct err *generation_open(int fd, struct arena *arena, struct generation *ret,
                                     uint8_t ret_sha256[SHA256_BYTES]);

/* NULL where there is none. */
const struct generation_file *generation_find(const struct generation *g, const char *name);

#endif
