/*
 * Generations: several files as one DER value, and that in a sealed memfd. Reads and writes no path; the
 * warden gathers the files (config/gather.c). Never trusts a descriptor that is not sealed: its bytes could
 * change between the check and the use. Any thread.
 */
#include "base/generation.h"

#include <stdlib.h>

#include "base/der.h"
#include "base/file.h"

enum { GENERATION_VERSION = 1, GENERATION_NAME_MAX = 255 };

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

/* A relative path whose parts are plain: it can never lead out of the folder it is thought under. */
static bool name_ok(const char *name)
{
    size_t n = strlen(name);
    bool at_start = true;

    if (n == 0 || n > GENERATION_NAME_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (at_start && (name[i] == '.' || name[i] == '/'))
            return false;
        if (name[i] != '/' && !name_char(name[i]))
            return false;
        at_start = name[i] == '/';
    }
    return !at_start;
}

static int by_name(const void *a, const void *b)
{
    const struct generation_file *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static struct err *check_names(const struct generation *g, struct arena *arena)
{
    if (g->n > GENERATION_FILES_MAX)
        return err_new(ERR_TOO_MANY, "%zu files; a generation has at most %d", g->n, GENERATION_FILES_MAX);
    const struct generation_file **sorted = arena_array(arena, g->n, sizeof(const struct generation_file *));
    for (size_t i = 0; i < g->n; i++) {
        if (!name_ok(g->files[i].name))
            return err_new(ERR_CONFIG, "'%.80s' is not a name for a file of a generation", g->files[i].name);
        sorted[i] = &g->files[i];
    }
    qsort(sorted, g->n, sizeof(const struct generation_file *), by_name);
    for (size_t i = 1; i < g->n; i++)
        if (by_name(&sorted[i - 1], &sorted[i]) == 0)
            return err_new(ERR_CONFIG, "two files are named '%s'", sorted[i]->name);
    return NULL;
}

struct err *generation_encode(const struct generation *g, struct arena *arena, struct view *ret_der)
{
    struct err *e = NULL;
    struct der_out out;

    TRY(check_names(g, arena));
    der_out_init(&out, arena, GENERATION_BYTES_MAX);
    size_t whole = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, GENERATION_VERSION);
    der_put_uint(&out, g->number);
    size_t files = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < g->n; i++) {
        size_t file = der_begin(&out, DER_SEQUENCE);
        der_put_text(&out, g->files[i].name);
        der_put_octets(&out, g->files[i].bytes);
        der_finish(&out, file);
    }
    der_finish(&out, files);
    der_finish(&out, whole);
    TRY(der_out_done(&out, ret_der));
out:
    return err_wrap(e, "generation %u", g->number);
}

static struct err *read_file(struct view *in, struct arena *arena, struct generation_file *ret)
{
    struct err *e = NULL;
    struct view file;

    TRY(der_read(in, DER_SEQUENCE, &file));
    TRY(der_read_text(&file, arena, GENERATION_NAME_MAX, &ret->name));
    TRY(der_read(&file, DER_OCTET_STRING, &ret->bytes));
    TRY(der_end(file));
out:
    return e;
}

static struct err *read_files(struct view in, struct arena *arena, struct generation *ret)
{
    struct err *e = NULL;
    struct view rest = in;
    size_t n = 0;

    while (der_peek(rest) >= 0 && n <= GENERATION_FILES_MAX) {
        TRY(der_read_any(&rest, NULL, NULL, NULL));
        n++;
    }
    if (n > GENERATION_FILES_MAX)
        return err_new(ERR_TOO_MANY, "more than %d files", GENERATION_FILES_MAX);
    struct generation_file *files = arena_array(arena, n, sizeof *files);
    for (size_t i = 0; i < n; i++)
        TRY(read_file(&in, arena, &files[i]));
    ret->n = n;
    ret->files = files;
    e = check_names(ret, arena);
out:
    return e;
}

struct err *generation_decode(struct view der, struct arena *arena, struct generation *ret)
{
    struct err *e = NULL;
    struct generation g = {0};
    struct view whole, files;
    uint64_t version, number;

    if (der.n > GENERATION_BYTES_MAX)
        return err_new(ERR_TOO_LARGE, "a generation has at most %d bytes", GENERATION_BYTES_MAX);
    TRY(der_read(&der, DER_SEQUENCE, &whole));
    TRY(der_end(der));
    TRY(der_read_uint(&whole, UINT32_MAX, &version));
    if (version != GENERATION_VERSION)
        return err_new(ERR_CONFIG, "a generation of version %u; this program knows %d", (unsigned)version,
                       GENERATION_VERSION);
    TRY(der_read_uint(&whole, UINT32_MAX, &number));
    TRY(der_read(&whole, DER_SEQUENCE, &files));
    TRY(der_end(whole));
    TRY(read_files(files, arena, &g));
    g.number = (uint32_t)number;
    *ret = g;
out:
    return err_wrap(e, "generation");
}

struct err *generation_seal(const struct generation *g, uint8_t ret_sha256[SHA256_BYTES], int *ret_fd)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(GENERATION_ARENA_BYTES);
    struct view der;

    TRY(generation_encode(g, arena, &der));
    TRY(file_sealed("chancery-generation", der, ret_fd));
    digest_sha256(der, ret_sha256);
out:
    arena_free(arena);
    return e;
}

struct err *generation_open(int fd, struct arena *arena, struct generation *ret,
                            uint8_t ret_sha256[SHA256_BYTES])
{
    struct err *e = NULL;
    struct view der;

    TRY(file_check_sealed(fd));
    TRY(file_read_fd(fd, GENERATION_BYTES_MAX, arena, &der));
    TRY(generation_decode(der, arena, ret));
    digest_sha256(der, ret_sha256);
out:
    return e;
}

const struct generation_file *generation_find(const struct generation *g, const char *name)
{
    for (size_t i = 0; i < g->n; i++)
        if (strcmp(g->files[i].name, name) == 0)
            return &g->files[i];
    return NULL;
}
