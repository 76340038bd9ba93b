/* The pattern language of templates.h, for this room: bodies without their kind, and the stricter match of
 * deny lists. */
#ifndef CHANCERY_TEMPLATES_PATTERN_H
#define CHANCERY_TEMPLATES_PATTERN_H

#include "base/err.h"
#include "base/view.h"

enum pattern_kind {
    PATTERN_DNS,
    PATTERN_IP,
    PATTERN_URI,
    PATTERN_EMAIL,
    PATTERN_OTHER,
    PATTERN_UPN,
    PATTERN_DIRECTORY,
    PATTERN_RID,
    PATTERN_CN,
    PATTERN_SERIAL_NUMBER,
    PATTERN_UID,
    PATTERN_KINDS,
};

struct pattern {
    enum pattern_kind kind;
    struct view body;
};

const char *pattern_kind_text(enum pattern_kind kind);

/* Splits off the kind, or reads it off the text. Never fails: the syntax of the body is not looked at. */
struct pattern pattern_parse(struct view text);

/* Splits "KIND:value"; false where the kind is unknown. */
bool pattern_name_parse(struct view text, struct pattern *ret);

MUST_USE struct err *pattern_check(struct view text);

/* Whether the pattern covers the name. */
bool pattern_covers(struct pattern pattern, struct pattern name);

/* Whether anything the name stands for is covered: "*.a" stands for every x.a, so denying "db.a" denies it
 * too. */
bool pattern_touches(struct pattern pattern, struct pattern name);

/* An address, or a network with no host bits set. */
bool pattern_ip_ok(struct view text);
/* Whether every address of the one lies in the other. */
bool pattern_net_within(struct view narrow, struct view wide);

/* pattern_host.c: host names, email hosts. */
bool pattern_host_ok(struct view name,
                     bool stars); /* LDH labels; stars: `*` or `**` may be the left-most one */
bool pattern_host_covers(struct view pattern, struct view name);
bool pattern_host_touches(struct view pattern, struct view name);

/* pattern_directory.c: names as RFC 4514 writes them. */
bool pattern_directory_ok(struct view pattern);
bool pattern_directory_covers(struct view pattern, struct view name);

/* pattern_uri.c */
bool pattern_uri_ok(struct view pattern);
bool pattern_uri_covers(struct view pattern, struct view name);

/* `*` any run of octets, all else itself. */
bool pattern_glob(struct view pattern, struct view text);

#endif
