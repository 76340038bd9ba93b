/*
 * The ceremony's client: blocking questions over the INIT channel, for `chancery init` and `chancery
 * ceremony`. One question at a
 * time; a refusal is the question's error, a broken channel ends the ceremony. Any thread, one at a time.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/der.h"
#include "frames.h"
#include "hsm_ceremony.h"

enum { ARENA_BYTES = 4 << 20, FIND_MAX = 256 };

struct hsm_ceremony {
    int fd;
    uint32_t generation;
    uint64_t next_id;
    struct arena *arena; /* of one question */
};

static struct err *read_answer(struct hsm_ceremony *c, uint64_t id, struct view *ret)
{
    struct err *e = NULL;
    struct frame f;
    TRY(frame_read(c->fd, c->arena, &f));
    if (f.fd >= 0)
        close(f.fd);
    if (f.id != id || (f.kind != FRAMES_RESULT && f.kind != FRAMES_REFUSED))
        TRY(err_new(ERR_PROTOCOL, "a frame of kind %u from the vault, out of place", f.kind));
    if (f.kind == FRAMES_REFUSED)
        TRY(frames_read_refused(f.body, c->arena));
    *ret = f.body;
out:
    return e;
}

/* fd: travels along, stays the caller's; -1: none. */
static struct err *ask_with(struct hsm_ceremony *c, enum frames_kind kind, struct der_out *question, int fd,
                            struct view *ret)
{
    struct err *e = NULL;
    struct view body;
    uint64_t id = c->next_id++;
    TRY(der_out_done(question, &body));
    TRY(frame_write(
        c->fd, &(struct frame){
                   .kind = (uint16_t)kind, .generation = c->generation, .id = id, .body = body, .fd = fd}));
    TRY(read_answer(c, id, ret));
out:
    return e;
}

static struct err *ask(struct hsm_ceremony *c, enum frames_kind kind, struct der_out *question,
                       struct view *ret)
{
    return ask_with(c, kind, question, -1, ret);
}

struct err *hsm_ceremony_new(int fd, uint32_t generation, struct hsm_ceremony **ret)
{
    struct err *e = NULL;
    struct frame f;
    struct hsm_ceremony *c = calloc(1, sizeof *c);
    CHECK(c != NULL);
    c->fd = fd;
    c->generation = generation;
    c->next_id = 1;
    c->arena = arena_new(ARENA_BYTES);
    TRY(frame_read(fd, c->arena, &f));
    if (f.fd >= 0)
        close(f.fd);
    if (f.kind != FRAMES_DRAINED)
        TRY(err_new(ERR_PROTOCOL, "a frame of kind %u from the vault before DRAINED", f.kind));
    *ret = c;
    c = NULL;
out:
    hsm_ceremony_free(c);
    return e;
}

void hsm_ceremony_free(struct hsm_ceremony *c)
{
    if (!c)
        return;
    close(c->fd);
    arena_free(c->arena);
    free(c);
}

struct err *hsm_ceremony_key_generate(struct hsm_ceremony *c, const char *label, const char *kind, bool reuse,
                                      struct arena *arena, struct view *ret_spki)
{
    struct err *e = NULL;
    struct der_out out;
    struct view body, spki;
    der_out_init(&out, c->arena, FRAME_BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, label);
    der_put_text(&out, kind);
    der_put_bool(&out, reuse);
    der_finish(&out, m);
    TRY(ask(c, FRAMES_KEY_GENERATE, &out, &body));
    TRY(frames_read_octets(body, &spki));
    *ret_spki = arena_dup(arena, spki);
out:
    arena_reset(c->arena);
    return e;
}

struct err *hsm_ceremony_log_key(struct hsm_ceremony *c, struct arena *arena, struct view *ret_spki)
{
    struct err *e = NULL;
    struct der_out out;
    struct view body, spki;
    der_out_init(&out, c->arena, 1);
    TRY(ask(c, FRAMES_LOG_KEY, &out, &body));
    TRY(frames_read_octets(body, &spki));
    *ret_spki = arena_dup(arena, spki);
out:
    arena_reset(c->arena);
    return e;
}

struct err *hsm_ceremony_key_find(struct hsm_ceremony *c, const char *label, struct arena *arena,
                                  struct view *ret_spki)
{
    struct err *e = NULL;
    struct der_out out;
    struct view body, spki;
    der_out_init(&out, c->arena, FRAME_BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, label);
    der_finish(&out, m);
    TRY(ask(c, FRAMES_KEY_FIND, &out, &body));
    TRY(frames_read_octets(body, &spki));
    *ret_spki = arena_dup(arena, spki);
out:
    arena_reset(c->arena);
    return e;
}

struct err *hsm_ceremony_serial(struct hsm_ceremony *c, const char *issuer, uint8_t ret[SERIAL_BYTES])
{
    struct err *e = NULL;
    struct der_out out;
    struct view body, list, serial;
    der_out_init(&out, c->arena, FRAME_BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, issuer);
    der_put_uint(&out, 1);
    der_finish(&out, m);
    TRY(ask(c, FRAMES_LEASE, &out, &body));
    TRY(der_read(&body, DER_SEQUENCE, &list));
    TRY(der_end(body));
    TRY(frames_read_octets(list, &serial));
    if (serial.n != SERIAL_BYTES)
        TRY(err_new(ERR_PROTOCOL, "a serial of %zu octets", serial.n));
    memcpy(ret, serial.p, SERIAL_BYTES);
out:
    arena_reset(c->arena);
    return e;
}

