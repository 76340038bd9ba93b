/*
 * The fields that frame a message and may stand once only: Host, Content-Length, Transfer-Encoding,
 * Connection, Expect (RFC 9110, RFC 9112 sections 3.2, 6, 9.3). Every doubt is refused: here smuggling
 * begins. Pure.
 */
#include "fields.h"

#include "target.h"

/* Fields of which a second one is refused: what they mean must not depend on who reads. */
#define SINGLE(name)                                                                                         \
    {                                                                                                        \
        (const uint8_t *)(name), sizeof(name) - 1                                                            \
    }
static const struct view singles[] = {
    SINGLE("host"),
    SINGLE("content-length"),
    SINGLE("transfer-encoding"),
    SINGLE("content-type"),
    SINGLE("authorization"),
    SINGLE("expect"),
    SINGLE("idempotency-key"),
    SINGLE("if-modified-since"),
    SINGLE("content-encoding"),
    SINGLE("content-range"),
};
enum {
    SINGLES = sizeof(singles) / sizeof(singles[0]),
    HOST = 0,
    LENGTH,
    TRANSFER,
    EXPECT = 5,
    ENCODING = 8,
    RANGE
};

static int refuse(int status, const char *why, const char **ret_why)
{
    *ret_why = why;
    return status;
}

static int collect(const struct parse_head *h, const struct view **found, const char **ret_why)
{
    for (size_t i = 0; i < h->fields_n; i++)
        for (size_t k = 0; k < SINGLES; k++) {
            if (h->fields[i].name.n != singles[k].n || !view_eq_nocase(h->fields[i].name, singles[k]))
                continue;
            if (found[k])
                return refuse(400, "a header that may stand once stands twice (RFC 9110 section 5.3)",
                              ret_why);
            found[k] = &h->fields[i].value;
        }
    return 0;
}

static int judge_host(struct parse_head *h, const struct view *host, const char **ret_why)
{
    if (!host && h->minor == 1)
        return refuse(400, "no Host (RFC 9112 section 3.2)", ret_why);
    if (!host)
        return 0;
    if (!target_is_authority(*host))
        return refuse(400, "Host is not a host (RFC 9112 section 3.2)", ret_why);
    if (h->authority.n > 0 && !view_eq_nocase(h->authority, *host))
        return refuse(400, "Host is not that of the target (RFC 9112 section 3.2.2)", ret_why);
    h->host = *host;
    return 0;
}

static int judge_length(struct parse_head *h, struct view v, const char **ret_why)
{
    if (v.n == 0 || v.n > 18)
        return refuse(400, "Content-Length is not a length (RFC 9110 section 8.6)", ret_why);
    h->length = 0;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return refuse(400, "Content-Length is not a number (RFC 9110 section 8.6)", ret_why);
        h->length = h->length * 10 + (v.p[i] - '0');
    }
    h->has_length = true;
    return 0;
}

static int judge_transfer(struct parse_head *h, struct view v, const char **ret_why)
{
    if (h->minor == 0)
        return refuse(400, "Transfer-Encoding in HTTP/1.0 (RFC 9112 section 6.1)", ret_why);
    if (h->has_length)
        return refuse(400, "Transfer-Encoding and Content-Length (RFC 9112 section 6.3)", ret_why);
    if (v.n == 0)
        return refuse(400, "an empty Transfer-Encoding (RFC 9112 section 6.1)", ret_why);
    if (!view_eq_nocase(v, view_str("chunked")))
        return refuse(501, "of transfer codings only chunked is known, once (RFC 9112 section 6.1)", ret_why);
    h->chunked = true;
    return 0;
}

static int judge_body(struct parse_head *h, const struct view **found, const char **ret_why)
{
    int status = found[LENGTH] ? judge_length(h, *found[LENGTH], ret_why) : 0;
    if (!status && found[TRANSFER])
        status = judge_transfer(h, *found[TRANSFER], ret_why);
    if (status)
        return status;
    /* RFC 9112 section 6.3: in 1.1 that is a body of no octets; in 1.0 it ran to the end of the connection.
     */
    bool brings = h->method & (HTTP_POST | HTTP_PUT | HTTP_PATCH);
    if (brings && h->minor == 0 && !h->has_length && !h->chunked)
        return refuse(411, "no Content-Length (RFC 9110 section 15.5.12)", ret_why);
    if (found[ENCODING] && !view_eq_nocase(*found[ENCODING], view_str("identity")))
        return refuse(415, "no content coding is known here (RFC 9110 section 15.5.16)", ret_why);
    if (found[RANGE])
        return refuse(400, "a part of a body is not taken (RFC 9110 section 14.5)", ret_why);
    return 0;
}

static int judge_expect(struct parse_head *h, const struct view *v, const char **ret_why)
{
    if (!v || h->minor == 0) /* RFC 9110 section 10.1.1: ignored in 1.0 */
        return 0;
    if (!view_eq_nocase(*v, view_str("100-continue")))
        return refuse(417, "an expectation that is not known here (RFC 9110 section 15.5.18)", ret_why);
    h->expects_continue = true;
    return 0;
}

/* RFC 9112 section 9.3: close wins. */
static void judge_connection(struct parse_head *h)
{
    bool close = false, keep = false;
    for (size_t i = 0; i < h->fields_n; i++) {
        struct view list = h->fields[i].value, word;
        if (!view_eq_nocase(h->fields[i].name, view_str("connection")))
            continue;
        while (parse_list_next(&list, &word)) {
            close |= view_eq_nocase(word, view_str("close"));
            keep |= view_eq_nocase(word, view_str("keep-alive"));
        }
    }
    h->keep_alive = !close && (h->minor == 1 || keep);
}

int fields_judge(struct parse_head *h, const char **ret_why)
{
    const struct view *found[SINGLES] = {NULL};
    h->host = view_of(NULL, 0);
    h->length = 0;
    h->chunked = h->has_length = h->expects_continue = false;
    int status = collect(h, found, ret_why);
    if (!status)
        status = judge_host(h, found[HOST], ret_why);
    if (!status)
        status = judge_body(h, found, ret_why);
    if (!status)
        status = judge_expect(h, found[EXPECT], ret_why);
    if (!status)
        judge_connection(h);
    return status;
}
