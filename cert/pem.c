/*
 * PEM (RFC 7468): blocks out of text, and a block of text out of DER.
 *
 * Never skips a character inside a block other than line ends and blanks at a line's end. Any thread.
 */
#include "cert/pem.h"

#include "base/hex.h"

enum { LABEL_MAX = 64, LINE_CHARS = 64 };

static const char begin_mark[] = "-----BEGIN ";
static const char end_mark[] = "-----END ";
static const char dashes[] = "-----";

/* The next line without its end; false where nothing is left. */
static bool take_line(struct view *text, struct view *ret)
{
    if (!text->n)
        return false;
    size_t end = view_find(*text, '\n');
    struct view line = view_of(text->p, end);
    *text = view_from(*text, end + 1);
    while (line.n && strchr("\r \t", line.p[line.n - 1]) && line.p[line.n - 1])
        line.n--;
    *ret = line;
    return true;
}

/* "-----BEGIN X-----" gives X. */
static bool label_of(struct view line, const char *mark, struct view *ret)
{
    size_t head = strlen(mark), tail = strlen(dashes);
    if (!view_starts(line, view_str(mark)) || line.n < head + tail || !view_ends(line, view_str(dashes)))
        return false;
    *ret = view_of(line.p + head, line.n - head - tail);
    return ret->n <= LABEL_MAX;
}

bool cert_pem_is(struct view text)
{
    struct view line;
    while (take_line(&text, &line)) {
        if (view_starts(line, view_str(begin_mark)))
            return true;
    }
    return false;
}

static struct err *take_block(struct view *text, struct view label, struct arena *arena, struct view *ret_der)
{
    struct err *e = NULL;
    struct view line, end;
    /* No dash is base64: the last line begins with the first one. A bundle then costs what it is long. */
    char *base64 = arena_alloc(arena, view_find(*text, '-'));
    size_t n = 0;
    for (;;) {
        if (!take_line(text, &line))
            return err_new(ERR_BAD_REQUEST, "a PEM block without its end (RFC 7468 3)");
        if (label_of(line, end_mark, &end))
            break;
        if (view_find(line, ':') < line.n)
            return err_new(ERR_BAD_REQUEST, "a PEM block with headers (RFC 7468 2)");
        if (view_find(line, '-') < line.n)
            return err_new(ERR_BAD_REQUEST, "a PEM block with a dash that is no end (RFC 7468 3)");
        memcpy(base64 + n, line.p, line.n);
        n += line.n;
    }
    if (!view_eq(label, end))
        return err_new(ERR_BAD_REQUEST,
                       "a PEM block that begins and ends with different labels (RFC 7468 2)");
    struct err *broken = base64_parse(arena, view_of(base64, n), ret_der);
    if (broken) {
        e = err_new(ERR_BAD_REQUEST, "%s", err_detail(broken));
        err_free(broken);
        goto out;
    }
    if (!ret_der->n)
        return err_new(ERR_BAD_REQUEST, "an empty PEM block (RFC 7468 3)");
out:
    return err_wrap(e, "PEM (RFC 7468 3)");
}

struct err *cert_pem_next(struct view *text, struct arena *arena, struct view *ret_label,
                          struct view *ret_der)
{
    struct err *e = NULL;
    struct view line, label;
    while (take_line(text, &line)) {
        if (!view_starts(line, view_str(begin_mark)))
            continue;
        if (!label_of(line, begin_mark, &label))
            return err_new(ERR_BAD_REQUEST, "a PEM block with a bad first line (RFC 7468 3)");
        TRY(take_block(text, label, arena, ret_der));
        *ret_label = label;
        return NULL;
    }
    *ret_label = (struct view){NULL, 0};
    *ret_der = (struct view){NULL, 0};
out:
    return e;
}

struct err *cert_pem_read_all(struct view text, const char *label, size_t max, struct arena *arena,
                              struct view **ret_ders, size_t *ret_n)
{
    struct err *e = NULL;
    struct view found, der, *ders = arena_array(arena, max, sizeof *ders);
    size_t n = 0;
    for (;;) {
        TRY(cert_pem_next(&text, arena, &found, &der));
        if (!found.p)
            break;
        if (!view_eq_str(found, label))
            return err_new(ERR_BAD_REQUEST, "a PEM block that is no %s (RFC 7468 4)", label);
        if (n == max)
            return err_new(ERR_TOO_MANY, "more than %zu PEM blocks", max);
        ders[n++] = der;
    }
    if (!n)
        return err_new(ERR_BAD_REQUEST, "no PEM block of %s (RFC 7468 2)", label);
    *ret_ders = ders;
    *ret_n = n;
out:
    return e;
}

struct err *cert_pem_read(struct view text, const char *label, struct arena *arena, struct view *ret_der)
{
    struct err *e = NULL;
    struct view *ders = NULL;
    size_t n = 0;
    TRY(cert_pem_read_all(text, label, 1, arena, &ders, &n));
    *ret_der = ders[0];
out:
    return e;
}

static char *put(char *to, const char *from, size_t n)
{
    memcpy(to, from, n);
    return to + n;
}

const char *cert_pem_lines(struct view octets, struct arena *arena)
{
    const char *base64 = base64_of(arena, octets);
    size_t left = strlen(base64);
    char *text = arena_bytes(arena, left + left / LINE_CHARS + 2), *at = text;
    while (left) {
        size_t n = left < LINE_CHARS ? left : LINE_CHARS;
        at = put(at, base64, n);
        at = put(at, "\n", 1);
        base64 += n;
        left -= n;
    }
    *at = '\0';
    return text;
}

const char *cert_pem_write(const char *label, struct view der, struct arena *arena)
{
    const char *body = cert_pem_lines(der, arena);
    const char *const parts[] = {begin_mark, label, dashes, "\n", body, end_mark, label, dashes, "\n"};
    enum { PARTS = sizeof parts / sizeof *parts };
    size_t n[PARTS], total = 0;
    for (size_t i = 0; i < PARTS; i++)
        total += n[i] = strlen(parts[i]);
    char *text = arena_bytes(arena, total + 1), *at = text;
    for (size_t i = 0; i < PARTS; i++)
        at = put(at, parts[i], n[i]);
    *at = '\0';
    return text;
}
