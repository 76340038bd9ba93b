/*
 * An issuer's lines in chancery.yaml: put at the end of its list, where they change no default, with all else
 * as it was written. A file whose list is not written as lines is left alone.
 */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "ca_config.h"

struct lines {
    struct view text;
    size_t end;    /* offset behind the list's last line */
    size_t indent; /* of its items */
};

static struct view line_at(struct view text, size_t at)
{
    struct view rest = view_from(text, at);
    size_t n = view_find(rest, '\n');
    return view_of(rest.p, n < rest.n ? n + 1 : n);
}

static bool is_blank(struct view line)
{
    size_t n = 0;
    while (n < line.n && (line.p[n] == ' ' || line.p[n] == '\n' || line.p[n] == '\r'))
        n++;
    return n == line.n || line.p[n] == '#';
}

/* The list's own lines: those that are indented or items, up to the next key of the file. */
static bool find_list(struct lines *l)
{
    bool inside = false, item = false;
    for (size_t at = 0; at < l->text.n;) {
        struct view line = line_at(l->text, at);
        size_t dash = view_find(line, '-');
        at += line.n;
        if (!inside) {
            inside = view_eq_str(line, "issuers:\n");
            continue;
        }
        if (is_blank(line))
            continue;
        if (line.p[0] != ' ' && line.p[0] != '-')
            break;
        if (!item)
            l->indent = dash;
        item = true;
        l->end = at;
    }
    return item;
}

struct err *ca_config_path(struct cli *c, const char *name, const char **ret)
{
    struct err *e = NULL;
    char *real = realpath(c->config_path, NULL);
    if (!real)
        return err_sys(ERR_CONFIG, errno, "%s", c->config_path);
    const char *folder = arena_printf(c->arena, "%s/issuers", dirname(real));
    free(real);
    TRY(file_mkdir(folder, 0755));
    *ret = arena_printf(c->arena, "%s/%s.pem", folder, name);
out:
    return e;
}

struct err *ca_config_add(struct cli *c, const struct ca_config_row *row)
{
    struct err *e = NULL;
    struct lines l = {.indent = 0};
    TRY(file_read(c->config_path, CONFIG_BYTES_MAX, c->arena, &l.text));
    if (!find_list(&l))
        return err_new(ERR_CONFIG, "%s does not write its issuers line by line; add to them:\n%s",
                       c->config_path, ca_config_text(c, row, 2));
    bool cut = l.end > 0 && l.text.p[l.end - 1] != '\n';
    const char *text = arena_printf(c->arena, "%.*s%s%s%.*s", (int)l.end, (const char *)l.text.p,
                                    cut ? "\n" : "", ca_config_text(c, row, l.indent),
                                    (int)(l.text.n - l.end), (const char *)l.text.p + l.end);
    TRY(file_write(c->config_path, view_str(text), 0644));
    fprintf(stderr, "%s: in %s, behind the others; take it up: kill -HUP of the warden\n", row->name,
            c->config_path);
out:
    return e;
}

const char *ca_config_text(struct cli *c, const struct ca_config_row *row, size_t indent)
{
    const int in = (int)indent;
    return arena_printf(
        c->arena, "%*s- name: %s\n%*s  key: pkcs11:object=%s\n%*s  certificate: %s\n%*s  issue: %s\n", in, "",
        row->name, in, "", row->name, in, "", row->certificate, in, "", row->issue ? "true" : "false");
}
