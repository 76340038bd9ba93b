/*
 * PKCS#11 URIs (RFC 7512): which token, which key on it. Reading and matching only; nothing here opens
 * anything.
 *
 * Understood in the path: token, manufacturer, serial, model, slot-id, object, id, type; in the query:
 * module-path. Refused, each by name: attributes of the path we do not know (RFC 7512 2.3: they would match
 * nothing), one given twice, pin-value and pin-source (a PIN comes from the configured file or descriptor,
 * never from a URI). Other attributes of the query are left out of account, as RFC 7512 2.3 asks.
 */
#ifndef CHANCERY_HSM_URI_H
#define CHANCERY_HSM_URI_H

#include "base/arena.h"
#include "base/err.h"

enum { URI_MAX_BYTES = 2048 };

enum uri_type { URI_ANY, URI_PRIVATE, URI_PUBLIC, URI_CERT, URI_SECRET_KEY, URI_DATA };

/* Percent-decoded; NULL (or p == NULL, or has_slot_id false) where the URI does not name it. */
struct uri {
    const char *token, *manufacturer, *serial, *model;
    const char *object;
    struct view id;
    enum uri_type type;
    bool has_slot_id;
    unsigned long slot_id;
    const char *module_path;
};

/* Strings live in the arena. ERR_CONFIG names the attribute and the section. */
MUST_USE struct err *uri_parse(const char *text, struct arena *arena, struct uri *ret);

/* What a token says of itself, without the padding blanks. */
struct uri_token {
    const char *label, *manufacturer, *serial, *model;
    unsigned long slot_id;
};

/* All that the URI names agrees; what it does not name matches anything. */
bool uri_match_token(const struct uri *uri, const struct uri_token *token);
/* The same for an object's label and id. */
bool uri_match_object(const struct uri *uri, struct view label, struct view id);

#endif
