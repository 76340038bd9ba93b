/* The answer of a DNS server as records (RFC 1035 4.1). Pure; any thread. */
#ifndef CHANCERY_COURIER_DNS_ANSWER_H
#define CHANCERY_COURIER_DNS_ANSWER_H

#include "base/arena.h"
#include "base/err.h"

enum dns_type { DNS_CNAME = 5, DNS_TXT = 16, DNS_CAA = 257 };
enum { DNS_RECORDS_MAX = 256, DNS_ALIASES_MAX = 16 };

struct dns_answer {
    struct view *rdata; /* of the type asked for, at the end of the aliases */
    size_t n;
    const char **aliases; /* targets of CNAMEs, in the order they lead to one another */
    size_t aliases_n;
};

/* What this message says about name and type, names without case. All in the arena, the message may go.
 * ERR_BAD_REQUEST where it cannot be read; a chain of aliases that is too long or goes round ends where it
 * was. */
MUST_USE struct err *dns_answer_read(struct view message, const char *name, enum dns_type type,
                                     struct arena *arena, struct dns_answer *ret);

/* The strings of a TXT record, joined (RFC 8555 8.4 reads them so); false where it is malformed. */
bool dns_answer_txt(struct view rdata, struct arena *arena, struct view *ret);

#endif
