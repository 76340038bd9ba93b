/*
 * Object identifiers: read strictly from DER; to and from dotted text for configuration and messages.
 * Never reads past the view. Any thread.
 */
#include "base/der.h"

enum {
    OID_BODY_MAX = 64, /* for text; a UUID arc (2.25.x) takes 20 */
    DIGITS_MAX = 160,  /* of one arc: 64 octets hold 448 bits, 135 digits */
};

/* X.690 8.19.2: each arc is minimal, the last one ends. */
static struct err *check_body(struct view body)
{
    bool at_start = true;
    if (body.n == 0)
        return err_new(ERR_BAD_DER, "OBJECT IDENTIFIER without content (X.690 8.19.2)");
    for (size_t i = 0; i < body.n; i++) {
        if (at_start && body.p[i] == 0x80)
            return err_new(ERR_BAD_DER, "OBJECT IDENTIFIER with a padded arc (X.690 8.19.2)");
        at_start = body.p[i] < 0x80;
    }
    if (!at_start)
        return err_new(ERR_BAD_DER, "OBJECT IDENTIFIER ends within an arc (X.690 8.19.2)");
    return NULL;
}

struct err *der_read_oid(struct view *in, struct view *ret_body)
{
    struct err *e = NULL;
    struct view rest = *in, body;
    TRY(der_read(&rest, DER_OID, &body));
    TRY(check_body(body));
    *ret_body = body;
    *in = rest;
out:
    return e;
}

/* An arc as a decimal number of any length, least digit first. */
struct arc {
    uint8_t digits[DIGITS_MAX];
    size_t n;
};

/* Times 128 and seven bits more. */
static void arc_push(struct arc *a, unsigned bits)
{
    unsigned carry = bits;
    for (size_t i = 0; i < a->n || carry; i++) {
        if (i == a->n)
            a->digits[a->n++] = 0;
        unsigned v = a->digits[i] * 128u + carry;
        a->digits[i] = (uint8_t)(v % 10);
        carry = v / 10;
    }
}

/* The first number carries two arcs: 40 * x + y, x at most 2. a is at least small's value. */
static void arc_minus(struct arc *a, unsigned small)
{
    int borrow = 0;
    for (size_t i = 0; i < a->n && (small || borrow); i++, small /= 10) {
        int v = a->digits[i] - (int)(small % 10) - borrow;
        borrow = v < 0;
        a->digits[i] = (uint8_t)(v + (borrow ? 10 : 0));
    }
    while (a->n > 0 && a->digits[a->n - 1] == 0)
        a->n--;
}

static unsigned first_root(const struct arc *a)
{
    unsigned value = 0;
    if (a->n > 2)
        return 2;
    for (size_t i = a->n; i > 0; i--)
        value = value * 10 + a->digits[i - 1];
    return value < 80 ? value / 40 : 2;
}

static const char *arc_text(const struct arc *a, struct arena *arena)
{
    char *to = arena_alloc(arena, a->n + 2);
    for (size_t i = 0; i < a->n; i++)
        to[i] = (char)('0' + a->digits[a->n - 1 - i]);
    if (a->n == 0)
        to[0] = '0';
    return to;
}

const char *der_oid_text(struct view oid_body, struct arena *arena)
{
    const char *text = NULL;
    struct arc a = {.n = 0};
    struct err *e = check_body(oid_body);
    if (e || oid_body.n > OID_BODY_MAX) {
        err_free(e);
        return arena_printf(arena, "(OBJECT IDENTIFIER of %zu octets)", oid_body.n);
    }
    for (size_t i = 0; i < oid_body.n; i++) {
        arc_push(&a, oid_body.p[i] & 0x7fu);
        if (oid_body.p[i] >= 0x80)
            continue;
        unsigned root = text ? 0 : first_root(&a);
        arc_minus(&a, root * 40);
        text = text ? arena_printf(arena, "%s.%s", text, arc_text(&a, arena))
                    : arena_printf(arena, "%u.%s", root, arc_text(&a, arena));
        a.n = 0;
    }
    return text;
}

/* One arc off the front of the text, and the dot behind it. */
static bool take_arc(struct view *text, uint64_t *ret)
{
    uint64_t value = 0;
    size_t n = view_find(*text, '.');
    if (n == 0 || (n > 1 && text->p[0] == '0') || n + 1 == text->n)
        return false;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = text->p[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(c - '0'), &value))
            return false;
    }
    *text = view_from(*text, n + 1);
    *ret = value;
    return true;
}

static size_t put_arc(uint8_t *to, uint64_t value)
{
    size_t n = 1;
    for (uint64_t v = value >> 7; v; v >>= 7)
        n++;
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)((value >> 7 * (n - 1 - i) & 0x7f) | (i + 1 < n ? 0x80 : 0));
    return n;
}

struct err *der_oid_of_text(const char *dotted, struct arena *arena, struct view *ret_body)
{
    struct view text = view_str(dotted);
    uint8_t body[OID_BODY_MAX];
    uint64_t root, arc;
    size_t n = 0;
    if (!take_arc(&text, &root) || root > 2 || text.n == 0 || !take_arc(&text, &arc) ||
        (root < 2 && arc > 39) || arc > UINT64_MAX - 80)
        goto bad;
    n = put_arc(body, root * 40 + arc);
    while (text.n > 0) {
        if (n > OID_BODY_MAX - 10 || !take_arc(&text, &arc))
            goto bad;
        n += put_arc(body + n, arc);
    }
    *ret_body = arena_dup(arena, view_of(body, n));
    return NULL;
bad:
    return err_new(ERR_BAD_DER,
                   "'%.80s' is not an object identifier in dotted decimals, like 1.3.6.1.5.5.7.3.1",
                   dotted ? dotted : "");
}
