/*
 * Steps that are people's: a file held against a hash that was brought, and what is done by hand. Whoever a
 * step names says so at the terminal; in a rehearsal nobody is asked, and the transcript says that.
 */
#include <stdio.h>
#include <string.h>

#include "ceremony.h"

struct err *ceremony_say_check(struct ceremony *c, const struct ceremony_step *s)
{
    struct view bytes;
    return ceremony_io_read(c, s->file, s->sha256, &bytes);
}

struct err *ceremony_say_text(struct ceremony *c, const struct ceremony_step *s)
{
    (void)c, (void)s; /* it stands on record, and who was named has confirmed it */
    return NULL;
}

static struct err *ask(const char *name)
{
    enum { ANSWER_BYTES = 64 };
    char answer[ANSWER_BYTES];
    fprintf(stderr, "   %s, is it so? Type yes: ", name);
    fflush(stderr);
    if (!fgets(answer, sizeof answer, stdin))
        return err_new(ERR_POLICY, "%s did not answer", name);
    answer[strcspn(answer, "\r\n")] = '\0';
    return strcmp(answer, "yes") == 0 ? NULL : err_new(ERR_POLICY, "%s did not say yes", name);
}

struct err *ceremony_say_confirm(struct ceremony *c, const struct ceremony_step *s)
{
    struct err *e = NULL;
    if (s->by.n == 0)
        return NULL;
    for (size_t i = 0; !c->rehearsal && i < s->by.n; i++)
        TRY(ask(s->by.items[i]));
    ceremony_record_text(c, "confirmed", c->rehearsal ? "rehearsed" : "yes");
out:
    return e;
}
