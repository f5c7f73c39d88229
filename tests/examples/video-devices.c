/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Video devices without a kernel's, for programs with this library in LD_PRELOAD: what v4l2src and
 * v4l2sink of GStreamer 1.22 ask, and ENOTTY for the rest.
 *   /dev/video0 to 3   cameras: 160x120 YUY2, 15 frames a second; blue moves in front of stripes in
 *                      grey
 *   /dev/video10       v4l2loopback's side for who plays: YUY2 of any size. The file named by
 *                      VKSEG_TEST_VIDEO_OUT gets a line "YUYV WIDTHxHEIGHT", then the frames */
#define _GNU_SOURCE /* memfd_create, open64 */
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__ ((visibility ("default")))

enum {
  N_DEVICES = 11,
  N_CAMERAS = 4,
  LOOPBACK = 10,
  LOOPBACK_BUFFERS = 2, /* its module's default */
  WIDTH = 160,
  HEIGHT = 120,
  RATE = 15,
  BLUE_WIDTH = 48,
  OFFSET_SHIFT = 16, /* of a buffer's number, for mmap: more than any page */
  N_FDS = 1024,
};

typedef struct {
  int is_output;
  struct v4l2_pix_format format;
  struct v4l2_fract interval;
  struct {
    int fd; /* its memory */
    unsigned char *data;
    struct v4l2_buffer info;
  } buffers[VIDEO_MAX_FRAME];
  unsigned n_buffers, n_queued, sequence;
  unsigned queue[VIDEO_MAX_FRAME]; /* numbers of buffers, the first is the next */
} Device;

/* Elements queue and dequeue from different threads. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Device devices[N_DEVICES];
static Device *by_fd[N_FDS]; /* open files: a camera's timer, the loopback's file */

static int
fail (int error)
{
  errno = error;
  return -1;
}

static Device *
device_at (const char *path)
{
  unsigned i;
  char end;
  if (sscanf (path, "/dev/video%u%c", &i, &end) != 1 || (i >= N_CAMERAS && i != LOOPBACK))
    return NULL;
  return &devices[i];
}

static Device *
device_of (int fd)
{
  return fd >= 0 && fd < N_FDS ? by_fd[fd] : NULL;
}

/* What the device makes of a format that is asked for: the loopback takes any size, and a camera
 * has one. */
static void
fit_format (const Device *device, struct v4l2_pix_format *format)
{
  if (!device->is_output)
    *format = (struct v4l2_pix_format){ .width = WIDTH, .height = HEIGHT };
  if (format->colorspace == V4L2_COLORSPACE_DEFAULT)
    format->colorspace = V4L2_COLORSPACE_SRGB; /* as both uvcvideo and v4l2loopback */
  format->pixelformat = V4L2_PIX_FMT_YUYV;
  format->field = V4L2_FIELD_NONE;
  format->bytesperline = format->width * 2;
  format->sizeimage = format->bytesperline * format->height;
}

static int
open_device (Device *device)
{
  for (int i = 0; i < N_FDS; i++)
    if (by_fd[i] == device)
      return fail (EBUSY);
  int is_output = device == &devices[LOOPBACK];
  const char *out = getenv ("VKSEG_TEST_VIDEO_OUT");
  if (is_output && out == NULL)
    return fail (ENODEV);
  int fd = is_output ? (int) syscall (
               SYS_openat, AT_FDCWD, out, O_RDWR | O_CREAT | O_CLOEXEC, 0600)
                     : timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (fd < 0)
    return -1;
  *device = (Device){ .is_output = is_output, .interval = { 1, RATE } };
  device->format = (struct v4l2_pix_format){ .width = WIDTH, .height = HEIGHT };
  fit_format (device, &device->format);
  by_fd[fd] = device;
  return fd;
}

static int
query_cap (struct v4l2_capability *cap, const Device *device)
{
  *cap = (struct v4l2_capability){ .device_caps = V4L2_CAP_STREAMING };
  cap->device_caps |= device->is_output ? V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_READWRITE
                                        : V4L2_CAP_VIDEO_CAPTURE;
  cap->capabilities = cap->device_caps | V4L2_CAP_DEVICE_CAPS;
  strcpy ((char *) cap->driver, device->is_output ? "v4l2 loopback" : "uvcvideo");
  strcpy ((char *) cap->card, "vkseg test");
  return 0;
}

static int
enum_sizes (struct v4l2_frmsizeenum *sizes, const Device *device)
{
  if (sizes->index > 0 || sizes->pixel_format != V4L2_PIX_FMT_YUYV)
    return fail (EINVAL);
  if (device->is_output) {
    sizes->type = V4L2_FRMSIZE_TYPE_CONTINUOUS;
    sizes->stepwise = (struct v4l2_frmsize_stepwise){ 48, 8192, 1, 48, 8192, 1 };
  } else {
    sizes->type = V4L2_FRMSIZE_TYPE_DISCRETE;
    sizes->discrete = (struct v4l2_frmsize_discrete){ WIDTH, HEIGHT };
  }
  return 0;
}

