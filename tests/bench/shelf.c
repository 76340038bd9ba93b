/*
 * bench_shelf: a shelf with as many ready answers as are asked for, under random serials, as a stream would
 * bring them. Every serial has the same answer: what a responder does for a question does not depend on what
 * the answer says, only on how many there are. Writes some of the serials, in random order, to be asked
 * about. One thread.
 */
#include <endian.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/world.h"
#include "pace.h"
#include "rows.h"
#include "stream_form.h"

enum { LIFE_S = 90 * 86400 };

struct options {
    const char *dir, *issuer, *answer, *serials;
    size_t count, ask;
};

static void must(struct err *e)
{
    if (e)
        pace_die("%s", err_detail(e));
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, SERIAL_BYTES);
}

/* As the authority's own: four octets of time, spread over a quarter of a year, then random ones. */
static uint8_t (*make_serials(size_t n))[SERIAL_BYTES]
{
    const uint32_t now = (uint32_t)(world_now_s() / 4), spread = LIFE_S / 4;
    uint8_t(*all)[SERIAL_BYTES] = calloc(n, SERIAL_BYTES);
    if (!all)
        pace_die("no memory for %zu serials", n);
    for (size_t at = 0; at < n; at += 1 << 16)
        world_random(all[at], (n - at < 1 << 16 ? n - at : 1 << 16) * SERIAL_BYTES);
    for (size_t i = 0; i < n; i++) {
        uint32_t random;
        memcpy(&random, all[i], sizeof random);
        uint32_t from = htobe32(0x40000000u | ((now - random % spread) & 0x3fffffffu));
        memcpy(all[i], &from, sizeof from);
    }
    return all;
}

/* Before they are sorted: the first are as random as any. */
static void write_serials(const struct options *o, uint8_t (*all)[SERIAL_BYTES])
{
    FILE *f = fopen(o->serials, "w");
    char hex[2 * SERIAL_BYTES + 1];
    if (!f)
        pace_die("%s cannot be written", o->serials);
    for (size_t i = 0; i < o->ask && i < o->count; i++) {
        hex_put(hex, view_of(all[i], SERIAL_BYTES));
        fprintf(f, "%s\n", hex);
    }
    fclose(f);
}

static struct view item_of(struct arena *arena, const char *path)
{
    struct view answer;
    must(file_read(path, 64 * 1024, arena, &answer));
    int64_t now = world_now_s();
    const struct shelf_item item = {.bytes = answer,
                                    .this_update = now,
                                    .next_update = now + 7 * 86400,
                                    .etag = "00112233445566778899aabbccddeeff"};
    size_t n = shelf_form_size(&item);
    uint8_t *to = arena_alloc(arena, n);
    shelf_form_put(&item, to);
    return view_of(to, n);
}

static void take(struct stream_receiver *r, enum stream_record kind, struct view body)
{
    const struct frame f = {.kind = (uint16_t)kind, .body = body, .fd = -1};
    must(stream_receiver_take(r, &f));
}

static void fill(const struct options *o, uint8_t (*all)[SERIAL_BYTES])
{
    struct stream_receiver *r;
    struct arena *arena = arena_new(1 << 20), *turn = arena_new(1 << 20);
    struct stream_item item = {.table = SHELF_ANSWERS, .value = item_of(arena, o->answer)};
    must(stream_receiver_new(o->dir, &r));
    take(r, STREAM_BEGIN, stream_form_begin(&(struct stream_begin){.whole = true}, turn));
    for (size_t i = 0; i < o->count; i++) {
        struct key key = key_serial(o->issuer, view_of(all[i], SERIAL_BYTES));
        arena_reset(turn);
        item.key = key_view(&key);
        take(r, STREAM_PUT, stream_form_put(&item, turn));
    }
    take(r, STREAM_AT, stream_form_at(1, turn));
    stream_receiver_free(r);
    arena_free(turn);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"issuer", required_argument, NULL, 'i'},
                                          {"answer", required_argument, NULL, 'a'},
                                          {"count", required_argument, NULL, 'n'},
                                          {"ask", required_argument, NULL, 'q'},
                                          {NULL, 0, NULL, 0}};
    struct options o = {.ask = 20000};
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
        switch (c) {
        case 'i':
            o.issuer = optarg;
            break;
        case 'a':
            o.answer = optarg;
            break;
        case 'n':
            o.count = strtoul(optarg, NULL, 10);
            break;
        case 'q':
            o.ask = strtoul(optarg, NULL, 10);
            break;
        default:
            return 2;
        }
    if (!o.issuer || !o.answer || !o.count || optind + 2 != argc)
        pace_die("usage: bench_shelf --issuer NAME --answer FILE --count N [--ask N] DIR SERIALS");
    o.dir = argv[optind];
    o.serials = argv[optind + 1];
    uint8_t(*all)[SERIAL_BYTES] = make_serials(o.count);
    write_serials(&o, all);
    qsort(all, o.count, SERIAL_BYTES, compare);
    fill(&o, all);
    free(all);
    return 0;
}
