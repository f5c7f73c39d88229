/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For builds with a sanitizer: Vulkan's loader, layers and drivers stay loaded to the end. What
 * they keep in globals is then reachable and no leak; what they do leak is reported by name. */
int dlclose (void *handle);

__attribute__ ((visibility ("default"))) int
dlclose (void *handle)
{
  return 0;
}

/* What shared libraries allocate in their constructors is theirs: GLib's table of quarks, for
 * one, which GLib gives up on purpose once a program has more than 2048 of them. */
void __lsan_disable (void);
void __lsan_enable (void);

static void
before_libraries (int argc, char **argv, char **environment)
{
  __lsan_disable ();
}

__attribute__ ((section (".preinit_array"), used)) static void (*const first) (
    int argc, char **argv, char **environment) = before_libraries;

__attribute__ ((constructor)) static void
after_libraries (void)
{
  __lsan_enable ();
}
