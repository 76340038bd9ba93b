/*
 * chancery trust fetch, trust install: from a fingerprint, which came by another way, to a root that a
 * machine trusts. Nothing is believed of what is fetched but what the fingerprint fits.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/when.h"
#include "base/world.h"
#include "cert/chain.h"
#include "cert/pem.h"
#include "cli.h"
#include "trust_fetch.h"

enum { ROOTS_MAX = 64, FILE_BYTES = 256 * 1024 };

/* 64 hex digits, in any case, with or without colons. */
static struct err *fingerprint(const char *text, uint8_t ret[SHA256_BYTES])
{
    char digits[2 * SHA256_BYTES + 1] = "";
    size_t n = 0;
    struct arena *arena = arena_new(4096);
    struct view bytes;
    for (const char *p = text; *p && n <= sizeof digits - 1; p++)
        if (*p != ':' && n < sizeof digits - 1)
            digits[n++] = *p >= 'A' && *p <= 'F' ? (char)(*p - 'A' + 'a') : *p;
        else if (*p != ':')
            n++;
    struct err *e = n == sizeof digits - 1 ? hex_parse(arena, view_of(digits, n), &bytes) : NULL;
    bool good = !e && n == sizeof digits - 1;
    if (good)
        memcpy(ret, bytes.p, SHA256_BYTES);
    err_free(e);
    arena_free(arena);
    return good ? NULL : cli_usage("a fingerprint is the SHA-256 of the certificate: 64 hex digits");
}

static bool fits(struct view der, const uint8_t want[SHA256_BYTES])
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(der, hash);
    return digest_eq(hash, want, SHA256_BYTES);
}

/* The one that the fingerprint is of. */
static struct err *choose(struct cli *c, struct view pem, const uint8_t want[SHA256_BYTES], struct view *ret)
{
    struct err *e = NULL;
    struct view *ders;
    size_t n;
    TRY(cert_pem_read_all(pem, "CERTIFICATE", ROOTS_MAX, c->arena, &ders, &n));
    for (size_t i = 0; i < n; i++) {
        if (!fits(ders[i], want))
            continue;
        *ret = ders[i];
        return NULL;
    }
    e = err_new(ERR_FORBIDDEN, "none of the %zu certificates has this fingerprint: trust none of them", n);
out:
    return e;
}

/* A clock that stands years off is what devices have; it is not the root's fault. */
static struct err *check_root(struct cli *c, struct view der)
{
    struct err *e = NULL;
    struct cert_chain_cert root;
    int64_t now = world_now_s();
    TRY(cert_chain_read(der, c->arena, &root));
    TRY(cert_chain_verify(&der, 1, INT64_MIN, c->arena));
    if (now < root.tbs.not_before || now > root.tbs.not_after)
        e = err_new(ERR_CLOCK,
                    "this machine's clock says %s; the root holds from %s to %s: set the clock first",
                    when_text(c->arena, now), when_text(c->arena, root.tbs.not_before),
                    when_text(c->arena, root.tbs.not_after));
out:
    return e;
}

/* The address as it is, where it names a file; else its roots.pem. */
static const char *file_of(struct cli *c, const char *url)
{
    const char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : NULL;
    if (!host)
        return arena_printf(c->arena, "https://%s/roots.pem", url);
    if (!path || !path[1])
        return arena_printf(c->arena, "%.*s/roots.pem", (int)(path ? (size_t)(path - url) : strlen(url)),
                            url);
    return url;
}

struct err *trust_fetch(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *hex = NULL, *out = NULL;
    const struct cli_option options[] = {{"--fingerprint", &hex, NULL, NULL}, {"--out", &out, NULL, NULL}};
    uint8_t want[SHA256_BYTES];
    struct view pem, der;

    TRY(cli_options(options, 2, &argc, argv, 1, 1));
    if (!hex)
        TRY(cli_usage("--fingerprint: without it there is nothing to know the root by"));
    TRY(fingerprint(hex, want));
    TRY(trust_fetch_url(file_of(c, argv[0]), c->arena, &pem));
    TRY(choose(c, pem, want, &der));
    TRY(check_root(c, der));
    const char *text = cert_pem_write("CERTIFICATE", der, c->arena);
    if (out)
        TRY(file_write(out, view_str(text), 0644));
    else
        printf("%s", text);
    fprintf(stderr, "the root with this fingerprint%s%s\n", out ? ", in " : "", out ? out : "");
out:
    return e;
}

/* --- install --- */

static struct err *update(const char *program)
{
    extern char **environ;
    char *const args[] = {(char *)program, NULL};
    pid_t pid;
    int status = 0, why = posix_spawn(&pid, program, NULL, NULL, args, environ);
    if (why != 0)
        return err_sys(ERR_IO, why, "%s (is the package ca-certificates there?)", program);
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_new(ERR_IO, "%s failed", program);
    return NULL;
}

struct err *trust_install(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *hex = NULL, *dir = NULL;
    const struct cli_option options[] = {{"--fingerprint", &hex, NULL, NULL}, {"--dir", &dir, NULL, NULL}};
    uint8_t want[SHA256_BYTES];
    struct view pem, der;

    TRY(cli_options(options, 2, &argc, argv, 1, 1));
    TRY(file_read(argv[0], FILE_BYTES, c->arena, &pem));
    if (hex) {
        TRY(fingerprint(hex, want));
        TRY(choose(c, pem, want, &der));
    } else {
        TRY(cert_pem_read(pem, "CERTIFICATE", c->arena, &der));
        digest_sha256(der, want);
    }
    TRY(check_root(c, der));
    const char *path =
        arena_printf(c->arena, "%s/chancery-%.16s.crt", dir ? dir : "/usr/local/share/ca-certificates",
                     hex_of(c->arena, view_of(want, SHA256_BYTES)));
    TRY(file_write(path, view_str(cert_pem_write("CERTIFICATE", der, c->arena)), 0644));
    if (!dir)
        TRY(update("/usr/sbin/update-ca-certificates"));
    fprintf(stderr, "%s%s\n", path, dir ? "" : ": every program that asks the system trusts it now");
out:
    return e;
}
