/*
 * Reads PKCS#11 URIs (RFC 7512) and matches them. The path's attributes stand in one table; what is not in
 * it, or comes twice, is refused by name. Opens nothing and never takes a PIN. Any thread: no state.
 */
#include "uri.h"

#include "base/check.h"

enum place { TEXT, BYTES, TYPE, SLOT, REFUSED };

/* One attribute of the path (RFC 7512 2.3): where its value goes. */
struct attribute {
    const char *name;
    enum place place;
    size_t offset; /* of a `const char *` in struct uri, for TEXT */
};

static const struct attribute path_attributes[] = {
    {"token", TEXT, offsetof(struct uri, token)},
    {"manufacturer", TEXT, offsetof(struct uri, manufacturer)},
    {"serial", TEXT, offsetof(struct uri, serial)},
    {"model", TEXT, offsetof(struct uri, model)},
    {"object", TEXT, offsetof(struct uri, object)},
    {"id", BYTES, 0},
    {"type", TYPE, 0},
    {"slot-id", SLOT, 0},
    {"slot-description", REFUSED, 0},
    {"slot-manufacturer", REFUSED, 0},
    {"library-description", REFUSED, 0},
    {"library-manufacturer", REFUSED, 0},
    {"library-version", REFUSED, 0},
};
enum { PATH_ATTRIBUTES = sizeof path_attributes / sizeof path_attributes[0] };

static const char *const type_names[] = {
    [URI_PRIVATE] = "private",       [URI_PUBLIC] = "public", [URI_CERT] = "cert",
    [URI_SECRET_KEY] = "secret-key", [URI_DATA] = "data",
};

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 7512 2.3: unreserved characters and these stand for themselves; all else is percent-encoded. */
static bool stands_for_itself(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != 0 && strchr("-._~:[]@!$'()*+,=&/?|", c) != NULL);
}

static struct err *decode(struct view name, struct view in, struct arena *arena, struct view *ret)
{
    uint8_t *to = arena_alloc(arena, in.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < in.n; i++) {
        int high = i + 2 < in.n ? hex_digit(in.p[i + 1]) : -1,
            low = i + 2 < in.n ? hex_digit(in.p[i + 2]) : -1;

        if (in.p[i] == '%' && high >= 0 && low >= 0) {
            to[n++] = (uint8_t)(high << 4 | low);
            i += 2;
            continue;
        }
        if (!stands_for_itself(in.p[i]))
            return err_new(ERR_CONFIG,
                           "PKCS#11 URI: the value of %.*s must be percent-encoded (RFC 7512 2.3)",
                           (int)name.n, name.p);
        to[n++] = in.p[i];
    }
    *ret = view_of(to, n);
    return NULL;
}

/* A decoded value as C string (decode leaves room for the NUL). */
static struct err *text_of(struct view name, struct view value, const char **ret)
{
    if (*ret)
        return err_new(ERR_CONFIG, "PKCS#11 URI: %.*s stands twice (RFC 7512 2.3)", (int)name.n, name.p);
    if (memchr(value.p, 0, value.n))
        return err_new(ERR_CONFIG, "PKCS#11 URI: the value of %.*s holds a NUL", (int)name.n, name.p);
    *ret = (const char *)value.p;
    return NULL;
}

static struct err *type_of(struct view value, enum uri_type *ret)
{
    if (*ret != URI_ANY)
        return err_new(ERR_CONFIG, "PKCS#11 URI: type stands twice (RFC 7512 2.3)");
    for (int type = URI_PRIVATE; type <= URI_DATA; type++)
        if (view_eq_str(value, type_names[type])) {
            *ret = (enum uri_type)type;
            return NULL;
        }
    return err_new(ERR_CONFIG, "PKCS#11 URI: type=%.*s is none of RFC 7512 2.3", (int)value.n, value.p);
}

static struct err *slot_of(struct view value, struct uri *uri)
{
    unsigned long id = 0;

    if (uri->has_slot_id)
        return err_new(ERR_CONFIG, "PKCS#11 URI: slot-id stands twice (RFC 7512 2.3)");
    if (value.n == 0 || value.n > 18)
        return err_new(ERR_CONFIG, "PKCS#11 URI: slot-id must be a decimal number");
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9')
            return err_new(ERR_CONFIG, "PKCS#11 URI: slot-id must be a decimal number");
        id = id * 10 + (value.p[i] - '0');
    }
    uri->slot_id = id;
    uri->has_slot_id = true;
    return NULL;
}

