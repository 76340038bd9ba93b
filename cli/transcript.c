/* chancery transcript verify, record: what a ceremony wrote down, checked, and taken into the ledger. */
#include <stdio.h>

#include "base/file.h"
#include "base/hex.h"
#include "ca_hierarchy.h"
#include "cli.h"

static const struct cli_column columns[] = {
    {"entry", "entry"},         {"ceremony", "ceremony"}, {"steps", "steps"},
    {"rehearsal", "rehearsal"}, {"complete", "complete"}, {"sha256", "sha256"},
};

static void print(const struct cli *c, const json_t *what)
{
    size_t skip = json_object_get(what, "entry") ? 0 : 1;
    cli_print_object(c, what, columns + skip, sizeof columns / sizeof columns[0] - skip);
}

struct err *transcript_verify(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct view text;
    struct ca_transcript t;
    TRY(cli_options(NULL, 0, &argc, argv, 1, 1));
    TRY(file_read(argv[0], CA_TRANSCRIPT_BYTES, c->arena, &text));
    TRY(ca_transcript_read(text, c->arena, &t));
    json_t *said = json_pack("{s:s, s:I, s:b, s:b, s:s}", "ceremony", t.title, "steps", (json_int_t)t.steps,
                             "rehearsal", t.rehearsal, "complete", t.complete, "sha256",
                             hex_of(c->arena, view_of(t.sha256, SHA256_BYTES)));
    print(c, said);
    json_decref(said);
out:
    return e;
}

struct err *transcript_record(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct view text;
    json_t *answer = NULL;
    TRY(cli_options(NULL, 0, &argc, argv, 1, 1));
    TRY(file_read(argv[0], CA_TRANSCRIPT_BYTES, c->arena, &text));
    TRY(cli_call(c, "POST", "/v1/transcripts", json_pack("{s:s%}", "text", (const char *)text.p, text.n),
                 &answer));
    print(c, answer);
out:
    json_decref(answer);
    return e;
}
