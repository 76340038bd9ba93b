/* Values of any type, directory attributes and Microsoft's extensions: the first octet says which; what is
 * taken is written again the same. */
#include "fuzz.h"

#include "cert/ext_custom.h"
#include "cert/ext_microsoft.h"

typedef struct err *again(struct view value, struct arena *arena, struct cert_ext *ext);

/* Whatever is one element has a text, and the text gives the element. */
static struct err *custom(struct view value, struct arena *arena, struct cert_ext *ext)
{
    struct view back;
    struct err *e = cert_ext_read_custom(value);
    if (e)
        return e;
    CHECK(!cert_ext_der_of_text(cert_ext_der_text(value, arena), arena, &back));
    return cert_ext_write_custom(view_of("\x2a\x03", 2), false, back, ext);
}

static struct err *text(struct view value, struct arena *arena, struct cert_ext *ext)
{
    struct view der;
    struct err *e = cert_ext_der_of_text(arena_str(arena, value), arena, &der);
    if (e)
        return e;
    CHECK(!cert_ext_read_custom(der));
    ext->value = value;
    return NULL;
}

static struct err *directory(struct view value, struct arena *arena, struct cert_ext *ext)
{
    struct cert_directory attrs;
    struct err *e = cert_ext_read_directory(value, arena, &attrs);
    return e ? e : cert_ext_write_directory(attrs, arena, ext);
}

static struct err *template_name(struct view value, struct arena *arena, struct cert_ext *ext)
{
    const char *name = NULL;
    struct err *e = cert_ext_read_ms_template_name(value, arena, &name);
    return e ? e : cert_ext_write_ms_template_name(name, arena, ext);
}

static struct err *template_information(struct view value, struct arena *arena, struct cert_ext *ext)
{
    struct cert_ms_template t;
    struct err *e = cert_ext_read_ms_template(value, &t);
    if (!e && t.oid.n > 127) { /* longer than the writer takes */
        ext->value = value;
        return NULL;
    }
    return e ? e : cert_ext_write_ms_template(&t, arena, ext);
}

static struct err *security(struct view value, struct arena *arena, struct cert_ext *ext)
{
    const char *sid = NULL;
    struct err *e = cert_ext_read_ms_security(value, arena, &sid);
    return e ? e : cert_ext_write_ms_security(sid, arena, ext);
}

static again *const kinds[] = {custom, text, directory, template_name, template_information, security};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct cert_ext ext = {.value = view_of(NULL, 0)};
    struct view value = view_from(view_of(data, size), 1);
    struct err *e = size ? kinds[data[0] % (sizeof kinds / sizeof *kinds)](value, arena, &ext) : NULL;
    if (size && !e)
        CHECK(view_eq(ext.value, value));
    err_free(e);
    arena_free(arena);
    return 0;
}
