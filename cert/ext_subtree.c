/*
 * One subtree of nameConstraints: what it may look like, and its text (RFC 5280 4.2.1.10).
 *
 * Networks must be written as prefixes without host bits; wildcards are no constraints. Any thread.
 */
#include <arpa/inet.h>

#include "base/limits.h"
#include "cert/ext_constraints.h"
#include "name_string.h"
#include "san_other.h"

static struct err *bad(const char *why)
{
    return err_new(ERR_BAD_NAME, "%s (RFC 5280 4.2.1.10)", why);
}

/* A host, or with a dot before it all that lie below. */
static struct err *check_host(struct view host)
{
    if (host.n && host.p[0] == '.')
        host = view_from(host, 1);
    return san_check_host(host);
}

static struct err *check_email(struct view email)
{
    struct cert_san mailbox = {.kind = CERT_SAN_EMAIL, .value = email};
    return view_find(email, '@') < email.n ? cert_san_check(&mailbox) : check_host(email);
}

/* Bits set from the left and none after them; -1: no prefix. */
static int prefix_of(struct view mask)
{
    int bits = 0;
    while ((size_t)bits < 8 * mask.n && mask.p[bits / 8] >> (7 - bits % 8) & 1)
        bits++;
    for (size_t i = (size_t)bits; i < 8 * mask.n; i++) {
        if (mask.p[i / 8] >> (7 - i % 8) & 1)
            return -1;
    }
    return bits;
}

static struct err *check_network(struct view value)
{
    if (value.n != 8 && value.n != 32)
        return bad("a network has 8 or 32 octets, address and mask");
    size_t half = value.n / 2;
    if (prefix_of(view_from(value, half)) < 0)
        return bad("a network's mask must be a prefix");
    for (size_t i = 0; i < half; i++) {
        if (value.p[i] & ~value.p[half + i])
            return bad("a network's address has bits beyond its mask");
    }
    return NULL;
}

static struct err *check_directory(struct view name)
{
    struct cert_attr attrs[LIMIT_RDNS];
    size_t n = 0;
    return name_read(name, attrs, &n);
}

struct err *cert_ext_subtree_check(const struct cert_subtree *subtree)
{
    switch (subtree->kind) {
    case CERT_SAN_DNS:
        return subtree->value.n ? check_host(subtree->value) : NULL;
    case CERT_SAN_IP:
        return check_network(subtree->value);
    case CERT_SAN_URI:
        return check_host(subtree->value);
    case CERT_SAN_EMAIL:
        return check_email(subtree->value);
    case CERT_SAN_DIRECTORY:
        return check_directory(subtree->value);
    default:
        return bad("a subtree other than of dns, ip, uri, email and directory names");
    }
}

/* --- text --- */

const char *cert_ext_subtree_text(const struct cert_subtree *subtree, struct arena *arena)
{
    struct cert_san san = {.kind = subtree->kind, .value = subtree->value};
    if (subtree->kind != CERT_SAN_IP)
        return cert_san_text(&san, arena);
    size_t half = subtree->value.n / 2;
    san.value = view_of(subtree->value.p, half);
    return arena_printf(arena, "%s/%d", cert_san_text(&san, arena),
                        prefix_of(view_from(subtree->value, half)));
}

static int bits_of_text(struct view text)
{
    int bits = 0;
    if (text.n == 0 || text.n > 3 || (text.n > 1 && text.p[0] == '0'))
        return -1;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return -1;
        bits = bits * 10 + (text.p[i] - '0');
    }
    return bits;
}

static struct err *network_of_text(struct view text, struct arena *arena, struct view *ret)
{
    struct err *e = NULL;
    struct cert_san san;
    size_t slash = view_find(text, '/');
    int bits = bits_of_text(view_from(text, slash + 1));
    const char *address = arena_printf(arena, "ip:%.*s", (int)slash, (const char *)text.p);
    TRY(cert_san_of_text(view_str(address), arena, &san));
    size_t half = san.value.n;
    if (bits < 0 || (size_t)bits > 8 * half)
        return bad("a network is written ADDRESS/BITS");
    uint8_t *value = arena_alloc(arena, 2 * half);
    memcpy(value, san.value.p, half);
    for (int i = 0; i < bits; i++)
        value[half + (size_t)i / 8] |= (uint8_t)(0x80 >> i % 8);
    *ret = view_of(value, 2 * half);
out:
    return e;
}

/* The local part of a mailbox keeps its letters (RFC 5280 7.5). */
static struct view lower_host(struct view text, struct arena *arena)
{
    size_t at = view_find(text, '@');
    uint8_t *to = arena_alloc(arena, text.n);
    for (size_t i = 0; i < text.n; i++) {
        bool upper = text.p[i] >= 'A' && text.p[i] <= 'Z' && (at == text.n || i > at);
        to[i] = (uint8_t)(text.p[i] + (upper ? 32 : 0));
    }
    return view_of(to, text.n);
}

static struct err *value_of_text(struct view text, struct arena *arena, struct cert_subtree *subtree)
{
    if (subtree->kind == CERT_SAN_IP)
        return network_of_text(text, arena, &subtree->value);
    if (subtree->kind == CERT_SAN_DIRECTORY)
        return cert_name_of_text(arena_str(arena, text), arena, &subtree->value);
    subtree->value = lower_host(text, arena);
    return NULL;
}

struct err *cert_ext_subtree_of_text(struct view text, struct arena *arena, struct cert_subtree *ret)
{
    static const enum cert_san_kind kinds[] = {CERT_SAN_DNS, CERT_SAN_IP, CERT_SAN_URI, CERT_SAN_EMAIL,
                                               CERT_SAN_DIRECTORY};
    struct err *e = NULL;
    struct cert_subtree subtree = {CERT_SAN__COUNT, {NULL, 0}};
    size_t colon = view_find(text, ':');
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && colon < text.n; i++) {
        if (view_eq_str(view_of(text.p, colon), cert_san_kind_name(kinds[i])))
            subtree.kind = kinds[i];
    }
    if (subtree.kind == CERT_SAN__COUNT || view_find(text, 0) < text.n)
        return bad("a subtree is written dns:..., ip:ADDRESS/BITS, uri:..., email:... or dir:...");
    TRY(value_of_text(view_from(text, colon + 1), arena, &subtree));
    TRY(cert_ext_subtree_check(&subtree));
    *ret = subtree;
out:
    return e;
}
