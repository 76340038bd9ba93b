/*
 * Functions of expressions over texts and lists of them. Positions and lengths are in characters, as CEL
 * counts them.
 *
 * What they make is bounded (expr_run_take). Any thread.
 */
#include "expr_node.h"

#include "pattern.h"

static size_t characters(struct view text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += (text.p[i] & 0xc0) != 0x80;
    return n;
}

/* Offset of a character; text.n at the end; SIZE_MAX past it. */
static size_t offset_of(struct view text, int64_t character)
{
    size_t at = 0;
    for (int64_t i = 0; i < character; i++) {
        if (at >= text.n)
            return SIZE_MAX;
        do
            at++;
        while (at < text.n && (text.p[at] & 0xc0) == 0x80);
    }
    return at;
}

struct err *expr_text_size_text(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    return expr_run_say(ret, (int64_t)characters(args[0].s));
}

struct err *expr_text_size_list(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    return expr_run_say(ret, (int64_t)args[0].n_list);
}

struct err *expr_text_size_map(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    return expr_run_say(ret, (int64_t)(args[0].n_list / 2));
}

/* Offset of the first occurrence from `at` on, or text.n. */
static size_t find(struct view text, struct view what, size_t at)
{
    for (; at + what.n <= text.n; at++) {
        if (view_eq(view_of(text.p + at, what.n), what))
            return at;
    }
    return text.n;
}

struct err *expr_text_contains(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    return expr_run_say(ret, args[1].s.n == 0 || find(args[0].s, args[1].s, 0) < args[0].s.n);
}

struct err *expr_text_starts(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    return expr_run_say(ret, args[1].s.n == 0 || view_starts(args[0].s, args[1].s));
}

struct err *expr_text_ends(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    return expr_run_say(ret, args[1].s.n == 0 || view_ends(args[0].s, args[1].s));
}

struct err *expr_text_like(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    return expr_run_say(ret, pattern_glob(args[1].s, args[0].s));
}

static struct err *cased(struct expr_run *run, struct view text, uint8_t first, int shift,
                         struct expr_value *ret)
{
    struct err *e = NULL;
    uint8_t *to = NULL;
    TRY(expr_run_take(run, text.n, &to));
    for (size_t i = 0; i < text.n; i++) {
        bool turn = text.p[i] >= first && text.p[i] < first + 26;
        to[i] = (uint8_t)(text.p[i] + (turn ? shift : 0));
    }
    ret->s = view_of(to, text.n);
out:
    return e;
}

struct err *expr_text_lower(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    return cased(run, args[0].s, 'A', 'a' - 'A', ret);
}

struct err *expr_text_upper(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    return cased(run, args[0].s, 'a', 'A' - 'a', ret);
}

static bool blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct err *expr_text_trim(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    struct view text = args[0].s;
    while (text.n > 0 && blank(text.p[0]))
        text = view_from(text, 1);
    while (text.n > 0 && blank(text.p[text.n - 1]))
        text.n--;
    ret->s = text;
    return NULL;
}

struct err *expr_text_replace(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    struct err *e = NULL;
    struct view text = args[0].s, what = args[1].s, by = args[2].s;
    size_t n = 0, at = 0, hits = 0;
    uint8_t *to = NULL;
    if (what.n == 0)
        return err_new(ERR_POLICY, "replace() of the empty text");
    for (size_t i = find(text, what, 0); i < text.n; i = find(text, what, i + what.n))
        hits++;
    size_t whole = text.n - hits * what.n + hits * by.n;
    if (whole > EXPR_STRING_BYTES)
        return err_new(ERR_POLICY, "a text of more than %d octets", EXPR_STRING_BYTES);
    TRY(expr_run_take(run, whole, &to));
    while (at < text.n) {
        bool hit = view_starts(view_from(text, at), what);
        struct view piece = hit ? by : view_of(text.p + at, 1);
        if (piece.n > 0)
            memcpy(to + n, piece.p, piece.n);
        n += piece.n;
        at += hit ? what.n : 1;
    }
    ret->s = view_of(to, n);
out:
    return e;
}

static struct err *between(struct view text, int64_t first, int64_t last, struct expr_value *ret)
{
    size_t from = first < 0 ? SIZE_MAX : offset_of(text, first),
           to = last < first ? SIZE_MAX : offset_of(text, last);
    if (from == SIZE_MAX || to == SIZE_MAX)
        return err_new(ERR_POLICY, "substring() from %lld to %lld of a text of %zu characters",
                       (long long)first, (long long)last, characters(text));
    ret->s = to > from ? view_of(text.p + from, to - from) : view_of(NULL, 0);
    return NULL;
}

struct err *expr_text_tail(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    int64_t n = (int64_t)characters(args[0].s);
    return between(args[0].s, args[1].n, n < args[1].n ? args[1].n : n, ret);
}

struct err *expr_text_part(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    return between(args[0].s, args[1].n, args[2].n, ret);
}

struct err *expr_text_split(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    struct err *e = NULL;
    struct view text = args[0].s, by = args[1].s;
    struct expr_value *list = NULL;
    size_t n = 1;
    if (by.n == 0)
        return err_new(ERR_POLICY, "split() by the empty text");
    for (size_t i = find(text, by, 0); i < text.n; i = find(text, by, i + by.n))
        n++;
    if (n > EXPR_LIST_MAX)
        return err_new(ERR_POLICY, "split() into more than %d parts", EXPR_LIST_MAX);
    TRY(expr_run_take(run, n * sizeof(list[0]), &list));
    for (size_t i = 0; i < n; i++) {
        size_t end = find(text, by, 0);
        list[i] = (struct expr_value){.s = view_of(text.p, end)};
        text = view_from(text, end + by.n);
    }
    *ret = (struct expr_value){.list = list, .n_list = n};
out:
    return e;
}

struct err *expr_text_join(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    struct err *e = NULL;
    const struct expr_value *list = args[0].list;
    struct view by = args[1].s;
    size_t whole = 0, n = 0;
    uint8_t *to = NULL;
    for (size_t i = 0; i < args[0].n_list; i++)
        whole += list[i].s.n + (i ? by.n : 0);
    if (whole > EXPR_STRING_BYTES)
        return err_new(ERR_POLICY, "a text of more than %d octets", EXPR_STRING_BYTES);
    TRY(expr_run_take(run, whole, &to));
    for (size_t i = 0; i < args[0].n_list; i++) {
        const struct view pieces[] = {{by.p, i ? by.n : 0}, list[i].s};
        for (size_t k = 0; k < 2; k++) {
            if (pieces[k].n > 0)
                memcpy(to + n, pieces[k].p, pieces[k].n);
            n += pieces[k].n;
        }
    }
    ret->s = view_of(to, n);
out:
    return e;
}
