/* The payloads of acts on CAs, both ways. Judges nothing but that each says what its kind needs. Any thread.
 */
#include "hsm_wish.h"

#include "base/der.h"
#include "base/limits.h"
#include "house.h"

enum { WISH_BYTES = 2 * LIMIT_CSR_BYTES, KEY_TEXT = 32, TEMPLATE_TEXT = 255 };

struct err *hsm_wish_write(const struct hsm_wish *w, struct arena *arena, struct view *ret)
{
    struct der_out out;
    der_out_init(&out, arena, WISH_BYTES);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, w->name);
    der_put_text(&out, w->key);
    der_put_text(&out, w->issuer);
    der_put_text(&out, w->template);
    der_put_octets(&out, w->subject);
    der_put_octets(&out, w->proof);
    der_finish(&out, m);
    return der_out_done(&out, ret);
}

static struct err *missing(enum hsm_act_kind kind, const char *what)
{
    return err_new(ERR_BAD_FIELD, "%s needs %s", hsm_act_row(kind)->text, what);
}

static struct err *check(const struct hsm_wish *w, enum hsm_act_kind kind)
{
    bool named = kind == HSM_ACT_CA_CREATE || kind == HSM_ACT_CA_RENEW;
    bool elsewhere = kind == HSM_ACT_CA_SIGN_SUB || kind == HSM_ACT_CROSS_SIGN;
    bool request = kind == HSM_ACT_CA_CREATE && !w->issuer[0];
    if (!named && !elsewhere)
        return err_new(ERR_BAD_FIELD, "%s carries no wish", hsm_act_row(kind)->text);
    if (named && !house_name_ok(view_str(w->name)))
        return missing(kind, "an issuer's name: 1 to 63 of a-z, 0-9 and '-'");
    if (!request && !house_name_ok(view_str(w->issuer)))
        return missing(kind, "the name of the issuer that signs");
    if (!request && !w->template[0])
        return missing(kind, "a template");
    if (elsewhere && w->proof.n == 0)
        return missing(kind, "what the key has signed about itself");
    if (kind == HSM_ACT_CA_CREATE && w->subject.n <= 2)
        return missing(kind, "a subject (RFC 5280 4.1.2.6)");
    return NULL;
}

struct err *hsm_wish_read(struct view der, enum hsm_act_kind kind, struct arena *arena, struct hsm_wish *ret)
{
    struct err *e = NULL;
    struct hsm_wish w;
    struct view body;
    TRY(der_read(&der, DER_SEQUENCE, &body));
    TRY(der_end(der));
    TRY(der_read_text(&body, arena, HOUSE_NAME_MAX, &w.name));
    TRY(der_read_text(&body, arena, KEY_TEXT, &w.key));
    TRY(der_read_text(&body, arena, HOUSE_NAME_MAX, &w.issuer));
    TRY(der_read_text(&body, arena, TEMPLATE_TEXT, &w.template));
    TRY(der_read(&body, DER_OCTET_STRING, &w.subject));
    TRY(der_read(&body, DER_OCTET_STRING, &w.proof));
    TRY(der_end(body));
    TRY(check(&w, kind));
    *ret = w;
out:
    return e;
}

struct err *hsm_wish_state_write(const char *state, int64_t until, struct arena *arena, struct view *ret)
{
    struct der_out out;
    der_out_init(&out, arena, 256);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, state);
    der_put_uint(&out, (uint64_t)until);
    der_finish(&out, m);
    return der_out_done(&out, ret);
}
