/* Entries to DER and back. What is read is copied into the arena. Any thread. */
#ifndef CHANCERY_LEDGER_ENTRY_INSIDE_H
#define CHANCERY_LEDGER_ENTRY_INSIDE_H

#include "ledger_entry.h"

enum { ENTRY_VERSION = 1, ENTRY_ACTOR_BYTES = 255, ENTRY_NAME_BYTES = 2304, ENTRY_TAG_BYTES = 400 };

/* Bounds of the header's texts, forms of issuer and serial: ERR_BAD_FIELD. */
MUST_USE struct err *entry_check(const struct ledger_entry *en);
bool entry_kind_known(unsigned kind);

/* The i-th field of a kind's body, for what documents it: false past the last. later: older entries end
 * before it. */
struct entry_field {
    const char *name, *asn1;
    bool later;
};
bool entry_body_field(unsigned kind, size_t i, struct entry_field *ret);

/* The body by the table of its kind; for a kind without one, `raw` as it is. ERR_BAD_FIELD, ERR_TOO_LARGE. */
MUST_USE struct err *entry_body_write(const struct ledger_entry *en, struct arena *arena, struct view *ret);
/* Fills en->body by en->kind, sets en->raw. Texts and lists in the arena, octets borrowed from `body`. */
MUST_USE struct err *entry_body_read(struct view body, struct arena *arena, struct ledger_entry *en);

/* The whole value, and the leaf hash of its header. seq, time_ms and ref are set by now. */
MUST_USE struct err *entry_write(const struct ledger_entry *en, struct view body, struct arena *arena,
                                 struct view *ret_value, uint8_t ret_leaf[SHA256_BYTES]);
/* Copies the value and reads it; checks the body against its hash (ERR_CORRUPT). */
MUST_USE struct err *entry_read(struct view value, struct arena *arena, struct ledger_entry *ret);

#endif
