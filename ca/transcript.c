/*
 * Transcripts: the lines of a ceremony, chained by the hash of the line before, so that none can be changed,
 * left out or put in without all that follow. Says nothing of what the lines claim. Any thread.
 */
#include <jansson.h>
#include <string.h>

#include "base/conf.h"
#include "base/hex.h"
#include "ca_hierarchy.h"

static const char *hash_text(struct view bytes, struct arena *arena)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(bytes, hash);
    return hex_of(arena, view_of(hash, sizeof hash));
}

/* Takes one line off the front, without its newline; false at the end. */
static bool take_line(struct view *text, struct view *ret)
{
    if (text->n == 0)
        return false;
    size_t n = view_find(*text, '\n');
    *ret = view_of(text->p, n);
    *text = view_from(*text, n + 1);
    return true;
}

const char *ca_transcript_prev(struct view text, struct arena *arena)
{
    struct view line = {NULL, 0};
    while (take_line(&text, &line))
        ;
    return line.p ? hash_text(line, arena) : "";
}

static struct err *read_line(struct view line, const char *prev, struct arena *arena, struct ca_transcript *t,
                             bool first)
{
    struct conf *c = NULL;
    struct err *e = conf_parse_json(line, &c);
    if (e)
        return e;
    const json_t *root = conf_root(c);
    const char *said = json_string_value(json_object_get(root, "prev"));
    const char *title = json_string_value(json_object_get(root, "ceremony"));
    if (!said || strcmp(said, prev) != 0)
        e = err_new(ERR_CORRUPT, "its `prev` is not the SHA-256 of the line before");
    if (!e && first && !title)
        e = err_new(ERR_CORRUPT, "the first line names no ceremony");
    if (!e && first) {
        t->title = arena_str(arena, view_str(title));
        t->rehearsal = json_is_true(json_object_get(root, "rehearsal"));
    }
    t->steps += json_object_get(root, "step") != NULL;
    t->complete = json_is_true(json_object_get(root, "complete"));
    conf_free(c);
    return e;
}

struct err *ca_transcript_read(struct view text, struct arena *arena, struct ca_transcript *ret)
{
    struct err *e = NULL;
    struct ca_transcript t = {.title = ""};
    struct view rest = text, line;
    const char *prev = "";
    if (text.n > CA_TRANSCRIPT_BYTES)
        return err_new(ERR_TOO_LARGE, "a transcript of more than %d octets", CA_TRANSCRIPT_BYTES);
    if (text.n == 0 || text.p[text.n - 1] != '\n')
        return err_new(ERR_CORRUPT, "the transcript is cut off");
    for (size_t n = 1; take_line(&rest, &line); n++) {
        TRY(err_wrap(read_line(line, prev, arena, &t, n == 1), "transcript, line %zu", n));
        prev = hash_text(line, arena);
    }
    digest_sha256(text, t.sha256);
    *ret = t;
out:
    return e;
}
