/*
 * tbs + algorithm + signature, together and apart.
 *
 * Signs nothing and verifies nothing. No state. Any thread.
 */
#include "cert/seal.h"

#include "base/der.h"
#include "seal_head.h"

size_t seal_head(uint8_t to[SEAL_HEAD_MAX], size_t n)
{
    size_t octets = 0;
    to[0] = DER_SEQUENCE;
    if (n < 0x80) {
        to[1] = (uint8_t)n;
        return 2;
    }
    for (size_t v = n; v; v >>= 8)
        octets++;
    to[1] = (uint8_t)(0x80 | octets);
    for (size_t i = 0; i < octets; i++)
        to[2 + i] = (uint8_t)(n >> 8 * (octets - 1 - i));
    return 2 + octets;
}

static void put_seal(struct der_out *out, enum cert_alg alg, struct view sig)
{
    der_put_raw(out, cert_alg_der(alg));
    der_put_bits(out, sig, 0);
}

struct err *cert_seal(struct view tbs, enum cert_alg alg, struct view sig, struct arena *arena,
                      struct view *ret_der)
{
    struct der_out out;
    der_out_init(&out, arena, tbs.n + sig.n + 256);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_raw(&out, tbs);
    put_seal(&out, alg, sig);
    der_finish(&out, m);
    return der_out_done(&out, ret_der);
}

struct err *cert_seal_around(size_t tbs_bytes, enum cert_alg alg, struct view sig, struct arena *arena,
                             struct view *ret_head, struct view *ret_tail)
{
    struct err *e = NULL;
    struct der_out out;
    if (tbs_bytes > UINT32_MAX / 2)
        return err_new(ERR_TOO_LARGE, "a list of more than 2 GiB");
    der_out_init(&out, arena, sig.n + 256);
    put_seal(&out, alg, sig);
    TRY(der_out_done(&out, ret_tail));

    uint8_t *head = arena_alloc(arena, SEAL_HEAD_MAX);
    *ret_head = view_of(head, seal_head(head, tbs_bytes + ret_tail->n));
out:
    return e;
}

struct err *cert_seal_open(struct view der, struct cert_sealed *ret)
{
    struct err *e = NULL;
    struct view seq;
    struct cert_sealed sealed = {.sig = {NULL, 0}};
    unsigned unused = 0;
    TRY(der_read(&der, DER_SEQUENCE, &seq));
    TRY(der_end(der));
    TRY(der_read_whole(&seq, DER_SEQUENCE, &sealed.tbs));
    TRY(cert_alg_read(&seq, &sealed.alg));
    TRY(der_read_bits(&seq, &sealed.sig, &unused));
    TRY(der_end(seq));
    if (unused)
        return err_new(ERR_BAD_SIGNATURE, "a signature with unused bits (RFC 5280 4.1.1.3)");
    *ret = sealed;
out:
    return e;
}

struct err *cert_seal_ecdsa(struct view raw, struct arena *arena, struct view *ret_sig)
{
    struct der_out out;
    if (raw.n == 0 || raw.n % 2 || raw.n > 132)
        return err_new(ERR_BAD_SIGNATURE, "r and s side by side cannot be %zu octets (RFC 3279 2.2.3)",
                       raw.n);
    der_out_init(&out, arena, 256);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_magnitude(&out, view_of(raw.p, raw.n / 2));
    der_put_magnitude(&out, view_of(raw.p + raw.n / 2, raw.n / 2));
    der_finish(&out, m);
    return der_out_done(&out, ret_sig);
}
