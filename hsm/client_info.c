/* INFO, asked and read: groups of named fields. Never retries. One loop's thread; the readers any. */
#include "base/der.h"
#include "client.h"

enum { NAME_MAX_BYTES = 64, TEXT_MAX_BYTES = 1024 };

static bool info_finish(struct client_call *c, struct err *e, struct view body)
{
    struct view groups = {NULL, 0};
    client_end(c);
    if (!e)
        e = der_read(&body, DER_SEQUENCE, &groups);
    if (!e)
        e = der_end(body);
    c->done.info(c->arg, e, groups);
    return false;
}

struct err *hsm_info(struct hsm *h, hsm_info_fn *done, void *arg, ticket_id *ret)
{
    struct client_call call = {.finish = info_finish, .done.info = done, .arg = arg};
    return client_ask(h, &call, FRAMES_INFO, 0, (struct view){NULL, 0}, -1, ret);
}

struct err *hsm_info_group(struct view *groups, struct arena *arena, const char **ret_name,
                           struct view *ret_fields)
{
    struct err *e = NULL;
    struct view group;
    TRY(der_read(groups, DER_SEQUENCE, &group));
    TRY(der_read_text(&group, arena, NAME_MAX_BYTES, ret_name));
    TRY(der_read(&group, DER_SEQUENCE, ret_fields));
    TRY(der_end(group));
out:
    return e;
}

struct err *hsm_info_field(struct view *fields, struct arena *arena, struct hsm_info_field *ret)
{
    struct err *e = NULL;
    struct view field;
    TRY(der_read(fields, DER_SEQUENCE, &field));
    TRY(der_read_text(&field, arena, NAME_MAX_BYTES, &ret->name));
    switch (der_peek(field)) {
    case DER_INTEGER:
        ret->type = HSM_INFO_NUMBER;
        TRY(der_read_uint(&field, UINT64_MAX, &ret->number));
        break;
    case DER_BOOLEAN:
        ret->type = HSM_INFO_FLAG;
        TRY(der_read_bool(&field, &ret->flag));
        break;
    default:
        ret->type = HSM_INFO_TEXT;
        TRY(der_read_text(&field, arena, TEXT_MAX_BYTES, &ret->text));
    }
    TRY(der_end(field));
out:
    return e;
}
