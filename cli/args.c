/* Options after a command's name. Every unknown one is an error; nothing secret is ever taken from here. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

struct err *cli_usage(const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return err_at(err_new(ERR_BAD_REQUEST, "%s", text), "usage");
}

bool cli_is_usage(const struct err *e)
{
    return err_code(e) == ERR_BAD_REQUEST && strcmp(err_pointer(e), "usage") == 0;
}

static const struct cli_option *find(const struct cli_option *options, size_t n, const char *arg,
                                     const char **ret_value)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(options[i].name);
        if (strncmp(arg, options[i].name, len) != 0 || (arg[len] != '\0' && arg[len] != '='))
            continue;
        *ret_value = arg[len] == '=' ? arg + len + 1 : NULL;
        return &options[i];
    }
    return NULL;
}

static struct err *add(struct cli_list *list, const char *name, const char *value)
{
    if (list->n == sizeof list->items / sizeof list->items[0])
        return cli_usage("%s is given more than %zu times", name, list->n);
    list->items[list->n++] = value;
    return NULL;
}

struct err *cli_options(const struct cli_option *options, size_t n, int *argc, char **argv, int least,
                        int most)
{
    struct err *e = NULL;
    int kept = 0;
    for (int i = 0; i < *argc; i++) {
        const char *value = NULL;
        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[kept++] = argv[i];
            continue;
        }
        const struct cli_option *o = find(options, n, argv[i], &value);
        if (!o)
            return cli_usage("no option '%s' here", argv[i]);
        if (o->flag && value)
            return cli_usage("%s takes no value", o->name);
        if (o->flag) {
            *o->flag = true;
            continue;
        }
        if (!value && ++i < *argc)
            value = argv[i];
        if (!value)
            return cli_usage("%s takes a value", o->name);
        if (o->text)
            *o->text = value;
        if (o->list)
            TRY(add(o->list, o->name, value));
    }
    *argc = kept;
    if (kept < least)
        return cli_usage("something is missing");
    if (kept > most)
        return cli_usage("'%s' is too much", argv[most]);
out:
    return e;
}

json_t *cli_texts(const struct cli_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(array, json_string(list->items[i]));
    return array;
}
