/*
 * PEM (RFC 7468): strict where it matters (labels match, base64 exact, nothing hidden between), lenient about
 * line ends, line length and text before and after the blocks. Pure; any thread.
 */
#ifndef CHANCERY_CERT_PEM_H
#define CHANCERY_CERT_PEM_H

#include "base/arena.h"
#include "base/err.h"

/* Whether there is a "-----BEGIN " at the start of a line. */
bool cert_pem_is(struct view text);

/* The next block of any label; *text moves behind it. *ret_label points into text. At the end *ret_label is
 * the empty view with p == NULL. Headers (RFC 1421, "Proc-Type:") are refused. ERR_BAD_REQUEST. */
MUST_USE struct err *cert_pem_next(struct view *text, struct arena *arena, struct view *ret_label,
                                   struct view *ret_der);

/* Exactly one block, of this label. */
MUST_USE struct err *cert_pem_read(struct view text, const char *label, struct arena *arena,
                                   struct view *ret_der);

/* Every block, all of this label, at least one and at most max. */
MUST_USE struct err *cert_pem_read_all(struct view text, const char *label, size_t max, struct arena *arena,
                                       struct view **ret_ders, size_t *ret_n);

/* The lines within a block: for a big one, of pieces each a multiple of 48 octets but the last. */
const char *cert_pem_lines(struct view octets, struct arena *arena);
/* One block with a newline at its end, lines of 64. */
const char *cert_pem_write(const char *label, struct view der, struct arena *arena);

#endif
