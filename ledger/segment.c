/*
 * Segments of the index: building one in memory, merging neighbours into a file, mapping a file, looking a
 * term up. Merging reads its sources twice in order (postings, then terms), so a file of any size needs a
 * buffer and no more. Any thread.
 */
#include "segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/world.h"

enum { BUFFER_BYTES = 128 * 1024 };
static const char magic[16] = "chancery index 1";
static const uint64_t order = 0x0102030405060708u;

/* --- in memory --- */

static uint64_t least_seq(const struct segment_pair *pairs, size_t n)
{
    uint64_t least = pairs[0].seq;
    for (size_t i = 1; i < n; i++)
        least = pairs[i].seq < least ? pairs[i].seq : least;
    return least;
}

/* How many pairs from i on have the same term. */
static size_t run_of(const struct segment_pair *pairs, size_t i, size_t n)
{
    size_t end = i + 1;
    while (end < n && pairs[end].term == pairs[i].term)
        end++;
    return end - i;
}

struct segment *segment_of(const struct segment_pair *pairs, size_t n, const struct segment_footer *head)
{
    struct segment *s = calloc(1, sizeof(*s));
    struct segment_term *terms = calloc(n, sizeof(*terms));
    uint32_t *postings = calloc(n, sizeof(*postings));
    CHECK(s && terms && postings && n > 0);
    s->head = *head;
    s->head.base = least_seq(pairs, n);
    s->head.pairs_n = n;
    for (size_t i = 0, run; i < n; i += run) {
        struct segment_term *t = &terms[s->head.terms_n++];
        run = run_of(pairs, i, n);
        *t = (struct segment_term){pairs[i].term, (uint32_t)s->head.postings_n, (uint32_t)run};
        if (run == 1)
            t->at = (uint32_t)(pairs[i].seq - s->head.base);
        for (size_t k = 0; run > 1 && k < run; k++)
            postings[s->head.postings_n++] = (uint32_t)(pairs[i + k].seq - s->head.base);
    }
    s->terms = terms;
    s->postings = postings;
    return s;
}

/* --- writing --- */

struct writer {
    int fd;
    size_t n;
    struct err *failed;
    uint8_t buffer[BUFFER_BYTES];
};

static void flush(struct writer *w)
{
    for (struct view left = view_of(w->buffer, w->n); left.n > 0 && !w->failed;) {
        ssize_t n = world_write(w->fd, left.p, left.n);
        if (n < 0)
            w->failed = err_sys(errno == ENOSPC ? ERR_NO_SPACE : ERR_IO, errno, "writing the index");
        else
            left = view_from(left, (size_t)n);
    }
    w->n = 0;
}

static void put(struct writer *w, const void *p, size_t n)
{
    if (w->n + n > BUFFER_BYTES)
        flush(w);
    memcpy(w->buffer + w->n, p, n);
    w->n += n;
}

/* Several segments read side by side, term by term. */
struct merge {
    const struct segment *const *all;
    size_t n;
    uint64_t *at; /* in each one's terms */
    struct segment_footer head;
};

static bool next_term(struct merge *m, uint64_t *ret)
{
    bool found = false;
    for (size_t i = 0; i < m->n; i++) {
        const struct segment *s = m->all[i];
        if (m->at[i] == s->head.terms_n || (found && s->terms[m->at[i]].term >= *ret))
            continue;
        *ret = s->terms[m->at[i]].term;
        found = true;
    }
    return found;
}

static const struct segment_term *has_term(const struct merge *m, size_t i, uint64_t term)
{
    const struct segment *s = m->all[i];
    bool has = m->at[i] < s->head.terms_n && s->terms[m->at[i]].term == term;
    return has ? &s->terms[m->at[i]] : NULL;
}

static uint32_t count_term(const struct merge *m, uint64_t term)
{
    uint32_t n = 0;
    for (size_t i = 0; i < m->n; i++) {
        const struct segment_term *t = has_term(m, i, term);
        n += t ? t->n : 0;
    }
    return n;
}

static const uint32_t *postings_of(const struct segment *s, const struct segment_term *t)
{
    return t->n == 1 ? &t->at : s->postings + t->at;
}