static struct err *id_of(struct view value, struct uri *uri)
{
    if (uri->id.p)
        return err_new(ERR_CONFIG, "PKCS#11 URI: id stands twice (RFC 7512 2.3)");
    uri->id = value;
    return NULL;
}

static const struct attribute *path_attribute(struct view name)
{
    for (size_t i = 0; i < PATH_ATTRIBUTES; i++)
        if (view_eq_str(name, path_attributes[i].name))
            return &path_attributes[i];
    return NULL;
}

static struct err *path_one(struct view name, struct view value, struct uri *uri)
{
    const struct attribute *a = path_attribute(name);

    if (!a)
        return err_new(ERR_CONFIG,
                       "PKCS#11 URI: unknown attribute %.*s, which can match nothing (RFC 7512 2.3)",
                       (int)name.n, name.p);
    switch (a->place) {
    case TEXT:
        return text_of(name, value, (const char **)((char *)uri + a->offset));
    case BYTES:
        return id_of(value, uri);
    case TYPE:
        return type_of(value, &uri->type);
    case SLOT:
        return slot_of(value, uri);
    case REFUSED:
        return err_new(ERR_CONFIG, "PKCS#11 URI: %s is not supported: name the token itself", a->name);
    }
    UNREACHABLE();
}

static struct err *query_one(struct view name, struct view value, struct uri *uri)
{
    if (view_eq_str(name, "pin-value") || view_eq_str(name, "pin-source"))
        return err_new(ERR_CONFIG, "PKCS#11 URI: %.*s is refused: the PIN comes from pin_file", (int)name.n,
                       name.p);
    if (view_eq_str(name, "module-path"))
        return text_of(name, value, &uri->module_path);
    return NULL;
}

/* Takes "name=value" up to `stop` or the end. */
static struct err *attribute_take(struct view *in, uint8_t stop, struct arena *arena, struct view *ret_name,
                                  struct view *ret_value)
{
    struct view whole = {in->p, view_find(*in, stop)};
    size_t eq = view_find(whole, '=');

    *in = view_from(*in, whole.n + 1);
    if (eq == whole.n || eq == 0)
        return err_new(ERR_CONFIG, "PKCS#11 URI: \"%.*s\" is not name=value (RFC 7512 2.3)", (int)whole.n,
                       whole.p);
    *ret_name = view_of(whole.p, eq);
    return decode(*ret_name, view_from(whole, eq + 1), arena, ret_value);
}

static struct err *each(struct view in, uint8_t stop, struct arena *arena, struct uri *uri,
                        struct err *(*one)(struct view name, struct view value, struct uri *uri))
{
    struct err *e = NULL;
    struct view name, value;

    while (in.n) {
        TRY(attribute_take(&in, stop, arena, &name, &value));
        TRY(one(name, value, uri));
    }
out:
    return e;
}

struct err *uri_parse(const char *text, struct arena *arena, struct uri *ret)
{
    struct err *e = NULL;
    struct uri uri = {0};
    struct view in = view_str(text), scheme = view_str("pkcs11:"), path;

    if (in.n > URI_MAX_BYTES)
        return err_new(ERR_CONFIG, "PKCS#11 URI: longer than %d octets", URI_MAX_BYTES);
    if (in.n < scheme.n || !view_eq_nocase(view_of(in.p, scheme.n), scheme))
        return err_new(ERR_CONFIG, "not a PKCS#11 URI: it must begin with pkcs11: (RFC 7512 2.3)");
    in = view_from(in, scheme.n);
    path = view_of(in.p, view_find(in, '?'));
    TRY(each(path, ';', arena, &uri, path_one));
    TRY(each(view_from(in, path.n + 1), '&', arena, &uri, query_one));
    *ret = uri;
out:
    return e;
}

static bool same(const char *wanted, const char *found)
{
    return !wanted || (found && strcmp(wanted, found) == 0);
}

bool uri_match_token(const struct uri *uri, const struct uri_token *token)
{
    return same(uri->token, token->label) && same(uri->manufacturer, token->manufacturer) &&
           same(uri->serial, token->serial) && same(uri->model, token->model) &&
           (!uri->has_slot_id || uri->slot_id == token->slot_id);
}

bool uri_match_object(const struct uri *uri, struct view label, struct view id)
{
    return (!uri->object || view_eq_str(label, uri->object)) && (!uri->id.p || view_eq(id, uri->id));
}
