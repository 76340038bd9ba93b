/* The value of a CAA "issue" property (RFC 8659 4.2), which the lasting record of an account has too:
 * "ca.example.net; accounturi=https://...; policy=wildcard". Pure; any thread. */
#ifndef CHANCERY_COURIER_ISSUE_VALUE_H
#define CHANCERY_COURIER_ISSUE_VALUE_H

#include "base/view.h"

enum { ISSUE_PARAMETERS_MAX = 16 };

struct issue_value {
    struct view issuer; /* empty: nobody */
    size_t n;
    struct {
        struct view tag, value;
    } parameters[ISSUE_PARAMETERS_MAX];
};

/* All of it borrows from the text. False where it does not have this form; such a value permits nothing. */
bool issue_value_read(struct view text, struct issue_value *ret);

/* How often a parameter is there (tags without case), and its last value. */
size_t issue_value_find(const struct issue_value *v, const char *tag, struct view *ret);

/* Whether the issuer is one of these names, without case and without a dot at its end. */
bool issue_value_is_of(const struct issue_value *v, const char *const *issuers, size_t n);

#endif
