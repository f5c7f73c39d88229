/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plugin linked into a program: nothing is looked for in folders, all elements are there. */
#include <gst/gst.h>

GST_PLUGIN_STATIC_DECLARE (vkseg);

static void
test_elements (void)
{
  static const char *const names[] = { "vksegment", "vksegdemux", "vksegoverlay",
    "vksegtrack" };
  GST_PLUGIN_STATIC_REGISTER (vkseg);
  g_autoptr (GstPlugin) plugin = gst_registry_find_plugin (gst_registry_get (), "vkseg");
  g_assert_nonnull (plugin);
  g_assert_null (gst_plugin_get_filename (plugin));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GstElement) element = gst_element_factory_make (names[i], NULL);
    g_assert_nonnull (element);
    GstPluginFeature *factory = GST_PLUGIN_FEATURE (gst_element_get_factory (element));
    g_assert_cmpstr (gst_plugin_feature_get_plugin_name (factory), ==, "vkseg");
  }
}

int
main (int argc, char **argv)
{
  g_setenv ("GST_REGISTRY_DISABLE", "yes", TRUE);
  g_setenv ("GST_PLUGIN_PATH", "", TRUE);
  g_setenv ("GST_PLUGIN_SYSTEM_PATH", "", TRUE);
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/static/elements", test_elements);
  return g_test_run ();
}
