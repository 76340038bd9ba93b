/*
 * The templates the program was built with: what `chancery init` writes out. The daemon loads none of them,
 * only the files of its own folder.
 *
 * Any thread.
 */
#include "builtin.h"

#include "templates.h"

bool templates_builtin(size_t i, const char **ret_name, struct view *ret_bytes)
{
    if (i >= builtin_files_count)
        return false;
    *ret_name = builtin_files[i].name;
    *ret_bytes = view_of(builtin_files[i].bytes, builtin_files[i].n);
    return true;
}
