/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What applications and people are told: element messages, and debug categories of all rooms. */
#include "element-test.h"
#include "elements/slow-net.h"
#include "frame/color-net.h"

#include "elements/settings.h"

#include <gst/check/gstharness.h>

#include <string.h>

#define WIDTH  128
#define HEIGHT 96

static char *dir, *instances, *semantic;
static const char *page; /* examples/README.md */

static GstHarness *
open_harness (const char *model)
{
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_object_set (element, "model", model, "cache-dir", dir, "post-messages", TRUE,
      "stage-times", TRUE, "threshold", 0.3, NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_src_caps_str (
      h, "video/x-raw,format=RGBx,width=128,height=96,framerate=30/1");
  return h;
}

static void
push (GstHarness *h)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 4 * WIDTH * HEIGHT, NULL);
  gst_buffer_memset (buffer, 0, 0, 4 * WIDTH * HEIGHT);
  GST_BUFFER_PTS (buffer) = GST_SECOND;
  gst_buffer_unref (gst_harness_push_and_pull (h, buffer));
}

/* --- messages -------------------------------------------------------------------------------------- */

static GstMessage *
result_of (const char *model)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  GstHarness *h = open_harness (model);
  gst_element_set_bus (h->element, bus);
  push (h);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
  g_assert_nonnull (message);
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
  return message;
}

/* COLOR_NET_BOXES, of a network of 32x24, in a frame four times as large. */
static void
check_instance (const GValue *value, const char *want_label, double want_score,
    double want_x, double want_width)
{
  const GstStructure *s = gst_value_get_structure (value);
  double score, x, y, width, height;
  gint id;
  g_assert_cmpstr (gst_structure_get_string (s, "label"), ==, want_label);
  g_assert_true (gst_structure_get (s, "id", G_TYPE_INT, &id, "score", G_TYPE_DOUBLE,
      &score, "x", G_TYPE_DOUBLE, &x, "y", G_TYPE_DOUBLE, &y, "width", G_TYPE_DOUBLE,
      &width, "height", G_TYPE_DOUBLE, &height, NULL));
  g_assert_cmpint (id, ==, g_str_equal (want_label, "warm") ? 0 : 1);
  g_assert_cmpfloat_with_epsilon (score, want_score, 1e-3);
  g_assert_cmpfloat_with_epsilon (x, want_x, 0.01);
  g_assert_cmpfloat_with_epsilon (y, 12.0, 0.01);
  g_assert_cmpfloat_with_epsilon (width, want_width, 0.01);
  g_assert_cmpfloat_with_epsilon (height, 72.0, 0.01);
}

static void
test_instances (void)
{
  g_autoptr (GstMessage) message = result_of (instances);
  const GstStructure *s = gst_message_get_structure (message);
  g_assert_cmpstr (gst_structure_get_name (s), ==, "vkseg-result");
  const GValue *list = gst_structure_get_value (s, "instances");
  g_assert_nonnull (list);
  g_assert_cmpuint (gst_value_array_get_size (list), ==, 2);
  check_instance (gst_value_array_get_value (list, 0), "warm", 0.9, 8.0, 64.0);
  check_instance (gst_value_array_get_value (list, 1), "cold", 0.6, 48.0, 72.0);
}

/* There are none where the network is not for objects. */
static void
test_no_instances (void)
{
  g_autoptr (GstMessage) message = result_of (semantic);
  const GstStructure *s = gst_message_get_structure (message);
  g_assert_false (gst_structure_has_field (s, "instances"));
  g_assert_true (gst_structure_has_field (s, "classes"));
}

/* --- documentation ----------------------------------------------------------------------------------- */

