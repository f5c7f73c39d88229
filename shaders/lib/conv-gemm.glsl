// SPDX-License-Identifier: LGPL-2.1-or-later
// Convolution as an implicit matrix product C[M][N] = A[M][K] B[K][N]: what conv_sc.comp,
// conv-cm.glsl and conv_sums.comp share. The host side is gst/ops/conv-gemm.c.
//   M: output pixels of all images; N: output channels; K: kernel y, kernel x, input channel.
// A workgroup makes a tile of BM pixels x BN channels and walks K in steps. A step's part of A
// is gathered from the feature map (im2col, never stored), its part of B is one contiguous piece
// of memory, packed for the tile when the model was loaded. Both go to shared memory; while one
// step is multiplied, the next is on its way to registers.
//
// What a tile costs in traffic: a step of BK reads (BM + BN) * BK elements and makes
// 2 * BM * BN * BK operations, so per byte (fp16)  BM * BN / (BM + BN)  operations:
//   32x32: 16   64x64: 32   128x64: 43   128x128: 64
// An RTX 3060 (12.7 TFLOPS fp32, 360 GB/s) breaks even at 35 operations a byte from memory, and
// L2 caches of today give 3 to 5 times that: from 64x64 on the multipliers are the limit, not
// the memory. Tensor cores (H100: 990 TFLOPS fp16, about 5.5 TB/s from L2: 180) want the largest
// tile there is.
//
// Workgroups are numbered along N first, so that those that run together read the same pixels
// while these are in L2; the weights of all of them are there anyway.
//
// Where tiles are fewer than the device has cores, several workgroups share the K of one tile
// (split K): each writes its sums as they are, and conv_sums.comp adds them.
layout (push_constant) uniform Push {
  int in_w, in_h, out_w, out_h;
  int in_pitch4, in_offset4, out_pitch4, out_offset4, res_pitch4, res_offset4;
  int out_image, out_row, out_col; // output pixels from one to the next
  int in_c4;                       // texels of a tap
  int out_c, out_c4;               // channels; texels of a pixel to write
  int kernel_h, kernel_w, stride_y, stride_x, dilation_y, dilation_x, pad_y, pad_x;
  int n_pixels, tiles_n;
  int steps, split_steps;
  int sums_pixels, sums_c4; // a split's sums
  int splits;
} p;

// Where a row of A begins: the input position of its tap (0, 0). Past the last pixel a position
// that every tap finds outside.
struct Pixel {
  int line, y, x; // rows of all images before; in the image
};

Pixel find_pixel (int m)
{
  int row = m / p.out_w, x = m - row * p.out_w;
  int image = row / p.out_h, y = row - image * p.out_h;
  if (m >= p.n_pixels)
    return Pixel (0, -(1 << 28), 0);
  return Pixel (image * p.in_h, y * p.stride_y - p.pad_y, x * p.stride_x - p.pad_x);
}

// Texel k4 of K: its tap and the texel within the tap.
struct Tap {
  int ky, kx, c4;
};

Tap find_tap (int k4)
{
  int tap = k4 / p.in_c4, ky = tap / p.kernel_w;
  return Tap (ky, tap - ky * p.kernel_w, k4 - tap * p.in_c4);
}

void advance (inout Tap tap, int texels)
{
  tap.c4 += texels;
  while (tap.c4 >= p.in_c4) {
    tap.c4 -= p.in_c4;
    if (++tap.kx == p.kernel_w) {
      tap.kx = 0;
      tap.ky++;
    }
  }
}

// The texel of the feature map, or -1: in the padding, past the last pixel, past the end of K.
int source_texel (Pixel pixel, Tap tap)
{
  int y = pixel.y + tap.ky * p.dilation_y, x = pixel.x + tap.kx * p.dilation_x;
  bool inside = tap.ky < p.kernel_h && uint (y) < uint (p.in_h) && uint (x) < uint (p.in_w);
  return inside ? ((pixel.line + y) * p.in_w + x) * p.in_pitch4 + p.in_offset4 + tap.c4 : -1;
}

int output_pixel (int m)
{
  int row = m / p.out_w, x = m - row * p.out_w;
  int image = row / p.out_h, y = row - image * p.out_h;
  return image * p.out_image + y * p.out_row + x * p.out_col;
}

// Channels that the padding of a pixel stands for are zero.
vec4 real_channels (vec4 v, int c4)
{
  return mix (vec4 (0), v, lessThan (ivec4 (4 * c4) + ivec4 (0, 1, 2, 3), ivec4 (p.out_c)));
}
