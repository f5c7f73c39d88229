/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "element-test.h"

#include "elements/vkbackground.h"
#include "elements/vksegdemux.h"
#include "elements/vksegment.h"
#include "elements/vksegoverlay.h"
#include "elements/vksegtrack.h"
#include "frame/color-net.h"
#include "lib/device.h"

static SegVk *vk;
static char *dir;

char *
element_test_begin (int *argc, char ***argv, int *status)
{
  gst_init (argc, argv);
  g_test_init (argc, argv, NULL);
  vk = seg_test_device (status);
  if (vk == NULL)
    return NULL;
  g_assert_true (GST_ELEMENT_REGISTER (vksegment, NULL));
  g_assert_true (GST_ELEMENT_REGISTER (vkbackground, NULL));
  g_assert_true (GST_ELEMENT_REGISTER (vksegtrack, NULL));
  g_assert_true (GST_ELEMENT_REGISTER (vksegdemux, NULL));
  g_assert_true (GST_ELEMENT_REGISTER (vksegoverlay, NULL));
  dir = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  return dir;
}

gint
element_test_take_latency (GstElement *pipeline, GstPad *pad)
{
  GstQuery *query = gst_query_new_latency ();
  GstClockTime least = 0;
  gst_bin_recalculate_latency (GST_BIN (pipeline));
  if (gst_pad_query (pad, query))
    gst_query_parse_latency (query, NULL, &least, NULL);
  gst_query_unref (query);
  return (gint) (least / GST_USECOND);
}

int
element_test_run (void)
{
  int status = g_test_run ();
  g_assert_cmpuint (seg_vk_validation_messages (), ==, 0);
  seg_vk_unref (vk);
  color_net_remove (dir);
  g_clear_pointer (&dir, g_free);
  gst_deinit ();
  return status;
}

guint
element_test_parts (GstElement *vksegment)
{
  g_autoptr (GstStructure) stats = NULL;
  guint parts = 0;
  g_object_get (vksegment, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint (stats, "parts", &parts));
  return parts;
}