/* Adds "NAME TYPE" of each field, and as "NAME.FIELD TYPE" those of structures in it. */
static void
add_fields (GHashTable *fields, const char *prefix, const GstStructure *s)
{
  for (gint i = 0; i < gst_structure_n_fields (s); i++) {
    const char *name = gst_structure_nth_field_name (s, (guint) i);
    const GValue *value = gst_structure_get_value (s, name);
    g_autofree char *inner = g_strdup_printf ("%s%s.", prefix, name);
    g_hash_table_add (
        fields, g_strdup_printf ("%s%s %s", prefix, name, G_VALUE_TYPE_NAME (value)));
    if (GST_VALUE_HOLDS_ARRAY (value) && gst_value_array_get_size (value) > 0)
      value = gst_value_array_get_value (value, 0);
    if (GST_VALUE_HOLDS_STRUCTURE (value))
      add_fields (fields, inner, gst_value_get_structure (value));
  }
}

/* The same of the rows "| `NAME`, `NAME` | `TYPE` | ..." below a heading. */
static GHashTable *
read_table (const char *heading)
{
  g_autofree char *text = NULL;
  GHashTable *rows = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_assert_true (g_file_get_contents (page, &text, NULL, NULL));
  const char *start = strstr (text, heading);
  g_assert_nonnull (start);
  g_auto (GStrv) lines = g_strsplit (start, "\n", -1);
  for (guint i = 1; lines[i] != NULL && lines[i][0] != '#'; i++) {
    g_auto (GStrv) cells = g_strsplit (lines[i], "|", 0);
    if (!g_str_has_prefix (lines[i], "| `") || g_strv_length (cells) < 5)
      continue;
    g_auto (GStrv) names = g_strsplit (cells[1], ",", 0);
    g_auto (GStrv) type = g_strsplit (cells[2], "`", 0);
    for (guint k = 0; names[k] != NULL; k++) {
      g_auto (GStrv) name = g_strsplit (names[k], "`", 0);
      g_hash_table_add (rows, g_strdup_printf ("%s %s", name[1], type[1]));
    }
  }
  return rows;
}

/* Each field has its row, and each row, unless it begins with may_lack, its field. */
static void
check_table (const char *heading, const GstStructure *s, const char *may_lack)
{
  g_autoptr (GHashTable) rows = read_table (heading);
  g_autoptr (GHashTable) fields =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer key;
  add_fields (fields, "", s);
  g_hash_table_iter_init (&iter, fields);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (!g_hash_table_contains (rows, key))
      g_error ("%s: no row for %s", heading, (char *) key);
  g_hash_table_iter_init (&iter, rows);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (!g_hash_table_contains (fields, key) && !g_str_has_prefix (key, may_lack))
      g_error ("%s: there is no %s", heading, (char *) key);
}

/* A device need not tell all stages. */
static void
test_stats_page (void)
{
  g_autoptr (GstStructure) stats = NULL;
  GstHarness *h = open_harness (semantic);
  push (h);
  g_object_get (h->element, "stats", &stats, NULL);
  check_table ("### What `stats` says\n", stats, "stages.");
  gst_harness_teardown (h);
}

/* Regions are test-regions.c's. */
static void
test_result_page (void)
{
  g_autoptr (GstMessage) message = result_of (instances);
  check_table ("### What `vkseg-result` says\n", gst_message_get_structure (message),
      "instances.region-id ");
}

/* --- categories ------------------------------------------------------------------------------------ */

static GMutex lock;
static GHashTable *heard; /* category: its last message; lock */

static void
hear (GstDebugCategory *category, GstDebugLevel level, const char *file,
    const char *function, gint line, GObject *object, GstDebugMessage *message,
    gpointer data)
{
  const char *name = gst_debug_category_get_name (category);
  if (!g_str_has_prefix (name, "vkseg"))
    return;
  g_mutex_lock (&lock);
  g_hash_table_insert (
      heard, g_strdup (name), g_strdup (gst_debug_message_get (message)));
  g_mutex_unlock (&lock);
}