static uint32_t moved(const struct merge *m, size_t i, uint32_t posting)
{
    return (uint32_t)(posting + (m->all[i]->head.base - m->head.base));
}

static void put_postings(struct writer *w, struct merge *m, uint64_t term)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct segment_term *t = has_term(m, i, term);
        for (uint32_t k = 0; t && k < t->n; k++) {
            uint32_t posting = moved(m, i, postings_of(m->all[i], t)[k]);
            put(w, &posting, sizeof(posting));
        }
    }
}

static uint32_t only_posting(const struct merge *m, uint64_t term)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct segment_term *t = has_term(m, i, term);
        if (t)
            return moved(m, i, *postings_of(m->all[i], t));
    }
    return 0;
}

static void step_past(struct merge *m, uint64_t term)
{
    for (size_t i = 0; i < m->n; i++)
        m->at[i] += has_term(m, i, term) != NULL;
}

static void put_all_postings(struct writer *w, struct merge *m)
{
    uint64_t term, n = 0;
    memset(m->at, 0, m->n * sizeof(*m->at));
    for (; next_term(m, &term) && !w->failed; step_past(m, term)) {
        uint32_t count = count_term(m, term);
        if (count == 1)
            continue;
        put_postings(w, m, term);
        n += count;
    }
    m->head.postings_n = n;
    if (n % 2 == 1) /* the terms begin at a multiple of eight */
        put(w, &(uint32_t){0}, sizeof(uint32_t));
}

static void put_all_terms(struct writer *w, struct merge *m)
{
    uint64_t term, n = 0;
    uint32_t at = 0;
    memset(m->at, 0, m->n * sizeof(*m->at));
    for (; next_term(m, &term) && !w->failed; step_past(m, term), n++) {
        struct segment_term t = {term, at, count_term(m, term)};
        if (t.n == 1)
            t.at = only_posting(m, term);
        else
            at += t.n;
        put(w, &t, sizeof(t));
    }
    m->head.terms_n = n;
}

static struct segment_footer joined(const struct segment *const *all, size_t n)
{
    struct segment_footer head = all[n - 1]->head;
    memcpy(head.magic, magic, sizeof(magic));
    head.order = order;
    head.from = all[0]->head.from;
    head.level = n > 1 ? head.level + 1 : 0;
    head.pairs_n = 0;
    for (size_t i = 0; i < n; i++) {
        head.pairs_n += all[i]->head.pairs_n;
        head.base = all[i]->head.base < head.base ? all[i]->head.base : head.base;
    }
    return head;
}

static struct err *write_file(const char *path, struct merge *m)
{
    struct err *e = NULL;
    struct writer *w = calloc(1, sizeof(*w));
    CHECK(w);
    w->fd = world_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (w->fd < 0) {
        free(w);
        return err_sys(ERR_IO, errno, "%s", path);
    }
    put_all_postings(w, m);
    put_all_terms(w, m);
    put(w, &m->head, sizeof(m->head));
    flush(w);
    e = w->failed;
    if (!e && world_fdatasync(w->fd) != 0)
        e = err_sys(ERR_IO, errno, "%s", path);
    close(w->fd);
    free(w);
    return e;
}

/* A name that has not all of a stretch in it would be found again after a power cut; the file is whole by
 * then, or it is thrown away. So the folder need not be synced. */
struct err *segment_write(const char *dir, const struct segment *const *all, size_t n, struct segment **ret)
{
    struct err *e = NULL;
    char path[4096], temporary[4096];
    struct merge m = {.all = all, .n = n, .head = joined(all, n)};
    snprintf(temporary, sizeof(temporary), "%s/new", dir);
    int len = snprintf(path, sizeof(path), "%s/%016" PRIx64 "-%016" PRIx64, dir, m.head.from, m.head.to);
    if (len < 0 || (size_t)len >= sizeof(path))
        return err_new(ERR_IO, "%s: a path too long", dir);
    m.at = calloc(n, sizeof(*m.at));
    CHECK(m.at);
    TRY(write_file(temporary, &m));
    if (world_rename(temporary, path) != 0)
        e = err_sys(ERR_IO, errno, "%s", path);
    else
        e = segment_open(path, ret);
out:
    free(m.at);
    if (e)
        world_unlink(temporary);
    return e;
}

