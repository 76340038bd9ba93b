/* What others are given of the log, as text: proofs as tlog-proof has them, the paths of tiles. Pure; any
 * thread. */
#include <string.h>

#include "base/hex.h"
#include "tlog.h"

enum { WIDTH = 256, PATH_MAX_PARTS = 6 };

const char *tlog_proof_text(struct arena *arena, uint64_t seq, const struct merkle_proof *proof,
                            const char *note)
{
    const char *text =
        arena_printf(arena, "c2sp.org/tlog-proof@v1\nindex %llu\n", (unsigned long long)(seq - 1));
    for (size_t i = 0; i < proof->n; i++)
        text = arena_printf(arena, "%s%s\n", text, base64_of(arena, view_of(proof->at[i].b, SHA256_BYTES)));
    return arena_printf(arena, "%s\n%s", text, note);
}

/* A decimal of at most three digits; exactly three where `padded`, else without a leading zero. */
static bool digits(struct view text, bool padded, unsigned *ret)
{
    unsigned n = 0;
    if (text.n == 0 || text.n > 3 || (padded && text.n != 3) || (!padded && text.p[0] == '0'))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        n = n * 10 + (unsigned)(text.p[i] - '0');
    }
    *ret = n;
    return true;
}

static bool take_part(struct view *in, struct view *ret)
{
    size_t n = view_find(*in, '/');
    bool more = n < in->n;
    *ret = view_of(in->p, n);
    *in = view_from(*in, more ? n + 1 : n);
    return more;
}

/* ".p/12" behind the last group of three digits. */
static bool parse_width(struct view *last, struct view rest, bool more, size_t *ret)
{
    unsigned width = 0;
    *ret = WIDTH;
    if (!view_ends(*last, view_str(".p")))
        return !more;
    if (!more || !digits(rest, false, &width) || width >= WIDTH)
        return false;
    *last = view_of(last->p, last->n - 2);
    *ret = width;
    return true;
}

bool tlog_tile_parse(struct view text, uint64_t *ret_index, size_t *ret_width)
{
    uint64_t index = 0;
    struct view part;
    unsigned n;
    for (unsigned i = 0; i < PATH_MAX_PARTS; i++) {
        bool more = take_part(&text, &part);
        bool inner = part.n > 0 && part.p[0] == 'x';
        if (inner)
            part = view_from(part, 1);
        if (inner != (more && !view_ends(part, view_str(".p"))))
            return false;
        if (!inner && !parse_width(&part, text, more, ret_width))
            return false;
        if (!digits(part, true, &n))
            return false;
        index = index * 1000 + n;
        if (i == 0 && inner && n == 0)
            return false; /* no leading groups of zeros */
        if (!inner) {
            *ret_index = index;
            return true;
        }
    }
    return false;
}
