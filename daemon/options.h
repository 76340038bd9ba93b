/* The command line of chanceryd. */
#ifndef CHANCERY_DAEMON_OPTIONS_H
#define CHANCERY_DAEMON_OPTIONS_H

enum options_mode {
    OPTIONS_RUN,
    OPTIONS_CHECK,
    OPTIONS_HELP,
    OPTIONS_KEYS,
    OPTIONS_VERSION,
    OPTIONS_ROLE,
    OPTIONS_WRONG
};

struct options {
    enum options_mode mode;
    const char *file; /* of -c */
    const char *role; /* of --role: by ourselves alone */
};

/* OPTIONS_WRONG: has said on stderr what is wrong. */
struct options options_parse(int argc, char *const argv[]);

void options_help(void);
/* Every key of chancery.yaml with its default and what it is for. */
void options_keys(void);

#endif
