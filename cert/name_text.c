/*
 * Distinguished names as text (RFC 4514), out and in.
 *
 * Never shows a control character: what was read has none, and anything unknown is shown as hexadecimal. Any
 * thread.
 */
#include "base/der.h"
#include "base/hex.h"
#include "base/limits.h"
#include "cert/name.h"

/* Room for a value with every octet escaped as \XX. */
static size_t put_value(char *to, struct view value)
{
    size_t at = 0;
    for (size_t i = 0; i < value.n; i++) {
        char c = (char)value.p[i];
        bool edge = (i == 0 && (c == ' ' || c == '#')) || (i + 1 == value.n && c == ' ');
        if (edge || strchr("\"+,;<>\\=", c))
            to[at++] = '\\';
        to[at++] = c;
    }
    return at;
}

static size_t put_attr(char *to, const struct cert_attr *attr, struct arena *arena)
{
    const char *type = cert_name_type_of(attr->oid);
    const char *label = type ? type : der_oid_text(attr->oid, arena);
    size_t at = strlen(label);
    memcpy(to, label, at);
    to[at++] = '=';
    if (type)
        return at + put_value(to + at, attr->value);
    /* RFC 4514 2.4: an unknown type's value is its whole DER in hexadecimal. */
    struct der_out out;
    struct view der;
    der_out_init(&out, arena, 2 * LIMIT_RDN_VALUE_BYTES);
    der_put(&out, attr->tag, attr->value);
    struct err *e = der_out_done(&out, &der);
    if (e) {
        err_free(e);
        return at;
    }
    to[at++] = '#';
    hex_put(to + at, der);
    return at + 2 * der.n;
}

const char *cert_name_text(const struct cert_name *name, struct arena *arena)
{
    size_t room = 1;
    for (size_t i = 0; i < name->n; i++)
        room += 2 * name->attrs[i].value.n + 4 * name->attrs[i].oid.n + 64;
    char *text = arena_alloc(arena, room);
    size_t at = 0;
    for (size_t end = name->n; end > 0;) {
        size_t from = end - 1;
        while (from > 0 && name->attrs[from - 1].rdn == name->attrs[from].rdn)
            from--;
        if (at)
            text[at++] = ',';
        for (size_t i = from; i < end; i++) {
            if (i > from)
                text[at++] = '+';
            at += put_attr(text + at, &name->attrs[i], arena);
        }
        end = from;
    }
    text[at] = '\0';
    return text;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    char lower = (char)(c >= 'A' && c <= 'F' ? c + 32 : c);
    const char *at = lower ? strchr(digits, lower) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* After a backslash: a special character as it is, or two hex digits (RFC 4514 2.4). */
static struct err *take_escaped(const char **text, char *ret)
{
    const char *p = *text;
    if (*p && strchr(" \"#+,;<=>\\", *p)) {
        *ret = *p;
        *text = p + 1;
        return NULL;
    }
    int high = hex_digit(*p), low = high < 0 ? -1 : hex_digit(p[1]);
    if (low < 0)
        return err_new(ERR_BAD_NAME, "a backslash before what needs none (RFC 4514 2.4)");
    *ret = (char)(high << 4 | low);
    *text = p + 2;
    return NULL;
}

static struct err *take_value(const char **text, struct arena *arena, const char **ret)
{
    struct err *e = NULL;
    const char *p = *text;
    while (*p == ' ')
        p++;
    if (*p == '#')
        return err_new(ERR_BAD_NAME, "values in hexadecimal are not supported (RFC 4514 2.4)");
    char *value = arena_alloc(arena, strlen(p) + 1);
    size_t at = 0, keep = 0; /* keep: blanks at the end stay only where escaped */
    while (*p && *p != ',') {
        char c = *p++;
        bool escaped = c == '\\';
        if (!escaped && strchr("+;<>\"", c))
            return err_new(ERR_BAD_NAME, "the character %c must be escaped by a backslash (RFC 4514 2.4)", c);
        if (escaped)
            TRY(take_escaped(&p, &c));
        if (!c)
            return err_new(ERR_BAD_NAME, "a NUL in a name (RFC 4514 2.4)");
        value[at++] = c;
        keep = escaped || c != ' ' ? at : keep;
    }
    value[keep] = '\0';
    *text = p;
    *ret = value;
out:
    return e;
}

static struct err *take_part(const char **text, struct arena *arena, struct cert_name_part *ret)
{
    struct err *e = NULL;
    const char *p = *text;
    while (*p == ' ')
        p++;
    size_t n = strcspn(p, "=,+ ");
    const char *type = arena_str(arena, view_of(p, n));
    p += n;
    while (*p == ' ')
        p++;
    if (!n || *p++ != '=')
        return err_new(ERR_BAD_NAME, "a name is written TYPE=value, separated by commas (RFC 4514 3)");
    ret->type = type;
    TRY(take_value(&p, arena, &ret->value));
    *text = p;
out:
    return e;
}

struct err *cert_name_split_text(const char *text, struct arena *arena, const struct cert_name_part **ret,
                                 size_t *ret_n)
{
    struct err *e = NULL;
    struct cert_name_part *parts = arena_array(arena, LIMIT_RDNS, sizeof *parts);
    size_t n = 0;
    if (strlen(text) > LIMIT_NAME_BYTES)
        return err_new(ERR_TOO_LARGE, "a name of more than %d octets", LIMIT_NAME_BYTES);
    for (const char *p = text; *p;) {
        if (n == LIMIT_RDNS)
            return err_new(ERR_TOO_MANY, "more than %d attributes in a name", LIMIT_RDNS);
        TRY(take_part(&p, arena, &parts[n++]));
        if (*p == ',' && !*++p)
            return err_new(ERR_BAD_NAME, "a comma at the end of a name (RFC 4514 3)");
    }
    for (size_t i = 0; i < n / 2; i++) {
        struct cert_name_part part = parts[i];
        parts[i] = parts[n - 1 - i];
        parts[n - 1 - i] = part;
    }
    *ret = parts;
    *ret_n = n;
out:
    return e;
}

struct err *cert_name_of_text(const char *text, struct arena *arena, struct view *ret_der)
{
    struct err *e = NULL;
    const struct cert_name_part *parts = NULL;
    size_t n = 0;
    TRY(cert_name_split_text(text, arena, &parts, &n));
    TRY(cert_name_write(parts, n, arena, ret_der));
out:
    return e;
}
