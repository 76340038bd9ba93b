/* Records of a streamed shelf as DER, both ways. Pure; any thread. */
#ifndef CHANCERY_LEDGER_STREAM_FORM_H
#define CHANCERY_LEDGER_STREAM_FORM_H

#include "ledger_stream.h"
#include "shelf_form.h"

enum { STREAM_VERSION = 1, STREAM_PART_BYTES = 512 * 1024, STREAM_KEY_BYTES = 511 };

struct stream_begin {
    uint8_t shelf[SHELF_MARK_BYTES];
    bool whole;
};
struct stream_item {
    enum shelf_table table; /* SHELF_ANSWERS or SHELF_BLOBS */
    struct view key, value; /* value: of PUT */
};

struct view stream_form_begin(const struct stream_begin *b, struct arena *arena);
struct view stream_form_part(struct view part, struct arena *arena);
struct view stream_form_put(const struct stream_item *i, struct arena *arena);
struct view stream_form_del(const struct stream_item *i, struct arena *arena);
struct view stream_form_at(uint64_t seq, struct arena *arena);

/* Strict; ERR_BAD_DER, ERR_PROTOCOL. Views borrow from body. */
MUST_USE struct err *stream_form_read_begin(struct view body, struct stream_begin *ret);
MUST_USE struct err *stream_form_read_part(struct view body, struct view *ret);
MUST_USE struct err *stream_form_read_put(struct view body, struct stream_item *ret);
MUST_USE struct err *stream_form_read_del(struct view body, struct stream_item *ret);
MUST_USE struct err *stream_form_read_at(struct view body, uint64_t *ret);

#endif
