/*
 * Files that a ceremony takes and makes: each is on record with its SHA-256, which is what `sha256sum`
 * prints. What is expected and is not so ends the step; what is there is never written over.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "ceremony.h"
#include "cert/pem.h"

static const char *under(struct ceremony *c, const char *folder, const char *name)
{
    return name[0] == '/' ? name : arena_printf(c->in.cli->arena, "%s/%s", folder, name);
}

/* In a rehearsal first where it puts what it makes, then beside the file. */
static const char *input_path(struct ceremony *c, const char *name)
{
    const char *made = under(c, c->out, name);
    return access(made, F_OK) == 0 ? made : under(c, c->folder, name);
}

static struct err *check_hash(struct ceremony *c, const char *name, const char *expected, struct view bytes)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(bytes, hash);
    const char *is = hex_of(c->in.cli->arena, view_of(hash, sizeof hash));
    if (!expected || strcmp(expected, is) == 0)
        return NULL;
    return err_new(ERR_CORRUPT, "%s: its SHA-256 is %s, the ceremony's file expects %s", name, is, expected);
}

struct err *ceremony_io_read(struct ceremony *c, const char *name, const char *expected, struct view *ret)
{
    struct err *e = NULL;
    TRY(file_read(input_path(c, name), CEREMONY_INPUT_BYTES, c->in.cli->arena, ret));
    TRY(check_hash(c, name, expected, *ret));
    ceremony_record_text(c, "took", name);
    ceremony_record_hash(c, "took_sha256", *ret);
out:
    return e;
}

struct err *ceremony_io_read_pem(struct ceremony *c, const char *name, const char *expected,
                                 const char *label, struct view *ret_der)
{
    struct err *e = NULL;
    struct view text;
    TRY(ceremony_io_read(c, name, expected, &text));
    TRY(err_wrap(cert_pem_read(text, label, c->in.cli->arena, ret_der), "%s", name));
out:
    return e;
}

struct err *ceremony_io_write(struct ceremony *c, const char *name, struct view bytes)
{
    struct err *e = NULL;
    const char *path = under(c, c->out, name);
    if (access(path, F_OK) == 0)
        return err_new(ERR_WRONG_STATE, "%s is there already; nothing is written over it", name);
    TRY(file_write(path, bytes, 0644));
    ceremony_record_text(c, "made", name);
    ceremony_record_hash(c, "made_sha256", bytes);
out:
    return e;
}

struct err *ceremony_io_write_pem(struct ceremony *c, const char *name, const char *label, struct view der)
{
    ceremony_record_hash(c, "der_sha256", der);
    return ceremony_io_write(c, name, view_str(cert_pem_write(label, der, c->in.cli->arena)));
}

/* --- before the first step --- */

static bool made_before(const struct ceremony *c, size_t step, const char *name)
{
    for (size_t i = 0; i < step; i++)
        if (c->steps[i].out && strcmp(c->steps[i].out, name) == 0)
            return true;
    return false;
}

static struct err *check_outputs(struct ceremony *c)
{
    for (size_t i = 0; i < c->steps_n; i++) {
        const char *out = c->steps[i].out;
        if (out && made_before(c, i, out))
            return conf_error(c->conf, c->steps[i].place, "an earlier step makes %s", out);
        if (out && access(under(c, c->out, out), F_OK) == 0)
            return conf_error(c->conf, c->steps[i].place, "%s is there already", out);
    }
    return NULL;
}

struct err *ceremony_io_check_first(struct ceremony *c)
{
    struct err *e = check_outputs(c);
    for (size_t i = 0; !e && i < c->steps_n; i++) {
        const struct ceremony_step *s = &c->steps[i];
        struct view bytes;
        if (!s->file || made_before(c, i, s->file))
            continue;
        e = file_read(input_path(c, s->file), CEREMONY_INPUT_BYTES, c->in.cli->arena, &bytes);
        if (!e)
            e = check_hash(c, s->file, s->sha256, bytes);
        e = err_wrap(e, "step %zu (%s)", i + 1, s->kind);
    }
    return e;
}