static int
enum_intervals (struct v4l2_frmivalenum *intervals, const Device *device)
{
  if (intervals->index > 0 || intervals->pixel_format != V4L2_PIX_FMT_YUYV)
    return fail (EINVAL);
  if (device->is_output) {
    intervals->type = V4L2_FRMIVAL_TYPE_CONTINUOUS;
    intervals->stepwise =
        (struct v4l2_frmival_stepwise){ { 1, 1000 }, { 1, 2 }, { 1, 1 } };
  } else {
    intervals->type = V4L2_FRMIVAL_TYPE_DISCRETE;
    intervals->discrete = device->interval;
  }
  return 0;
}

static int
set_format (struct v4l2_pix_format *format, Device *device, int fd)
{
  fit_format (device, format);
  device->format = *format;
  if (!device->is_output)
    return 0;
  if (ftruncate (fd, 0) < 0 || lseek (fd, 0, SEEK_SET) < 0)
    return -1;
  return dprintf (fd, "YUYV %ux%u\n", format->width, format->height) < 0 ? -1 : 0;
}

/* v4l2_captureparm and v4l2_outputparm begin alike. */
static int
parm (struct v4l2_streamparm *parm, Device *device, int set)
{
  struct v4l2_captureparm *capture = &parm->parm.capture;
  if (set && device->is_output && capture->timeperframe.denominator > 0)
    device->interval = capture->timeperframe;
  *capture = (struct v4l2_captureparm){
    .capability = V4L2_CAP_TIMEPERFRAME,
    .timeperframe = device->interval,
  };
  return 0;
}

static void
free_buffers (Device *device)
{
  for (unsigned i = 0; i < device->n_buffers; i++) {
    munmap (device->buffers[i].data, device->buffers[i].info.length);
    close (device->buffers[i].fd);
  }
  device->n_buffers = device->n_queued = 0;
}

static int
add_buffer (Device *device, unsigned type)
{
  unsigned i = device->n_buffers;
  size_t size_bytes = device->format.sizeimage;
  int fd = memfd_create ("video-buffer", MFD_CLOEXEC);
  if (fd < 0)
    return -1;
  unsigned char *data = MAP_FAILED;
  if (ftruncate (fd, size_bytes) == 0)
    data = mmap (NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) {
    close (fd);
    return fail (ENOMEM);
  }
  device->buffers[i].fd = fd;
  device->buffers[i].data = data;
  device->buffers[i].info = (struct v4l2_buffer){
    .index = i,
    .type = type,
    .memory = V4L2_MEMORY_MMAP,
    .length = size_bytes,
    .m.offset = i << OFFSET_SHIFT,
  };
  device->n_buffers++;
  return 0;
}

static int
request_buffers (struct v4l2_requestbuffers *request, Device *device)
{
  unsigned most = device->is_output ? LOOPBACK_BUFFERS : VIDEO_MAX_FRAME;
  if (request->memory != V4L2_MEMORY_MMAP)
    return fail (EINVAL);
  free_buffers (device);
  if (request->count > most)
    request->count = most;
  while (device->n_buffers < request->count)
    if (add_buffer (device, request->type) < 0)
      return -1;
  return 0;
}

static int
query_buffer (struct v4l2_buffer *buffer, const Device *device)
{
  if (buffer->index >= device->n_buffers)
    return fail (EINVAL);
  *buffer = device->buffers[buffer->index].info;
  return 0;
}

static int
export_buffer (struct v4l2_exportbuffer *export, const Device *device)
{
  if (device->is_output)
    return fail (ENOTTY);
  if (export->index >= device->n_buffers)
    return fail (EINVAL);
  export->fd = fcntl (device->buffers[export->index].fd, F_DUPFD_CLOEXEC, 0);
  return export->fd < 0 ? -1 : 0;
}

static int
queue_buffer (struct v4l2_buffer *buffer, Device *device, int fd)
{
  if (buffer->index >= device->n_buffers)
    return fail (EINVAL);
  for (unsigned i = 0; i < device->n_queued; i++)
    if (device->queue[i] == buffer->index)
      return fail (EINVAL);
  if (device->is_output
      && write (fd, device->buffers[buffer->index].data, buffer->bytesused)
             != (ssize_t) buffer->bytesused)
    return fail (EIO);
  device->queue[device->n_queued++] = buffer->index;
  buffer->flags |= V4L2_BUF_FLAG_QUEUED;
  return 0;
}

static void
draw (unsigned char *yuyv, unsigned sequence)
{
  static const unsigned char blue[4] = { 41, 240, 41, 110 };
  unsigned left = sequence * 2 % (WIDTH - BLUE_WIDTH);
  for (unsigned y = 0; y < HEIGHT; y++)
    for (unsigned x = 0; x < WIDTH; x += 2, yuyv += 4) {
      unsigned char grey = x % 4 == 0 ? 60 : 180;
      if (x >= left && x < left + BLUE_WIDTH)
        memcpy (yuyv, blue, 4);
      else
        memcpy (yuyv, (unsigned char[]){ grey, 128, grey, 128 }, 4);
    }
}

