/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/fault-open.h"

#include <dlfcn.h>
#include <glib.h>

void *
test_fault_open (const char *symbol)
{
  const char *dir = g_getenv ("VKSEG_TEST_LAYER_DIR");
  g_assert_nonnull (dir);
  g_autofree char *path = g_build_filename (dir, "libvkseg-fault-layer.so", NULL);
  void *library = dlopen (path, RTLD_NOW);
  g_assert_nonnull (library);
  g_setenv ("VK_LAYER_PATH", dir, TRUE);
  g_setenv ("VK_INSTANCE_LAYERS", "VK_LAYER_VKSEG_fault", TRUE);
  g_setenv ("VKSEG_VALIDATE", "0", TRUE); /* its layer is not in that folder */
  void *found = dlsym (library, symbol);
  g_assert_nonnull (found);
  return found;
}

TestFault *
test_fault_begin (void)
{
  return ((TestFault * (*) (void) ) test_fault_open ("test_fault")) ();
}
