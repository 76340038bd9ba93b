/* Directory strings, a row of name.def, and names read without an arena. Private to the room. */
#ifndef CHANCERY_CERT_NAME_STRING_H
#define CHANCERY_CERT_NAME_STRING_H

#include "base/limits.h"
#include "cert/name.h"

struct name_row {
    const char *text;
    struct view oid;
    unsigned tag;
    unsigned max, exact; /* characters */
};

/* At least one character; every one fits the tag and is no control character. ret_chars may be NULL. */
MUST_USE struct err *name_string_check(unsigned tag, struct view value, size_t *ret_chars);

/* cert_name_parse into an array of the caller's. */
MUST_USE struct err *name_read(struct view der, struct cert_attr attrs[LIMIT_RDNS], size_t *ret_n);

/* A control character, or a mark that turns the direction of writing. */
bool name_string_hides(uint32_t c);

#endif