static int
dequeue_buffer (struct v4l2_buffer *buffer, Device *device, int fd)
{
  uint64_t n_ticks; /* more than one on a busy machine: the blue does not jump for it */
  if (!device->is_output && read (fd, &n_ticks, sizeof n_ticks) < 0)
    return -1;
  if (device->n_queued == 0)
    return fail (EAGAIN);
  unsigned i = device->queue[0];
  memmove (device->queue, device->queue + 1, --device->n_queued * sizeof *device->queue);
  *buffer = device->buffers[i].info;
  if (device->is_output)
    return 0;
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now);
  draw (device->buffers[i].data, device->sequence);
  buffer->bytesused = buffer->length;
  buffer->field = V4L2_FIELD_NONE;
  buffer->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
  buffer->timestamp = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
  buffer->sequence = device->sequence++;
  return 0;
}

static int
stream (Device *device, int fd, int on)
{
  device->n_queued = on ? device->n_queued : 0;
  if (device->is_output)
    return 0;
  struct timespec interval = { 0, on ? 1000000000 / RATE : 0 };
  return timerfd_settime (fd, 0, &(struct itimerspec){ interval, interval }, NULL);
}

static int
enum_format (struct v4l2_fmtdesc *description)
{
  if (description->index > 0)
    return fail (EINVAL);
  description->pixelformat = V4L2_PIX_FMT_YUYV;
  description->flags = 0;
  return 0;
}

static int
answer (Device *device, int fd, unsigned long request, void *arg)
{
  struct v4l2_pix_format *format = &((struct v4l2_format *) arg)->fmt.pix;
  switch (request) {
  case VIDIOC_QUERYCAP: return query_cap (arg, device);
  case VIDIOC_ENUM_FMT: return enum_format (arg);
  case VIDIOC_ENUM_FRAMESIZES: return enum_sizes (arg, device);
  case VIDIOC_ENUM_FRAMEINTERVALS: return enum_intervals (arg, device);
  case VIDIOC_G_FMT: *format = device->format; return 0;
  case VIDIOC_TRY_FMT: fit_format (device, format); return 0;
  case VIDIOC_S_FMT: return set_format (format, device, fd);
  case VIDIOC_G_PARM:
  case VIDIOC_S_PARM: return parm (arg, device, request == VIDIOC_S_PARM);
  case VIDIOC_REQBUFS: return request_buffers (arg, device);
  case VIDIOC_QUERYBUF: return query_buffer (arg, device);
  case VIDIOC_EXPBUF: return export_buffer (arg, device);
  case VIDIOC_QBUF: return queue_buffer (arg, device, fd);
  case VIDIOC_DQBUF: return dequeue_buffer (arg, device, fd);
  case VIDIOC_STREAMON:
  case VIDIOC_STREAMOFF: return stream (device, fd, request == VIDIOC_STREAMON);
  default: return fail (ENOTTY);
  }
}

/* What libgstvideo4linux2, built for large files, calls of libc. */

EXPORT int
stat64 (const char *path, struct stat64 *info)
{
  return fstatat64 (AT_FDCWD, device_at (path) != NULL ? "/dev/null" : path, info, 0);
}

EXPORT int
open64 (const char *path, int flags, ...)
{
  va_list args;
  va_start (args, flags);
  mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg (args, mode_t) : 0;
  va_end (args);
  Device *device = device_at (path);
  if (device == NULL)
    return (int) syscall (SYS_openat, AT_FDCWD, path, flags, mode);
  pthread_mutex_lock (&lock);
  int fd = open_device (device);
  pthread_mutex_unlock (&lock);
  return fd;
}

EXPORT int
dup (int fd)
{
  int copy = (int) syscall (SYS_dup, fd);
  if (copy >= 0 && copy < N_FDS)
    by_fd[copy] = device_of (fd);
  return copy;
}

EXPORT int
close (int fd)
{
  if (device_of (fd) != NULL)
    by_fd[fd] = NULL;
  return (int) syscall (SYS_close, fd);
}

EXPORT void *
mmap64 (void *at, size_t size, int protection, int flags, int fd, off64_t offset)
{
  const Device *device = device_of (fd);
  if (device != NULL) {
    fd = device->buffers[offset >> OFFSET_SHIFT].fd;
    offset = 0;
  }
  return (void *) syscall (SYS_mmap, at, size, protection, flags, fd, offset);
}

EXPORT int
ioctl (int fd, unsigned long request, ...)
{
  va_list args;
  va_start (args, request);
  void *arg = va_arg (args, void *);
  va_end (args);
  Device *device = device_of (fd);
  if (device == NULL)
    return (int) syscall (SYS_ioctl, fd, request, arg);
  pthread_mutex_lock (&lock);
  int result = answer (device, fd, request, arg);
  pthread_mutex_unlock (&lock);
  return result;
}
