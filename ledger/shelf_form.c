/*
 * An item of the shelf to octets and back, and the shelf's schema. Shared by the front, which writes, and the
 * responder, which reads. Any thread.
 */
#include "shelf_form.h"

#include <sys/stat.h>

#include "base/check.h"
#include "base/file.h"
#include "be.h"

const char *const shelf_form_tables[SHELF__TABLES] = {"meta", "answers", "blobs", "changes"};

static size_t etag_bytes(const struct shelf_item *item)
{
    size_t n = item->etag ? strlen(item->etag) : 0;
    CHECK(n <= SHELF_ETAG_BYTES);
    return n;
}

struct err *shelf_form_folder(const char *dir)
{
    if (mkdir(dir, 0770) == 0 && chmod(dir, 02770) != 0)
        return err_new(ERR_IO, "%s: its mode cannot be set", dir);
    return file_mkdir(dir, 0770);
}

size_t shelf_form_size(const struct shelf_item *item)
{
    size_t body = item->file ? 8 + strlen(item->file) + 1 : item->bytes.n;
    return SHELF_HEAD_BYTES + etag_bytes(item) + 1 + body;
}

void shelf_form_put(const struct shelf_item *item, uint8_t *to)
{
    size_t n = etag_bytes(item);
    be64_put(to, (uint64_t)item->this_update);
    be64_put(to + 8, (uint64_t)item->next_update);
    to[16] = (uint8_t)(n | (item->file ? SHELF_IS_FILE : 0));
    memcpy(to + SHELF_HEAD_BYTES, n ? item->etag : "", n + 1);
    to += SHELF_HEAD_BYTES + n + 1;
    if (item->file) {
        be64_put(to, item->file_bytes);
        memcpy(to + 8, item->file, strlen(item->file) + 1);
    } else if (item->bytes.n > 0) {
        memcpy(to, item->bytes.p, item->bytes.n);
    }
}

static bool get_file(struct shelf_item *item)
{
    struct view body = item->bytes;
    if (body.n < 10 || body.p[body.n - 1] != 0 || memchr(body.p + 8, '/', body.n - 8))
        return false;
    item->file_bytes = be64_get(body.p);
    item->file = (const char *)body.p + 8;
    item->bytes = view_of("", 0);
    return true;
}

bool shelf_form_get(struct view stored, struct shelf_item *ret)
{
    struct view head, etag;
    if (!view_take(&stored, SHELF_HEAD_BYTES, &head) ||
        !view_take(&stored, (head.p[16] & (SHELF_IS_FILE - 1u)) + 1u, &etag) || etag.p[etag.n - 1] != 0)
        return false;
    *ret = (struct shelf_item){.bytes = stored,
                               .this_update = (int64_t)be64_get(head.p),
                               .next_update = (int64_t)be64_get(head.p + 8),
                               .etag = (const char *)etag.p};
    return !(head.p[16] & SHELF_IS_FILE) || get_file(ret);
}

struct err *shelf_form_check(const struct store_ops *ops, struct store_txn *t, bool *ret_new)
{
    struct view v;
    struct err *e = ops->get(t, SHELF_META, view_str("schema"), &v);
    if (e)
        return e;
    *ret_new = v.p == NULL;
    if (v.n == 8 && be64_get(v.p) > SHELF_SCHEMA)
        return err_new(ERR_WRONG_STATE,
                       "the shelf has schema %llu, made by a newer program; this one knows schema %d",
                       (unsigned long long)be64_get(v.p), SHELF_SCHEMA);
    return NULL;
}
