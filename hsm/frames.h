/*
 * The closed list of frames (frames.def) as numbers and rows, for both ends.
 */
#ifndef CHANCERY_HSM_FRAMES_H
#define CHANCERY_HSM_FRAMES_H

#include "base/frame.h"
#include "hsm_vault.h"

enum frames_kind {
#define FRAME(name, number, who, max) FRAMES_##name = (number),
#include "frames.def"
#undef FRAME
    FRAMES__LAST = 80
};

/* Who may send: 1 << enum hsm_peer, or FRAMES_VAULT. */
enum { FRAMES_VAULT = 1 << 8 };

struct frames_row {
    const char *name; /* NULL: no such kind */
    unsigned who;
    size_t max_bytes;
};
/* A row without name where the kind is none of ours. */
const struct frames_row *frames_row(uint16_t kind);

/* Whether this peer may send such a frame; ERR_PROTOCOL says why not. */
MUST_USE struct err *frames_allowed(enum hsm_peer peer, uint16_t kind, size_t body_bytes);

const char *frames_peer_name(enum hsm_peer peer); /* "front" */

/* SEQUENCE { n INTEGER, signature OCTET STRING }: the answer to every seal. */
MUST_USE struct err *frames_write_sealed(uint64_t n, struct view signature, struct arena *arena,
                                         struct view *ret);
MUST_USE struct err *frames_read_sealed(struct view body, uint64_t *ret_n, struct view *ret_signature);

/* REFUSED: an error as bytes, and back. e stays the caller's. */
struct view frames_write_refused(const struct err *e, struct arena *arena);
MUST_USE struct err *frames_read_refused(struct view body, struct arena *arena);

/* One OCTET STRING alone. */
MUST_USE struct err *frames_read_octets(struct view body, struct view *ret);

#endif
