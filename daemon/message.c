/* The frames of frames.def as DER, both ways, strict. No I/O; any thread. */
#include "message.h"

#include "base/der.h"

enum { BODY_MAX = 65536, PATH_BYTES_MAX = 4096, TEXT_BYTES_MAX = 4096, ROWS_MAX = 128 };

static const struct row {
    const char *name;
    uint16_t kind;
    enum message_side from;
    size_t max;
} rows[] = {
#define WARDEN                         MESSAGE_FROM_WARDEN
#define CHILD                          MESSAGE_FROM_CHILD
#define FRAME(name, number, from, max) {#name, number, from, max},
#include "frames.def"
#undef FRAME
#undef WARDEN
#undef CHILD
};

static const struct row *row_of(uint16_t kind)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].kind == kind)
            return &rows[i];
    return NULL;
}

const char *message_name(uint16_t kind)
{
    const struct row *row = row_of(kind);
    return row ? row->name : "unknown";
}

struct err *message_check(const struct frame *f, enum message_side from)
{
    const struct row *row = row_of(f->kind);
    if (!row || row->from != from)
        return err_new(ERR_PROTOCOL, "frame %u does not belong here", f->kind);
    if (f->body.n > row->max)
        return err_new(ERR_PROTOCOL, "a frame %s of %zu bytes", row->name, f->body.n);
    return NULL;
}

/* --- START --- */

struct err *message_start_write(const struct message_start *m, struct arena *arena, struct view *ret)
{
    struct der_out out;

    der_out_init(&out, arena, BODY_MAX);
    size_t s = der_begin(&out, DER_SEQUENCE);
    der_put_enum(&out, m->process);
    der_put_uint(&out, m->index);
    der_put_uint(&out, (uint64_t)m->warden);
    der_put_bool(&out, m->drop);
    der_put_bool(&out, m->own_user);
    der_put_uint(&out, m->uid);
    der_put_uint(&out, m->gid);
    der_put_uint(&out, m->owner);
    der_put_text(&out, m->file);
    der_put_uint(&out, m->listeners);
    der_put_uint(&out, m->pins);
    der_finish(&out, s);
    return der_out_done(&out, ret);
}

static struct err *read_unsigned(struct view *in, uint64_t max, unsigned *ret)
{
    uint64_t value;
    struct err *e = der_read_uint(in, max, &value);
    if (!e)
        *ret = (unsigned)value;
    return e;
}

static struct err *read_process(struct view *in, enum message_process *ret)
{
    uint64_t value;
    struct err *e = der_read_enum(in, MESSAGE_PROCESSES - 1, &value);
    if (!e)
        *ret = (enum message_process)value;
    return e;
}

struct err *message_start_read(struct view body, struct arena *arena, struct message_start *ret)
{
    struct err *e = NULL;
    struct message_start m = {0};
    struct view s;
    unsigned warden;

    TRY(der_read(&body, DER_SEQUENCE, &s));
    TRY(der_end(body));
    TRY(read_process(&s, &m.process));
    TRY(read_unsigned(&s, UINT16_MAX, &m.index));
    TRY(read_unsigned(&s, INT32_MAX, &warden));
    TRY(der_read_bool(&s, &m.drop));
    TRY(der_read_bool(&s, &m.own_user));
    TRY(read_unsigned(&s, UINT32_MAX, &m.uid));
    TRY(read_unsigned(&s, UINT32_MAX, &m.gid));
    TRY(read_unsigned(&s, UINT32_MAX, &m.owner));
    TRY(der_read_text(&s, arena, PATH_BYTES_MAX, &m.file));
    TRY(read_unsigned(&s, 1024, &m.listeners));
    TRY(read_unsigned(&s, UINT8_MAX, &m.pins));
    TRY(der_end(s));
    m.warden = (pid_t)warden;
    *ret = m;
out:
    return e;
}

/* --- READY --- */

struct err *message_ready_write(const struct jail_state *st, struct arena *arena, struct view *ret)
{
    struct der_out out;

    der_out_init(&out, arena, BODY_MAX);
    size_t s = der_begin(&out, DER_SEQUENCE);
    der_put_bool(&out, st->own_user);
    der_put_uint(&out, (uint64_t)st->landlock);
    der_put_bool(&out, st->net);
    der_put_bool(&out, st->scope);
    der_put_bool(&out, st->seccomp);
    der_finish(&out, s);
    return der_out_done(&out, ret);
}

struct err *message_ready_read(struct view body, struct jail_state *ret)
{
    struct err *e = NULL;
    struct jail_state st = {0};
    struct view s;
    uint64_t abi;

    TRY(der_read(&body, DER_SEQUENCE, &s));
    TRY(der_end(body));
    TRY(der_read_bool(&s, &st.own_user));
    TRY(der_read_uint(&s, 1000, &abi));
    TRY(der_read_bool(&s, &st.net));
    TRY(der_read_bool(&s, &st.scope));
    TRY(der_read_bool(&s, &st.seccomp));
    TRY(der_end(s));
    st.landlock = (int)abi;
    *ret = st;
out:
    return e;
}

/* --- PREPARED, ATTACH --- */

struct err *message_prepared_write(const char *why, struct arena *arena, struct view *ret)
{
    struct der_out out;

    der_out_init(&out, arena, BODY_MAX);
    size_t s = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, arena_printf(arena, "%.*s", TEXT_BYTES_MAX, why ? why : ""));
    der_finish(&out, s);
    return der_out_done(&out, ret);
}

struct err *message_prepared_read(struct view body, struct arena *arena, const char **ret_why)
{
    struct err *e = NULL;
    struct view s;

