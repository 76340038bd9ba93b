/*
 * Subject alternative names as text, "kind:value", out and in.
 *
 * The text of a checked name has no control characters, and is ASCII but for upn and dir. Never resolves
 * anything. Any thread.
 */
#include "base/limits.h"
#include "san_other.h"
#include "san_settle.h"

#include <arpa/inet.h>

static const char *const kinds[CERT_SAN__COUNT] = {
    [CERT_SAN_DNS] = "dns",       [CERT_SAN_IP] = "ip",       [CERT_SAN_URI] = "uri",
    [CERT_SAN_EMAIL] = "email",   [CERT_SAN_OTHER] = "other", [CERT_SAN_UPN] = "upn",
    [CERT_SAN_DIRECTORY] = "dir", [CERT_SAN_RID] = "rid",
};

const char *cert_san_kind_name(enum cert_san_kind kind)
{
    return kinds[kind];
}

struct err *cert_san_kind_parse(struct view name, enum cert_san_kind *ret)
{
    for (int i = 0; i < CERT_SAN__COUNT; i++) {
        if (view_eq_str(name, kinds[i])) {
            *ret = (enum cert_san_kind)i;
            return NULL;
        }
    }
    return err_new(ERR_BAD_FIELD,
                   "no such kind of name; there are dns, ip, uri, email, upn, dir, rid and other");
}

static const char *ip_text(struct view ip, struct arena *arena)
{
    char text[INET6_ADDRSTRLEN];
    if (!inet_ntop(ip.n == 4 ? AF_INET : AF_INET6, ip.p, text, sizeof text))
        return "";
    return arena_printf(arena, "ip:%s", text);
}

const char *cert_san_text(const struct cert_san *san, struct arena *arena)
{
    if (san->kind == CERT_SAN_IP)
        return ip_text(san->value, arena);
    if (san->kind >= CERT_SAN_OTHER)
        return arena_printf(arena, "%s:%s", kinds[san->kind], san_other_text(san, arena));
    return arena_printf(arena, "%s:%.*s", kinds[san->kind], (int)san->value.n, (const char *)san->value.p);
}

static struct err *ip_of_text(struct view text, struct arena *arena, struct view *ret)
{
    uint8_t ip[16];
    char z[INET6_ADDRSTRLEN];
    bool v6 = view_find(text, ':') < text.n;
    if (text.n && text.n < sizeof z && view_find(text, 0) == text.n) {
        memcpy(z, text.p, text.n);
        z[text.n] = '\0';
        if (inet_pton(v6 ? AF_INET6 : AF_INET, z, ip) == 1) {
            *ret = arena_dup(arena, view_of(ip, v6 ? 16 : 4));
            return NULL;
        }
    }
    return err_new(ERR_BAD_NAME, "not an IP address (RFC 5280 4.2.1.6, RFC 4291 2.2)");
}

static struct err *value_of_text(struct view text, struct arena *arena, struct cert_san *san)
{
    if (san->kind >= CERT_SAN_OTHER)
        return san_other_of_text(text, arena, san);
    if (san->kind == CERT_SAN_IP)
        return ip_of_text(text, arena, &san->value);
    san->value = text;
    return NULL;
}

struct err *cert_san_of_text(struct view text, struct arena *arena, struct cert_san *ret)
{
    struct err *e = NULL;
    size_t colon = view_find(text, ':');
    struct cert_san san = {.kind = CERT_SAN__COUNT};
    for (int i = 0; i < CERT_SAN__COUNT && colon < text.n; i++) {
        if (view_eq_str(view_of(text.p, colon), kinds[i]))
            san.kind = (enum cert_san_kind)i;
    }
    if (san.kind == CERT_SAN__COUNT)
        return err_new(ERR_BAD_NAME,
                       "a name is written dns:..., ip:..., uri:..., email:..., upn:..., dir:..., "
                       "rid:... or other:...");
    TRY(value_of_text(view_from(text, colon + 1), arena, &san));
    TRY(cert_san_check(&san));
    if (san.kind == CERT_SAN_URI || san.kind == CERT_SAN_EMAIL)
        san.value = arena_dup(arena, san.value);
    cert_san_settle(&san, arena);
    *ret = san;
out:
    return e;
}
