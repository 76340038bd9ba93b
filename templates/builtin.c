/*
 * The templates the program was built with: those that `chancery init` writes out, and AWS's. The daemon
 * loads none of them, only the files of its own folder.
 *
 * Any thread.
 */
#include "builtin.h"

#include "templates.h"

static bool file_at(const struct builtin_file *files, size_t n, size_t i, const char **ret_name,
                    struct view *ret_bytes)
{
    if (i >= n)
        return false;
    *ret_name = files[i].name;
    *ret_bytes = view_of(files[i].bytes, files[i].n);
    return true;
}

bool templates_builtin(size_t i, const char **ret_name, struct view *ret_bytes)
{
    return file_at(builtin_files, builtin_files_count, i, ret_name, ret_bytes);
}

bool templates_aws(size_t i, const char **ret_name, struct view *ret_bytes)
{
    return file_at(aws_files, aws_files_count, i, ret_name, ret_bytes);
}
