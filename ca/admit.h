/* The rules about who asks and what is on record: the front's own, which no template can see. */
#ifndef CHANCERY_CA_ADMIT_H
#define CHANCERY_CA_ADMIT_H

#include "house.h"

struct admit_row {
    const char *name;
    struct err *(*run)(struct issuance *is);
    /* Whether it has left what the rows behind it cannot do without, though it may have refused. NULL: they
     * need nothing of it. */
    bool (*left)(const struct issuance *is);
    bool csr; /* of a request with a CSR: not of the house's own keys in the token */
    const char *doc;
};
/* In their order: each finds what those behind it need. */
extern const struct admit_row admit_rows[];
size_t admit_rows_count(void);

/* ERR_NAME_FORBIDDEN naming the first name that the asker's grant does not cover. */
MUST_USE struct err *admit_names(const struct issuance *is, const char *const *names, size_t n);

#endif
