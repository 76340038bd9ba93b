/*
 * The closed list of frames: who may send what, and the few bodies that both ends know. Never looks at what a
 * body means. Any thread.
 */
#include "frames.h"

#include "base/der.h"
#include "floor.h"

enum {
    FRONT = 1 << HSM_PEER_FRONT,
    RESPONDER = 1 << HSM_PEER_RESPONDER,
    INIT = 1 << HSM_PEER_INIT,
    VAULT = FRAMES_VAULT,
};

static const struct frames_row rows[FRAMES__LAST + 1] = {
#define FRAME(name, number, who, max) [number] = {#name, (who), (max)},
#include "frames.def"
#undef FRAME
};

const struct frames_row *frames_row(uint16_t kind)
{
    return kind <= FRAMES__LAST ? &rows[kind] : &rows[0];
}

const char *frames_peer_name(enum hsm_peer peer)
{
    static const char *const names[] = {"front", "responder", "init"};
    return names[peer];
}

struct err *frames_allowed(enum hsm_peer peer, uint16_t kind, size_t body_bytes)
{
    const struct frames_row *row = frames_row(kind);
    if (!row->name)
        return err_new(ERR_PROTOCOL, "a frame of unknown kind %u", kind);
    if (body_bytes > row->max_bytes)
        return err_new(ERR_PROTOCOL, "%s of %zu octets; at most %zu", row->name, body_bytes, row->max_bytes);
    if (!(row->who & 1u << peer))
        return floor_breach(FLOOR_PEER, "%s is not for a %s to send", row->name, frames_peer_name(peer));
    return NULL;
}

struct err *frames_write_sealed(uint64_t n, struct view signature, struct arena *arena, struct view *ret)
{
    struct der_out out;
    der_out_init(&out, arena, 8192);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, n);
    der_put_octets(&out, signature);
    der_finish(&out, m);
    return der_out_done(&out, ret);
}

struct err *frames_read_sealed(struct view body, uint64_t *ret_n, struct view *ret_signature)
{
    struct err *e = NULL;
    struct view in;
    TRY(der_read(&body, DER_SEQUENCE, &in));
    TRY(der_end(body));
    TRY(der_read_uint(&in, UINT64_MAX, ret_n));
    TRY(der_read(&in, DER_OCTET_STRING, ret_signature));
    TRY(der_end(in));
out:
    return e;
}

struct view frames_write_refused(const struct err *e, struct arena *arena)
{
    enum { TEXT_MAX = 3000 };
    struct der_out out;
    struct view ret = {NULL, 0}, detail = view_str(err_detail(e)), pointer = view_str(err_pointer(e));
    der_out_init(&out, arena, 8192);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, err_row(err_code(e))->type);
    der_put(&out, DER_UTF8_STRING, view_of(detail.p, detail.n > TEXT_MAX ? TEXT_MAX : detail.n));
    der_put(&out, DER_UTF8_STRING, view_of(pointer.p, pointer.n > TEXT_MAX ? TEXT_MAX : pointer.n));
    der_finish(&out, m);
    err_free(der_out_done(&out, &ret));
    return ret;
}

struct err *frames_read_refused(struct view body, struct arena *arena)
{
    struct err *e = NULL;
    struct view in;
    const char *type, *detail, *pointer;
    TRY(der_read(&body, DER_SEQUENCE, &in));
    TRY(der_end(body));
    TRY(der_read_text(&in, arena, 64, &type));
    TRY(der_read_text(&in, arena, 4096, &detail));
    TRY(der_read_text(&in, arena, 4096, &pointer));
    TRY(der_end(in));
    e = err_new(err_code_of_type(type), "%s", detail);
    return *pointer ? err_at(e, "%s", pointer) : e;
out:
    return err_wrap(e, "a refusal of the vault that cannot be read");
}

struct err *frames_read_octets(struct view body, struct view *ret)
{
    struct err *e = der_read(&body, DER_OCTET_STRING, ret);
    return e ? e : der_end(body);
}
