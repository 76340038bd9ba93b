/* The files of templates/builtin and templates/aws, embedded by builtin.cmake. */
#ifndef CHANCERY_TEMPLATES_BUILTIN_H
#define CHANCERY_TEMPLATES_BUILTIN_H

#include <stddef.h>
#include <stdint.h>

struct builtin_file {
    const char *name;
    const uint8_t *bytes;
    size_t n;
};

extern const struct builtin_file builtin_files[];
extern const size_t builtin_files_count;
extern const struct builtin_file aws_files[];
extern const size_t aws_files_count;

#endif
