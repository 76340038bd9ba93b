/* Values of extensions: the first octet says which; what is taken is written again the same. */
#include "fuzz.h"

#include "cert/ext.h"

static struct err *check_lists(unsigned which, struct view value, struct arena *arena, struct cert_ext *ext)
{
    struct err *e = NULL;
    struct cert_views views;
    struct cert_aia aia;
    struct cert_idp idp;
    switch (which) {
    case 0:
        TRY(cert_ext_read_eku(value, arena, &views));
        TRY(cert_ext_write_eku(views, false, arena, ext));
        break;
    case 1:
        TRY(cert_ext_read_cdp(value, arena, &views));
        TRY(cert_ext_write_cdp(views, arena, ext));
        break;
    case 2:
        TRY(cert_ext_read_idp(value, &idp));
        TRY(cert_ext_write_idp(&idp, arena, ext));
        break;
    default:
        TRY(cert_ext_read_aia(value, arena, &aia)); /* the order of the two methods is the writer's */
    }
out:
    return e;
}

static struct err *check(unsigned which, struct view value, struct arena *arena, struct cert_ext *ext)
{
    struct err *e = NULL;
    struct cert_basic basic;
    struct view id;
    unsigned mask = 0;
    switch (which % 8) {
    case 0:
        TRY(cert_ext_read_basic(value, &basic));
        TRY(cert_ext_write_basic(basic, true, arena, ext));
        break;
    case 1:
        TRY(cert_ext_read_key_usage(value, &mask));
        TRY(cert_ext_write_key_usage(mask, true, arena, ext));
        break;
    case 2:
        TRY(cert_ext_read_ski(value, &id));
        TRY(cert_ext_write_ski(id, arena, ext));
        break;
    case 3:
        TRY(cert_ext_read_aki(value, &id));
        TRY(cert_ext_write_aki(id, arena, ext));
        break;
    default:
        return check_lists(which % 8 - 4, value, arena, ext);
    }
out:
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct view in = view_of(data, size);
    struct cert_ext ext = {.value = view_of(NULL, 0)};
    struct view value = view_from(in, 1);
    struct err *e = size ? check(data[0], value, arena, &ext) : NULL;
    if (!e && ext.value.p)
        CHECK(view_eq(ext.value, value));
    err_free(e);
    arena_free(arena);
    return 0;
}
