/*
 * The kernel tier `thumb`: one dense or convolution layer of a part, by rows.S. Position-independent,
 * no writable data, no library: a board runs it where its bytes lie, by E.nativeCall.
 */
#include <stdint.h>

enum { DENSE = 1, CONV1D = 2, CONV2D = 5 };

/* A layer's header in a part; those of 1-D layers end with `from2`. */
struct layer {
  uint8_t type;
  int8_t low, zpIn, zpOut;
  uint16_t channelsIn, channelsOut, widthIn, widthOut;
  uint8_t kernelW, strideW, padLeft;
  int8_t high;
  uint8_t perChannel, keep, from, from2;
  uint16_t heightIn, heightOut;
  uint8_t kernelH, strideH, padTop, depthMultiplier;
};

/* See rows.S. */
struct job {
  uint32_t right;
  int32_t plus;
  uint32_t multiplier, span, low;
  int8_t *out;
  uint32_t rows, stride;
  const int32_t *biasEnd;
  const int8_t *patch;
  uint32_t perChannel;
  const int32_t *multiplierEnd;
  const int8_t *shiftEnd;
};

void rows(struct job *job, const int8_t *weights);

/* Copies the window of an output place, row after row, with zpIn where it hangs over the edge. */
__attribute__((noinline)) static void gather(const struct layer *layer, const int8_t *input, int8_t *to, int x, int y,
                   int tall, int height) {
  for (; tall--; y++)
    for (int column = x; column < x + layer->kernelW; column++) {
      const int8_t *from = input + (y * layer->widthIn + column) * layer->channelsIn;
      uint32_t step = (uint32_t)y < (uint32_t)height && (uint32_t)column < layer->widthIn;
      if (!step) from = &layer->zpIn;
      for (uint32_t left = layer->channelsIn; left--; from += step) *to++ = *from;
    }
}

/*
 * int ws_layer(layer, input, output, scratch) runs one layer.
 *
 * layer: as in a part, at a multiple of 4; input: int8 [height][width][channelsIn]; output: int8
 * [heightOut][widthOut][channelsOut], and one byte more that may be written; scratch, for
 * convolutions: kernelH * kernelW * channelsIn bytes. Returns 0, or -1 for a layer that it does not
 * run, having written nothing: any other type; built DENSE_ONLY, which is rows.S alone, also
 * convolutions, a multiplier a channel, and scales from 1/2, which need no shift to the right.
 *
 * It starts in rows.S and comes here with what is not a dense layer with one shift to the right.
 */
int other_layer(const struct layer *layer, const int8_t *input, int8_t *output, int8_t *scratch) {
  struct job job;
  const int8_t *weights = (const int8_t *)layer + 20;
  uint32_t stride = layer->channelsIn;
  uint32_t widthOut = 1;
  int tall = 1, down = 1, height = 1, heightOut = 1, y = 0;
  if (layer->type == CONV2D) {
    weights += 8;
    tall = layer->kernelH;
    down = layer->strideH;
    height = layer->heightIn;
    heightOut = layer->heightOut;
    y = -layer->padTop;
  } else if (layer->type != DENSE && layer->type != CONV1D) {
    return -1;
  }
  if (layer->type != DENSE) {
    stride *= layer->kernelW * tall;
    widthOut = layer->widthOut;
  }
  uint32_t rowCount = layer->channelsOut;
  job.stride = stride;
  job.biasEnd = (const int32_t *)(weights + ((stride * rowCount + 3) & ~3u)) + rowCount;
  job.perChannel = layer->perChannel;
  job.multiplierEnd = job.biasEnd;
  job.shiftEnd = (const int8_t *)(job.biasEnd + 1);
  job.right = 0;
  if (job.perChannel) {
    job.multiplierEnd += rowCount;
    job.shiftEnd = (const int8_t *)job.multiplierEnd + rowCount;
  } else {
    job.multiplier = 2 * (uint32_t)*job.biasEnd;
    if (*job.shiftEnd < 0) job.right = -*job.shiftEnd;
  }
  job.plus = layer->zpOut + 255 - layer->high;
  job.span = (255 - layer->high + layer->low) * 0x01010101u;
  job.low = (uint8_t)layer->low * 0x01010101u;
  for (; heightOut--; y += down) {
    int x = -layer->padLeft;
    for (uint32_t place = widthOut; place--; x += layer->strideW) {
      job.rows = rowCount;
      job.patch = input;
      if (layer->type != DENSE) {
        job.patch += (y * layer->widthIn + x) * layer->channelsIn;
        if (tall > 1 || (unsigned)y >= (unsigned)height || x < 0 ||
            x + layer->kernelW > layer->widthIn) {
          job.patch = scratch;
          gather(layer, input, scratch, x, y, tall, height);
        }
      }
      job.out = output;
      rows(&job, weights);
      output += rowCount;
    }
  }
  return 0;
}