/* --- opening --- */

static struct err *not_whole(const char *path)
{
    return err_new(ERR_CORRUPT, "%s is not a whole segment", path);
}

static struct err *check(struct segment *s, const char *path)
{
    const struct segment_footer *h = &s->head;
    memcpy(&s->head, (const uint8_t *)s->map + s->map_bytes - sizeof(s->head), sizeof(s->head));
    if (memcmp(h->magic, magic, sizeof(magic)) != 0 || h->order != order || h->from == 0 || h->to < h->from)
        return not_whole(path);
    uint64_t room = s->map_bytes - sizeof(s->head);
    if (h->postings_n > room / 4 || h->terms_n > room / sizeof(struct segment_term))
        return not_whole(path);
    uint64_t terms_at = (h->postings_n + h->postings_n % 2) * 4;
    if (terms_at + h->terms_n * sizeof(struct segment_term) != room)
        return not_whole(path);
    s->postings = s->map;
    s->terms = (const struct segment_term *)((const uint8_t *)s->map + terms_at);
    return NULL;
}

static struct err *map_file(struct segment *s, const char *path)
{
    struct err *e = NULL;
    struct stat st;
    int fd = world_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
    if (fd < 0)
        return err_sys(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "%s", path);
    if (fstat(fd, &st) != 0 || (size_t)st.st_size < sizeof(struct segment_footer)) {
        e = not_whole(path);
        goto out;
    }
    s->map_bytes = (size_t)st.st_size;
    s->map = mmap(NULL, s->map_bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (s->map == MAP_FAILED) {
        s->map = NULL;
        e = err_sys(ERR_IO, errno, "%s", path);
    }
out:
    close(fd);
    return e;
}

struct err *segment_open(const char *path, struct segment **ret)
{
    struct err *e = NULL;
    struct segment *s = calloc(1, sizeof(*s));
    CHECK(s);
    s->path = strdup(path);
    CHECK(s->path);
    TRY(map_file(s, path));
    TRY(check(s, path));
    madvise(s->map, s->map_bytes, MADV_RANDOM);
    *ret = s;
    s = NULL;
out:
    segment_free(s);
    return e;
}

void segment_free(struct segment *s)
{
    if (!s)
        return;
    if (s->map) {
        munmap(s->map, s->map_bytes);
    } else {
        free((void *)(uintptr_t)s->terms);
        free((void *)(uintptr_t)s->postings);
    }
    free(s->path);
    free(s);
}

void segment_remove(struct segment *s)
{
    if (s && s->path)
        world_unlink(s->path);
    segment_free(s);
}

/* --- looking up --- */

/* Terms are spread evenly, so where one stands can be told to within a few places; halving sees to the rest.
 */
static uint64_t guess(uint64_t first, uint64_t last, uint64_t term, uint64_t low, uint64_t high)
{
    uint64_t at = (uint64_t)((double)(term - first) / (double)(last - first) * (double)(high - low));
    return at > high - low ? high : low + at;
}

struct err *segment_find(const struct segment *s, uint64_t term, struct segment_list *ret)
{
    uint64_t low = 0, high = s->head.terms_n; /* it stands in [low, high) if anywhere */
    *ret = (struct segment_list){.base = s->head.base};
    for (unsigned probe = 0; low < high; probe++) {
        uint64_t first = s->terms[low].term, last = s->terms[high - 1].term, at = low + (high - low) / 2;
        if (term < first || term > last)
            return NULL;
        if (probe % 2 == 0 && last > first)
            at = guess(first, last, term, low, high - 1);
        const struct segment_term *t = &s->terms[at];
        if (t->term == term) {
            if (t->n != 1 && (t->n == 0 || (uint64_t)t->at + t->n > s->head.postings_n))
                return err_new(ERR_CORRUPT, "the index leads out of itself: %s", s->path ? s->path : "");
            ret->n = t->n;
            ret->p = t->n == 1 ? &t->at : s->postings + t->at;
            return NULL;
        }
        if (t->term < term)
            low = at + 1;
        else
            high = at;
    }
    return NULL;
}
