/*
 * How a roster changes: the vault pins the one it knows beside its roll and takes another only with
 * signatures by a quorum of the old one's administrators. Never takes a name or a certificate for a key. The
 * vault's loop, at start and reload.
 */
#include <stdio.h>

#include "base/check.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "cert/key.h"
#include "roster.h"

enum { PIN_MAX_BYTES = 2 << 20, PATH_BYTES = 4096 };

const char *hsm_roster_change_text(struct arena *arena, const uint8_t old_sha256[SHA256_BYTES],
                                   const uint8_t new_sha256[SHA256_BYTES])
{
    return arena_printf(arena, "chancery roster change\nold %s\nnew %s\n",
                        hex_of(arena, view_of(old_sha256, SHA256_BYTES)),
                        hex_of(arena, view_of(new_sha256, SHA256_BYTES)));
}

/* Up to the next octet c or the end; *in moves past it. */
static struct view cut_at(struct view *in, uint8_t c)
{
    size_t n = view_find(*in, c);
    struct view ret = view_of(in->p, n);
    *in = view_from(*in, n + 1);
    return ret;
}

/* One line of roster.sigs: ALG BASE64-SPKI BASE64-SIGNATURE, over `text`. ret: the old roster's entry that
 * signed. */
static struct err *check_line(const struct hsm_roster *old, struct view line, struct view text,
                              struct arena *arena, const struct hsm_roster_entry **ret)
{
    struct err *e = NULL;
    struct view alg_text = cut_at(&line, ' '), key_text = cut_at(&line, ' '), spki, sig;
    enum cert_alg alg;
    struct cert_key key;
    uint8_t hash[SHA256_BYTES];
    TRY(cert_alg_parse(alg_text, &alg));
    TRY(base64_parse(arena, key_text, &spki));
    TRY(base64_parse(arena, line, &sig));
    TRY(cert_key_parse(spki, &key));
    cert_key_sha256(&key, hash);
    const struct hsm_roster_entry *who = hsm_roster_find(old, hash);
    if (!who || who->revoked || (who->role != HSM_ROLE_ADMIN && who->role != HSM_ROLE_RECOVERY))
        TRY(err_new(ERR_FORBIDDEN, "the key that signed is no administrator's of the present roster"));
    if (!cert_alg_fits(alg, key.kind))
        TRY(err_new(ERR_BAD_SIGNATURE, "%s does not fit the key", cert_alg_name(alg)));
    TRY(cert_key_verify(&key, alg, text, sig));
    *ret = who;
out:
    return e;
}

static bool seen_before(const struct hsm_roster_entry *const *who, size_t n,
                        const struct hsm_roster_entry *one)
{
    for (size_t i = 0; i < n; i++)
        if (roster_same_person(who[i], one))
            return true;
    return false;
}

struct err *hsm_roster_approved(const struct hsm_roster *old, const struct hsm_roster *new, struct view sigs)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(1 << 20);
    uint8_t was[SHA256_BYTES], will[SHA256_BYTES];
    const struct hsm_roster_entry *who[ROSTER_MAX];
    size_t n = 0, line_n = 0;
    bool recovery = false;
    if (sigs.n > ROSTER_SIGS_MAX_BYTES)
        TRY(err_new(ERR_TOO_LARGE, "roster.sigs is larger than %d octets", ROSTER_SIGS_MAX_BYTES));
    hsm_roster_hash(old, was);
    hsm_roster_hash(new, will);
    struct view text = view_str(hsm_roster_change_text(arena, was, will));
    while (sigs.n > 0) {
        struct view line = cut_at(&sigs, '\n');
        line_n++;
        if (line.n == 0 || line.p[0] == '#')
            continue;
        const struct hsm_roster_entry *one = NULL;
        TRY(err_wrap(check_line(old, line, text, arena, &one), "roster.sigs:%zu", line_n));
        recovery = recovery || one->role == HSM_ROLE_RECOVERY;
        if (one->role == HSM_ROLE_ADMIN && n < ROSTER_MAX && !seen_before(who, n, one))
            who[n++] = one;
    }
    if (recovery) /* its holders came together for this */
        log_warn("roster.recovery");
    if (!recovery && n < hsm_roster_quorum(old))
        TRY(err_new(
            ERR_FORBIDDEN,
            "the roster has changed: %u administrators of the present one must sign the change, %zu have", //
            hsm_roster_quorum(old), n));
out:
    arena_free(arena);
    return e;
}

static void pin_path(const char *dir, char to[PATH_BYTES])
{
    CHECK((size_t)snprintf(to, PATH_BYTES, "%s/%s", dir, ROSTER_PIN_FILE) < PATH_BYTES);
}

struct err *roster_admit(const char *dir, const struct hsm_roster *r, struct view sigs, bool *ret_new)
{
    struct err *e = NULL;
    char path[PATH_BYTES];
    struct arena *arena = arena_new(1 << 20);
    struct hsm_roster *old = NULL;
    struct view pinned;
    pin_path(dir, path);
    e = file_read(path, PIN_MAX_BYTES, arena, &pinned);
    if (e && err_code(e) == ERR_NOT_FOUND) {
        err_free(e);
        e = NULL;
        *ret_new = true;
        goto out;
    }
    TRY(e);
    TRY(err_wrap(hsm_roster_of_canonical(pinned, &old), "%s", path));
    *ret_new = !view_eq(pinned, hsm_roster_canonical(r));
    if (*ret_new)
        TRY(hsm_roster_approved(old, r, sigs));
out:
    hsm_roster_free(old);
    arena_free(arena);
    return e;
}

struct err *roster_pin(const char *dir, const struct hsm_roster *r)
{
    char path[PATH_BYTES], hex[2 * SHA256_BYTES + 1];
    uint8_t hash[SHA256_BYTES];
    pin_path(dir, path);
    struct err *e = file_write(path, hsm_roster_canonical(r), 0600);
    if (e)
        return e;
    hsm_roster_hash(r, hash);
    hex_put(hex, view_of(hash, SHA256_BYTES));
    log_info("roster.pinned", log_text("sha256", hex));
    return NULL;
}