/* Each room tells, in a category of its own, what it chose. */
static void
test_categories (void)
{
  static const char *const rooms[] = { "vkseg-onnx", "vkseg-graph", "vkseg-vk",
    "vkseg-engine", "vkseg-frame", "vksegment" };
  heard = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  gst_debug_set_threshold_from_string ("vkseg*:5", FALSE);
  gst_debug_add_log_function (hear, NULL, NULL);
  GstHarness *h = open_harness (semantic);
  push (h);
  gst_harness_teardown (h);
  gst_debug_remove_log_function (hear);
  gst_debug_set_threshold_from_string ("vkseg*:0", FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (rooms); i++) {
    const char *said = g_hash_table_lookup (heard, rooms[i]);
    g_test_message ("%s: %s", rooms[i], said);
    g_assert_nonnull (said);
  }
  g_hash_table_unref (heard);
}

/* --- tracers ----------------------------------------------------------------------------------------- */

static GstPadProbeReturn
write_down (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GString *order = data;
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    g_string_append_c (order, 'b');
  else if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info))
           == GST_EVENT_CUSTOM_DOWNSTREAM)
    g_string_append_c (order,
        gst_event_has_name (GST_PAD_PROBE_INFO_EVENT (info), "latency_probe.id") ? 'p'
                                                                                 : 'e');
  return GST_PAD_PROBE_OK;
}

/* What GStreamer's tracer `latency` sends before each frame, two events with flags=pipeline+element, leaves
 * with it, and drives none of those out that wait. */
static void
test_latency_tracer (void)
{
  enum { N = 6, DEPTH = 3, NETWORK_MS = 100 };
  static const char *const names[] = { "latency_probe.id", "sub_latency_probe.id" };
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_autofree char *slow = slow_net_write_ms (dir, "slow", NETWORK_MS);
  guint n_waited = 0;
  g_object_set (element, "model", slow, "cache-dir", dir, "mode", SEG_MODE_ASYNC,
      "frames-in-flight", DEPTH, "tiling", SEG_TILING_NONE, NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  g_autoptr (GString) order = g_string_new (NULL);
  gst_object_unref (element);
  gst_harness_set_src_caps_str (
      h, "video/x-raw,format=RGBx,width=128,height=96,framerate=30/1");
  gst_pad_add_probe (h->sinkpad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, write_down, order,
      NULL);
  for (guint i = 0; i < N; i++) {
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, 4 * WIDTH * HEIGHT, NULL);
    GST_BUFFER_PTS (buffer) = i * GST_SECOND / 30;
    guint n_before = gst_harness_buffers_received (h);
    n_waited += n_before < i;
    for (guint k = 0; k < G_N_ELEMENTS (names); k++)
      gst_harness_push_event (h, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
                                     gst_structure_new_empty (names[k])));
    g_assert_cmpuint (gst_harness_buffers_received (h), ==, n_before);
    g_assert_cmpint (gst_harness_push (h, buffer), ==, GST_FLOW_OK);
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  g_assert_cmpstr (order->str, ==, "pebpebpebpebpebpeb");
  g_assert_cmpuint (n_waited, >, 0);
  gst_harness_teardown (h);
}

int
main (int argc, char **argv)
{
  int status = 0;
  dir = element_test_begin (&argc, &argv, &status);
  if (dir == NULL)
    return status;
  g_assert_cmpint (argc, ==, 2);
  page = argv[1];
  gst_debug_remove_log_function (gst_debug_log_default);
  semantic = color_net_write (dir, "semantic", COLOR_NET_PLAIN, COLOR_NET_INFO);
  instances = color_net_write (dir, "instances", COLOR_NET_YOLO, COLOR_NET_YOLO_INFO);
  g_test_add_func ("/observe/instances", test_instances);
  g_test_add_func ("/observe/no-instances", test_no_instances);
  g_test_add_func ("/observe/stats-page", test_stats_page);
  g_test_add_func ("/observe/result-page", test_result_page);
  g_test_add_func ("/observe/categories", test_categories);
  g_test_add_func ("/observe/latency-tracer", test_latency_tracer);
  status = element_test_run ();
  g_free (semantic);
  g_free (instances);
  return status;
}
