/* The lasting record of an account at _validation-persist.NAME (dns-persist-01). Pure; any thread. */
#ifndef CHANCERY_COURIER_PERSIST_H
#define CHANCERY_COURIER_PERSIST_H

#include "courier_check.h"

#define PERSIST_LABEL "_validation-persist"

struct persist_asked {
    bool wildcard;
    const char *account;
    const char *const *issuers; /* our names */
    size_t issuers_n;
    int64_t now_s;
};

enum persist_answer {
    PERSIST_OTHERS, /* of another CA, or no such record at all */
    PERSIST_MALFORMED,
    PERSIST_ACCOUNT,
    PERSIST_WILDCARD,
    PERSIST_ENDED,
    PERSIST_FITS,
};
const char *
persist_text(enum persist_answer a); /* ends a sentence that begins with where the record stands */

/* One TXT record, its strings joined. */
enum persist_answer persist_judge(struct view txt, const struct persist_asked *asked);
/* The target of a CNAME: it stands for the name and its wildcard alike. */
bool persist_is_target(const char *name, const struct persist_asked *asked, struct arena *arena);

#endif
