/* A file of the index: whatever it holds, opening and looking up stay inside it. A footer that fits is put
 * behind the input, so that the changes reach the look-ups too. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "segment.h"

static void look(const struct segment *s)
{
    for (uint64_t i = 0; i < s->head.terms_n && i < 64; i++) {
        struct segment_list list;
        uint64_t sum = 0;
        struct err *e = segment_find(s, s->terms[i].term, &list);
        for (uint32_t k = 0; !e && k < list.n; k++)
            sum += list.base + list.p[k];
        CHECK(e || list.n > 0 || sum == 0);
        err_free(e);
        err_free(segment_find(s, s->terms[i].term + 1, &list));
    }
}

static void try(const char *path, struct view body, const struct segment_footer *footer)
{
    struct segment *s = NULL;
    FILE *f = fopen(path, "w");
    CHECK(f);
    fwrite(body.p, 1, body.n, f);
    if (footer)
        fwrite(footer, sizeof *footer, 1, f);
    fclose(f);
    struct err *e = segment_open(path, &s);
    if (!e)
        look(s);
    err_free(e);
    segment_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[] = "/tmp/chancery-fuzz-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    try(path, view_of(data, size), NULL);
    struct segment_footer footer = {.magic = "chancery index ",
                                    .order = 0x0102030405060708u,
                                    .from = 1,
                                    .to = 2,
                                    .terms_n = size / sizeof(struct segment_term)};
    footer.magic[15] = '1';
    try(path, view_of(data, size - size % sizeof(struct segment_term)), &footer);
    if (size >= 64) {
        footer.postings_n = 16;
        footer.terms_n = (size - 64) / sizeof(struct segment_term);
        try(path, view_of(data, 64 + footer.terms_n * sizeof(struct segment_term)), &footer);
    }
    unlink(path);
    return 0;
}
