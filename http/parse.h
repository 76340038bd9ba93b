/* The head of a request (RFC 9112): pure functions over bytes. Private to http. */
#ifndef CHANCERY_HTTP_PARSE_H
#define CHANCERY_HTTP_PARSE_H

#include "http.h"

enum {
    PARSE_LINE_BYTES = 8192,  /* the request line: 414 past it */
    PARSE_HEAD_BYTES = 16384, /* all of the head: 431 past it */
    PARSE_FIELDS = 64,        /* 431 past it */
};

/* Where the search for the end of a head stands. All zero at first. */
struct parse_scan {
    size_t at;         /* octets looked at */
    size_t line;       /* where the line in hand begins */
    size_t lines;      /* whole ones so far */
    size_t empty_lead; /* octets of an empty line before the request line */
};

/* Looks at what of `in` is new. 0: *ret_head is where the request line begins to the empty line's end, or p
 * == NULL where more must come. Else the status to refuse with, and why. */
int parse_scan(struct parse_scan *s, struct view in, struct view *ret_head, const char **ret_why);

struct parse_field {
    struct view name, value;
};

struct parse_head {
    enum http_method method; /* HEAD as it came */
    struct view path;        /* raw, begins with '/' */
    struct view query;       /* raw */
    unsigned minor;          /* of HTTP/1.x */
    struct parse_field fields[PARSE_FIELDS];
    size_t fields_n;
    struct view host, authority; /* authority: of an absolute target */
    bool keep_alive, chunked, has_length, expects_continue;
    uint64_t length;
};

/* head as parse_scan found it; all views point into it. 0, or the status to refuse with, and why. */
int parse_head(struct view head, struct parse_head *ret, const char **ret_why);

/* Is this a token (RFC 9110 section 5.6.2)? */
bool parse_is_token(struct view v);
/* v without spaces and tabs around it. */
struct view parse_trim(struct view v);
/* Takes the next element off a comma-separated list, trimmed, empty ones skipped. False at its end. Knows no
 * quoted strings. */
bool parse_list_next(struct view *list, struct view *ret);

#endif
