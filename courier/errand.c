/* Errands as octets, and the one check of a name that will stand in a URL. */
#include "errand.h"

#include <string.h>

#include "base/der.h"

struct err *errand_put_write(const struct courier_put *put, struct arena *arena, struct view *ret)
{
    struct der_out out;
    der_out_init(&out, arena, ERRAND_BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, put->issuer);
    der_put_text(&out, put->name);
    der_put_text(&out, put->type);
    der_finish(&out, m);
    return der_out_done(&out, ret);
}

static bool name_ok(const char *name)
{
    size_t n = strlen(name);
    return n > 0 && name[0] != '/' && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-./") == n &&
           !strstr(name, "..") && !strstr(name, "//");
}

struct err *errand_put_read(struct view body, struct arena *arena, struct courier_put *ret)
{
    struct err *e = NULL;
    struct view in;
    TRY(der_read(&body, DER_SEQUENCE, &in));
    TRY(der_end(body));
    TRY(der_read_text(&in, arena, ERRAND_TEXT_MAX, &ret->issuer));
    TRY(der_read_text(&in, arena, ERRAND_TEXT_MAX, &ret->name));
    TRY(der_read_text(&in, arena, ERRAND_TEXT_MAX, &ret->type));
    TRY(der_end(in));
    if (!name_ok(ret->name) || strpbrk(ret->type, "\r\n"))
        return err_new(ERR_PROTOCOL, "an errand under a name that no list has");
out:
    return e;
}

struct err *errand_done_write(enum errand_outcome outcome, const char *detail, struct arena *arena,
                              struct view *ret)
{
    struct der_out out;
    der_out_init(&out, arena, ERRAND_BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_enum(&out, outcome);
    der_put_text(&out, detail);
    der_finish(&out, m);
    return der_out_done(&out, ret);
}

struct err *errand_done_read(struct view body, struct arena *arena, bool *ret_form)
{
    static const enum err_code codes[] = {
        [ERRAND_FAILED] = ERR_IO, [ERRAND_NO_PLACE] = ERR_NOT_FOUND, [ERRAND_BUSY] = ERR_BUSY};
    struct err *e = NULL;
    struct view in;
    const char *detail;
    uint64_t outcome = 0;
    *ret_form = true;
    TRY(der_read(&body, DER_SEQUENCE, &in));
    TRY(der_end(body));
    TRY(der_read_enum(&in, ERRAND_BUSY, &outcome));
    TRY(der_read_text(&in, arena, ERRAND_TEXT_MAX, &detail));
    TRY(der_end(in));
    *ret_form = false;
    return outcome == ERRAND_WELL ? NULL : err_new(codes[outcome], "%s", detail);
out:
    return e;
}