static struct err *ask_sealed(struct hsm_ceremony *c, enum frames_kind kind, struct der_out *question, int fd,
                              struct arena *arena, uint64_t *ret_n, struct view *ret_signature)
{
    struct err *e = NULL;
    struct view body, signature;
    TRY(ask_with(c, kind, question, fd, &body));
    TRY(frames_read_sealed(body, ret_n, &signature));
    *ret_signature = arena_dup(arena, signature);
out:
    arena_reset(c->arena);
    return e;
}

struct err *hsm_ceremony_seal_ca(struct hsm_ceremony *c, const char *issuer, const char *name,
                                 const char *template, struct view tbs, struct arena *arena, uint64_t *ret_n,
                                 struct view *ret_signature)
{
    struct der_out out;
    der_out_init(&out, c->arena, FRAME_BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, issuer);
    der_put_text(&out, name);
    der_put_text(&out, template);
    der_put_octets(&out, tbs);
    der_finish(&out, m);
    return ask_sealed(c, FRAMES_SEAL_CA, &out, -1, arena, ret_n, ret_signature);
}

struct err *hsm_ceremony_seal_cert(struct hsm_ceremony *c, const char *issuer, const char *template,
                                   struct view tbs, struct arena *arena, uint64_t *ret_n,
                                   struct view *ret_signature)
{
    struct der_out out;
    der_out_init(&out, c->arena, FRAME_BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, issuer);
    der_put_text(&out, template);
    der_put_octets(&out, tbs);
    der_finish(&out, m);
    return ask_sealed(c, FRAMES_SEAL_CERT, &out, -1, arena, ret_n, ret_signature);
}

struct err *hsm_ceremony_seal_csr(struct hsm_ceremony *c, const char *name, struct view cri,
                                  struct arena *arena, uint64_t *ret_n, struct view *ret_signature)
{
    struct der_out out;
    der_out_init(&out, c->arena, FRAME_BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, name);
    der_put_octets(&out, cri);
    der_finish(&out, m);
    return ask_sealed(c, FRAMES_SEAL_CSR, &out, -1, arena, ret_n, ret_signature);
}

struct err *hsm_ceremony_seal_other(struct hsm_ceremony *c, const char *issuer, const char *template,
                                    struct view tbs, struct view proof, struct arena *arena, uint64_t *ret_n,
                                    struct view *ret_signature)
{
    struct der_out out;
    der_out_init(&out, c->arena, FRAME_BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, issuer);
    der_put_text(&out, template);
    der_put_octets(&out, tbs);
    der_put_octets(&out, proof);
    der_finish(&out, m);
    return ask_sealed(c, FRAMES_SEAL_OTHER, &out, -1, arena, ret_n, ret_signature);
}

struct err *hsm_ceremony_seal_crl(struct hsm_ceremony *c, const char *issuer, int tbs_fd, struct arena *arena,
                                  uint64_t *ret_n, struct view *ret_signature)
{
    struct der_out out;
    der_out_init(&out, c->arena, FRAME_BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, issuer);
    der_finish(&out, m);
    return ask_sealed(c, FRAMES_SEAL_CRL, &out, tbs_fd, arena, ret_n, ret_signature);
}

struct err *hsm_ceremony_adopt(struct hsm_ceremony *c, const char *name, struct view certificate)
{
    struct err *e = NULL;
    struct der_out out;
    struct view body;
    der_out_init(&out, c->arena, FRAME_BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, name);
    der_put_octets(&out, certificate);
    der_finish(&out, m);
    TRY(ask(c, FRAMES_ADOPT, &out, &body));
out:
    arena_reset(c->arena);
    return e;
}

/* One stretch of the roll; *from: where to go on, 0 at its end. */
static struct err *find_some(struct hsm_ceremony *c, uint64_t *from,
                             const uint8_t (*tbs_sha256)[SHA256_BYTES], size_t n, uint64_t *ns)
{
    struct err *e = NULL;
    struct der_out out;
    struct view body, in, list;
    der_out_init(&out, c->arena, FRAME_BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, *from);
    size_t hashes = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < n; i++)
        der_put_octets(&out, view_of(tbs_sha256[i], SHA256_BYTES));
    der_finish(&out, hashes);
    der_finish(&out, m);
    TRY(ask(c, FRAMES_ROLL_FIND, &out, &body));
    TRY(der_read(&body, DER_SEQUENCE, &in));
    TRY(der_read_uint(&in, UINT64_MAX, from));
    TRY(der_read(&in, DER_SEQUENCE, &list));
    for (size_t i = 0; i < n; i++) {
        uint64_t found;
        TRY(der_read_uint(&list, UINT64_MAX, &found));
        ns[i] = ns[i] ? ns[i] : found;
    }
    TRY(der_end(list));
out:
    arena_reset(c->arena);
    return e;
}

struct err *hsm_ceremony_roll_find(struct hsm_ceremony *c, const uint8_t (*tbs_sha256)[SHA256_BYTES],
                                   size_t n, uint64_t *ret_ns)
{
    struct err *e = NULL;
    uint64_t from = 1;
    CHECK(n <= FIND_MAX);
    memset(ret_ns, 0, n * sizeof *ret_ns);
    while (!e && from != 0)
        e = find_some(c, &from, tbs_sha256, n, ret_ns);
    return e;
}
