/* The command line, and the texts of --help and --keys: from the rows of config. Prints; nothing else. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "config.h"

static const struct option longs[] = {
    {"config", required_argument, NULL, 'c'},
    {"check", no_argument, NULL, 'k'},
    {"help", no_argument, NULL, 'h'},
    {"keys", no_argument, NULL, 'y'},
    {"version", no_argument, NULL, 'V'},
    {"role", required_argument, NULL, 'r'},
    {NULL, 0, NULL, 0},
};

static struct options wrong(const char *what)
{
    fprintf(stderr, "chanceryd: %s\nTry `chanceryd --help`.\n", what);
    return (struct options){.mode = OPTIONS_WRONG};
}

static enum options_mode mode_of(int letter)
{
    switch (letter) {
    case 'k':
        return OPTIONS_CHECK;
    case 'h':
        return OPTIONS_HELP;
    case 'y':
        return OPTIONS_KEYS;
    case 'V':
        return OPTIONS_VERSION;
    case 'r':
        return OPTIONS_ROLE;
    default:
        return OPTIONS_WRONG;
    }
}

struct options options_parse(int argc, char *const argv[])
{
    struct options o = {.mode = OPTIONS_RUN};
    int letter;

    while ((letter = getopt_long(argc, argv, "c:hV", longs, NULL)) != -1) {
        if (letter == 'c') {
            o.file = optarg;
            continue;
        }
        o.mode = mode_of(letter);
        if (o.mode == OPTIONS_ROLE)
            o.role = optarg;
        if (o.mode == OPTIONS_WRONG) /* getopt has said what */
            return wrong("wrong usage");
        if (o.mode != OPTIONS_CHECK)
            return o;
    }
    if (optind < argc)
        return wrong("it takes options alone");
    if (!o.file)
        return wrong("-c FILE is needed");
    return o;
}

void options_help(void)
{
    printf(
        "chanceryd -c FILE [--check]\n"
        "\n"
        "The daemon of Chancery, a private certificate authority whose keys stay in a PKCS#11 token. Runs "
        "in\n"
        "the foreground and logs to stderr, one line an event.\n"
        "\n"
        "  -c, --config FILE  the configuration (chancery.yaml)\n"
        "      --check        look at everything that is needed to start, say what is wrong, start nothing\n"
        "      --keys         every key of the configuration, with its default\n"
        "  -h, --help         this text\n"
        "  -V, --version      the version\n"
        "\n"
        "SIGHUP    read configuration, templates and roster again: all processes change over, or none\n"
        "SIGUSR1   try the PIN, as its file has it now, though it was refused (chancery hsm login)\n"
        "SIGUSR2   give the token the PIN in the file beside it, named PIN_FILE.new (chancery hsm pin "
        "change)\n"
        "SIGTERM   finish what is under way and end\n"
        "\n"
        "Exit status: 0 ended as told (--check: all is well), 1 it cannot start (--check: something is "
        "wrong),\n"
        "2 wrong usage.\n"
        "\n"
        "example:  chanceryd -c /etc/chancery/chancery.yaml --check && chanceryd -c "
        "/etc/chancery/chancery.yaml\n"
        "\n"
        "A small configuration:\n"
        "\n");
    for (const char *line = config_example(); *line;) {
        int n = (int)strcspn(line, "\n");
        printf("  %.*s\n", n, line);
        line += n + (line[n] == '\n');
    }
}

static void print_row(const struct conf_row *r)
{
    printf("  %-22s %s", r->key, r->doc);
    if (r->required)
        printf(" [needed]");
    if (r->fallback)
        printf(" [%s]", r->fallback);
    putchar('\n');
}

void options_keys(void)
{
    for (size_t i = 0; config_group(i); i++) {
        const struct config_group *g = config_group(i);
        printf("%s%s (%s)\n", i ? "\n" : "", g->name[0] ? g->name : "chancery.yaml", g->doc);
        for (size_t k = 0; k < g->n; k++)
            print_row(&g->rows[k]);
    }
}
