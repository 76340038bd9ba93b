/*
 * GET /log/checkpoint, /log/tile/<L>/<N>[.p/<W>] and /log/tile/entries/<N>[.p/<W>] as C2SP's tlog-tiles has
 * them. The checkpoint and the hashes are anybody's: they tell how long the log is and nothing of what it
 * holds. Entries name askers and serials: they are for staff. Only what a signed head covers is given.
 */
#include "tiles.h"

#include <stdlib.h>

#include "../house.h"
#include "tlog.h"

enum { TILE_WIDTH = 256, LEVELS = 8 };

static struct err *not_there(void)
{
    return err_new(ERR_NOT_FOUND, "no signed head of this log reaches so far");
}

static struct err *newest(const struct http_request *r, const struct tlog_head **ret)
{
    const struct enroll *en = r->app;
    *ret = en->setup.tlog ? tlog_newest(en->setup.tlog) : NULL;
    return *ret ? NULL : err_new(ERR_NOT_FOUND, "no head of this log has been signed yet");
}

static void checkpoint(struct http_request *r)
{
    const struct tlog_head *head;
    struct err *e = newest(r, &head);
    if (e) {
        http_problem(r, e);
        return;
    }
    http_add_text(r, "Cache-Control", "no-cache");
    http_reply(r, 200, "text/plain; charset=utf-8", view_str(head->note));
}

/* What will never be another. */
static void reply_for_good(struct http_request *r, struct view body, bool open)
{
    http_add_text(r, "Cache-Control",
                  open ? "public, max-age=31536000, immutable" : "private, max-age=31536000, immutable");
    http_reply(r, 200, "application/octet-stream", body);
}

/* Within what is signed: `width` of level from index * 256 on. */
static struct err *covered(const struct http_request *r, unsigned level, uint64_t index, size_t width)
{
    const struct tlog_head *head;
    struct err *e = newest(r, &head);
    uint64_t there = e ? 0 : head->head.size >> 8 * level;
    return e || (index < there && index * TILE_WIDTH + width <= there) ? e : not_there();
}

static struct err *path_of(const struct http_request *r, uint64_t *ret_index, size_t *ret_width)
{
    if (tlog_tile_parse(http_segment(r, "n"), ret_index, ret_width) &&
        *ret_index <= UINT64_MAX / TILE_WIDTH - 1)
        return NULL;
    return err_new(ERR_NOT_FOUND, "a tile is /log/tile/0/x001/067, or /log/tile/0/x001/067.p/12");
}

static struct err *level_of(const struct http_request *r, unsigned *ret)
{
    struct view text = http_segment(r, "level");
    if (text.n != 1 || text.p[0] < '0' || text.p[0] >= '0' + LEVELS)
        return not_there();
    *ret = (unsigned)(text.p[0] - '0');
    return NULL;
}

static void tile(struct http_request *r)
{
    struct err *e = NULL;
    const struct enroll *en = r->app;
    unsigned level;
    uint64_t index;
    size_t width;
    struct view hashes;
    TRY(level_of(r, &level));
    TRY(path_of(r, &index, &width));
    TRY(covered(r, level, index, width));
    TRY(ledger_tile(en->setup.ledger, level, index, width, r->arena, &hashes));
    reply_for_good(r, hashes, true);
out:
    if (e)
        http_problem(r, e);
}

static void entries(struct http_request *r)
{
    struct err *e = NULL;
    const struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    uint64_t index;
    size_t width;
    struct view bundle;
    TRY(asker_admit(r, &asker));
    TRY(path_of(r, &index, &width));
    TRY(covered(r, 0, index, width));
    TRY(ledger_bundle(en->setup.ledger, index, width, r->arena, &bundle));
    reply_for_good(r, bundle, false);
out:
    if (e)
        asker_refuse(r, asker, e);
}

static const int anybody = ASKER_NOBODY, staff = ASKER_STAFF;
const struct http_route tiles_routes[] = {
    {HTTP_GET, "/log/checkpoint", checkpoint, 0, &anybody},
    {HTTP_GET, "/log/tile/entries/{n*}", entries, 0, &staff},
    {HTTP_GET, "/log/tile/{level}/{n*}", tile, 0, &anybody},
};
const size_t tiles_routes_n = sizeof tiles_routes / sizeof tiles_routes[0];
