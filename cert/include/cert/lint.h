/*
 * Holds our own reading of a certificate against OpenSSL's: two readers that share no code must see the same
 * serial, names, dates, key, extensions and signature. Costs a full OpenSSL decode (about 0.2 ms): for tests,
 * `doctor` and certificates of our own CAs, not for the hot path. Any thread.
 */
#ifndef CHANCERY_CERT_LINT_H
#define CHANCERY_CERT_LINT_H

#include "base/arena.h"
#include "base/err.h"

/* ERR_CORRUPT naming the field that differs, or ours where we cannot read it; NULL where both see the same.
 */
MUST_USE struct err *cert_lint(struct view cert_der, struct arena *arena);

#endif
