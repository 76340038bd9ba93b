/*
 * The world's fault: bad input, policy, a full disk, a token gone. One idiom for all rooms:
 *
 *     struct err *e = NULL;
 *     TRY(cert_csr_parse(der, arena, &csr));
 *     ...
 * out:
 *     free what is ours;
 *     return e;
 *
 * NULL is success. An error belongs to whoever holds the pointer: return it, or err_free() it. The text is
 * set once, at the check that failed, by the function that knows, and names the rule (RFC section) and the
 * limit. It must be fit for an authenticated asker's eyes: no paths, no token labels, no secrets, nothing of
 * other askers; what only the operator may see goes to the log instead. Our own bugs are not errors: see
 * check.h.
 *
 * Any thread. Never fails: where memory is out a static ERR_NOMEM is returned.
 */
#ifndef CHANCERY_BASE_ERR_H
#define CHANCERY_BASE_ERR_H

#include <stdbool.h>

#define MUST_USE __attribute__((warn_unused_result))

enum err_code {
#define ERR(name, http_status, type, retry_s, title) ERR_##name,
#include "base/err.def"
#undef ERR
    ERR__COUNT
};

/* One row of err.def. retry_s: seconds for Retry-After; 0 where a retry is no use. */
struct err_row {
    const char *name; /* "BAD_CSR" */
    int http_status;
    const char *type; /* "bad-csr": urn:chancery:error:bad-csr; also the metric's label */
    int retry_s;
    const char *title;
};

struct err;

MUST_USE struct err *err_new(enum err_code code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same, ending in ": " and strerror(errno_value). */
MUST_USE struct err *err_sys(enum err_code code, int errno_value, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts text and ": " before the detail. Takes e and gives it back; NULL stays NULL. */
MUST_USE struct err *err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Names the field at fault as a JSON pointer (RFC 6901): "/sans/3". Takes e and gives it back; NULL stays
 * NULL. An inner pointer already set is kept and prefixed. */
MUST_USE struct err *err_at(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* When a retry may be of use, where it is known better than the row does. Takes e and gives it back; NULL
 * stays NULL. */
MUST_USE struct err *err_retry(struct err *e, int seconds);
int err_retry_s(const struct err *e); /* the row's where nothing was set */

enum err_code err_code(const struct err *e);
const char *err_detail(const struct err *e);  /* "" at least */
const char *err_pointer(const struct err *e); /* "" where no field is named */
const struct err_row *err_row(enum err_code code);

/* The code whose type is this text (as it came over a frame or in a problem document); ERR_INTERNAL where
 * none is. */
enum err_code err_code_of_type(const char *type);

/* Accepts NULL. */
void err_free(struct err *e);

/* Needs a local `struct err *e` and a label `out`. */
#define TRY(expr)                                                                                            \
    do {                                                                                                     \
        if ((e = (expr)) != NULL)                                                                            \
            goto out;                                                                                        \
    } while (0)

#endif
