/*
 * Tags on certificates: key=value, for people and their tools; nothing is decided by them. They come with the
 * request and are changed by whoever may see the certificate, each change an entry in the ledger. On the
 * loop's thread.
 */
#ifndef CHANCERY_CA_TAGS_H
#define CHANCERY_CA_TAGS_H

#include "ca.h"

enum { CA_TAGS_MAX = 50, CA_TAG_KEY_BYTES = 128, CA_TAG_VALUE_BYTES = 256 };

struct ca_tag {
    const char *key, *value;
};
/* "key=value", in order. ERR_BAD_FIELD, ERR_TOO_MANY. */
MUST_USE struct err *ca_tags_make(const struct ca_tag *tags, size_t n, struct arena *arena,
                                  struct ledger_texts *ret);

/* These take the place of all it had. entry: its number, durable. An error at once, or done() once, later. */
typedef void ca_tagged(void *arg, struct err *e, uint64_t entry);
MUST_USE struct err *ca_tag(struct ca *ca, const struct ca_asker *asker, const char *issuer,
                            struct view serial, const struct ledger_texts *tags, ca_tagged *done, void *arg);

#endif