    TRY(der_read(&body, DER_SEQUENCE, &s));
    TRY(der_end(body));
    TRY(der_read_text(&s, arena, TEXT_BYTES_MAX, ret_why));
    TRY(der_end(s));
out:
    return e;
}

struct err *message_pin_write(unsigned token, struct arena *arena, struct view *ret)
{
    struct der_out out;

    der_out_init(&out, arena, BODY_MAX);
    size_t s = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, token);
    der_finish(&out, s);
    return der_out_done(&out, ret);
}

struct err *message_pin_read(struct view body, unsigned *ret_token)
{
    struct err *e = NULL;
    struct view s;

    TRY(der_read(&body, DER_SEQUENCE, &s));
    TRY(der_end(body));
    TRY(read_unsigned(&s, UINT8_MAX, ret_token));
    TRY(der_end(s));
out:
    return e;
}

struct err *message_pin_changed_write(unsigned token, unsigned outcome, const char *why, struct arena *arena,
                                      struct view *ret)
{
    struct der_out out;

    der_out_init(&out, arena, BODY_MAX);
    size_t s = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, token);
    der_put_enum(&out, outcome);
    der_put_text(&out, arena_printf(arena, "%.*s", TEXT_BYTES_MAX, why));
    der_finish(&out, s);
    return der_out_done(&out, ret);
}

struct err *message_pin_changed_read(struct view body, struct arena *arena, unsigned *ret_token,
                                     unsigned *ret_outcome, const char **ret_why)
{
    struct err *e = NULL;
    struct view s;
    uint64_t outcome;

    TRY(der_read(&body, DER_SEQUENCE, &s));
    TRY(der_end(body));
    TRY(read_unsigned(&s, UINT8_MAX, ret_token));
    TRY(der_read_enum(&s, 2, &outcome));
    TRY(der_read_text(&s, arena, TEXT_BYTES_MAX, ret_why));
    TRY(der_end(s));
    *ret_outcome = (unsigned)outcome;
out:
    return e;
}

struct err *message_attach_write(enum message_process kind, unsigned index, struct arena *arena,
                                 struct view *ret)
{
    struct der_out out;

    der_out_init(&out, arena, BODY_MAX);
    size_t s = der_begin(&out, DER_SEQUENCE);
    der_put_enum(&out, kind);
    der_put_uint(&out, index);
    der_finish(&out, s);
    return der_out_done(&out, ret);
}

struct err *message_attach_read(struct view body, enum message_process *ret, unsigned *ret_index)
{
    struct err *e = NULL;
    struct view s;

    TRY(der_read(&body, DER_SEQUENCE, &s));
    TRY(der_end(body));
    TRY(read_process(&s, ret));
    TRY(read_unsigned(&s, UINT16_MAX, ret_index));
    TRY(der_end(s));
out:
    return e;
}

/* --- STATUS --- */

static void status_row_write(struct der_out *out, const struct message_status_row *r)
{
    size_t s = der_begin(out, DER_SEQUENCE);
    der_put_text(out, r->name);
    der_put_uint(out, (uint64_t)r->pid);
    der_put_bool(out, r->ready);
    der_put_uint(out, r->restarts);
    der_put_bool(out, r->broken);
    der_put_text(out, r->isolation);
    der_put_enum(out, r->level);
    der_finish(out, s);
}

struct err *message_status_write(const struct message_status *m, struct arena *arena, struct view *ret)
{
    struct der_out out;

    der_out_init(&out, arena, BODY_MAX);
    size_t whole = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, m->generation);
    der_put_octets(&out, view_of(m->sha256, SHA256_BYTES));
    size_t list = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < m->n; i++)
        status_row_write(&out, &m->rows[i]);
    der_finish(&out, list);
    der_finish(&out, whole);
    return der_out_done(&out, ret);
}

static struct err *status_row_read(struct view *in, struct arena *arena, struct message_status_row *ret)
{
    struct err *e = NULL;
    struct message_status_row r = {0};
    struct view s;
    unsigned pid;
    uint64_t level;

    TRY(der_read(in, DER_SEQUENCE, &s));
    TRY(der_read_text(&s, arena, TEXT_BYTES_MAX, &r.name));
    TRY(read_unsigned(&s, INT32_MAX, &pid));
    TRY(der_read_bool(&s, &r.ready));
    TRY(read_unsigned(&s, UINT32_MAX, &r.restarts));
    TRY(der_read_bool(&s, &r.broken));
    TRY(der_read_text(&s, arena, TEXT_BYTES_MAX, &r.isolation));
    TRY(der_read_enum(&s, JAIL_FULL, &level));
    TRY(der_end(s));
    r.pid = (pid_t)pid;
    r.level = (enum jail_level)level;
    *ret = r;
out:
    return e;
}

struct err *message_status_read(struct view body, struct arena *arena, struct message_status *ret)
{
    struct err *e = NULL;
    struct message_status m = {0};
    struct view s, sha256, list;

    TRY(der_read(&body, DER_SEQUENCE, &s));
    TRY(der_end(body));
    TRY(read_unsigned(&s, UINT32_MAX, &m.generation));
    TRY(der_read(&s, DER_OCTET_STRING, &sha256));
    TRY(der_read(&s, DER_SEQUENCE, &list));
    TRY(der_end(s));
    if (sha256.n != SHA256_BYTES)
        return err_new(ERR_PROTOCOL, "a hash of %zu octets", sha256.n);
    memcpy(m.sha256, sha256.p, SHA256_BYTES);
    struct message_status_row *to = arena_array(arena, ROWS_MAX, sizeof *to);
    while (der_peek(list) >= 0 && m.n < ROWS_MAX)
        TRY(status_row_read(&list, arena, &to[m.n++]));
    TRY(der_end(list));
    m.rows = to;
    *ret = m;
out:
    return e;
}
