/*
 * The strict parser: finds the end of a head as octets come, then reads the whole head at once. What two
 * parsers could read in two ways is refused here (RFC 9112 section 11.2), never mended. Pure: no state but
 * the caller's, no allocation.
 */
#include "parse.h"

#include "fields.h"
#include "target.h"

enum { TOKEN = 1, VALUE = 2 };

/* RFC 9110 sections 5.5 and 5.6.2, by octet: T in tokens and values, v in values alone. */
static const char kinds[128 + 1] = "---------v----------------------"
                                   "vTvTTTTTvvTTvTTvTTTTTTTTTTvvvvvv"
                                   "vTTTTTTTTTTTTTTTTTTTTTTTTTTvvvTT"
                                   "TTTTTTTTTTTTTTTTTTTTTTTTTTTvTvT-";

static bool is_kind(uint8_t c, unsigned kind)
{
    unsigned has = c >= 0x80 || kinds[c] == 'v' ? VALUE : kinds[c] == 'T' ? TOKEN | VALUE : 0;
    return has & kind;
}

static bool all_are(struct view v, unsigned kind)
{
    for (size_t i = 0; i < v.n; i++)
        if (!is_kind(v.p[i], kind))
            return false;
    return true;
}

bool parse_is_token(struct view v)
{
    return v.n > 0 && all_are(v, TOKEN);
}

struct view parse_trim(struct view v)
{
    while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t'))
        v = view_of(v.p + 1, v.n - 1);
    while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
        v.n--;
    return v;
}

bool parse_list_next(struct view *list, struct view *ret)
{
    while (list->n > 0) {
        size_t n = view_find(*list, ',');
        *ret = parse_trim(view_of(list->p, n));
        *list = view_from(*list, n + 1);
        if (ret->n > 0)
            return true;
    }
    return false;
}

/* ---- the end of the head ---- */

static int refuse(int status, const char *why, const char **ret_why)
{
    *ret_why = why;
    return status;
}

/* What can be told before the head is whole. */
static int scan_limits(const struct parse_scan *s, struct view in, const char **ret_why)
{
    if (s->lines == 0 && in.n > s->line && !is_kind(in.p[s->line], TOKEN) && in.p[s->line] != '\r')
        return refuse(400, "this is not HTTP (RFC 9112 section 3)", ret_why);
    if (s->lines == 0 && s->at - s->line > PARSE_LINE_BYTES)
        return refuse(414, "the request line is over 8192 octets", ret_why);
    if (s->at - s->empty_lead >= PARSE_HEAD_BYTES)
        return refuse(431, "the head is over 16384 octets", ret_why);
    return 0;
}

int parse_scan(struct parse_scan *s, struct view in, struct view *ret_head, const char **ret_why)
{
    *ret_head = view_of(NULL, 0);
    for (;;) {
        const uint8_t *lf = s->at < in.n ? memchr(in.p + s->at, '\n', in.n - s->at) : NULL;
        s->at = lf ? (size_t)(lf - in.p) + 1 : in.n;
        int status = scan_limits(s, in, ret_why);
        if (status || !lf)
            return status;
        if (s->at < 2 ||
            in.p[s->at - 2] != '\r') /* RFC 9112 section 2.2 allows it; two parsers would differ */
            return refuse(400, "a line ends without CR (RFC 9112 section 2.2)", ret_why);
        size_t n = s->at - s->line - 2;
        s->line = s->at;
        if (n == 0 && s->lines == 0 && s->empty_lead == 0) {
            s->empty_lead = s->at; /* RFC 9112 section 2.2: one empty line before is ignored */
            continue;
        }
        if (n == 0 && s->lines == 0)
            return refuse(400, "empty lines instead of a request line", ret_why);
        if (n == 0) {
            *ret_head = view_of(in.p + s->empty_lead, s->at - s->empty_lead);
            return 0;
        }
        if (++s->lines > PARSE_FIELDS + 1)
            return refuse(431, "over 64 header fields", ret_why);
    }
}

/* ---- the request line ---- */

static const struct {
    const char *name;
    enum http_method method;
} methods[] = {{"GET", HTTP_GET}, {"POST", HTTP_POST},     {"HEAD", HTTP_HEAD},
               {"PUT", HTTP_PUT}, {"DELETE", HTTP_DELETE}, {"PATCH", HTTP_PATCH}};

static int parse_method(struct view v, struct parse_head *ret, const char **ret_why)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (view_eq_str(v, methods[i].name)) {
            ret->method = methods[i].method;
            return 0;
        }
    if (!parse_is_token(v))
        return refuse(400, "the method is not a token (RFC 9112 section 3.1)", ret_why);
    return refuse(501, "the method is not known here", ret_why);
}

static int parse_version(struct view v, struct parse_head *ret, const char **ret_why)
{
    bool form = v.n == 8 && view_starts(v, view_str("HTTP/")) && v.p[5] >= '0' && v.p[5] <= '9' &&
                v.p[6] == '.' && v.p[7] >= '0' && v.p[7] <= '9';
    if (!form)
        return refuse(400, "no HTTP version (RFC 9112 section 2.3)", ret_why);
    if (v.p[5] != '1' || v.p[7] > '1')
        return refuse(505, "HTTP/1.1 and HTTP/1.0 are served", ret_why);
    ret->minor = v.p[7] - '0';
    return 0;
}

static int parse_request_line(struct view line, struct parse_head *ret, const char **ret_why)
{
    size_t first = view_find(line, ' ');
    struct view rest = view_from(line, first + 1);
    size_t second = view_find(rest, ' ');
    struct view version = view_from(rest, second + 1);
    if (version.n == 0 || view_find(version, ' ') < version.n)
        return refuse(400, "the request line is not three words (RFC 9112 section 3)", ret_why);
    int status = parse_version(version, ret, ret_why);
    if (!status)
        status = parse_method(view_of(line.p, first), ret, ret_why);
    return status ? status : target_split(view_of(rest.p, second), ret, ret_why);
}

/* ---- fields ---- */

static int parse_field(struct view line, struct parse_field *ret, const char **ret_why)
{
    if (line.p[0] == ' ' || line.p[0] == '\t')
        return refuse(400, "a folded header line (RFC 9112 section 5.2)", ret_why);
    size_t colon = view_find(line, ':');
    ret->name = view_of(line.p, colon);
    if (colon == line.n || !parse_is_token(ret->name))
        return refuse(400, "a header name that is not a token (RFC 9112 section 5.1)", ret_why);
    ret->value = parse_trim(view_from(line, colon + 1));
    if (!all_are(ret->value, VALUE))
        return refuse(400, "a control character in a header (RFC 9110 section 5.5)", ret_why);
    return 0;
}

/* The line without its CRLF. parse_scan has seen to it that each line has one. */
static struct view take_line(struct view *head)
{
    size_t n = view_find(*head, '\n');
    struct view line = view_of(head->p, n - 1);
    *head = view_from(*head, n + 1);
    return line;
}

int parse_head(struct view head, struct parse_head *ret, const char **ret_why)
{
    ret->fields_n = 0;
    int status = parse_request_line(take_line(&head), ret, ret_why);
    while (!status) {
        struct view line = take_line(&head);
        if (line.n == 0)
            return fields_judge(ret, ret_why);
        status = parse_field(line, &ret->fields[ret->fields_n++], ret_why);
    }
    return status;
}
