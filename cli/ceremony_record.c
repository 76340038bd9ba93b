/*
 * The transcript: a JSON object a line, each with the SHA-256 of the line before (ca_hierarchy.h). It is
 * written out whole after every step, so that what was done stands there whatever comes next.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/when.h"
#include "base/world.h"
#include "ca_hierarchy.h"
#include "ceremony.h"

static const char *transcript_path(struct ceremony *c)
{
    if (c->transcript_path[0] == '/')
        return c->transcript_path;
    return arena_printf(c->in.cli->arena, "%s/%s", c->out, c->transcript_path);
}

static json_t *line_new(struct ceremony *c)
{
    json_t *line = json_pack("{s:s, s:s}", "prev", ca_transcript_prev(view_str(c->text), c->in.cli->arena),
                             "time", when_text(c->in.cli->arena, world_now_s()));
    CHECK(line);
    return line;
}

void ceremony_record_text(struct ceremony *c, const char *key, const char *value)
{
    if (value)
        json_object_set_new(c->line, key, json_string(value));
}

void ceremony_record_hash(struct ceremony *c, const char *key, struct view bytes)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(bytes, hash);
    ceremony_record_text(c, key, hex_of(c->in.cli->arena, view_of(hash, sizeof hash)));
}

/* Takes the line; the file holds it when this returns. */
static struct err *line_end(struct ceremony *c)
{
    char *text = json_dumps(c->line, JSON_COMPACT);
    CHECK(text);
    json_decref(c->line);
    c->line = NULL;
    c->text = arena_printf(c->in.cli->arena, "%s%s\n", c->text, text);
    free(text);
    return file_write(transcript_path(c), view_str(c->text), 0644);
}

struct err *ceremony_record_begin(struct ceremony *c)
{
    if (access(transcript_path(c), F_OK) == 0)
        return err_new(ERR_WRONG_STATE, "%s is there already: a ceremony has a transcript of its own",
                       c->transcript_path);
    c->text = "";
    c->line = line_new(c);
    ceremony_record_text(c, "ceremony", c->title);
    json_object_set_new(c->line, "rehearsal", json_boolean(c->rehearsal));
    ceremony_record_text(c, "program", "chancery " CHANCERY_VERSION);
    ceremony_record_hash(c, "file_sha256", c->file);
    ceremony_record_text(c, "module", c->in.config->tokens[0].module);
    ceremony_record_text(c, "token", c->in.config->tokens[0].uri);
    json_object_set(c->line, "participants", (json_t *)c->participants);
    return line_end(c);
}

void ceremony_record_step(struct ceremony *c, const struct ceremony_step *s, size_t n)
{
    c->line = line_new(c);
    json_object_set_new(c->line, "n", json_integer((json_int_t)n));
    ceremony_record_text(c, "step", s->kind);
    ceremony_record_text(c, "name", s->name);
    ceremony_record_text(c, "issuer", s->issuer);
    ceremony_record_text(c, "template", s->template);
    ceremony_record_text(c, "text", s->text);
    for (size_t i = 0; i < s->by.n; i++) {
        if (i == 0)
            json_object_set_new(c->line, "by", json_array());
        json_array_append_new(json_object_get(c->line, "by"), json_string(s->by.items[i]));
    }
}

struct err *ceremony_record_done(struct ceremony *c, const struct err *failed)
{
    if (failed)
        ceremony_record_text(c, "failed", err_detail(failed));
    return line_end(c);
}

struct err *ceremony_record_end(struct ceremony *c)
{
    c->line = line_new(c);
    json_object_set_new(c->line, "complete", json_true());
    return line_end(c);
}
