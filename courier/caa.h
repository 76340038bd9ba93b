/* What a set of CAA records says about one request (RFC 8659 4, RFC 8657). Pure; any thread. */
#ifndef CHANCERY_COURIER_CAA_H
#define CHANCERY_COURIER_CAA_H

#include "base/view.h"

struct caa_asked {
    bool wildcard;
    const char *account, *method;
    const char *const *issuers; /* our names */
    size_t issuers_n;
};

enum caa_answer {
    CAA_PERMITS,
    CAA_OTHERS,     /* it names who may issue, and we are not among them */
    CAA_PARAMETERS, /* we are, but not for this account or this method (RFC 8657) */
    CAA_CRITICAL,   /* a property that we do not know, marked critical (RFC 8659 4.5) */
    CAA_MALFORMED,  /* a record that cannot be read */
};
const char *caa_text(enum caa_answer a); /* ends a sentence that begins with where the records stand */

/* rdata: of each CAA record of the one set that counts; none permit. */
enum caa_answer caa_judge(const struct view *rdata, size_t n, const struct caa_asked *asked);

#endif
